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

"""What AggregateMemoryBackingFilter of nova_mempage makes of a request."""

import dataclasses

from mempage_tempest_plugin.declared import page_sizes

KEY = 'MemoryBacking'


def passes(host, request, allowed):
    """Tell whether a host passes the filter.

    It passes if every page size that the request could be given there is
    allowed. A guest that asks for none gets the smallest.

    :param host: the host's declaration (inventory.Host)
    :param request: small, large, any, a size in KiB, or None
    :param allowed: what the host's aggregates allow together: words and
        sizes, as inventory.Host.allowed_page_sizes; empty if one of them
        cannot be understood
    """
    restricted = dataclasses.replace(host, allowed_page_sizes=allowed)
    return all(restricted.allows(size) for size in _sizes(host, request))


def _sizes(host, request):
    """Page sizes in KiB that a request could be given."""
    return {
        None: {host.small_page_kib},
        page_sizes.SMALL: {host.small_page_kib},
        page_sizes.LARGE: page_sizes.large(host),
        page_sizes.ANY: page_sizes.available(host),
    }.get(request, {request})
