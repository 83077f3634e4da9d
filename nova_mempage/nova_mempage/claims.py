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

"""Makes Nova's resource claims ask the driver about page sizes.

A claim is what Nova takes on the destination before a guest is built, unshelved,
evacuated, resized or cold-migrated, while nothing has been touched yet: a failed
one leaves the server as it was, and where Nova knows how to, it tries the next
host. Guests without NUMA topology pass all of Nova's own tests, and the driver
has no say in a claim; that is why this replaces two classes.

Reboot, power on, revert and rebuild in place take no claim.
"""

from nova.compute import claims


class _AskDriver:

    def _test_numa_topology(self, compute_node, limit):
        reason = super()._test_numa_topology(compute_node, limit)
        # Claims are shared by all drivers in a process; others do not answer.
        ask = getattr(self.tracker.driver, 'page_size_refusal', None)
        if reason or not ask:
            return reason
        return ask(self.numa_topology)


class Claim(_AskDriver, claims.Claim):
    pass


class MoveClaim(_AskDriver, claims.MoveClaim):
    pass


def install():
    """Let Nova's resource tracker use the claims above."""
    claims.Claim = Claim
    claims.MoveClaim = MoveClaim
