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

"""Shows the tables of what becomes of requests for page sizes.

They come from the same functions and tables as what the tests expect::

    .. page-size-table:: placement

The tables are placement, faults, spellings and images; moves and stays are
those of the tests of nova_mempage.
"""

import pathlib
import runpy
import types

from docutils import nodes
from docutils.parsers import rst
from docutils import statemachine

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import page_size_requests
from mempage_tempest_plugin.declared import page_sizes

VALUES = (None, 'small', 'large', 'any', '4', '2048', '1048576')
RAM_MIB = 64

REFUSALS = {
    page_sizes.Refusal.CANNOT_FIT: 'cannot fit',
    page_sizes.Refusal.PAGE_SIZE: 'file-backed',
    page_sizes.Refusal.NO_PAGE_SIZE: 'no page size',
}
WAYS = {
    page_sizes.Way.SCHEDULER: 'No host named',
    page_sizes.Way.HOST: 'Host named: ``host`` of the API',
    page_sizes.Way.ZONE: 'Host forced: zone ``ZONE:HOST``',
}


def _host(**declared):
    return inventory.Host(
        name='host', address='', ssh=None, libvirt_uri='', **declared)


_POOL = (inventory.DeclaredPool(size_kib=2048, pages=256),)
HOSTS = {
    'Plain': _host(),
    'Large pool': _host(pools=_POOL),
    'Large only': _host(pools=_POOL, allowed_page_sizes=('large',)),
    'Small only': _host(pools=_POOL, allowed_page_sizes=('small',)),
    'File-backed': _host(file_backed=inventory.FileBacked(
        capacity_mib=1024, directory='/', mount='/')),
}


def _literal(value):
    return 'not set' if value is None else '``"%s"``' % value


def _size(request):
    if isinstance(request, page_size_requests.BadRequest):
        return '**400** %s' % request.words
    if request is None:
        return 'none'
    return str(request)


def _placement_cell(host, value):
    request = page_size_requests.effective(value, None)
    refusal = page_sizes.refusal(host, request, RAM_MIB)
    if refusal:
        return '*%s*' % REFUSALS[refusal]
    return _size(request and page_sizes.granted(host, request, RAM_MIB))


def placement():
    yield ('Request', *HOSTS)
    for value in VALUES:
        yield (_literal(value), *(_placement_cell(host, value)
                                  for host in HOSTS.values()))


def _fault(refusal, way):
    """Find a host that refuses so, and quote the fault of the server."""
    for host in HOSTS.values():
        for value in VALUES:
            request = page_size_requests.effective(value, None)
            if page_sizes.refusal(host, request, RAM_MIB) is refusal:
                faults = page_sizes.outcome(
                    [host], request, RAM_MIB, way,
                    page_sizes.Enforcement()).faults
                # A host's own words come only where nothing is tried again.
                if page_sizes.NO_MORE_RETRIES in faults:
                    return page_sizes.NO_MORE_RETRIES
                [fault] = faults
                return fault
    raise ValueError('no host refuses because of %s' % refusal)


def faults():
    yield ('Refused because', *WAYS.values())
    for refusal, name in REFUSALS.items():
        yield ('*%s*' % name, *(_fault(refusal, way) for way in WAYS))


def spellings():
    yield ('Value', 'As an extra spec', 'At boot')
    for text, spelling in page_size_requests.SPELLINGS.items():
        yield (_literal(text), 'accepted' if spelling.valid else '**400**',
               _size(spelling.request))


def images():
    yield ('Flavor', *(_literal(value)
                       for value in page_size_requests.FLAVORS))
    for image in page_size_requests.IMAGES:
        requests = (page_size_requests.effective(flavor, image)
                    for flavor in page_size_requests.FLAVORS)
        yield ('Image %s' % _literal(image), *(
            '**400**' if isinstance(request, page_size_requests.BadRequest)
            else _size(request) for request in requests))


def _moves():
    """Get the table that the tests of nova_mempage go by."""
    path = pathlib.Path(__file__).parents[3].joinpath(
        'nova_mempage', 'tests', 'functional', 'moves.py')
    return types.SimpleNamespace(**runpy.run_path(str(path)))


def _asks(extra_specs):
    return ', '.join('``%s=%s``' % item for item in extra_specs.items())


def moves():
    table = _moves()
    yield ('Request', *table.MAY_MOVE)
    for request, extra_specs in table.REQUESTS.items():
        yield (_asks(extra_specs) or 'no page size', *(
            'moves' if request in movable else '*stays*'
            for movable in table.MAY_MOVE.values()))


def stays():
    table = _moves()
    yield 'Operation', 'Refused by nova-compute', 'No host for the scheduler'
    for operation in table.OPERATIONS:
        yield (operation, table.STAYED.get(operation, 'ACTIVE'),
               table.NO_HOST.get(operation, 'ACTIVE'))


TABLES = {'placement': placement, 'faults': faults, 'spellings': spellings,
          'images': images, 'moves': moves, 'stays': stays}


class PageSizeTable(rst.Directive):
    """One of the tables, by its name."""

    required_arguments = 1

    def run(self):
        lines = ['.. list-table::', '   :header-rows: 1',
                 '   :stub-columns: 1', '']
        for row in TABLES[self.arguments[0]]():
            lines.append('   * - %s' % row[0])
            lines += ['     - %s' % cell for cell in row[1:]]
        container = nodes.container()
        self.state.nested_parse(
            statemachine.StringList(lines, source=__file__),
            self.content_offset, container)
        return container.children


def setup(app):
    app.add_directive('page-size-table', PageSizeTable)
    return {'parallel_read_safe': True}
