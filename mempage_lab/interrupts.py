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

"""Ends work in good order when a signal tells to end."""

import contextlib
import signal

#: What ends the work; Ctrl-C, "timeout", and a terminal that is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def raised():
    """Let each of the signals do what Ctrl-C does: raise KeyboardInterrupt."""
    with _handled(signal.default_int_handler):
        yield


@contextlib.contextmanager
def held_back(shown, why):
    """Go on when a signal comes, and heed it at the end.

    :param shown: a :class:`mempage_lab.progress.Progress`
    :param why: what has to come to its end first
    :raises KeyboardInterrupt: at the end, if a signal came
    """
    came = []

    def note(number, frame):
        came.append(number)
        shown.say('%s came: %s first' % (signal.Signals(number).name, why))
    with _handled(note):
        yield
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _handled(handler):
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
