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

"""Change bundles at random, and tell which changes nobody notices.

    python -m tests.certificate.mutate --seconds 900 --seed 7 [RESULTS...]

RESULTS are what "stestr last --subunit" wrote of runs that have kept what
hosts are made of; without them, runs are made up.

A bundle that was changed has to be found, with words and without a crash. Of
one that was reckoned anew after the change, nobody but who signed it can tell
that it was changed: that signature has to say so, always. The exit status is
1 if anything was not noticed.
"""

import argparse
import collections
import dataclasses
import gzip
import json
import os
import random
import sys
import tempfile
import time
import traceback

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import errors
from mempage_certificate import profiles
from mempage_certificate import stream
from mempage_certificate import verification
from tests.certificate import forger
from tests.certificate import samples

_UNUSUAL = (None, True, False, 0, -1, 1, 2, 50, 1e308, 10 ** 400, '', 'x',
            'host-1', 'host-2', 'pass', 'certified', [], {}, [[]], {'a': {}},
            '2026-11-30T06:00:00.000+00:00', '\ud800', '\x1b[31m', 'A' * 9999,
            float('nan'), float('inf'))
_SMALL = ('TestFileBacked.test_', 'test_guest_memory_is_found', 'boot.time')
# What says who made it, and not what was seen.
_ANYBODYS = (archive.MANIFEST, archive.SIGNATURE)
_KINDS = ('packed', 'tar', 'file', 'lines', 'files', 'json', 'signed',
          'stream', 'reckoned', 'reckoned')


class Mutant:
    """One changed bundle."""

    def __init__(self, chance, good, bad):
        self.chance = chance
        self.good = good
        self.bad = bad
        self.what = ''
        self.signature = None
        self.contents = None

    def packed(self):
        """Change bytes of the packed file."""
        return self._bytes(archive.pack(self.good))

    def tar(self):
        """Change bytes of the archive, and pack it again."""
        plain = gzip.decompress(archive.pack(self.good))
        return _pack(self._bytes(plain))

    def file(self):
        """Change bytes of a file, and make the manifest again."""
        forged = forger.Forger(self.good)
        name = self.chance.choice([name for name in forged.contents
                                   if name not in _ANYBODYS])
        forged.contents[name] = self._bytes(forged.contents[name])
        self.what += ' of %s' % name
        forged.relist()
        return self._without_signature(forged)

    def lines(self):
        """Change lines of a file, and make the manifest again."""
        forged = forger.Forger(self.good)
        name = self.chance.choice([name for name in forged.contents
                                   if name not in _ANYBODYS])
        lines = forged.contents[name].splitlines(keepends=True) or [b'']
        place = self.chance.randrange(len(lines))
        self._item(lines, place, lines.pop(place))
        self.what += ' a line of %s' % name
        forged.contents[name] = b''.join(lines)
        forged.relist()
        return self._without_signature(forged)

    def _item(self, items, place, item):
        """Leave out, double, move or swap what was at a place."""
        what = self.what = self.chance.choice(
            ('delete', 'double', 'move', 'swap'))
        if what == 'double':
            items[place:place] = [item, item]
        elif what == 'move':
            items.insert(self.chance.randrange(len(items) + 1), item)
        elif what == 'swap' and items:
            other = self.chance.randrange(len(items))
            items.insert(place, items[other])
            items[other + (other >= place)] = item

    def files(self):
        """Change which files there are, and make the manifest again."""
        forged = forger.Forger(self.good)
        name, other = self.chance.sample([
            *(name for name in forged.contents if name not in _ANYBODYS),
            'raw/host-%d.jsonl' % self.chance.randrange(1, 9)], 2)
        what = self.what = self.chance.choice(
            ('delete', 'empty', 'double', 'move', 'swap'))
        data = forged.contents.get(name, b'')
        if what == 'empty':
            forged.contents[name] = b''
        elif what == 'swap':
            forged.contents[name] = forged.contents.get(other, b'')
        elif what in ('delete', 'move'):
            forged.contents.pop(name, None)
        if what in ('double', 'move', 'swap'):
            forged.contents[other] = data
        self.what += ' %s, %s' % (name, other)
        forged.relist()
        return self._without_signature(forged)

    def json(self):
        """Change a value of a JSON file, and make the manifest again."""
        forged = forger.Forger(self.bad)
        name = self.chance.choice((archive.RESULT, archive.RESULT,
                                   archive.ENVIRONMENT))
        told = json.loads(forged.contents[name])
        self._value(told)
        self.what += ' of %s' % name
        forged.contents[name] = (json.dumps(
            told, indent=1, sort_keys=True, ensure_ascii=False) + '\n').encode(
                'utf-8', 'replace')
        forged.relist()
        return self._without_signature(forged)

    def signed(self):
        """Change a file, or which there are, and leave all else as it is."""
        kind = self.chance.choice((self.file, self.lines, self.files,
                                   self.json, self.stream))
        kind()
        contents = dict(self.contents, **{
            archive.SIGNATURE: self.signature,
            archive.MANIFEST: self.chance.choice((
                self.good[archive.MANIFEST], self.bad[archive.MANIFEST],
                self.contents[archive.MANIFEST]))})
        return archive.pack(contents)

    def stream(self):
        """Change records, and make the manifest again."""
        forged = self._of_stream()
        forged.relist()
        return self._without_signature(forged)

    def reckoned(self):
        """Change records, and reckon all anew."""
        forged = self._of_stream()
        forged.remake()
        return self._without_signature(forged)

    def _without_signature(self, forged):
        # It would tell of every change, and nothing else had to.
        self.signature = forged.contents.pop(archive.SIGNATURE)
        self.contents = forged.contents
        return archive.pack(forged.contents)

    def _of_stream(self):
        forged = forger.Forger(self.bad)
        forged.records(self._records)
        return forged

    def _bytes(self, data):
        data = bytearray(data or b'\n')
        place = self.chance.randrange(len(data))
        length = self.chance.choice((1, 1, 1, 4, 64, 512))
        what = self.what = self.chance.choice(
            ('flip', 'replace', 'insert', 'delete', 'cut', 'copy', 'swap'))
        part = data[place:place + length]
        if what == 'flip':
            data[place] ^= 1 << self.chance.randrange(8)
        elif what == 'replace':
            data[place:place + length] = self.chance.randbytes(len(part))
        elif what == 'insert':
            data[place:place] = self.chance.randbytes(length)
        elif what == 'delete':
            del data[place:place + length]
        elif what == 'cut':
            del data[place:]
        elif what == 'copy':
            data[place:place] = part
        else:
            other = self.chance.randrange(len(data))
            data[place], data[other] = data[other], data[place]
        return bytes(data)

    def _records(self, records):
        number = self.chance.randrange(len(records))
        what = self.what = self.chance.choice(
            ('delete', 'copy', 'move', 'status', 'name', 'time', 'worker',
             'details', 'text', 'document', 'document', 'document'))
        record = records[number]
        if what == 'delete':
            del records[number]
        elif what == 'copy':
            records.insert(self.chance.randrange(len(records)), record)
        elif what == 'move':
            records.insert(self.chance.randrange(len(records)),
                           records.pop(number))
        else:
            records[number] = self._record(what, record, records)
        self.what += ' of %s' % record.name

    def _record(self, what, record, records):
        other = self.chance.choice(records)
        if what == 'status':
            return dataclasses.replace(record, status=self.chance.choice(
                ('success', 'fail', 'skip', 'xfail', 'uxsuccess',
                 'inprogress')))
        if what == 'name':
            return dataclasses.replace(record, name=other.name)
        if what == 'time':
            return dataclasses.replace(record, **{self.chance.choice(
                ('started', 'ended')): self.chance.choice(
                    (other.started, other.ended, None))})
        if what == 'worker':
            return dataclasses.replace(record, worker=self.chance.choice(
                ('', 'worker-1', 'lane-7 worker-0')))
        return dataclasses.replace(record, details=self._details(
            what, list(record.details), other.details))

    def _details(self, what, details, others):
        if what == 'text' or not details:
            return details + [stream.Detail(self.chance.choice(
                ('reason', 'traceback', 'attachment', 'facts', 'seal')),
                self.chance.choice((stream.TEXT, stream.JSON)), b'text')]
        place = self.chance.randrange(len(details))
        if what == 'details':
            if others and self.chance.random() < 0.5:
                details[place] = self.chance.choice(others)
            else:
                del details[place]
            return details
        document = _json(details[place].data)
        self._value(document)
        details[place] = dataclasses.replace(
            details[place], data=json.dumps(document).encode(
                'utf-8', 'replace'))
        return details

    def _value(self, document):
        """Change one value of a document, wherever it is."""
        places = list(_places(document))
        if not places:
            return
        parent, key = self.chance.choice(places)
        what = self.chance.choice(('delete', 'unusual', 'number', 'other'))
        value = parent[key]
        if what == 'delete':
            del parent[key]
        elif what == 'unusual':
            parent[key] = self.chance.choice(_UNUSUAL)
        elif what == 'number' and isinstance(value, (int, float)):
            parent[key] = (not value if isinstance(value, bool)
                           else value * self.chance.choice((0.5, 2, -1, 1.01)))
        else:
            other, other_key = self.chance.choice(places)
            parent[key] = json.loads(json.dumps(other[other_key]))
        self.what += ' %s at %s' % (what, key)


def _pack(plain):
    packed = gzip.compress(plain, 9, mtime=0)
    # As bundles begin, so that the archive itself is looked at.
    return archive.pack({})[:10] + packed[10:]


def _json(data):
    try:
        return json.loads(data)
    except ValueError:
        return [data.decode(errors='replace')]


def _places(value):
    if isinstance(value, dict):
        for key in value:
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for key, item in enumerate(value):
            yield value, key
            yield from _places(item)


def _bases(directory, results):
    """Make pairs of bundles to begin with, a good one and a bad one.

    :param directory: a private one
    :param results: list of paths of streams; if there are none, some are made
    """
    key = forger.make_key(directory, 'vendor')
    pairs = [_recorded(key, path) for path in results]
    # Small ones are reckoned faster: most changes are of these.
    pairs = pairs or [_base(key, 'smoke-lab', _SMALL)] * 3 + [
        _base(key, 'nvme-endurance', ('',))]
    return pairs, forger.allow(directory, vendor=key)


def _recorded(key, path):
    with open(path, 'rb') as source:
        records = stream.read(source.read())
    # What was judged as it is told; and with a test that has failed.
    last = max(number for number, record in enumerate(records)
               if any(stream.DOCUMENT.match(detail.name)
                      for detail in record.details))
    failed = dataclasses.replace(records[last], status='fail', details=[
        *records[last].details,
        stream.Detail('traceback', stream.TEXT, b'no valid host')])
    return tuple(bundles.make(
        stream.write(stream.in_order(told)), profiles.find('smoke-lab'),
        samples.product(), key)[0] for told in (records, [
            *records[:last], failed, *records[last + 1:]]))


def _base(key, profile, only):
    good = samples.Sample(profile, only=only)
    bad = samples.Sample(profile, only=only)
    bad.edit('TestFileBacked.test_delete_frees_store[', 'facts',
             lambda told: told['facts'][0].update(agrees=False))
    bad.fail('TestFileBacked.test_delete_frees_store[')
    return good.bundle(key), bad.bundle(key)


def _seen(contents):
    return {name: data for name, data in contents.items()
            if name not in _ANYBODYS}


def _unnoticed(mutant, kind, path, originals, allowed):
    """Tell what is wrong if nobody noticed that a bundle was changed.

    :returns: tuple of a text, or None; and of whether all was reckoned so
        well that only a signature tells
    """
    try:
        if _seen(archive.unpack(path)) in originals:
            return None, False
    except errors.BundleError:
        return None, False
    if kind in ('packed', 'tar', 'signed'):
        if _is_as_it_says(path, allowed):
            return 'a signature did not tell', False
        return None, False
    if not _is_as_it_says(path):
        return None, False
    if kind != 'reckoned':
        return 'verify found nothing', False
    better = forger.verify(path)[0]
    with open(path, 'wb') as target:
        target.write(archive.pack(dict(
            mutant.contents, **{archive.SIGNATURE: mutant.signature})))
    if _is_as_it_says(path, allowed):
        return 'a signature did not tell', better
    return None, better


def _is_as_it_says(path, allowed=None):
    try:
        report = verification.verify(path, allowed)
    except errors.BundleError:
        return False
    return not report.problems


def _try(mutant, kind, path, originals, allowed):
    try:
        data = getattr(mutant, kind)()
        with open(path, 'wb') as target:
            target.write(data)
        return _unnoticed(mutant, kind, path, originals, allowed)
    except Exception:
        return traceback.format_exc(), False


def run(seconds, seed, keep, results=()):
    """Change bundles for a while.

    :param seconds: for how long
    :param seed: of the choices
    :param keep: directory for bundles that nobody noticed
    :param results: list of paths of streams to begin with
    :returns: how many these were
    """
    chance = random.Random(seed)
    counts = collections.Counter()
    alone = collections.Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        pairs, allowed = _bases(directory, results)
        originals = [_seen(contents) for pair in pairs for contents in pair]
        path = os.path.join(directory, 'bundle')
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            mutant = Mutant(chance, *chance.choice(pairs))
            kind = chance.choice(_KINDS)
            problem, better = _try(mutant, kind, path, originals, allowed)
            counts[kind] += 1
            if problem:
                wrong += 1
                os.makedirs(keep, exist_ok=True)
                os.replace(path, os.path.join(keep, '%s-%d' % (kind, wrong)))
                print('%s: %s: %s' % (kind, mutant.what, problem), flush=True)
            if better:
                alone[mutant.what] += 1
            if sum(counts.values()) % 1000 == 0:
                print(_told(counts, wrong), flush=True)
    print(_told(counts, wrong))
    for what, times in alone.most_common():
        print('failed before, passes now, and only a signature tells: %s (%d)'
              % (what, times))
    return wrong


def _told(counts, wrong):
    return '%d bundles were changed (%s), %d of these nobody noticed' % (
        sum(counts.values()), ', '.join(
            '%s %d' % item for item in sorted(counts.items())), wrong)


def main():
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--keep', default='mutants',
                        help='directory for bundles that nobody noticed')
    parser.add_argument('results', nargs='*', metavar='RESULTS')
    arguments = parser.parse_args()
    return int(bool(run(arguments.seconds, arguments.seed, arguments.keep,
                        arguments.results)))


if __name__ == '__main__':
    sys.exit(main())
