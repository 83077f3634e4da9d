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


import errno
from unittest import mock

import pyroute2

from mempage_lab import network
from mempage_lab import shell
from tests.lab import base


class Stack:
    """Stands in for the interfaces of a network namespace.

    :ivar links: dict of an interface's name to what it was made with
    """

    def __init__(self):
        self.links = {'lo': {}}
        self._names = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def link(self, verb, **values):
        if verb == 'add':
            self.links[values.pop('ifname')] = values
        else:
            name = self._names[values.pop('index')]
            if 'master' in values:
                values['master'] = self._names[values['master']]
            self.links[name].update(values)

    def link_lookup(self, ifname):
        self._names.append(ifname)
        return [len(self._names) - 1]


class PlugMachineTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.stacks = {}
        self.patch_object(network.netns, 'create', self._create)
        self.patch_object(network.netns, 'listnetns',
                          lambda: list(self.stacks))
        self.patch_object(pyroute2, 'NetNS', lambda name: self.stacks[name])
        self.run_here = self.patch_object(shell, 'run')
        self._create(network.FABRIC)
        for bridge in network.BRIDGES:
            self.stacks[network.FABRIC].links[bridge] = {}

    def _create(self, name):
        self.stacks[name] = stack = Stack()
        if name != network.FABRIC:
            # The ends of the pairs that the fabric makes.
            stack.links.update(eth0={}, eth1={})

    def test_taps_are_on_both_networks(self):
        network.plug_machine('mempage-a', 10)
        links = self.stacks['mempage-a'].links
        for number, port in enumerate(('m10', 'e10')):
            tap, card = 'tap%d' % number, 'eth%d' % number
            self.assertEqual(('tuntap', 'tap'), (links[tap]['kind'],
                                                 links[tap]['mode']))
            for name in tap, card:
                self.assertEqual(('br-' + card, 'up'), (
                    links[name]['master'], links[name]['state']))
            self.assertEqual('up', links['br-' + card]['state'])
            pair = self.stacks[network.FABRIC].links[port]
            self.assertEqual(card, pair['peer']['ifname'])
            self.assertEqual(network.BRIDGES[number], pair['master'])
            self.run_here.assert_any_call(
                'ip', 'netns', 'exec', 'mempage-a', 'ethtool', '-K', tap,
                'tx', 'off')

    def test_addresses_are_all_different(self):
        found = [address for number in (10, 11) for _, address in
                 network.plug_machine('mempage-%d' % number, number)]
        found += [link['peer']['address'] for link in
                  self.stacks[network.FABRIC].links.values() if 'peer' in link]
        self.assertEqual(8, len(set(found)))

    def test_one_that_is_plugged_in(self):
        # As before each boot: neighbours remember its addresses.
        cards = network.plug_machine('mempage-a', 10)
        self.assertEqual(['tap0', 'tap1'], [tap for tap, _ in cards])
        self.run_here.reset_mock()
        before = dict(self.stacks['mempage-a'].links)
        self.assertEqual(cards, network.plug_machine('mempage-a', 10))
        self.assertEqual(before, self.stacks['mempage-a'].links)
        self.run_here.assert_not_called()


class RemoveLinkTest(base.LabTestCase):

    def _remove(self, code):
        machine = mock.Mock()
        machine.link.side_effect = pyroute2.NetlinkError(code, 'odd')
        network._remove_link(machine, 7)

    def test_a_link_that_went_with_its_peer(self):
        self._remove(errno.ENODEV)

    def test_a_link_that_cannot_be_removed(self):
        self.assertRaises(pyroute2.NetlinkError, self._remove, errno.EPERM)
