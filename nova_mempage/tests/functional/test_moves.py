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


"""What becomes of a server that is moved, as the table says."""

import time

import ddt

from tests.functional import base
from tests.functional import moves

TIMEOUT = 60
PAGES = {'small_mib': 8192, 'huge': ((2048, 2048), (1048576, 4))}
MOVING = {'accepted', 'pre-migrating', 'preparing', 'migrating'}
ALLOWED = {'large-only': 'large', 'small-only': 'small', 'file-backed': 'any'}


class MovesTestCase(base.TestCase):
    """All requests are moved at the same time."""

    def setUp(self):
        super().setUp()
        self.flags(cpu_shared_set='0-1', cpu_dedicated_set='2-3',
                   group='compute')
        self.flags(ram_allocation_ratio=1.0, reserved_host_memory_mb=0,
                   cpu_allocation_ratio=16.0)

    def start_destination(self, kind):
        self.set_file_backed(kind == 'file-backed')
        self.start_host('dest', ALLOWED[kind], **PAGES)

    def boot_all(self):
        """Boot a server for each request on the host 'source'."""
        self.start_host('source', **PAGES)
        return {
            name: self._create_server(
                flavor_id=self.flavor(**extra_specs), networks='none')
            for name, extra_specs in moves.REQUESTS.items()}

    def cold_migration(self, name, server):
        self.api.post_server_action(server['id'], {'migrate': None})

    def resize(self, name, server):
        flavor = self._create_flavor(
            memory_mb=512, vcpu=1, disk=1,
            extra_spec=moves.REQUESTS[name])
        self.api.post_server_action(
            server['id'], {'resize': {'flavorRef': flavor}})

    def live_migration(self, name, server):
        self.server = server
        self.src, self.dest = self.computes['source'], self.computes['dest']
        self.api.post_server_action(server['id'], {
            'os-migrateLive': {'host': None, 'block_migration': 'auto'}})
        # What stands in for libvirt can migrate one server at a time.
        self.settled(server)

    def unshelve(self, name, server):
        self.api.post_server_action(server['id'], {'unshelve': None})

    def evacuation(self, name, server):
        self.api.post_server_action(server['id'], {'evacuate': {}})

    def prepare(self, operation, servers):
        if operation == 'unshelve':
            for server in servers.values():
                self._shelve_server(server)
        if operation in ('unshelve', 'evacuation'):
            self.take_down('source')

    def settled(self, server):
        """Wait until Nova has nothing to do with a server any more."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            # Nova says that an evacuated server runs before it says where.
            moving = MOVING & {migration['status']
                               for migration in self.api.get_migrations()}
            found = self.api.get_server(server['id'])
            if found['OS-EXT-STS:task_state'] is None and not moving:
                return found
            time.sleep(0.2)
        self.fail('%s is still %s, migrations %s' % (
            server['name'], found['OS-EXT-STS:task_state'], moving))

    def outcome(self, server):
        """Get a server's status, its host and where it has allocations."""
        found = self.settled(server)
        return (found['status'], found['OS-EXT-SRV-ATTR:host'],
                sorted(self.allocations_of(server)))

    def expected(self, operation, kind, name):
        status = moves.status(operation, kind, name,
                              bool(self.ADDITIONAL_FILTERS))
        if not moves.may_move(operation, kind, name):
            if operation == 'unshelve':
                return status, None, []
            return status, 'source', ['source']
        if operation == 'evacuation':
            # Until the host is back, the server has allocations there.
            return status, 'dest', ['dest', 'source']
        return status, 'dest', ['dest']

    def check_moves(self, operation, kind):
        servers = self.boot_all()
        self.prepare(operation, servers)
        self.start_destination(kind)
        for name, server in servers.items():
            getattr(self, operation.replace(' ', '_'))(name, server)
        self.assertEqual(
            {name: self.expected(operation, kind, name) for name in servers},
            {name: self.outcome(server) for name, server in servers.items()})


@ddt.ddt
class StockFiltersTest(MovesTestCase):
    """Nova's default filters: nothing knows of pages before the claim."""

    ADDITIONAL_FILTERS = []

    @ddt.unpack
    @ddt.named_data(*(
        ('%s_%s' % (operation, kind), operation, kind)
        for operation in moves.OPERATIONS for kind in moves.MAY_MOVE))
    def test_move(self, operation, kind):
        self.check_moves(operation, kind)


@ddt.ddt
class AllFiltersTest(MovesTestCase):
    """As the documentation recommends it: nobody gets as far as a claim."""

    @ddt.data(*moves.OPERATIONS)
    def test_move(self, operation):
        self.check_moves(operation, 'large-only')
        self.assertNotIn('Failed to claim', self.log())
