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


import io
import json
from unittest import mock

import ddt

from mempage_lab import errors
from mempage_lab import health
from mempage_lab import lab
from mempage_lab import memory
from mempage_lab import network
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import shell
from mempage_lab import status
from tests.lab import base

KEYS = ['apis', 'hosts', 'memory_mib', 'network', 'pools_mib', 'problems',
        'shared_memory_mib', 'state', 'versions']
HOSTS = """\
network: 10.7.0.0/23
hosts:
  f: {file_backed: {capacity_mib: 512, filesystem: tmpfs, size_mib: 512}}
  h: {pools: [{size_kib: 2048, pages: 100}]}
"""


@ddt.ddt
class StatusTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(network, 'used_networks').return_value = []
        self.namespaces = self.patch_object(network, 'namespaces')
        self.namespaces.return_value = []
        self.apis = self.patch_object(health, 'apis')
        self.apis.return_value = {'keystone': True, 'nova-api': True}
        self.hosts_up = self.patch_object(health, 'hosts_up')
        self.hosts_up.return_value = {'f', 'h'}
        self.patch_object(memory, 'processes').return_value = {
            'controller': [1], 'f': [2], 'h': [3]}
        self.patch_object(memory, 'measure').return_value = {
            'controller': memory.Usage(2048 * 1024, 0),
            'f': memory.Usage(200 * 1024, 192 * 1024),
            'h': memory.Usage(100 * 1024, 0)}
        self.patch_object(memory, 'large_pages').return_value = {2048: 40}
        self.mounted = True
        self.patch_object(shell, 'run', self._run)

    def _run(self, *command, **_):
        """Answer as a node does that is asked for its store, or versions."""
        if 'findmnt' not in command:
            return 'Debian 12\n6.1.0\n3.11.2\n9.0.0\n7.2.9\n'
        if not self.mounted:
            raise errors.CommandFailed(command, 1, '')
        return '%d\n' % (200 * 2 ** 20)

    def _lab(self, pid=77, **states):
        paths.TOPOLOGY.parent.mkdir(parents=True)
        paths.TOPOLOGY.write_text(HOSTS)
        self.patch_object(node.Node, 'pid', pid)
        loaded = lab.load()
        names = {program.name for part in (loaded.controller,
                                           *loaded.computes)
                 for program in part.programs()}
        self.patch_object(node.Node, 'supervisor', base.supervisor(*(
            base.process(name=name, statename=states.get(
                name.replace('-', '_'), 'RUNNING')) for name in names)))

    def _shown(self, result):
        stream = io.StringIO()
        with mock.patch('sys.stdout', stream):
            status.show(result)
        return stream.getvalue()

    def test_no_lab(self):
        result = status.collect()
        self.assertEqual('down', result['state'])
        self.assertIsNone(result['versions'])
        self.assertEqual(KEYS, sorted(result))
        self.assertEqual('there is no lab: mempage-lab up\n',
                         self._shown(result))

    def test_remains_of_a_lab(self):
        self.namespaces.return_value = ['mempage-x']
        result = status.collect()
        self.assertEqual('partial', result['state'])
        self.assertIn('mempage-x', self._shown(result))

    def test_up(self):
        self._lab()
        result = status.collect()
        self.assertEqual([], result['problems'])
        self.assertEqual('up', result['state'])
        self.assertEqual(KEYS, sorted(result))
        self.assertEqual(result, json.loads(json.dumps(result)))
        self.assertEqual((2348, 192, 200), (
            result['memory_mib'], result['shared_memory_mib'],
            result['pools_mib']))
        controller, file_backed, large = result['hosts']
        self.assertEqual(['controller', 'file-backed', 'large-page'],
                         [host['kind'] for host in result['hosts']])
        self.assertEqual(
            {'directory': '/var/lib/libvirt/memory',
             'mount': '/var/lib/libvirt/memory', 'filesystem': 'tmpfs',
             'capacity_mib': 512, 'size_mib': 512, 'mounted': True,
             'used_mib': 200}, file_backed['backing_store'])
        self.assertEqual([{'size_kib': 2048, 'pages': 100, 'free': 60}],
                         large['pools'])
        self.assertEqual(('2026.2', False), (
            result['versions']['release'], result['versions']['stock']))
        self.assertEqual(
            {name: {'system': 'Debian 12', 'kernel': '6.1.0',
                    'python': '3.11.2', 'libvirt': '9.0.0', 'qemu': '7.2.9'}
             for name in ('f', 'h')}, result['versions']['hosts'])
        self.assertIsNone(controller['up'])
        self.assertEqual(
            {'name': 'sshd', 'state': 'RUNNING', 'pid': 7,
             'uptime_seconds': 65}, file_backed['services'][0])

    def test_shown(self):
        self._lab()
        shown = self._shown(status.collect())
        self.assertRegex(shown, r'(?m)^f +10\.7\.0\.10 +file-backed +up '
                         r'+200 of 512 MiB tmpfs +200 MiB +192 MiB')
        self.assertIn('60 of 100 x 2048 KiB free', shown)
        self.assertRegex(shown, r'(?m)^f/nova-compute +RUNNING +7 +0:01:05')
        self.assertIn('OpenStack 2026.2: ', shown)
        self.assertIn('\nf, h: Debian 12, libvirt 9.0.0, QEMU 7.2.9, kernel '
                      '6.1.0, Python 3.11.2\n', shown)
        self.assertIn('the lab is up\n', shown)

    def _problems(self):
        result = status.collect()
        self.assertEqual('partial', result['state'])
        self.assertEqual(KEYS, sorted(result))
        for problem in result['problems']:
            self.assertIn(problem, self._shown(result))
        return result['problems']

    @ddt.data('FATAL', 'STOPPED', 'BACKOFF')
    def test_a_program_does_not_run(self, state):
        self._lab(memcached=state)
        self.assertEqual(['memcached on controller is ' + state],
                         self._problems())

    def test_an_api_does_not_answer(self):
        self._lab()
        self.apis.return_value['nova-api'] = False
        self.assertIn('nova-api does not answer', self._problems())
        self.hosts_up.assert_not_called()

    def test_the_cloud_does_not_answer(self):
        self._lab()
        self.hosts_up.side_effect = errors.LabError('no')
        self.assertIn('no', self._problems())

    def test_a_host_is_not_up(self):
        self._lab()
        self.hosts_up.return_value = {'h'}
        [problem] = self._problems()
        self.assertIn('f takes no servers', problem)

    def test_a_store_is_not_mounted(self):
        self._lab()
        self.mounted = False
        self.assertEqual(
            ['f: nothing is mounted at /var/lib/libvirt/memory'],
            self._problems())

    def test_a_node_does_not_run(self):
        self._lab(pid=None)
        self.mounted = False
        self.assertEqual(['controller is not running', 'f is not running',
                          'h is not running'], self._problems())
        self.assertEqual({'f': None, 'h': None},
                         status.collect()['versions']['hosts'])

    def test_a_machine_does_not_run(self):
        paths.TOPOLOGY.parent.mkdir(parents=True)
        paths.TOPOLOGY.write_text(
            'hosts: {m: {machine: {memory_mib: 512}, pools: '
            '[{size_kib: 2048, pages: 9}]}}')
        memory.processes.return_value = {'controller': [1], 'm': []}
        memory.measure.return_value = dict.fromkeys(('controller', 'm'),
                                                    memory.Usage())
        result = status.collect()
        self.assertIn('m is not running', result['problems'])
        self.assertEqual([{'size_kib': 2048, 'pages': 9, 'free': 9}],
                         result['hosts'][1]['pools'])
        self.assertEqual({'UNKNOWN'}, {service['state'] for service in
                                       result['hosts'][1]['services']})

    def test_a_node_on_its_way_up(self):
        self._lab()
        self.patch_object(node.Node, 'supervisor').getAllProcessInfo \
            .side_effect = FileNotFoundError
        self.assertIn('sshd on f is UNKNOWN', self._problems())
