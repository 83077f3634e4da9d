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


import graphlib
import itertools
from unittest import mock

import ddt

from mempage_lab import compute
from mempage_lab import errors
from mempage_lab import hugepages
from mempage_lab import lab
from mempage_lab.machines import compute as machine_compute
from mempage_lab import network
from mempage_lab import optional_pools
from mempage_lab import paths
from mempage_lab import preflight
from mempage_lab import progress
from mempage_lab import releases
from mempage_lab import secrets
from mempage_lab import topology
from tests.lab import base

HOSTS = """\
network: 10.7.0.0/23
hosts:
  a: {pools: [{size_kib: 2048, pages: 50},
              {size_kib: 1048576, pages: 2, optional: true}]}
"""
TWO_SYSTEMS = """\
hosts:
  a:
  b: {system: debian-13}
"""
MACHINES = """\
hosts:
  a: {machine: &machine {memory_mib: 512}}
  b: {machine: *machine}
  c:
"""
SHARES = """\
shares: true
hosts:
  a: {system: debian-13, switch: dpdk}
"""
OLD = releases.RELEASES['2024.2']
WISH = {'release': OLD, 'stock': True, 'system': 'debian-12'}


@ddt.ddt
class ChooseTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        for name in ('check_system', 'check_kernel', 'check_resources'):
            self.patch_object(preflight, name)
        self.patch_object(network, 'used_networks').return_value = []
        self.namespaces = self.patch_object(network, 'namespaces')
        self.namespaces.return_value = []
        self.patch_object(secrets, 'load')
        self.patch_object(hugepages, 'before').return_value = {}
        self.patch_object(lab.controller, 'Controller')
        self.patch_object(lab.compute, 'Compute')
        self.settle = self.patch_object(optional_pools, 'settle')
        self.path = self.write_topology(HOSTS)
        self.wanted = topology.load(self.path, [])
        self.without = self.wanted.without_optional([1048576])

        self.shown = mock.Mock(spec=progress.Progress)

    def _choose(self, path=None, **wished):
        return lab.choose(lab.Wish(path or self.path, **wished),
                          self.shown).topology

    def _first(self, settled):
        self.settle.return_value = settled
        chosen = self._choose()
        self.namespaces.return_value = ['mempage-a']
        return chosen

    @ddt.data(True, False)
    def test_what_is_left_out_stays_out(self, built):
        settled = self.wanted if built else self.without
        self.assertEqual(settled, self._first(settled))
        self.assertEqual(settled, topology.load(paths.TOPOLOGY, []))
        self.assertEqual(settled, self._choose())
        self.settle.assert_called_once()

    @ddt.data(True, False)
    def test_another_topology_is_refused(self, built):
        self._first(self.wanted if built else self.without)
        other = self.directory / 'other.yaml'
        other.write_text(HOSTS.replace('pages: 50', 'pages: 51'))
        error = self.assertRaises(errors.LabError, self._choose, other)
        self.assertIn('up with another topology', str(error))

    def _bring_up(self, **wished):
        """Choose a lab, and let it be up from then on."""
        self.settle.side_effect = lambda wanted, shown: wanted
        chosen = self._choose(**wished)
        self.namespaces.return_value = ['mempage-a']
        return chosen

    @ddt.data({}, WISH)
    def test_a_wish(self, wished):
        chosen = self._bring_up(**wished)
        self.assertIs(wished.get('release', releases.NEWEST), chosen.release)
        self.assertIs(wished.get('stock', False), chosen.stock)
        self.assertEqual(wished.get('system'), chosen.system)
        self.assertEqual(chosen, topology.load(paths.TOPOLOGY, []))

    def test_what_is_not_wished_for_is_the_topologys(self):
        self.path.write_text('release: 2025.2\nstock: true\n'
                             'system: debian-13\n' + HOSTS)
        chosen = self._bring_up()
        self.assertEqual(('2025.2', True, 'debian-13'), (
            chosen.release.name, chosen.stock, chosen.system))
        self.assertEqual(chosen, lab.choose(lab.Wish(), self.shown).topology)

    def test_a_wish_goes_before_the_topology(self):
        self.path.write_text('release: 2025.2\nstock: true\n'
                             'system: debian-13\n' + HOSTS)
        chosen = self._bring_up(release=releases.NEWEST, stock=False,
                                system='debian-12')
        self.assertEqual((releases.NEWEST, False, 'debian-12'), (
            chosen.release, chosen.stock, chosen.system))

    @ddt.data({}, WISH)
    def test_the_same_wish_goes_on(self, wished):
        chosen = self._bring_up(**wished)
        self.assertEqual(chosen, self._choose(**wished))
        self.assertEqual(chosen, lab.choose(lab.Wish(), self.shown).topology)

    @ddt.data({}, WISH)
    def test_a_part_of_the_wish_goes_on(self, wished):
        chosen = self._bring_up(**wished)
        for name, value in wished.items():
            self.assertEqual(chosen, lab.choose(lab.Wish(**{name: value}),
                                                self.shown).topology)

    def test_the_system_that_nodes_run_anyway_goes_on(self):
        chosen = self._bring_up()
        self.assertEqual(chosen, self._choose(system='debian-12'))

    @ddt.data({'release': OLD}, {'stock': True}, {'system': 'debian-13'})
    def test_another_wish_is_refused(self, other):
        self._bring_up()
        for path in (self.path, None):
            error = self.assertRaises(errors.LabError, lab.choose,
                                      lab.Wish(path, **other), self.shown)
            self.assertIn('up with another topology', str(error))
            self.assertIn('OpenStack 2026.2 on debian-12)', str(error))

    @ddt.data({'release': releases.NEWEST}, {'stock': False},
              {'system': 'debian-12'})
    def test_less_than_what_is_up_is_refused(self, other):
        self._bring_up(release=releases.RELEASES['2025.2'], stock=True,
                       system='debian-13')
        error = self.assertRaises(errors.LabError, lab.choose,
                                  lab.Wish(**other), self.shown)
        self.assertIn('OpenStack 2025.2 on debian-13, stock Nova)', str(error))

    def test_a_system_that_the_release_does_not_run_on(self):
        error = self.assertRaises(errors.LabError, self._choose, release=OLD,
                                  system='debian-13')
        self.assertRegex(str(error), 'OpenStack 2024.2 .*debian-13')
        self.assertFalse(paths.TOPOLOGY.exists())

    def test_stock_says_what_is_not_heeded(self):
        self.path.write_text(
            HOSTS + '  b: {allowed_page_sizes: [large]}\n  c:\n'
            '  d: {allowed_page_sizes: [small]}\n')
        chosen = self._bring_up(stock=True)
        [said] = [call.args[0] for call in self.shown.say.call_args_list]
        self.assertIn('allowed_page_sizes of b, d is not heeded', said)
        self.assertEqual([], chosen.restricting)

    @ddt.data({}, {'stock': True})
    def test_nothing_is_said_of_hosts_that_allow_all(self, wished):
        self._bring_up(**wished)
        self.shown.say.assert_not_called()


@ddt.ddt
class TasksTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(hugepages, 'before').return_value = {}

    def _after(self, text):
        """Return, for each task of a topology, all that is done before."""
        tasks = lab.Lab(topology.load(self.write_topology(text), []))._tasks()
        sorter = graphlib.TopologicalSorter(
            {name: after for name, (_, after) in tasks.items()})
        result = {}
        for name in sorter.static_order():
            self.assertIn(name, tasks)
            before = tasks[name][1]
            result[name] = set(before).union(
                *(result[other] for other in before))
        return result

    @ddt.data(HOSTS, 'system: debian-13\n' + HOSTS, TWO_SYSTEMS)
    def test_a_host_waits_for_its_own_openstack(self, text):
        after = self._after(text)
        for host in topology.load(self.write_topology(text), []).hosts:
            system = host.system or ('debian-13' if text.startswith(
                'system') else 'debian-12')
            self.assertLessEqual({system + '/system', system + '/openstack'},
                                 after[host.name])
            self.assertIn(system + '/nova-mempage',
                          after[host.name + '/nova-compute'])

    def test_a_host_waits_for_no_other_system(self):
        after = self._after(TWO_SYSTEMS)
        self.assertNotIn('debian-12/openstack', after['b'])
        self.assertNotIn('debian-13/openstack', after['a'])
        self.assertNotIn('debian-13/system', after['template'])
        self.assertIn('debian-12/nova-mempage', after['nova-scheduler'])

    def test_machines_begin_from_snapshots(self):
        after = self._after(MACHINES)
        # Whether they run under KVM is part of what they are.
        # And what they have of OpenStack must not change meanwhile.
        self.assertLessEqual({'accelerator', 'debian-13/nova-mempage'},
                             after['snapshots'])
        self.assertNotIn('debian-12/openstack', after['snapshots'])
        for name in 'a', 'b':
            self.assertLessEqual({'snapshots', 'fabric', 'keys'}, after[name])
        self.assertNotIn('snapshots', after['c'])
        self.assertNotIn('snapshots', self._after(HOSTS))

    def test_machines_are_hosts_of_their_own_kind(self):
        chosen = lab.Lab(topology.load(self.write_topology(MACHINES), []))
        self.assertEqual(
            [machine_compute.MachineCompute] * 2 + [compute.Compute],
            [type(host) for host in chosen.computes])

    def test_each_snapshot_is_made(self):
        machines = [mock.Mock(), mock.Mock()]
        lab._make_snapshots(machines)
        for host in machines:
            host.snapshot.make.assert_called_once_with()

    def test_guests_are_emulated_where_a_host_is_a_machine(self):
        self.patch_object(lab.cloud, 'connect')
        self.patch_object(lab.cloud, 'create_resources')
        write = self.patch_object(lab.outputs, 'write')
        for text, expected in ((MACHINES, False), (HOSTS, True)):
            chosen = lab.Lab(topology.load(self.write_topology(text), []))
            for host in chosen.computes:
                host.kvm = True
            chosen._create_resources()
            self.assertIs(expected, write.call_args.args[2])

    @ddt.data((releases.NEWEST.name, True), ('2024.2', False))
    @ddt.unpack
    def test_a_worker_of_neutrons_own_waits_for_its_api(self, release, own):
        after = self._after('release: "%s"\n%s' % (release, HOSTS))
        self.assertIn('neutron-api', after['registered'])
        self.assertEqual(own, 'neutron-api' in after.get(
            'neutron-ovn-maintenance-worker', ()))

    def test_shares(self):
        after = self._after(SHARES)
        self.assertLessEqual({'shares', 'database', 'shares/database'},
                             after['shares/manila-api'])
        self.assertIn('shares/ceph', after['shares/manila-share'])
        self.assertLessEqual(
            {'shares/manila-api', 'shares/manila-share', 'shares/type',
             'shares/manila-scheduler', 'keystone'}, after['shares/usable'])
        self.assertFalse([name for name in self._after(HOSTS)
                          if 'shares' in name or 'manila' in name])

    def test_the_node_of_shares_is_one_of_the_labs(self):
        chosen = lab.Lab(topology.load(self.write_topology(SHARES), []))
        self.assertEqual(['controller', 'shares', 'a'], [*chosen.nodes])
        self.assertEqual(chosen.nodes['shares'].address,
                         chosen.apis['manila-api'][0])

    def test_only_guests_with_shares_have_the_module(self):
        names = set()
        self.patch_object(lab.image, 'fingerprint', lambda modules: (
            '-'.join(modules)))
        for text in HOSTS, SHARES:
            chosen = lab.Lab(topology.load(self.write_topology(text), []))
            names.add(chosen.image_path.name)
        self.assertEqual({'guest-.raw', 'guest-virtiofs.raw'}, names)

    @ddt.data(HOSTS, 'system: debian-13\n' + HOSTS, TWO_SYSTEMS, SHARES)
    def test_no_two_tasks_install_packages_at_once(self, text):
        after = self._after(text)
        installing = ['compiler', 'packages', *(
            name for name in after if name == 'debian-13/system')]
        for former, task in itertools.combinations(installing, 2):
            self.assertIn(former, after[task])
