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

"""What a host tells the scheduler and placement of its page sizes.

Traits go to placement. Their names are those of Nova's specification "NUMA
Topology with Resource Providers", as far as it has names for them.
Statistics go to the database with Nova's own (ComputeNode.stats), where
filters find them.
"""

from nova_mempage import pages

PREFIX = 'CUSTOM_MEMORY_PAGE_SIZE_'
#: Guests that ask for no page size must not come.
REQUIRED = PREFIX + 'REQUIRED'
#: Guests that ask for a page size must not come.
REFUSED = PREFIX + 'REFUSED'
# Until version 0.1.
_OLD_PREFIX = 'CUSTOM_MEM_PAGE_SIZE_'

REFUSES_NO_PAGE_SIZE = 'mempage_refuses_no_page_size'
REFUSES_PAGE_SIZE = 'mempage_refuses_page_size'
ALLOWED = 'mempage_allowed_pagesize'


def is_ours(trait):
    """Tell whether a trait is one of the extension's, of any version."""
    return trait.startswith((PREFIX, _OLD_PREFIX))


def traits(cells, policy):
    """Get the traits of a host.

    :param cells: list of nova.objects.NUMACell, as the host reports them
    :param policy: policy.Policy
    :returns: set of names
    """
    names = set()
    if not policy.page_size:
        names = {PREFIX + str(size) for size in pages.usable_sizes(cells)}
    if policy.no_page_size:
        names.add(REQUIRED)
    if policy.page_size:
        names.add(REFUSED)
    return names


def stats(policy, allowed):
    """Get the statistics of a host.

    :param policy: policy.Policy
    :param allowed: list of the values of the option
    :returns: dict of str to str
    """
    return {REFUSES_NO_PAGE_SIZE: str(policy.no_page_size),
            REFUSES_PAGE_SIZE: str(policy.page_size),
            ALLOWED: ','.join(allowed)}
