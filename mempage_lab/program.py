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
