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
from openstack import exceptions

from mempage_lab import bench
from mempage_lab import errors
from mempage_lab import lab
from mempage_lab import progress
from mempage_lab import status
from tests.lab import base

MEMORY = {'memory_mib': 2500, 'shared_memory_mib': 28, 'pools_mib': 768,
          'hosts': [{'name': 'controller', 'memory_mib': 1500},
                    {'name': 'a', 'memory_mib': 1000}]}


@ddt.ddt
class BenchTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(progress, 'console').is_terminal = False
        self.down = self.patch_object(lab, 'down')
        self.choose = self.patch_object(lab, 'choose')
        self.lab = self.choose.return_value
        self.lab.topology = self.default_topology()
        self.lab.up = self._up
        self.patch_object(status, 'collect').return_value = MEMORY
        self.measure = self.patch_object(bench, 'measure_server')
        self.measure.side_effect = [
            bench.Server(active, active + 5, 2) for active in (7, 99, 6)]

    def _up(self, shown):
        for name in ('quick', 'slow'):
            with shown.step(name):
                pass
        shown.costs.update(slow=30.25, quick=1.5)

    def _figures(self, result):
        return {figure['name']: figure for figure in result['figures']}

    def test_run(self):
        result = bench.run(3)
        self.assertEqual(2, self.down.call_count)
        self.assertEqual(lab.Wish(), self.choose.call_args.args[0])
        figures = self._figures(result)
        self.assertEqual(3296, figures['idle memory']['value'])
        self.assertEqual(7, figures['server active']['value'])
        self.assertEqual(12, figures['server reachable']['value'])
        self.assertEqual(3, len(result['servers']))
        self.assertEqual([mock.call(self.lab.cloud, 'fbm1')] * 3,
                         self.measure.call_args_list)
        self.assertEqual([{'name': 'slow', 'seconds': 30.25},
                          {'name': 'quick', 'seconds': 1.5}],
                         result['steps'])
        self.assertEqual({'controller': 1500, 'a': 1000},
                         result['memory_mib'])
        self.assertEqual(result, json.loads(json.dumps(result)))

    def test_targets(self):
        self.assertEqual(
            {'up': 75, 'idle memory': 6144, 'server active': 8,
             'server reachable': 15, 'server deleted': None, 'down': 10},
            {name: figure['target'] for name, figure in
             self._figures(bench.run(1)).items()})

    @ddt.data((7, 8, True), (8, 8, True), (8.1, 8, False), (7, None, None))
    @ddt.unpack
    def test_met(self, value, target, expected):
        self.assertIs(expected, bench.Figure('x', value, 's', target).met)

    def test_shown(self):
        result = bench.run(1)
        stream = io.StringIO()
        with mock.patch('sys.stdout', stream):
            bench.show(result)
        shown = stream.getvalue()
        self.assertRegex(shown, r'(?m)^server active +7\.0 s +8\.0 s +yes')
        self.assertRegex(shown, r'(?m)^idle memory +3296 MiB +6144 MiB +yes')
        self.assertLess(shown.index('\nslow '), shown.index('\nquick '))

    def test_saved(self):
        path = self.directory / 'figures.json'
        result = bench.run(1)
        bench.save(result, path)
        self.assertEqual(result, json.loads(path.read_text()))


class MeasureServerTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.cloud = mock.MagicMock()
        self.ssh = self.patch_object(bench, '_wait_for_ssh')

    def _assert_nothing_is_left(self):
        compute, network = self.cloud.compute, self.cloud.network
        compute.delete_server.assert_called_once_with(
            compute.create_server.return_value)
        compute.wait_for_delete.assert_called_once()
        network.delete_port.assert_called_once_with(
            network.create_port.return_value)

    def test_measured(self):
        server = bench.measure_server(self.cloud, 'a')
        self.assertLessEqual(server.active, server.reachable)
        self._assert_nothing_is_left()

    def test_unreachable(self):
        self.ssh.side_effect = errors.LabError('no ssh')
        self.assertRaises(errors.LabError, bench.measure_server, self.cloud,
                          'a')
        self._assert_nothing_is_left()

    def test_not_active(self):
        self.cloud.compute.wait_for_server.side_effect = \
            exceptions.ResourceFailure('ERROR')
        error = self.assertRaises(errors.LabError, bench.measure_server,
                                  self.cloud, 'a')
        self.assertIn('ERROR', str(error))
        self._assert_nothing_is_left()
