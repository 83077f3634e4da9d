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

"""Page sizes: what a request for one gets on a declared host."""

SMALL = 'small'
LARGE = 'large'
ANY = 'any'


def available(host):
    """Tell which page sizes guests that ask for one can get on a host.

    :param host: the host's declaration (inventory.Host)
    :returns: the set of sizes in KiB
    """
    # Nova refuses all guests that ask for a page size there.
    if host.file_backed:
        return set()
    sizes = {host.small_page_kib, *(
        pool.size_kib for pool in host.pools if pool.pages)}
    return {size for size in sizes if host.allows(size)}


def granted(host, request, ram_mib):
    """Tell which page size a request is granted on a host with free pages.

    Nova takes the largest that fits
    (nova.virt.hardware._numa_cell_supports_pagesize_request).

    :param host: the host's declaration (inventory.Host)
    :param request: small, large, any, or a size in KiB
    :param ram_mib: the RAM of the guest
    :returns: KiB, or None if the host can never serve the request
    """
    sizes = {size for size in available(host)
             if _fits(host, size, ram_mib * 1024)}
    if request == SMALL:
        sizes &= {host.small_page_kib}
    elif request == LARGE:
        sizes -= {host.small_page_kib}
    elif request != ANY:
        sizes &= {request}
    return max(sizes, default=None)


def _fits(host, size_kib, ram_kib):
    if size_kib == host.small_page_kib:
        return True
    pages = sum(pool.pages for pool in host.pools
                if pool.size_kib == size_kib)
    return ram_kib % size_kib == 0 and pages * size_kib >= ram_kib
