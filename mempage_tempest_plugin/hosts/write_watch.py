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

"""What becomes of memory that is dirty, second by second."""

from oslo_utils import units

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import scripts

SCRIPT = 'watch_writes.sh'
_SECTOR = 512
_NANOSECONDS = 10 ** 9


class WriteWatch:
    """Looks each second how much is dirty, and how much a device was given.

    :param host: the compute_host.ComputeHost
    :param device: its name in the kernel: nvme0n1p1
    :param seconds: for how long
    :raises HostError: if the host cannot be reached
    """

    def __init__(self, host, device, seconds):
        self._host = host
        self._running = host.ssh.start(
            ['sh', '-s'], stdin=scripts.with_values(
                SCRIPT, seconds=str(seconds), device=device))

    def points(self):
        """Wait until the time is over.

        :returns: list as of measurements.Measurement.timeline
        :raises HostError: if the host could not look
        """
        return parse(self._host.name, self._running.wait().stdout)


def parse(host, text):
    """Read what the script printed.

    :param host: name of the host, for errors
    :param text: the output
    :returns: list as of measurements.Measurement.timeline
    :raises FactsMissing: if it is none
    """
    try:
        lines = [tuple(map(int, line.split())) for line in text.splitlines()]
        began, _, sectors = lines[0]
        return [{'seconds': (when - began) / _NANOSECONDS,
                 'dirty_mib': dirty / units.Ki,
                 'written_mib': (given - sectors) * _SECTOR / units.Mi}
                for when, dirty, given in lines]
    except (ValueError, IndexError) as error:
        raise exceptions.FactsMissing(
            host, 'what is dirty: %.200r' % text) from error
