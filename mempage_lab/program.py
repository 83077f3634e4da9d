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

"""What a supervisor runs."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Program:
    """One program of a node.

    :ivar autostart: whether the supervisor starts it; the lab starts it
        otherwise, once what it needs is there
    :ivar whole_group: whether its children end with it
    :ivar stop_signal: what asks it to end
    """
    name: str
    command: str
    user: str = ''
    environment: str = ''
    autostart: bool = True
    autorestart: str = 'unexpected'
    whole_group: bool = True
    stop_signal: str = 'TERM'


@dataclasses.dataclass(frozen=True)
class State:
    """What is known of a program.

    :ivar word: as supervisor says it: RUNNING, STARTING, STOPPED, EXITED,
        FATAL ...
    :ivar pid: its number as the node sees it; None if it does not run
    :ivar uptime_seconds: since when it runs; None if it does not
    """
    word: str
    pid: int | None = None
    uptime_seconds: int | None = None

    @property
    def runs(self):
        """Whether it is running."""
        return self.word == 'RUNNING'
