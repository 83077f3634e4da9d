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


import json
import pathlib
from unittest import mock

import ddt
import fixtures

from mempage_lab import errors
from mempage_lab import shell
from mempage_lab import versions
from tests.lab import base

LIBVIRTD = '#!/bin/sh\necho "libvirtd (libvirt) 9.0.0"\n'
QEMU = """\
#!/bin/sh
echo 'QEMU emulator version 7.2.9 (Debian 1:7.2+dfsg-7+deb12u5)'
echo 'Copyright (c) 2003-2022 Fabrice Bellard and the QEMU Project developers'
"""
OLD = {'system': 'Debian 12', 'kernel': '6.1', 'python': '3.11.2',
       'libvirt': '9.0.0', 'qemu': '7.2.9'}
NEW = dict(OLD, system='Debian 13', libvirt='11.3.0', qemu='10.0.2')


@ddt.ddt
class OpenStackTest(base.LabTestCase):

    def _installed(self, openstack, **distributions):
        places = openstack.venv / 'lib' / 'python3.11' / 'site-packages'
        for name, version in distributions.items():
            path = places / ('%s-%s.dist-info' % (name, version))
            path.mkdir(parents=True)
            (path / 'METADATA').write_text('Name: %s\nVersion: %s\n' % (
                name, version))

    def test_parts(self):
        openstack = base.openstack()
        self._installed(openstack, nova='34.0.1', Nova_Mempage='2.0',
                        openstack_placement='16.0.0', pip='25.1')
        self.assertEqual(
            {'nova': '34.0.1', 'nova-mempage': '2.0',
             'openstack-placement': '16.0.0'},
            versions.of_openstack(openstack))

    def test_nothing_is_installed(self):
        self.assertEqual({}, versions.of_openstack(base.openstack()))

    def test_not_this_projects_own(self):
        openstack = base.openstack()
        openstack.venv.mkdir(parents=True)
        self.assertEqual({}, versions.of_openstack(openstack))


class NodeTest(base.LabTestCase):

    def _command(self, name, script):
        path = self.directory / 'bin' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def test_of_a_node(self):
        self._command('libvirtd', LIBVIRTD)
        self._command('qemu-system-x86_64', QEMU)
        self.useFixture(fixtures.EnvironmentVariable(
            'PATH', '%s:%s' % (self.directory / 'bin', shell.PATH)))
        found = versions.of_node(mock.Mock(run=shell.run))
        self.assertEqual(list(versions.COMMANDS), list(found))
        self.assertEqual(('9.0.0', '7.2.9'),
                         (found['libvirt'], found['qemu']))
        self.assertEqual(pathlib.Path(
            '/proc/sys/kernel/osrelease').read_text().strip(),
            found['kernel'])
        self.assertRegex(found['python'], r'^3\.\d+\.\d+')

    def test_of_a_node_that_does_not_run(self):
        node = mock.Mock()
        node.run.side_effect = errors.LabError('no')
        self.assertIsNone(versions.of_node(node))


@ddt.ddt
class CollectTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.found = {'release': '2025.1', 'stock': False,
                      'openstack': {'nova': '31.0.0', 'glance': '30.0.0'},
                      'hosts': {'a': OLD, 'b': NEW, 'c': OLD, 'd': None}}

    def test_collect(self):
        lab = mock.Mock(computes=[mock.Mock(), mock.Mock()])
        for part, name in zip(lab.computes, 'ab'):
            part.node.name = name
        lab.topology.installation.return_value = base.openstack(
            '2025.1', stock=True)
        self.patch_object(versions, 'of_openstack').return_value = {
            'nova': '31.0.0'}
        self.patch_object(versions, 'of_node', {
            lab.computes[0].node: OLD, lab.computes[1].node: None}.get)
        found = versions.collect(lab)
        self.assertEqual(
            {'release': '2025.1', 'stock': True,
             'openstack': {'nova': '31.0.0'}, 'hosts': {'a': OLD, 'b': None}},
            found)
        self.assertEqual(found, json.loads(json.dumps(found)))

    def test_hosts_that_are_alike_are_told_together(self):
        self.assertEqual(
            ['OpenStack 2025.1: nova 31.0.0, glance 30.0.0',
             'a, c: Debian 12, libvirt 9.0.0, QEMU 7.2.9, kernel 6.1, '
             'Python 3.11.2',
             'b: Debian 13, libvirt 11.3.0, QEMU 10.0.2, kernel 6.1, '
             'Python 3.11.2'],
            versions.describe(self.found).splitlines())

    def test_stock_is_said(self):
        self.found.update(stock=True, hosts={})
        self.assertEqual(
            'OpenStack 2025.1, stock Nova: nova 31.0.0, glance 30.0.0',
            versions.describe(self.found))
