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
#: How those of page sizes begin, which the driver of nova_mempage reports.
PAGE_SIZE = 'CUSTOM_MEM_PAGE_SIZE_'


def page_sizes(traits):
    """Read page sizes from a host's traits.

    :param traits: iterable of their names
    :returns: sorted list of KiB
    """
    return sorted(int(trait.removeprefix(PAGE_SIZE)) for trait in traits
                  if trait.startswith(PAGE_SIZE))
