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

"""``mempage-nova plan``: what would the option do?"""

import copy

from nova_mempage.cmd import cloud
from nova_mempage.cmd import errors
from nova_mempage import guests
from nova_mempage import pages
from nova_mempage import policy

HELP = 'tell what a value of allowed_memory_pagesize would do'
DESCRIPTION = (
    'Tells, before the option is switched on, which guests would violate it, '
    'how much memory of a host would go to no guest, and which flavors ask '
    'for no page size. Looks into the databases, so it runs where '
    'nova-conductor does. Changes nothing.')
USES_DATABASES = True


def add_arguments(parser):
    """Say what the command takes."""
    parser.add_argument('value', help='the planned value, such as large')
    parser.add_argument('--host', help='only this compute host')


def _print_host(host, allowed):
    if not pages.allowed_sizes(host.cells, allowed):
        print('%s: nova-compute would NOT start: the host knows only pages of '
              '%s KiB' % (host.name, sorted(pages.known_sizes(host.cells))))
        return
    planned = policy.Policy(
        no_page_size=not pages.allows_small(host.cells, allowed),
        page_size=host.policy.page_size)
    if planned.no_page_size and planned.page_size:
        print('%s: nova-compute would NOT start: file_backed_memory is set '
              'there, which needs the smallest page size' % host.name)
        return
    cells = copy.deepcopy(host.cells)
    pages.withhold(cells, allowed)
    print('%s: %d MiB of memory would go to no guest' % (
        host.name, pages.withheld_mib(host.cells, cells)))
    ordinary_mib = _ordinary_mib(host.cells)
    if planned.no_page_size and ordinary_mib:
        print('  reserve what of that is ordinary memory: '
              'reserved_host_memory_mb = %d' % ordinary_mib)
    for violation in guests.violating(
            host.instances, host.cells, allowed, planned):
        print('  would violate it: %s' % violation)


def _ordinary_mib(cells):
    """Get the memory in pages of the smallest size."""
    withheld = copy.deepcopy(cells)
    pages.withhold(withheld, pages.LARGE_ONLY)
    return pages.withheld_mib(cells, withheld)


def _print_flavors():
    without = [flavor.name for flavor in cloud.flavors()
               if 'hw:mem_page_size' not in flavor.extra_specs]
    print('%d flavors ask for no page size%s' % (
        len(without), ': ' + ', '.join(sorted(without)) if without else ''))


def run(args):
    """Run the command."""
    try:
        allowed = pages.parse(args.value.split(','))
    except ValueError as error:
        raise errors.CommandError(error) from error
    for host in sorted(cloud.hosts(args.host), key=lambda host: host.name):
        if host.allowed and not host.allowed.everything:
            print('%s: the option is in use there already; this counts only '
                  'pages that it leaves to guests' % host.name)
        _print_host(host, allowed)
    _print_flavors()
    return 0
