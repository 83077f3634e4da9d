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

"""What guests take from a backing store, counted."""

import dataclasses

from oslo_utils import units

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import mounts


@dataclasses.dataclass(frozen=True)
class Count:
    """A store at one moment.

    :ivar survey: a survey of its host
    :ivar used_mib: the memory of the host that placement has handed out
    """

    survey: object
    used_mib: int


def compare(host, before, now, guests):
    """Compare a store with what it was before there were guests.

    :param host: the host's declaration (inventory.Host)
    :param before: a :class:`Count`
    :param now: a later :class:`Count`
    :param guests: list of the RAM in MiB of the guests that came meanwhile
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, store' % host.name, host.name)
    comparison.equal('placement', 'MEMORY_MB used', before.used_mib
                     + sum(guests), now.used_mib)
    came = [found for path, found in _files(host, now.survey).items()
            if path not in before.survey.files]
    comparison.equal('file system', 'files, MiB', sorted(guests),
                     sorted(found.size // units.Mi for found in came))
    allocated = sum(found.allocated for found in came) // units.Mi
    comparison.holds('file system', 'allocated, MiB',
                     'at least %d' % sum(guests), allocated,
                     allocated >= sum(guests))
    # Whatever a file system itself needs, it is not as much as a guest.
    grown = (now.survey.store.unexplained
             - before.survey.store.unexplained) // units.Mi
    least = min(guests, default=host.file_backed.capacity_mib // 10)
    comparison.holds('file system', 'space that no file explains, MiB',
                     'less than %d' % least, grown, grown < least)
    return comparison


def compare_exceeding(host, before, now, guests):
    """Compare guests that have more RAM together than their host.

    :param host: the host's declaration (inventory.Host)
    :param before: a :class:`Count`
    :param now: a later :class:`Count`
    :param guests: list of the RAM in MiB of the guests that came meanwhile
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, guests that are more than its memory' % host.name,
        host.name)
    least = more_than_memory(now.survey.memory_mib)
    comparison.holds('nova', 'RAM of all guests, MiB', 'at least %d' % least,
                     sum(guests), sum(guests) >= least)
    used = (before.survey.store.free - now.survey.store.free) // units.Mi
    comparison.holds('file system', 'space taken, MiB',
                     'at least %d' % sum(guests), used, used >= sum(guests))
    left = now.survey.available_mib
    comparison.holds('kernel', 'memory available, MiB', 'more than 0', left,
                     left is None or left > 0)
    return comparison


def more_than_memory(memory_mib):
    """Tell how much RAM guests need that are more than their host's memory.

    :param memory_mib: the host's RAM
    :returns: MiB: a quarter more, rounded up
    """
    return -(-memory_mib * 5 // 4)


def _files(host, survey):
    foreign = foreign_data.path(survey.real(host.file_backed.mount))
    directory = survey.real(host.file_backed.directory)
    return {path: found for path, found in survey.files.items()
            if found.kind == 'f' and path != foreign
            and mounts.is_below(path, directory)}
