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

"""Why a server is not moved to a host, in the words of who refuses it.

Each is a tuple of texts, one of which the reason has to have.
"""

from mempage_tempest_plugin.declared import page_sizes

#: Nova: by the destination, where nobody else was asked. That placement has no
#: room there has the scheduler's words.
NO_PAGES_THERE = (page_sizes.Refusal.CANNOT_FIT.value,)
#: Nova: by the scheduler, or by the destination.
NO_PAGES = (page_sizes.NO_VALID_HOST, *NO_PAGES_THERE)
#: nova_mempage: guests that ask for no page size, and those that ask for one.
ASK_FOR_PAGE_SIZE = ('choose a flavor or an image that asks for one',)
ASK_FOR_NO_PAGE_SIZE = ('choose a flavor and an image that ask for none',)
#: nova_mempage: live migrations between hosts of different kinds.
GO_TO_FILE = ('choose a host with file-backed memory or migrate cold',)
GO_TO_ORDINARY = ('choose a host without file-backed memory or migrate cold',)
#: libvirt 9.0 may close its connection to the other host before it has asked
#: why that refuses, and forgets the reason over that: eight times of ten on a
#: busy machine. Most of what else ends the connection has something to say
#: between the colons; a libvirt that ends there has not.
FORGOTTEN = 'End of file while reading data: : Input/output error'
#: libvirt: between hosts of different kinds, when Nova has begun.
NOT_ALIKE = ("doesn't match source memoryBacking",)
#: QEMU: guests' memory cannot be fetched page by page where they go. Since 8.1
#: it says why for files: these have to be on tmpfs or hugetlbfs.
NO_POST_COPY = ('Postcopy is not supported',)

#: Nova: a rebuild in place, from an image that asks for other pages.
OTHER_TOPOLOGY = ('NUMA topology cannot be changed as part of a rebuild',)


def before_live(start, host, request, driver):
    """Tell why nova-compute refuses a live migration before it begins.

    :param start: declaration (inventory.Host) of the host of the server
    :param host: that of the host that must not take it, one of another kind
    :param request: small, large, any, a size in KiB, or None
    :param driver: whether hosts have the driver of nova_mempage
    :returns: tuple of texts
    """
    if request:
        return ASK_FOR_NO_PAGE_SIZE if driver else NO_PAGES_THERE
    return GO_TO_FILE if start.file_backed else GO_TO_ORDINARY
