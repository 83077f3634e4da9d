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

import dataclasses
import io
from unittest import mock

import ddt
import fixtures
from oslotest import base
import yaml

from mempage_tempest_plugin.cmd import discovery
from mempage_tempest_plugin.cmd import inventory as command
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import nova_config
from tests.plugin import samples

LOOK = samples.host_survey(), {'1-instance-00000001'}
NO_FILES = samples.host_survey(files={}), set()
HOST = dataclasses.replace(samples.LARGE_PAGE, name='fbm1')
UNREACHABLE = exceptions.HostUnreachable('fbm2', 'a@b:22', 'refused')


class DiscoverTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self._patch_discovery('addresses', return_value={
            'fbm1': '198.51.100.1', 'fbm2': '198.51.100.2'})
        self.stdout = self._patch('sys.stdout', new_callable=io.StringIO)
        self.stderr = self._patch('sys.stderr', new_callable=io.StringIO)

    def _patch(self, name, **kwargs):
        patcher = mock.patch(name, **kwargs)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def _patch_discovery(self, name, **kwargs):
        return self._patch(
            'mempage_tempest_plugin.cmd.discovery.' + name, **kwargs)

    def test_host_that_cannot_be_reached_is_left_out(self):
        self._patch_discovery('draft', side_effect=[
            discovery.Draft(HOST, ('A note.',)), UNREACHABLE])
        status = command.main(['discover', '--config-file', 'tempest.conf',
                               '--ssh-user', 'a', '--ssh-key', '/key'])
        self.assertEqual(1, status)
        self.assertIn('# A draft of what is there.', self.stdout.getvalue())
        self.assertIn('# left out: host fbm2: ', self.stdout.getvalue())
        self.assertIn('\n  # A note.\n  fbm1:\n', self.stdout.getvalue())
        [(name, declared)] = yaml.safe_load(
            self.stdout.getvalue())['hosts'].items()
        self.assertEqual(('fbm1', ['large']),
                         (name, declared['allowed_page_sizes']))
        self.assertIn('left out: host fbm2: unreachable',
                      self.stderr.getvalue())

    def test_secrets_of_a_line_that_is_not_understood(self):
        self._patch_discovery(
            'draft', side_effect=exceptions.ConfigurationUnclear(
                'fbm1', "line 3: password = 'SECRET'"))
        command.main(['discover', '--config-file', 'tempest.conf',
                      '--ssh-user', 'a', '--ssh-key', '/key'])
        self.assertIn('line 3', self.stderr.getvalue())
        self.assertNotIn('SECRET', self.stderr.getvalue())
        self.assertEqual({'hosts': {}},
                         yaml.safe_load(self.stdout.getvalue()))

    def test_help(self):
        self.assertRaises(SystemExit, command.main, ['discover', '--help'])
        self.assertIn('(default: 22)', self.stdout.getvalue())
        self.assertNotIn('None', self.stdout.getvalue())

    def test_file_that_is_there(self):
        self._patch_discovery(
            'draft', return_value=discovery.Draft(samples.PLAIN, ()))
        path = self.useFixture(fixtures.TempDir()).join('inventory.yaml')
        arguments = ['discover', '--config-file', 'x', '--ssh-user', 'u',
                     '--ssh-key', 'k', '--output', path]
        self.assertEqual(0, command.main(arguments))
        with open(path, 'a', encoding='utf-8') as stream:
            stream.write('# corrected\n')
        error = self.assertRaises(SystemExit, command.main, arguments)
        self.assertEqual(2, error.code)
        self.assertIn('argument --output: %s: is there already' % path,
                      self.stderr.getvalue())
        with open(path, encoding='utf-8') as stream:
            self.assertIn('# corrected', stream.read())

    def test_uri(self):
        draft = self._patch_discovery(
            'draft', return_value=discovery.Draft(samples.PLAIN, ()))
        self.assertEqual(0, command.main([
            'discover', '--config-file', 'tempest.conf', '--ssh-user', 'a',
            '--ssh-key', '/key']))
        self.assertEqual(
            inventory.Host('fbm1', '198.51.100.1', inventory.Ssh('a', '/key'),
                           'qemu+ssh://a@198.51.100.1/system'),
            draft.call_args_list[0].args[0])

    def test_uri_that_cannot_be_filled_in(self):
        for uri in ('test:///{host}', 'test:///{', 'test:///{0}',
                    'test:///{user.x}'):
            with mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
                self.assertRaises(SystemExit, command.main, [
                    'discover', '--config-file', 'x', '--ssh-user', 'u',
                    '--ssh-key', 'k', '--libvirt-uri', uri])
            self.assertIn('has more than {user} and {address} in braces',
                          stderr.getvalue())

    def test_uri_of_an_ipv6_address(self):
        self._patch_discovery('addresses',
                              return_value={'fbm1': '2001:db8::1'})
        draft = self._patch_discovery(
            'draft', return_value=discovery.Draft(samples.PLAIN, ()))
        command.main(['discover', '--config-file', 'tempest.conf',
                      '--ssh-user', 'a', '--ssh-key', '/key'])
        host = draft.call_args.args[0]
        self.assertEqual(('2001:db8::1', 'qemu+ssh://a@[2001:db8::1]/system'),
                         (host.address, host.libvirt_uri))


@ddt.ddt
class CheckTest(base.BaseTestCase):

    def _check(self, survey, name='fbm1', host=samples.FILE_BACKED):
        declared = inventory.Inventory('x', {'fbm1': host})
        host = mock.Mock()
        host.survey_and_guests.side_effect = survey
        host.libvirt.hostname.return_value = name
        with mock.patch.object(inventory, 'load', return_value=declared), \
                mock.patch('mempage_tempest_plugin.hosts.compute_host.get',
                           return_value=host), \
                mock.patch('sys.stdout', new_callable=io.StringIO) as stdout:
            return command.main(['check', 'x']), stdout.getvalue()

    def test_agrees(self):
        self.assertEqual(0, self._check([LOOK])[0])

    def test_disagrees(self):
        status, text = self._check([LOOK], 'other')
        self.assertEqual(1, status)
        self.assertIn('!!  name', text)

    def test_drafted(self):
        status, text = self._check([LOOK], host=dataclasses.replace(
            samples.FILE_BACKED, drafted=('file_backed', 'pools')))
        self.assertEqual(0, status)
        self.assertIn('host fbm1: nobody has confirmed what was drafted: '
                      'file_backed, pools', text)

    @ddt.data((True, 0), (False, 1))
    @ddt.unpack
    def test_switch(self, runs, expected):
        switched = dataclasses.replace(
            samples.FILE_BACKED, switch=inventory.Switch('ovs-vswitchd'))
        with mock.patch('mempage_tempest_plugin.hosts.memory_holders.'
                        'is_running', return_value=runs):
            status, text = self._check([LOOK], host=switched)
        self.assertEqual(expected, status)
        self.assertIn('ovs-vswitchd runs', text)

    def test_unreachable(self):
        status, text = self._check([UNREACHABLE])
        self.assertEqual(1, status)
        self.assertIn('refused', text)

    @ddt.data((False, 0), (True, 1))
    @ddt.unpack
    def test_memory_of_pools(self, promised, expected):
        beside = dataclasses.replace(
            samples.PLAIN, name='fbm1', memory_mb_without_pools=promised,
            pools=(inventory.DeclaredPool(2048, 256),))
        read = nova_config.Configuration(None, 0, {}, (), reserved_mib=100)
        with mock.patch.object(nova_config, 'processes', return_value=[]), \
                mock.patch.object(nova_config, 'read', return_value=read):
            status, text = self._check([NO_FILES], host=beside)
        self.assertEqual(expected, status, text)
        self.assertIn('reserved_host_memory_mb = 512 ', text)

    def test_configuration_that_is_not_understood(self):
        beside = dataclasses.replace(
            samples.PLAIN, name='fbm1',
            pools=(inventory.DeclaredPool(2048, 256),))
        with mock.patch.object(
                nova_config, 'processes',
                side_effect=exceptions.ConfigurationUnclear(
                    'fbm1', "line 3: password = 'SECRET'")):
            status, text = self._check([LOOK], host=beside)
        self.assertEqual(1, status)
        self.assertIn('line 3', text)
        self.assertNotIn('SECRET', text)

    def test_broken_inventory(self):
        with mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            self.assertEqual(1, command.main(['check', '/nonexistent']))
        self.assertIn('/nonexistent: cannot be read', stderr.getvalue())
