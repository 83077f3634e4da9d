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

"""Tests of what is compared of switches and shares."""

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import consumers
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.hosts import shared_directory
from tests.plugin import samples

QEMU = page_holders.Holder(samples.PID, 'qemu-system-x86')
SWITCH = page_holders.Holder(7, 'ovs-vswitchd')
VIRTIOFSD = page_holders.Holder(8, 'virtiofsd')
STRANGER = page_holders.Holder(9, 'python3')
REFUSED = ["libvirt.libvirtError: unsupported configuration: 'interface' "
           'requires shared memory']
FAULT = 'Exceeded maximum number of retries.'


def _disagreeing(comparison):
    return {fact.name for fact in comparison.disagreements}


@ddt.ddt
class ConsumersTest(base.BaseTestCase):

    @ddt.data((['vhostuser'], set()), (['bridge'], {'types of interfaces'}),
              ([], {'types of interfaces'}))
    @ddt.unpack
    def test_ports(self, interfaces, names):
        self.assertEqual(names, _disagreeing(consumers.compare_ports(
            'huge1', samples.SERVER, interfaces)))

    def test_switch(self):
        host = dataclasses.replace(
            samples.FILE_BACKED, switch=inventory.Switch('ovs-vswitchd'))
        self.assertEqual([], consumers.compare_switch(
            host, True).disagreements)
        self.assertEqual({'ovs-vswitchd runs'}, _disagreeing(
            consumers.compare_switch(host, False)))

    def _holders(self, holders, *programs):
        return consumers.compare_holders(
            samples.FILE_BACKED, samples.SERVER, holders, [samples.PID],
            programs)

    def test_holders(self):
        self.assertEqual([], self._holders(
            [SWITCH, QEMU], 'ovs-vswitchd').disagreements)
        self.assertEqual([], self._holders(
            [SWITCH, QEMU, VIRTIOFSD], 'virtiofsd',
            'ovs-vswitchd').disagreements)

    @ddt.data(
        ([QEMU], []), ([QEMU, STRANGER, SWITCH], [
            'ovs-vswitchd', 'python3 (PID 9)']),
        # No share is attached.
        ([QEMU, SWITCH, VIRTIOFSD], ['ovs-vswitchd', 'virtiofsd (PID 8)']),
        # One of before has not let go.
        ([QEMU, SWITCH, page_holders.Holder(6, 'ovs-vswitchd')],
         ['ovs-vswitchd', 'ovs-vswitchd']))
    @ddt.unpack
    def test_others_have_it(self, holders, observed):
        [fact] = self._holders(holders, 'ovs-vswitchd').disagreements
        self.assertEqual('memory mapped by others than QEMU', fact.name)
        self.assertEqual(observed, fact.observed)

    def test_memory_that_nobody_can_map(self):
        self.assertEqual(
            {'QEMU that has mapped the memory',
             'memory mapped by others than QEMU'},
            _disagreeing(self._holders([], 'ovs-vswitchd')))

    @ddt.data(('9.0.0', False), ('11.1.0', False), ('11.2.0', True),
              ('11.3.0', True), ('12.5.0', True))
    @ddt.unpack
    def test_versions_of_libvirt(self, version, refuses):
        self.assertEqual(refuses, consumers.refuses_private_memory(version))

    @ddt.data(
        ({}, set()),
        ({'status': 'ACTIVE', 'fault': ''}, {'status', 'fault'}),
        ({'errors': ['No space left']}, {'why libvirt refuses it'}),
        ({'left': {'provider': 64}}, {'MEMORY_MB allocated'}),
        # With max_attempts = 1 there is no other host to ask.
        ({'fault': REFUSED[0]}, set()),
        ({'fault': 'not enough memory'}, {'fault'}))
    @ddt.unpack
    def test_refused(self, changes, names):
        server = servers.RequestedServer(
            samples.SERVER, 64, status=changes.get('status', 'ERROR'),
            fault=changes.get('fault', FAULT))
        self.assertEqual(names, _disagreeing(consumers.compare_refused(
            'plain1', server, changes.get('errors', REFUSED),
            changes.get('left', {}))))

    def test_attachable(self):
        self.assertEqual([], consumers.compare_attachable(
            samples.FILE_BACKED, samples.provider(traits=frozenset(
                ['COMPUTE_MEM_BACKING_FILE', 'COMPUTE_STORAGE_VIRTIO_FS']))
        ).disagreements)
        self.assertEqual([], consumers.compare_attachable(
            samples.LARGE_PAGE, samples.provider(traits=frozenset(
                ['COMPUTE_STORAGE_VIRTIO_FS']))).disagreements)

    @ddt.data(None, samples.provider(traits=frozenset()))
    def test_not_attachable(self, provider):
        self.assertEqual(
            {'trait COMPUTE_MEM_BACKING_FILE',
             'trait COMPUTE_STORAGE_VIRTIO_FS'},
            _disagreeing(consumers.compare_attachable(samples.FILE_BACKED,
                                                      provider)))

    @ddt.data((['a'], {'a': '/b'}, set()), ([], {}, set()),
              (['a'], {}, {'tags of shares'}),
              ([], {'a': '/b'}, {'tags of shares'}))
    @ddt.unpack
    def test_shares(self, tags, found, names):
        self.assertEqual(names, _disagreeing(consumers.compare_shares(
            'fbm1', samples.SERVER, tags, found)))

    def test_nothing_left(self):
        def compare(*state):
            return _disagreeing(consumers.compare_nothing_shared(
                'fbm1', samples.SERVER, '/a', shared_directory.State(*state)))

        self.assertEqual(set(), compare([], [], False))
        self.assertEqual(
            {'mounts at /a', 'processes that serve it', 'is /a there'},
            compare(['ceph x'], ['8 virtiofsd'], True))

    def test_access(self):
        for access, names in ([], set()), (['nova-a'], {'who may mount it'}):
            self.assertEqual(names, _disagreeing(consumers.compare_access(
                'fbm1', samples.SERVER, access)))
