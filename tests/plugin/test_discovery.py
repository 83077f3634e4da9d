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

from oslotest import base

from mempage_tempest_plugin import discovery

POOLS = ''.join(
    '/sys/devices/system/node/node%d/hugepages/hugepages-%dkB/'
    'nr_hugepages:%d\n' % item
    for item in ((0, 2048, 100), (1, 2048, 28), (0, 1048576, 0)))


class PolicyTest(base.BaseTestCase):

    def test_file_backed(self):
        self.assertEqual(
            {'file_backed': {'capacity_mib': 2048,
                             'directory': '/srv/memory/guests',
                             'mount': '/srv/memory', 'filesystem': 'xfs'},
             'pools': [],
             'services': {'nova-compute': {'journal': 'devstack@n-cpu'}}},
            discovery.policy({
                'capacity': '2048\n', 'directory': '/srv/memory/guests\n',
                'mount': '/srv/memory     xfs\n', 'pools': '',
                'journal': 'devstack@n-cpu\n', 'log': '/a.log\n'}))

    def test_pools(self):
        self.assertEqual(
            {'pools': [{'size_kib': 2048, 'pages': 128}]},
            discovery.policy({'capacity': '0\n', 'pools': POOLS}))

    def test_reserved_pages_are_not_handed_out(self):
        self.assertEqual(
            {'pools': [{'size_kib': 2048, 'pages': 28}]},
            discovery.policy({
                'capacity': '0\n', 'pools': POOLS,
                'reserved': 'node:0,size:2048,count:64\n'
                            'node:1, size:2MB, count:36\n'}))
