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
from unittest import mock

import ddt
import fixtures
from oslotest import base

from nova_mempage.cmd import check

COMPUTE = """
[DEFAULT]
compute_driver = %s
[libvirt]
allowed_memory_pagesize = %s
"""
SCHEDULER = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = %s
enabled_filters = %s
"""
OURS = 'nova_mempage.filters.AggregateMemoryBackingFilter'


@ddt.ddt
class CheckTest(base.BaseTestCase):

    def run_check(self, service, config):
        path = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'nova.conf')
        with open(path, 'w') as config_file:
            config_file.write(config)
        self.addCleanup(check.CONF.reset)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = check.main(['check', service, '--config-file', path])
        return status, output.getvalue()

    def test_driver_in_effect(self):
        status, output = self.run_check(
            'compute', COMPUTE % ('mempage.LibvirtDriver', 'large'))
        self.assertEqual(0, status, output)
        self.assertIn('allowed_memory_pagesize = large', output)
        self.assertIn('is in effect in nova-compute', output)

    @ddt.unpack
    @ddt.data(('libvirt.LibvirtDriver', 'large', 'is not the extension'),
              ('', 'large', 'compute_driver is not set'),
              ('mempag.LibvirtDriver', 'large', 'cannot be loaded from below'),
              ('mempage.LibvirtDriver', 'huge', "'huge' is none of"))
    def test_driver_not_in_effect(self, driver, sizes, reason):
        status, output = self.run_check('compute', COMPUTE % (driver, sizes))
        self.assertEqual(1, status)
        self.assertIn(reason, output)
        self.assertIn('is NOT in effect in nova-compute', output)

    def test_filter_in_effect(self):
        status, output = self.run_check(
            'scheduler', SCHEDULER % (OURS, 'AggregateMemoryBackingFilter'))
        self.assertEqual(0, status, output)
        self.assertIn('is in effect in nova-scheduler', output)

    @ddt.unpack
    @ddt.data((OURS, 'ComputeFilter', 'enabled_filters lacks'),
              ('nova.scheduler.filters.all_filters',
               'AggregateMemoryBackingFilter', 'available_filters lacks'),
              ('nowhere.Filter', 'AggregateMemoryBackingFilter',
               'available_filters cannot be loaded'))
    def test_filter_not_in_effect(self, available, enabled, reason):
        status, output = self.run_check(
            'scheduler', SCHEDULER % (available, enabled))
        self.assertEqual(1, status)
        self.assertIn(reason, output)

    @mock.patch('importlib.metadata.version', return_value='35.0.0')
    def test_untested_nova(self, _):
        status, output = self.run_check(
            'scheduler', SCHEDULER % (OURS, 'AggregateMemoryBackingFilter'))
        self.assertEqual(1, status)
        self.assertIn('nova 35.0.0 is not one of the tested', output)
