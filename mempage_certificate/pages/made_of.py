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

"""What hosts are made of, and what of it changed during a run."""

import dataclasses

from mempage_certificate import runs

# How people write what keys say.
_SPELLED = {'mib': 'MiB', 'kib': 'KiB', 'numa': 'NUMA', 'cpu': 'CPU',
            'smart': 'SMART', 'dax': 'DAX', 'qemu': 'QEMU',
            'dirty': 'vm.dirty'}
# Of one host, one phase or one device alone.
_OWN = ('kind', 'version', 'host', 'run', 'phase', 'when')
_OF_DEVICE = ('serial_hash', 'smart')


@dataclasses.dataclass(frozen=True)
class Alike:
    """Hosts that are made of the same.

    :ivar hosts: list of what they are called
    :ivar parts: dict of texts by what they are
    """

    hosts: list
    parts: dict


@dataclasses.dataclass(frozen=True)
class Change:
    """What was something else after the run than before.

    :ivar host: what the host is called
    :ivar what: what it is
    :ivar before: a text
    :ivar after: a text
    """

    host: str
    what: str
    before: str
    after: str


def alike(run):
    """Tell what hosts were made of before the run.

    :param run: the runs.Run
    :returns: list of :class:`Alike`
    """
    groups = {}
    for host, phases in run.environments.items():
        known = runs.before(phases) or runs.after(phases)
        parts = dict(_flat(known, _OWN + _OF_DEVICE))
        groups.setdefault(tuple(parts.items()), []).append(host)
    return [Alike(hosts, dict(parts)) for parts, hosts in groups.items()]


def devices(run):
    """List the devices of stores.

    :param run: the runs.Run
    :returns: list of pairs of what the host is called and the device
    """
    return [(host, device) for host, phases in run.environments.items()
            for device in ((runs.before(phases) or runs.after(phases))[
                'store'] or {'devices': []})['devices']]


def changes(run):
    """Tell what changed between the begin of a run and its end.

    :param run: the runs.Run
    :returns: tuple of a list of :class:`Change` and of a list of hosts that
        did not tell of both
    """
    found, silent = [], []
    for host, phases in run.environments.items():
        first, last = runs.before(phases), runs.after(phases)
        if first and last:
            found += _changes(host, dict(_flat(first, _OWN)),
                              dict(_flat(last, _OWN)))
        else:
            silent.append(host)
    return found, silent


def _changes(host, before, after):
    for what in {**before, **after}:
        both = before.get(what, 'nothing'), after.get(what, 'nothing')
        if both[0] != both[1]:
            yield Change(host, what, *both)


def _flat(document, without, where=''):
    """Go through all that a document says.

    :returns: iterable of pairs of words and what is there
    """
    for key, value in document.items():
        if key in without:
            continue
        words = where + ' '.join(_SPELLED.get(word, word)
                                 for word in key.split('_'))
        if isinstance(value, dict):
            yield from _flat(value, without, words + ', ')
        elif isinstance(value, list) and any(
                isinstance(item, dict) for item in value):
            for number, item in enumerate(value, 1):
                yield from _flat(item, without, '%s %d, ' % (words, number))
        else:
            yield words, _plain(value)


def _plain(value):
    if isinstance(value, list):
        return ', '.join(map(str, value)) or 'none'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, int):
        return '{:,}'.format(value)
    return 'none' if value is None else value
