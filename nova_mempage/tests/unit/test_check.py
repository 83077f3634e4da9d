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


import contextlib
import io
import os
import pathlib
import shutil
from unittest import mock

import ddt
import fixtures
from oslotest import base

from nova_mempage.cmd import check
from nova_mempage.cmd import main
from nova_mempage import placement

COMPUTE = """
[DEFAULT]
compute_driver = %s
host = host1
[libvirt]
allowed_memory_pagesize = %s
"""
SCHEDULER = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = %s
enabled_filters = %s
"""
OURS = 'nova_mempage.filters.all_filters'
LARGE_ONLY = {'CUSTOM_MEMORY_PAGE_SIZE_2048',
              'CUSTOM_MEMORY_PAGE_SIZE_REQUIRED', 'CUSTOM_OF_THE_OPERATOR'}


class CheckTestCase(base.BaseTestCase):
    """A machine with one NUMA node and 2 MiB pages, and placement."""

    traits = LARGE_ONLY

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        (self.directory / 'node0/hugepages/hugepages-2048kB').mkdir(
            parents=True)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mempage.cmd.machine.NODES', self.directory))
        self.useFixture(fixtures.MonkeyPatch('os.sysconf', lambda _: 4096))
        self.providers = self.useFixture(fixtures.MockPatchObject(
            placement, 'providers',
            return_value=[{'uuid': 'u1', 'name': 'host1'}])).mock
        self.useFixture(fixtures.MockPatchObject(
            placement, 'traits', side_effect=lambda _: (self.traits, 1)))

    def run_check(self, service, config, *arguments):
        path = os.path.join(self.directory, 'nova.conf')
        with open(path, 'w') as config_file:
            config_file.write(config)
        self.addCleanup(check.CONF.reset)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = main.main(
                ['check', service, '--config-file', path, *arguments])
        return status, output.getvalue()

    def assert_bad(self, text, service, config, *arguments):
        status, output = self.run_check(service, config, *arguments)
        self.assertEqual(1, status, output)
        self.assertIn(text, output)
        self.assertIn('is NOT in effect in nova-' + service, output)


@ddt.ddt
class ComputeTest(CheckTestCase):

    def test_in_effect(self):
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'))
        self.assertEqual(0, status, output)
        for text in ('ok   tested: nova', 'ok   loaded: ', 'ok   restricts: ',
                     'allowed_memory_pagesize = large, in /',
                     'ok   running: reports CUSTOM_MEMORY_PAGE_SIZE_2048, '
                     'CUSTOM_MEMORY_PAGE_SIZE_REQUIRED\n',
                     'is in effect in nova-compute'):
            self.assertIn(text, output)

    @ddt.unpack
    @ddt.data(('libvirt.LibvirtDriver', 'large', 'is not the extension'),
              ('mempag.LibvirtDriver', 'large', 'cannot be loaded from below'),
              ('', 'large', 'not loaded: [DEFAULT] compute_driver = '),
              ('mempage.LibvirtDriver', 'huge', "'huge' is none of"),
              ('mempage.LibvirtDriver', '64',
               'this machine knows only pages of [4, 2048] KiB'),
              ('mempage.LibvirtDriver', 'large\nfile_backed_memory = 1024',
               'with file_backed_memory the smallest size must be allowed'))
    def test_not_in_effect(self, driver, sizes, reason):
        self.assert_bad(reason, 'compute', COMPUTE % (driver, sizes))

    def test_sizes_that_only_others_know(self):
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', '2048,1048576'))
        self.assertEqual(0, status, output)
        self.assertIn('??   this machine knows no pages of [1048576] KiB',
                      output)

    def test_machine_that_cannot_be_looked_at(self):
        """As in a container without /sys."""
        shutil.rmtree(self.directory / 'node0')
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'))
        self.assertEqual(0, status, output)
        self.assertIn('??   restricts: ', output)
        self.assertIn('cannot be read from', output)

    def test_any_restricts_nothing(self):
        self.traits = {'CUSTOM_MEMORY_PAGE_SIZE_4'}
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'any'))
        self.assertEqual(0, status, output)
        self.assertIn('??   restricts nothing', output)

    @ddt.unpack
    @ddt.data(
        ('[DEFAULT]\nallowed_memory_pagesize = large',
         '[DEFAULT] allowed_memory_pagesize belongs into [libvirt]'),
        ('[libvirt]\nallowed_memory_pagesizes = large',
         '[libvirt] allowed_memory_pagesizes is unknown; [libvirt] '
         'allowed_memory_pagesize is meant?'),
        ('[libvirt]\nallowed_memory_page_size = large',
         '[libvirt] allowed_memory_page_size is unknown'))
    def test_stray_option(self, config, reason):
        self.assert_bad(reason, 'compute', (
            COMPUTE % ('mempage.LibvirtDriver', 'large')) + config)

    def test_later_file_wins(self):
        """Debian's nova-compute reads a file of its own after nova.conf."""
        path = os.path.join(self.directory, 'nova-compute.conf')
        with open(path, 'w') as config_file:
            config_file.write(
                '[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n')
        self.assert_bad(
            'compute_driver = libvirt.LibvirtDriver, in %s' % path,
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'),
            '--config-file', path)

    def test_config_dir(self):
        directory = self.directory / 'conf.d'
        directory.mkdir()
        (directory / 'page-sizes.conf').write_text(
            '[libvirt]\nallowed_memory_pagesize = huge\n')
        self.assert_bad(
            'in %s/page-sizes.conf' % directory, 'compute',
            COMPUTE % ('mempage.LibvirtDriver', 'large'),
            '--config-dir', str(directory))

    def test_service_without_traits(self):
        self.traits = {'CUSTOM_OF_THE_OPERATOR'}
        self.assert_bad(
            'not running: host1 reports no traits of the driver', 'compute',
            COMPUTE % ('mempage.LibvirtDriver', 'large'))

    def test_service_with_another_configuration(self):
        self.assert_bad(
            'has read another configuration', 'compute',
            COMPUTE % ('mempage.LibvirtDriver', 'small'))

    def test_placement_does_not_know_the_host(self):
        self.providers.return_value = []
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'))
        self.assertEqual(0, status, output)
        self.assertIn("??   running: placement knows no resource provider "
                      "'host1'", output)

    def test_placement_cannot_be_asked(self):
        self.providers.side_effect = placement.PlacementError('GET /: no')
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'))
        self.assertEqual(0, status, output)
        self.assertIn('??   running: GET /: no', output)
        self.assertIn('is configured', output)

    def test_missing_configuration_file(self):
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            status = main.main(
                ['check', 'compute', '--config-file', '/nowhere/nova.conf'])
        self.assertEqual(2, status)
        self.assertIn('/nowhere/nova.conf', errors.getvalue())

    @ddt.unpack
    @ddt.data(('35.0.0', 'nova 35.0.0'), (None, 'nova of an unknown release'))
    def test_untested_nova(self, version, text):
        """It may be in effect all the same."""
        with mock.patch('nova_mempage.series.version', return_value=version):
            status, output = self.run_check(
                'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'))
        self.assertEqual(0, status, output)
        self.assertIn('??   not tested: ' + text, output)


@ddt.ddt
class SchedulerTest(CheckTestCase):

    @ddt.data('MemoryPageSizeFilter', 'AggregateMemoryBackingFilter',
              'MemoryPageSizeFilter,AggregateMemoryBackingFilter')
    def test_in_effect(self, enabled):
        status, output = self.run_check(
            'scheduler', SCHEDULER % (OURS, enabled))
        self.assertEqual(0, status, output)
        self.assertIn('enabled_filters has ' + enabled.replace(',', ' and '),
                      output)
        self.assertIn('is configured, and in effect after a restart, in '
                      'nova-scheduler', output)

    @ddt.unpack
    @ddt.data((OURS, 'ComputeFilter', 'has neither MemoryPageSizeFilter'),
              ('nova.scheduler.filters.all_filters',
               'MemoryPageSizeFilter', 'available_filters lacks'),
              ('nova_mempage.filters.AggregateMemoryBackingFilter',
               'MemoryPageSizeFilter', 'available_filters lacks'),
              ('nowhere.Filter', 'AggregateMemoryBackingFilter',
               'cannot be loaded'))
    def test_not_in_effect(self, available, enabled, reason):
        self.assert_bad(reason, 'scheduler', SCHEDULER % (available, enabled))
