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

"""Traits of hosts in placement that tell what they declare."""

#: Nova's own, of file-backed hosts.
FILE_BACKED = 'COMPUTE_MEM_BACKING_FILE'
#: A version of the compute API that only those releases of Nova know which
#: report it: Nova 30 has 2.96, Nova 31 has 2.100.
FILE_BACKED_SINCE = '2.97'
#: Nova's own, of hosts whose libvirt can serve shares.
VIRTIOFS = 'COMPUTE_STORAGE_VIRTIO_FS'
#: Nova's own, of hosts that the scheduler leaves out.
DISABLED = 'COMPUTE_STATUS_DISABLED'
#: How those of page sizes begin, which the driver of nova_mempage reports.
PAGE_SIZE = 'CUSTOM_MEMORY_PAGE_SIZE_'
#: Of hosts that refuse servers which ask for no page size.
PAGE_SIZE_REQUIRED = PAGE_SIZE + 'REQUIRED'
#: Of hosts that refuse servers which ask for one.
PAGE_SIZE_REFUSED = PAGE_SIZE + 'REFUSED'


def page_sizes(traits):
    """Read page sizes from a host's traits.

    :param traits: iterable of their names
    :returns: sorted list of KiB
    """
    suffixes = (trait.removeprefix(PAGE_SIZE) for trait in traits
                if trait.startswith(PAGE_SIZE))
    return sorted(int(suffix) for suffix in suffixes if suffix.isdecimal())


def refusals(traits):
    """Read from a host's traits which servers it refuses.

    :param traits: iterable of their names
    :returns: sorted list of PAGE_SIZE_REQUIRED and PAGE_SIZE_REFUSED
    """
    return sorted({PAGE_SIZE_REQUIRED, PAGE_SIZE_REFUSED}.intersection(traits))
