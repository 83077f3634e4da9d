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

"""What goes from one guest to another over the network."""

import dataclasses

from oslo_utils import units

from mempage_tempest_plugin.guests import memory

# Seconds for which a guest waits at a time, and its ssh connection with it.
_ASKED = 20
# Its standard input never ends, or nc would leave before all has come. Who
# listens tells the kernel.
_LISTEN = """
dir={directory}
rm -rf $dir
mkdir $dir
mkfifo $dir/open
setsid nc -l -p {port} <> $dir/open > $dir/data 2> $dir/error &
echo $! > $dir/pid
for i in $(seq {seconds}); do
    ! grep -q ':{hex_port} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6 ||
        exit 0
    sleep 1
done
cat $dir/error >&2
exit 1
"""
_SEND = """
dir={directory}
rm -rf $dir
mkdir $dir
cat > $dir/send.sh << 'END'
{pages}
pages {seed} {number} | nc {address} {port} > /dev/null 2> {directory}/error
END
setsid sh $dir/send.sh > /dev/null 2>&1 < /dev/null &
echo $! > $dir/pid
"""
_RECEIVED = """
dir={directory}
for i in $(seq {seconds}); do
    test $(stat -c %s $dir/data) -lt {size} || break
    sleep 1
done
stat -c %s $dir/data
md5sum < $dir/data
"""
_END = """
dir={directory}
cat $dir/error 2> /dev/null || true
kill $(cat $dir/pid) 2> /dev/null || true
rm -rf $dir
"""


@dataclasses.dataclass(frozen=True)
class Received:
    """What came over the network.

    :ivar size: bytes
    :ivar digest: of all of it
    :ivar errors: what those who sent and received it complained of
    """

    size: int
    digest: str
    errors: str = ''


class Transfer:
    """A pattern that one guest sends to another by TCP.

    :param sender: Tempest's RemoteClient of one guest
    :param receiver: that of the other
    :param address: where the sender finds the receiver
    :param port: a TCP port that nobody else uses there
    :param seed: 32 characters that no other transfer has
    :param mib: how much is sent
    """

    def __init__(self, sender, receiver, address, port, seed, mib):
        self._sender = sender
        self._receiver = receiver
        self._pages = mib * units.Mi // memory.PAGE
        self._values = {
            'address': address, 'port': port, 'hex_port': '%04X' % port,
            'seed': seed, 'number': self._pages, 'pages': memory.GENERATOR,
            'size': self.expected_size, 'seconds': _ASKED}
        self.expected_digest = memory.digest(seed, self._pages)

    @property
    def expected_size(self):
        """How many bytes have to come."""
        return self._pages * memory.PAGE

    def run(self, timeout):
        """Send it, and wait until it has come, or for some time.

        :param timeout: seconds
        :returns: a :class:`Received`
        :raises SSHExecCommandFailed: if a guest lacks what that needs
        """
        errors = []
        try:
            self._run(self._receiver, _LISTEN, 'in')
            self._run(self._sender, _SEND, 'out')
            size, digest = self._wait(timeout)
        finally:
            for guest, side in (self._sender, 'out'), (self._receiver, 'in'):
                errors.append(self._run(guest, _END, side).strip())
        return Received(size, digest, '; '.join(filter(None, errors)))

    def _wait(self, timeout):
        for _ in range(max(1, round(timeout / _ASKED))):
            size, digest = self._run(self._receiver, _RECEIVED,
                                     'in').split()[:2]
            if int(size) >= self.expected_size:
                break
        return int(size), digest

    def _run(self, guest, script, side):
        return guest.exec_command(script.format(
            directory='/tmp/mempage-%s-%d' % (side, self._values['port']),
            **self._values))
