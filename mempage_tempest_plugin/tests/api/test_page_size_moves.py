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

"""Guests keep their large pages when they move; a resize changes them."""

from tempest.lib import decorators

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import leased


class _BaseLargeToLargeTest(base.BaseMoveTest):
    """Guests with large pages: another host with the same size."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    go_to = which.common_large_pages
    take = which.first

    # Little, so that tests which run at the same time leave pages for each
    # other.
    RAM_MIB = 64

    @classmethod
    def resource_setup(cls):
        cls.flavor_ram_mib = page_sizes.common_ram(cls.declared, cls.RAM_MIB)
        super().resource_setup()
        [cls.destination] = cls.destinations

    @classmethod
    def _granted(cls, host):
        return page_sizes.granted(host.declared, cls.request,
                                  cls.flavor['ram'])


class TestPageSizeColdMigration(_BaseLargeToLargeTest):
    """Guests with large pages: another host with the same size."""

    features = ('cold_migration',)

    @decorators.idempotent_id('b7f0a3b7-8c1b-4cb7-8b0b-52cb40a0ef7e')
    def test_cold_migration(self):
        """The guest has the same pages there, and after a revert"""
        self.start()
        self._migrate(self.destination, 'revert_resize_server')
        self.check_moved(self.destination, self.source)
        self._migrate(self.destination, 'confirm_resize_server')
        self.check_moved(self.source, self.destination)

    def _migrate(self, host, decision):
        self.act('VERIFY_RESIZE', 'migrate_server',
                 **self.nova.to(host.name))
        self.act('ACTIVE', decision)


class TestPageSizeLiveMigration(_BaseLargeToLargeTest):
    """Guests with large pages: another host with the same size."""

    features = ('live_migration',)

    @decorators.idempotent_id('1fd1b9a2-6f0f-4f0e-9a0f-5b1f6a7d9a11')
    def test_live_migration(self):
        """The guest has the same pages there and back again"""
        self.start()
        self.migrate_live(self.destination)
        self.check_moved(self.source, self.destination)
        self.migrate_live(self.source)
        self.check_moved(self.destination, self.source)


class TestPageSizeUnshelve(_BaseLargeToLargeTest):
    """Guests with large pages: another host with the same size."""

    features = ('shelve',)
    speaks = (servers.UNSHELVE_ON_HOST,)

    @decorators.idempotent_id('d1a0d3a6-4b8d-4f6c-9a53-4f0d9e6a7c55')
    def test_unshelve_elsewhere(self):
        """The guest has the same pages there"""
        self.start()
        self.nova.shelve(self.server.uuid)
        self.check_absent(self.source)
        self.nova.unshelve(self.server.uuid, 'ACTIVE', self.destination.name)
        self.check_moved(self.source, self.destination)


class _BaseResizeTest(base.BaseMoveTest):
    """Resizes to a flavor that asks for another page size."""

    # What the other flavor asks for.
    target = None
    features = ('resize',)
    pools = leased.TAKES

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # Known behaviour: the scheduler takes file-backed hosts for able.
        cls.other = cls.create_flavor(
            {**cls.keep_to_hosts(),
             'trait:%s' % traits.FILE_BACKED: 'forbidden'},
            request=cls.target)

    def check_resized(self):
        """Assert which size the server has after a revert and a resize."""
        self.start()
        destination = self._resize()
        self.act('ACTIVE', 'revert_resize_server')
        self.check_moved(destination, self.source)
        destination = self._resize()
        self.act('ACTIVE', 'confirm_resize_server')
        self.request = self.target
        self.check_moved(self.source, destination)

    def _resize(self):
        self.act('VERIFY_RESIZE', 'resize_server', self.other['id'])
        return self.locate(which.TAKES[self.target])


class TestResizeToLargePages(_BaseResizeTest):
    """Guests with small pages: another host with large ones."""

    request = page_sizes.SMALL
    target = page_sizes.LARGE
    go_to = which.large_pages

    @decorators.idempotent_id('3a0f8c8e-5f0a-4c26-a1b0-6d0f7b8f3f5b')
    def test_resize(self):
        """The guest has small pages after a revert, then large ones"""
        self.check_resized()


class TestResizeToSmallPages(_BaseResizeTest):
    """Guests with large pages: another host with small ones."""

    request = page_sizes.LARGE
    target = page_sizes.SMALL
    go_to = which.small_pages

    @decorators.idempotent_id('9f2b3c4d-1a5e-4f60-8b7c-2d3e4f5a6b7c')
    def test_resize(self):
        """The guest has large pages after a revert, then small ones"""
        self.check_resized()
