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

"""What a guest says of its network, and of its boot."""

import dataclasses
import re

_ADDRESS = re.compile(r'^ +inet (\S+?)/', re.MULTILINE)
_ASK = 'cat /proc/sys/kernel/random/boot_id; ip -4 addr'


@dataclasses.dataclass(frozen=True)
class State:
    """What a guest says at one moment.

    :ivar boot: the guest kernel's boot ID
    :ivar addresses: its IPv4 addresses, without that of the loopback device
    """

    boot: str
    addresses: list


def ask(client):
    """Ask a guest.

    :param client: Tempest's RemoteClient
    :returns: a :class:`State`
    """
    boot, _, text = client.exec_command(_ASK).partition('\n')
    return State(boot, [found for found in _ADDRESS.findall(text)
                        if not found.startswith('127.')])
