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

"""Whether a guest answers, and for how long it did not."""

import re
import socket
import subprocess
import threading

import fixtures
from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin import exceptions

INTERVAL = 0.2
# Seconds after the end in which a guest has to answer once more.
LAST_REPLY = 30
_REPLY = re.compile(r'^\[(\d+\.\d+)\] .*icmp_seq=\d+ ', re.MULTILINE)


def wait_for_port(address, port, timeout):
    """Wait until a guest takes connections.

    :param address: the guest's IP address
    :param port: number of the TCP port
    :param timeout: seconds
    :raises GuestError: if it does not
    """
    if not test_utils.call_until_true(lambda: _listens(address, port),
                                      timeout, INTERVAL):
        raise exceptions.GuestError(
            'port %d at %s took no connection within %d s'
            % (port, address, timeout))


def _listens(address, port):
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(address, timeout):
    """Tell whether a guest answers a ping.

    :param address: the guest's IP address
    :param timeout: seconds that it has for that
    """
    return test_utils.call_until_true(lambda: subprocess.run(
        ['ping', '-n', '-c', '1', '-W', '1', address],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode == 0,
        timeout, INTERVAL)


def longest_silence(text):
    """Find the longest time between two replies.

    :param text: the output of ping -D
    :returns: seconds beyond the interval at which ping asks; None if there
        are no two replies
    """
    times = [float(found) for found in _REPLY.findall(text)]
    gaps = [after - before for before, after in zip(times, times[1:])]
    return max(0.0, max(gaps) - INTERVAL) if gaps else None


class Pings(fixtures.Fixture):
    """Ping a guest all the time.

    :param address: the guest's IP address
    :ivar silence: what :func:`longest_silence` says, after the end
    """

    # Tempest's NetDowntimeMeter adds up all replies that are missing. What a
    # move may take is said of one silence: the longest.
    def __init__(self, address):
        super().__init__()
        self._address = address
        self.silence = None

    def _setUp(self):
        self._lines = []
        self._ended = False
        self._answered = threading.Event()
        self._process = subprocess.Popen(
            ['ping', '-n', '-D', '-i', str(INTERVAL), self._address],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.addCleanup(self._end)

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)
            if self._ended and _REPLY.match(line):
                self._answered.set()

    def _end(self):
        # Silence that goes on now must count, too.
        self._ended = True
        self._answered.wait(LAST_REPLY)
        self._process.terminate()
        self._reader.join()
        self._process.wait()
        self._process.stdout.close()
        self.silence = longest_silence(''.join(self._lines))
