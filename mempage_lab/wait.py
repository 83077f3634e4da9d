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

"""Waiting for what takes its time."""

import time


def until(ready, limit, every):
    """Wait until a function returns something true.

    :param ready: the function; an error that it raises ends the waiting
    :param limit: seconds after which it is not called again
    :param every: seconds between two calls
    :returns: whether it did in time
    """
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(every)
    return False
