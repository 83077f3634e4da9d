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

"""Running commands and writing files inside a machine, without a network."""

import base64
import dataclasses
import io
import random
import tarfile
import time

from mempage_lab import errors
from mempage_lab.machines import sockets

# One more look costs an emulated CPU some milliseconds.
_LOOK_EVERY = (0.02, 0.5)
# Seconds.
_SOON = 10


@dataclasses.dataclass(frozen=True)
class File:
    """A file to be written.

    :ivar content: text or bytes
    :ivar owner: name of the user that it belongs to, as the machine knows him
    :ivar group: the same of the group
    """
    content: str | bytes
    mode: int = 0o644
    owner: str = 'root'
    group: str = 'root'


class Agent:
    """The QEMU guest agent of one machine.

    It serves one after the other; whoever connects meanwhile waits.

    :param path: of its socket on this side
    :param limit: seconds in which it answers
    """

    def __init__(self, path, limit):
        self.path = path
        self.limit = limit

    def connect(self, limit=None):
        """Return a :class:`Peer` whose next answer is to what is asked next.

        :param limit: seconds in which the agent answers
        :raises Lost: if it does not
        """
        peer = sockets.Peer(self.path, limit or self.limit)
        number = random.getrandbits(31)
        try:
            # What somebody left half sent is thrown away at the first byte.
            peer.send('guest-sync-delimited', {'id': number}, before=b'\xff')
            while peer.receive().get('return') != number:
                pass
        except BaseException:
            peer.__exit__()
            raise
        return peer

    def answers(self):
        """Tell whether the agent answers now.

        As long as it does not run, what it is sent is lost.
        """
        try:
            with self.connect(_SOON):
                return True
        except sockets.Lost:
            return False

    def run(self, *command, input=None, limit=None):
        """Run a command inside and return what it printed.

        :param command: its words; the program's name is looked for in PATH
        :param input: text or bytes for its standard input
        :param limit: seconds that it may take
        :raises CommandFailed: if it ends with a non-zero status
        :raises Lost: if the agent does not answer, or the command takes
            longer, which goes on then
        """
        command = [str(word) for word in command]
        with self.connect() as peer:
            pid = peer.ask('guest-exec', **_execution(command, input))['pid']
            result = _result(peer, pid, limit or self.limit)
        output = ''.join(
            base64.b64decode(result.get(stream, '')).decode(errors='replace')
            for stream in ('out-data', 'err-data'))
        if result.get('exitcode', 1):
            raise errors.CommandFailed(command, result.get(
                'exitcode', 'signal %s' % result.get('signal')), output)
        return output

    def write(self, files, then=('true',), limit=None):
        """Write files, and run a command when they are there.

        :param files: dict of absolute path to :class:`File`
        :param then: the words of the command
        :returns: what the command printed
        """
        return self.run(
            'sh', '-c', 'tar -xpm -C / && exec "$@"', 'sh', *then,
            input=archive(files), limit=limit)

    def launch(self, *command):
        """Start a command inside and do not wait for it.

        :param command: its words
        """
        with self.connect() as peer:
            peer.ask('guest-exec', **_execution(command, None))


def _execution(command, data):
    arguments = {'path': command[0], 'arg': list(command[1:]),
                 'capture_output': True}
    if data is not None:
        data = data.encode() if isinstance(data, str) else data
        arguments['input_data'] = base64.b64encode(data).decode()
    return arguments


def _result(peer, pid, limit):
    """Wait for the end of a command."""
    deadline = time.monotonic() + limit
    pause, longest = _LOOK_EVERY
    while time.monotonic() < deadline:
        status = peer.ask('guest-exec-status', pid=pid)
        if status['exited']:
            return status
        time.sleep(pause)
        pause = min(longest, pause * 1.5)
    raise sockets.Lost('process %d in the machine has not ended after %d s'
                       % (pid, limit))


def archive(files):
    """Return a tar archive of files, without their directories.

    :param files: dict of absolute path to :class:`File`
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w') as tar:
        for path, file in files.items():
            content = file.content
            if isinstance(content, str):
                content = content.encode()
            entry = tarfile.TarInfo(str(path).lstrip('/'))
            entry.size = len(content)
            entry.mode = file.mode
            entry.uname, entry.gname = file.owner, file.group
            entry.mtime = time.time()
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
