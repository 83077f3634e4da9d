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


"""What ``mempage-nova`` finds in Nova's databases and in placement."""

import argparse
import contextlib
import io
import json

from nova_mempage.cmd import errors
from nova_mempage.cmd import guests
from nova_mempage.cmd import plan
from nova_mempage.cmd import withdraw
from tests.functional import base


class CommandTestCase(base.TestCase):

    def run_command(self, command, *arguments):
        """Run a command in the cloud of the test.

        :returns: (exit status, what it printed)
        """
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        with contextlib.redirect_stdout(io.StringIO()) as output, \
                contextlib.redirect_stderr(output):
            status = command.run(parser.parse_args(arguments))
        return status, output.getvalue()


class GuestsTest(CommandTestCase):

    def setUp(self):
        super().setUp()
        self.start_host('first')
        self.plain = self.boot()
        self.large = self.boot('2048')
        self._stop_server(self.plain)
        self.allow('large')
        self.restart_compute_service('first')
        self.start_host('second')
        self.boot(host='second')

    def test_cloud(self):
        status, output = self.run_command(guests)
        self.assertEqual(1, status)
        self.assertEqual(
            'first: %s (%s, stopped, pages of 4 KiB)\n'
            '1 guests on 2 hosts violate the page sizes of their host.\n' % (
                self.plain['id'], self.plain['name']), output)

    def test_json_of_a_host(self):
        status, output = self.run_command(guests, '--json', '--host', 'first')
        self.assertEqual(1, status)
        self.assertEqual([{
            'host': 'first', 'uuid': self.plain['id'],
            'name': self.plain['name'], 'state': 'stopped', 'sizes': [4],
            'asks': False}], json.loads(output))

    def test_host_without_such_guests(self):
        status, output = self.run_command(guests, '--host', 'second')
        self.assertEqual(0, status)
        self.assertIn('0 guests on 1 hosts', output)

    def test_unknown_host(self):
        error = self.assertRaises(errors.CommandError, self.run_command,
                                  guests, '--host', 'nowhere')
        self.assertIn("no compute host 'nowhere'", str(error))


class StockHostTest(CommandTestCase):

    compute_driver = 'libvirt.LibvirtDriver'
    ADDITIONAL_FILTERS = ['NUMATopologyFilter']

    def test_hosts_without_the_driver_are_named(self):
        self.start_host('first')
        self.boot()
        status, output = self.run_command(guests)
        self.assertEqual(0, status)
        self.assertIn('1 hosts say nothing of page sizes; they do not run the '
                      'driver: first', output)


class PlanTest(CommandTestCase):

    def setUp(self):
        super().setUp()
        self.start_host('first')

    def test_large(self):
        plain = self.boot()
        self.boot('2048')
        status, output = self.run_command(plan, 'large')
        self.assertEqual(0, status)
        for text in ('first: 1024 MiB of memory would go to no guest',
                     'reserved_host_memory_mb = 1024',
                     'would violate it: %s' % plain['id'],
                     ' flavors ask for no page size: '):
            self.assertIn(text, output)
        self.assertIn(plain['flavor']['original_name'], output)
        self.assertEqual(1, output.count('would violate it'))

    def test_small(self):
        huge = self.boot('2048')
        _, output = self.run_command(plan, 'small', '--host', 'first')
        self.assertIn('first: 4096 MiB of memory would go to no guest', output)
        self.assertIn('would violate it: %s' % huge['id'], output)
        self.assertNotIn('reserved_host_memory_mb', output)

    def test_sizes_that_the_host_lacks(self):
        _, output = self.run_command(plan, '64')
        self.assertIn('nova-compute would NOT start: the host knows only '
                      'pages of [4, 2048, 1048576] KiB', output)

    def test_unintelligible_value(self):
        error = self.assertRaises(errors.CommandError, self.run_command,
                                  plan, 'huge')
        self.assertIn("'huge' is none of", str(error))

    def test_option_that_is_in_use(self):
        self.allow('large')
        self.restart_compute_service('first')
        _, output = self.run_command(plan, 'large')
        self.assertIn('first: the option is in use there already', output)


class WithdrawTest(CommandTestCase):

    def setUp(self):
        super().setUp()
        self.start_large_only_host()
        self.start_host('second')
        self._create_trait('CUSTOM_OF_THE_OPERATOR')
        uuid = self.compute_rp_uuids['first']
        self.before = {*self._get_provider_traits(uuid),
                       'CUSTOM_OF_THE_OPERATOR'}
        self._set_provider_traits(uuid, list(self.before))

    def others_of_first(self):
        return {trait for trait in self._get_provider_traits(
            self.compute_rp_uuids['first']) if not base.report.is_ours(trait)}

    def test_one_host(self):
        before = self.others_of_first()
        status, output = self.run_command(withdraw, '--host', 'first')
        self.assertEqual(0, status)
        self.assertIn('first: CUSTOM_MEMORY_PAGE_SIZE_1048576, ', output)
        self.assertEqual(set(), self.traits_of('first'))
        self.assertEqual(before, self.others_of_first())
        self.assertIn('CUSTOM_OF_THE_OPERATOR', before)
        self.assertTrue(self.traits_of('second'))

    def test_dry_run(self):
        before = self.traits_of('first')
        _, output = self.run_command(withdraw, '--dry-run')
        for trait in before:
            self.assertIn(trait, output)
        self.assertEqual(before, self.traits_of('first'))

    def test_all_of_them(self):
        self.run_command(withdraw)
        self.assertEqual(set(), self.traits_of('first'))
        self.assertEqual(set(), self.traits_of('second'))
        self.assertEqual([], list(filter(
            base.report.is_ours, self._get_all_traits())))

    def test_stock_driver_leaves_them_gone(self):
        """The whole way out."""
        self.flags(compute_driver='libvirt.LibvirtDriver')
        for host in ('first', 'second'):
            self.restart_compute_service(host)
        self.run_command(withdraw)
        for host in ('first', 'second'):
            self.restart_compute_service(host)
            self.assertEqual(set(), self.traits_of(host))
            self.assertEqual((1024 * base.MIB_4K, 0),
                             self.reported(host)[0][4])
        self.assertIn('CUSTOM_OF_THE_OPERATOR', self.others_of_first())

    def test_unknown_host(self):
        error = self.assertRaises(errors.CommandError, self.run_command,
                                  withdraw, '--host', 'nowhere')
        self.assertIn("no resource provider 'nowhere'", str(error))
