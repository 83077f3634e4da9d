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

"""How fast a guest's memory is, as programs in the guest measure it.

They read and write a file on a tmpfs: its pages are the guest's memory. What
the guest's kernel does for them is the same for all guests.
"""

import math
import re

from oslo_utils import units

from mempage_tempest_plugin import exceptions

#: What has to be in the guest.
TOOLS = ('ioping', 'mbw')
# Percent of the guest's RAM that the file has; mbw has the same once more.
_PART = 25
# A file need not be larger than what no cache of a CPU holds.
_MOST_MIB = 4096
_PAGE_KIB = 4
# Reads before those that count, of a file of 1 MiB.
_WARM = 200
_DIRECTORY = '/tmp/mempage-speed'
_FILE = _DIRECTORY + '/file'
_VERSION = re.compile(r'\d+(?:\.\d+)+')
_COPIED = re.compile(r'^\d+\s.*Copy: (\d+(?:\.\d+)?) MiB/s', re.MULTILINE)

_PREPARE = """
mkdir -p {directory}
grep -q " {directory} tmpfs " /proc/mounts ||
    sudo -n mount -t tmpfs -o size={most}m mempage-speed {directory}
sudo -n chmod 777 {directory}
: > {file}
"""
# What a command may take long for, and no time-out of ssh can be too short.
_STEP_MIB = 256


class Memory:
    """The memory of a guest, which is measured.

    :param client: Tempest's RemoteClient
    :param mib: how much of it is measured
    :ivar mib: the same
    """

    def __init__(self, client, mib):
        self._client = client
        self.mib = mib

    def lacking(self):
        """List the programs that the guest lacks."""
        return [tool for tool in TOOLS if not self._run(
            'command -v %s || true' % tool).strip()]

    def versions(self):
        """Ask for the versions of the programs.

        :returns: dict of texts by name
        """
        found = {tool: _VERSION.search(self._run(
            '%s %s 2>&1 || true' % (tool, option)))
            for tool, option in (('ioping', '-v'), ('mbw', '-h'))}
        # mbw tells its own only in some versions.
        return {tool: match[0] if match else 'unknown'
                for tool, match in found.items()}

    def fill(self):
        """Have some of the memory in use, with what no two pages share.

        :raises GuestError: if the guest has not so much
        """
        self._run(_PREPARE.format(directory=_DIRECTORY, file=_FILE,
                                  most=self.mib + 2))
        for place in range(0, self.mib, _STEP_MIB):
            self._run('head -c %d /dev/urandom >> %s' % (
                min(_STEP_MIB, self.mib - place) * units.Mi, _FILE))
        size = int(self._run('stat -c %%s %s' % _FILE))
        if size != self.mib * units.Mi:
            raise exceptions.GuestError(
                'only %d of %d bytes could be written to its memory' % (
                    size, self.mib * units.Mi))

    def read_bandwidth(self):
        """Read all of it, in order; MiB each second."""
        return self._bandwidth('')

    def write_bandwidth(self):
        """Write all of it, in order; MiB each second."""
        return self._bandwidth('-WWW')

    def rewrite_bandwidth(self, seconds):
        """Write all of it again and again; MiB each second.

        :param seconds: for how long
        """
        return self._bandwidth('-WWW', '-w %ds' % seconds)

    def random_bandwidth(self, seconds, seed):
        """Read pages at random, one after the other; MiB each second.

        :param seconds: for how long
        :param seed: as of :meth:`latencies`
        """
        return self._speed('ioping -C -B -i 0 -a 0 -e %d -s %dk -w %ds %s' % (
            seed, _PAGE_KIB, seconds, _FILE))

    def copy_bandwidth(self):
        """Copy some of it to elsewhere in memory; MiB each second."""
        output = self._run('mbw -q -t 0 -n 1 %d' % max(1, self.mib // 2))
        return float(_match(_COPIED, output, 'mbw'))

    def latencies(self, number, seed):
        """Read pages at random, one after the other.

        :param number: how many
        :param seed: of the order, which is another one with another seed
        :returns: list of nanoseconds, in the order of time
        """
        # A file of its own comes first: what the program itself needs of
        # memory, and of a CPU that is emulated, is not to be waited for.
        # Of each line the number of requests, and the time of this one. The
        # last line is about all of them.
        output = self._run(
            'ioping -C -B -i 0 -a 0 -s %dk -c %d %s > /dev/null && '
            'ioping -C -B -p 1 -i 0 -a 0 -e %d -s %dk -c %d %s | '
            "awk '$9 == 1 { print $2 }'" % (
                _PAGE_KIB, _WARM, _DIRECTORY, seed, _PAGE_KIB, number, _FILE))
        found = [int(word) for word in output.split()][:number]
        if len(found) != number:
            raise exceptions.GuestError(
                'ioping told the time of %d of %d reads: %.200r' % (
                    len(found), number, output))
        return found

    def _bandwidth(self, way, until=None):
        return self._speed('ioping -C -L -B -i 0 -a 0 %s -s 1m %s %s' % (
            way, until or '-c %d' % self.mib, _FILE))

    def _speed(self, command):
        output = self._run(command)
        try:
            return int(output.split()[3]) / units.Mi
        except (IndexError, ValueError) as error:
            raise exceptions.GuestError(
                'ioping tells no speed: %.200r' % output) from error

    def _run(self, command):
        return self._client.exec_command(command)


def size_mib(ram_mib):
    """Tell how much of a guest's RAM is measured, in MiB.

    :param ram_mib: its RAM
    """
    return max(1, min(_MOST_MIB, ram_mib * _PART // 100))


def percentile(values, percent):
    """Tell what so many percent of values are not above.

    :param values: list of numbers
    :param percent: from 0 to 100
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _match(pattern, output, tool):
    found = pattern.search(output)
    if not found:
        raise exceptions.GuestError('%s tells no speed: %.200r' % (
            tool, output))
    return found[1]
