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

"""Lets placement leave out the hosts that refuse a request.

Nova changes requests before it asks placement for candidates. Its filters for
that are a list in a module, to which this adds one: hosts that refuse what the
request is have a trait, which the request forbids. Placement returns a limited
number of hosts, so those that cannot be used should not be among them.
"""

from nova.scheduler import request_filter
from nova.scheduler import utils

from nova_mempage import placement
from nova_mempage import policy
from nova_mempage import report

# Traits that placement is known to know.
_known = set()


def _is_known(trait):
    """Make sure that placement knows a trait; it refuses others."""
    if trait not in _known:
        with placement.unreachable_is_logged(
                'Hosts with %s are left to MemoryPageSizeFilter' % trait):
            placement.create(trait)
            _known.add(trait)
    return trait in _known


@request_filter.trace_request_filter
def memory_page_size_filter(context, request_spec):
    """Forbid hosts that refuse the request.

    :param context: nova.context.RequestContext
    :param request_spec: nova.objects.RequestSpec, which is changed
    :returns: whether it was changed
    """
    if utils.request_is_rebuild(request_spec):
        return False
    trait = report.REQUIRED
    if policy.wants_page_size(request_spec.numa_topology):
        trait = report.REFUSED
    if not _is_known(trait):
        return False
    request_spec.root_forbidden.add(trait)
    return True


def install():
    """Let nova-scheduler use it."""
    filters = request_filter.ALL_REQUEST_FILTERS
    if memory_page_size_filter not in filters:
        filters.append(memory_page_size_filter)
