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

"""Shows long work as it goes on, and remembers what each step cost."""

import contextlib
import threading
import time

import rich.console

console = rich.console.Console(highlight=False, stderr=True)


class Progress:
    """Prints a line per finished step; on a terminal also what is running."""

    def __init__(self):
        self.started = time.monotonic()
        self.costs = {}
        self._running = {}
        self._lock = threading.Lock()
        self._status = (console.status('') if console.is_terminal else None)

    def __enter__(self):
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *exc_info):
        if self._status:
            self._status.stop()

    @contextlib.contextmanager
    def step(self, name):
        """Time what runs inside the context under the given name."""
        begin = time.monotonic()
        self._note_running(name, True)
        try:
            yield
        except BaseException:
            self._line(name, 'failed', begin)
            raise
        else:
            self._line(name, 'done', begin)
        finally:
            self._note_running(name, False)

    def say(self, text):
        """Print a line of its own."""
        console.print('[%6.1f s] %s' % (time.monotonic() - self.started,
                                        text), markup=False)

    def _line(self, name, outcome, begin):
        cost = time.monotonic() - begin
        self.costs[name] = round(cost, 2)
        self.say('%s: %s in %.1f s' % (name, outcome, cost))

    def _note_running(self, name, running):
        with self._lock:
            if running:
                self._running[name] = True
            else:
                self._running.pop(name, None)
            if self._status:
                self._status.update(', '.join(self._running))
