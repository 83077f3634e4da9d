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

"""What can go wrong, as users see it."""


class LabError(Exception):
    """An error whose text tells the user what is wrong and what to do."""


class CommandFailed(LabError):
    """A command ended with a non-zero status.

    :ivar command: the command, as a list of words
    :ivar status: its exit status
    :ivar output: what it printed, both streams together
    """

    def __init__(self, command, status, output):
        self.command = command
        self.status = status
        self.output = output
        tail = '\n'.join(output.strip().splitlines()[-15:])
        super().__init__('%s ended with status %s:\n%s'
                         % (' '.join(map(str, command)), status, tail))
