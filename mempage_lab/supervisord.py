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

"""The supervisor of a node, which does not mind stale file descriptors.

supervisor 4.3.0 goes on polling the number of a closed connection. If the
standard input of a program that has closed its end gets that number, poll
returns at once with POLLERR for ever, which costs half a processor.

Each node runs a copy of this: it may not see the checkout.
"""

import select
import sys

from supervisor import poller
from supervisor import supervisord


class Poller(poller.PollPoller):
    """Forgets file descriptors with errors; those in use are added again."""

    def _ignore_invalid(self, fd, eventmask):
        if eventmask == select.POLLERR:
            eventmask = select.POLLNVAL
        return super()._ignore_invalid(fd, eventmask)


if __name__ == '__main__':
    poller.Poller = Poller
    sys.exit(supervisord.main())
