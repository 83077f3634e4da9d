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

"""Commands that run several at a time, and end with the process."""

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import sys
import threading

# Seconds in which a command that is interrupted may put back what it has
# changed: a nova-compute that it has reconfigured has to start again.
_GRACE = 120
# A command that is interrupted when its standard input ends, and so when the
# process at the other end of that dies, whatever of. What is left of its
# process group then is killed after a while.
_ENDED_WITH_INPUT = (
    'exec 3<&0; { cat >/dev/null; kill -INT 0; sleep %d; kill -KILL 0; } '
    '<&3 >/dev/null 2>&1 & exec "$@" 3<&- </dev/null' % _GRACE)


class Lanes:
    """Commands that run at the same time, each called by a thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = set()
        self.stopped = False

    def call(self, command, **kwargs):
        """Run a command, and wait for its end and that of its children.

        :param command: list of its words
        :param kwargs: passed on to :class:`subprocess.Popen`
        :returns: its exit status; None if it did not begin, as all was
            stopped before
        """
        with self._lock:
            if self.stopped:
                return None
            process = subprocess.Popen(
                ['sh', '-c', _ENDED_WITH_INPUT, 'sh', *command],
                stdin=subprocess.PIPE, start_new_session=True, **kwargs)
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
            # Whoever waited for the end of the input, and what the command
            # has left behind.
            _kill(process)
            with self._lock:
                _close(process)

    def stop(self):
        """Begin nothing any more, and interrupt what runs."""
        with self._lock:
            self.stopped = True
            for process in self._running:
                _close(process)

    def end(self, futures):
        """Stop, and wait until what runs has put back what it has changed.

        :param futures: those of the threads that call, all of them
        :raises KeyboardInterrupt: if it comes once more; all is killed then
        """
        say('interrupted: what runs is being ended, and may put back what it '
            'has changed; once more kills it')
        self.stop()
        for future in futures:
            future.cancel()
        try:
            concurrent.futures.wait(futures)
        except KeyboardInterrupt:
            self.kill()
            raise

    def kill(self):
        """Kill what still runs after :meth:`stop`."""
        with self._lock:
            for process in self._running:
                _kill(process)


def _close(process):
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def say(text):
    """Tell people something, in one piece: several threads do so.

    :param text: a line
    """
    sys.stderr.write(text + '\n')
    sys.stderr.flush()


@contextlib.contextmanager
def interruptible():
    """Let SIGTERM do what Ctrl-C does, and Ctrl-C what it does elsewhere.

    What a script starts in the background ignores SIGINT, as shells want it,
    and so would all that it starts: nothing would interrupt tests in lanes.
    """
    before = {number: signal.signal(number, signal.default_int_handler)
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
