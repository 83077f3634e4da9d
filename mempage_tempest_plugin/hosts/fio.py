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

"""What the file system of a backing store can do, as fio measures it."""

import dataclasses
import json

from oslo_utils import units

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import libvirt_root

#: The percentiles of times that it tells.
PERCENTILES = (50, 99, 99.9)
# How a shell ends that finds no such command, or none that it can run.
_NOT_FOUND = (126, 127)
# One job after the other, with the calls that a program makes which knows
# nothing better.
_ALL = ('[global]', 'filename={file}', 'size={mib}m', 'ioengine=psync',
        'overwrite=1', 'fallocate=none', 'stonewall', 'randseed={seed}',
        'percentile_list=%s' % ':'.join(map(str, PERCENTILES)))


@dataclasses.dataclass(frozen=True)
class Job:
    """One job of fio.

    :ivar name: what it is called
    :ivar options: of fio, besides file and size: dict of texts
    """

    name: str
    options: dict


@dataclasses.dataclass(frozen=True)
class Done:
    """What a job of fio has measured.

    :ivar read_mib: MiB read each second
    :ivar write_mib: MiB written each second
    :ivar seconds: how long it took
    :ivar latency_ns: nanoseconds that reads took, by percentile; of a job that
        reads nothing, writes
    """

    read_mib: float
    write_mib: float
    seconds: float
    latency_ns: dict


def unable(host):
    """Tell why a host cannot measure its store.

    :param host: the compute_host.ComputeHost
    :returns: a sentence; None if it can
    :raises HostError: if the host cannot be reached
    """
    result = libvirt_root.execute(host.ssh, ['fio', '--version'], check=False)
    if result.status in _NOT_FOUND:
        return 'it has no fio, where its libvirt is: %s' % (
            result.stderr.strip())
    if result.status:
        raise exceptions.HostCommandFailed(host.name, result)
    return None


def run(host, file, mib, seed, jobs):
    """Run jobs of fio, one after the other, on one file.

    The file is made first, and read or written by all of them. It stays.

    :param host: the compute_host.ComputeHost
    :param file: its path, as libvirt has it
    :param mib: its size
    :param seed: of the order in which pages are read
    :param jobs: list of :class:`Job`
    :returns: the version of fio, and a dict of :class:`Done` by the jobs'
        names
    :raises HostError: if the host cannot do it
    """
    result = libvirt_root.execute(
        host.ssh, ['fio', '--output-format=json', '-'],
        stdin=_job_file(file, mib, seed, jobs))
    try:
        told = json.loads(result.stdout)
        return (told['fio version'].removeprefix('fio-'),
                {job['jobname']: _done(job) for job in told['jobs']})
    except (KeyError, TypeError, ValueError) as error:
        raise exceptions.FactsMissing(
            host.name, 'the speed of the store: fio says %.200r' % (
                result.stdout or result.stderr)) from error


def _job_file(file, mib, seed, jobs):
    lines = [line.format(file=file, mib=mib, seed=seed) for line in _ALL]
    for job in jobs:
        lines.append('[%s]' % job.name)
        lines += ['%s=%s' % option for option in job.options.items()]
    return '\n'.join([*lines, ''])


def _done(job):
    if job['error']:
        raise ValueError('error %s of job %s' % (job['error'],
                                                 job['jobname']))
    read, write = job['read'], job['write']
    return Done(
        read['bw_bytes'] / units.Mi, write['bw_bytes'] / units.Mi,
        max(read['runtime'], write['runtime']) / 1000,
        {float(key): value for way in (write, read) for key, value
         in way['clat_ns'].get('percentile', {}).items()})
