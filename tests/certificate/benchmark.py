# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Tell how long the bundle of a fleet takes, step by step.

    python -m tests.certificate.benchmark --hosts 200 [RESULTS]

Each host has a lane, in which the tests of one host are told once more. These
are those of RESULTS, or made up. Two versions of this package that write the
same bundle print the same SHA-256.
"""

import argparse
import contextlib
import dataclasses
import functools
import os
import re
import sys
import tempfile
import time

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import masking
from mempage_certificate import profiles
from mempage_certificate import stream
from mempage_certificate import verification
from tests.certificate import samples


def fleet(records, number):
    """Tell the tests of one host of many.

    :param records: list of stream.Record
    :param number: how many hosts there are
    :returns: bytes of a stream; each host has a lane
    """
    _, hosts = masking.mask(stream.write(records))
    named = re.compile(b'|'.join(
        rb'\b%s\b' % re.escape(name.encode()) for name in sorted(
            hosts, key=len, reverse=True)))
    found = [_lane(record, lane, functools.partial(
        named.sub, functools.partial(_name, list(hosts), lane, number)))
        for lane in range(1, number + 1) for record in records]
    return stream.write(stream.in_order(found))


def _name(hosts, lane, number, match):
    # In each lane, a host has other peers.
    place = (lane + hosts.index(match[0].decode())) % number
    return b'compute-%03d.example.org' % place


def _lane(record, lane, rename):
    return dataclasses.replace(
        record, worker='lane-%d worker-0' % lane, details=[
            dataclasses.replace(detail, data=rename(detail.data))
            for detail in record.details])


def _records(arguments):
    if not arguments.results:
        return samples.Sample(arguments.profile).records
    with open(arguments.results, 'rb') as source:
        return stream.read(source.read())


@contextlib.contextmanager
def _timed(what):
    began = time.process_time(), time.monotonic()
    yield
    print('%-8s %6.1f s of a CPU, %6.1f s' % (
        what, time.process_time() - began[0], time.monotonic() - began[1]),
        flush=True)


def main():
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--hosts', type=int, default=200)
    parser.add_argument('--profile', default='nvme-endurance')
    parser.add_argument('results', nargs='?', metavar='RESULTS',
                        help='what "stestr last --subunit" writes')
    arguments = parser.parse_args()
    data = fleet(_records(arguments), arguments.hosts)
    profile = profiles.find(arguments.profile)
    print('%d hosts, %.1f MiB of results' % (
        arguments.hosts, len(data) / 1024 ** 2), flush=True)
    with _timed('mask'):
        masking.mask(data)
    with _timed('make'):
        contents, _ = bundles.make(data, profile, samples.product())
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'bundle.tar.gz')
        with _timed('pack'), open(path, 'wb') as target:
            target.write(archive.pack(contents))
        with _timed('verify'):
            report = verification.verify(path)
        with open(path, 'rb') as source:
            print('SHA-256 %s' % profiles.sha256(source.read()))
    return len(report.problems)


if __name__ == '__main__':
    sys.exit(main())
