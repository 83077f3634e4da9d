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

A claim is what Nova takes on the destination before a guest is built,
unshelved, evacuated, resized or cold-migrated, while nothing has been touched
yet: a failed one leaves the server as it was, and where Nova knows how to, it
tries the next host. Guests without NUMA topology pass all of Nova's own tests,
and no method of a driver is called in time. That is why this wraps a method
of Nova's.

Reboot, power on, revert and rebuild in place take no claim.
"""

from nova.compute import claims
from nova.compute import vm_states
from nova import exception
from nova.objects import fields
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

# Nova sets a server to ERROR when one of these is refused and no other host is
# left, unless it is told that nothing has happened to the server.
_WITH_ROLLBACK = (fields.MigrationType.RESIZE, fields.MigrationType.MIGRATION)


class PageSizeNotAllowed(exception.GroupAffinityViolation):
    """A boot was refused.

    Nova counts failed builds, and tries a host with some after all others.
    Only what looks like a violation of a server group does not count.
    """

    msg_fmt = '%(reason)s'


def _refuse(claim, reason):
    LOG.info('Failed to claim: %s', reason, instance=claim.instance)
    # An unshelved or evacuated server would not be found a host that way.
    if claim.instance.vm_state == vm_states.BUILDING:
        # After such an error Nova removes the allocation only if it goes on
        # to the next host, and not if this one was forced.
        claim.tracker.reportclient.delete_allocation_for_instance(
            claim.context, claim.instance.uuid, force=True)
        raise PageSizeNotAllowed(reason=reason)
    raise exception.ComputeResourcesUnavailable(reason=reason)


def _is_rolled_back(claim):
    return (claim.migration
            and claim.migration.migration_type in _WITH_ROLLBACK)


def install():
    """Let all claims in this process ask their driver."""
    test = claims.Claim._claim_test
    if test.__module__ == __name__:
        return

    def _claim_test(claim, *args, **kwargs):
        ask = getattr(claim.tracker.driver, 'page_size_refusal', None)
        reason = ask and ask(claim.numa_topology)
        try:
            if reason:
                _refuse(claim, reason)
            test(claim, *args, **kwargs)
        except exception.ComputeResourcesUnavailable as error:
            # Nova's own tests fail for want of withheld pages, too.
            if ask and _is_rolled_back(claim):
                raise exception.InstanceFaultRollback(
                    inner_exception=error) from error
            raise

    claims.Claim._claim_test = _claim_test
