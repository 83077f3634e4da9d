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

"""Tests of what a class and its bases say together."""

import dataclasses

import ddt
import fixtures
from oslotest import base as test_base
import testtools

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from tests.plugin.bases import cases
from tests.plugin import samples

PROMISES = ('reconfigure_hosts', 'fill_stores', 'fault_injection')
POOL = (inventory.DeclaredPool(2048, 256),)
SERVICE = inventory.Service('/etc/nova.conf', 'restart')
RECONFIGURABLE = ('host whose nova-compute can be reconfigured '
                  '(services.nova-compute.config and .restart)')


class Left(base.BaseMemoryTest):
    promises = ('reconfigure_hosts',)
    features = ('shelve',)
    speaks = ('2.91',)
    about = which.file_backed
    take = which.one_of_each_policy


class Right(base.BaseMemoryTest):
    promises = ('fill_stores',)
    features = ('resize', 'shelve')
    speaks = ('2.85',)
    about = which.reconfigurable
    take = which.first


class Both(Left, Right):
    """Says nothing itself."""


class More(Both):
    promises = ('fault_injection', 'fill_stores')
    features = ('rescue',)
    about = which.with_pool


def _host(name, declared=samples.FILE_BACKED, **changes):
    return dataclasses.replace(declared, name=name, **changes)


class JoinedTestCase(test_base.BaseTestCase):

    def _configure(self, **groups):
        self.useFixture(fixtures.MockPatchObject(
            joined, 'CONF', cases.options(**groups)))

    def _declare(self, *hosts):
        self.useFixture(fixtures.MockPatchObject(
            inventory, 'load', lambda path: inventory.Inventory(
                path, {host.name: host for host in hosts})))

    def _skips(self, function, *arguments):
        return str(self.assertRaises(testtools.TestCase.skipException,
                                     function, *arguments))


class ValuesTest(JoinedTestCase):

    def test_farthest_base_first(self):
        self.assertEqual(
            [(), ('fill_stores',), ('reconfigure_hosts',),
             ('fault_injection', 'fill_stores')],
            joined.values(More, 'promises'))

    def test_what_is_not_said_again_counts_once(self):
        self.assertEqual([(), ('fill_stores',), ('reconfigure_hosts',)],
                         joined.values(Both, 'promises'))


@ddt.ddt
class PromisesTest(JoinedTestCase):

    def setUp(self):
        super().setUp()
        self.groups = {
            'mempage': dict.fromkeys(PROMISES, True),
            'compute_feature_enabled': dict.fromkeys(
                ('shelve', 'resize', 'rescue'), True)}
        self.groups['mempage']['host_inventory'] = 'x.yaml'

    def _skip(self, cls=More, **groups):
        for group, changes in groups.items():
            self.groups.setdefault(group, {}).update(changes)
        self._configure(**self.groups)
        return self._skips(joined.skip_unless_promised, cls)

    def test_all_is_promised(self):
        self._configure(**self.groups)
        joined.skip_unless_promised(More)

    @ddt.data(*PROMISES)
    def test_no_promise_of_any_base_is_forgotten(self, option):
        self.assertEqual(joined.lacking(option),
                         self._skip(mempage={option: False}))

    @ddt.data('shelve', 'resize', 'rescue')
    def test_no_feature_of_any_base_is_forgotten(self, feature):
        self.assertEqual(
            '[compute-feature-enabled] %s is not set' % feature,
            self._skip(compute_feature_enabled={feature: False}))

    def test_all_that_lacks_is_named_once(self):
        skipped = self._skip(
            mempage=dict.fromkeys(PROMISES, False),
            compute_feature_enabled={'shelve': False, 'resize': False})
        self.assertEqual([
            '[mempage] fill_stores does not allow to fill the backing stores',
            '[mempage] reconfigure_hosts does not allow to restart '
            'nova-compute with other options',
            '[mempage] fault_injection does not allow to break anything on '
            'purpose',
            '[compute-feature-enabled] resize is not set',
            '[compute-feature-enabled] shelve is not set'],
            skipped.split('; '))

    def test_what_others_need_does_not_matter(self):
        self._configure(**self.groups)
        joined.skip_unless_promised(base.BaseMemoryTest)

    def test_what_lacks_can_be_said(self):
        options = cases.options()
        for option in joined.LACKS:
            self.assertFalse(options.mempage[option])
            self.assertIn('[mempage] %s does not' % option,
                          joined.lacking(option))

    @ddt.data('2.84', '2.90')
    def test_no_version_of_any_base_is_forgotten(self, latest):
        skipped = self._skip(Both, compute={'max_microversion': latest})
        self.assertIn(latest, skipped)

    def test_versions_that_are_known(self):
        self._configure(compute={'max_microversion': '2.91'}, **self.groups)
        joined.skip_unless_promised(Both)

    def test_version_of_placement(self):
        skipped = self._skip(Both, placement={'max_microversion': '1.5'})
        self.assertIn('1.5', skipped)
        self.assertIn('[placement] min_microversion and max_microversion: ',
                      skipped)

    def test_no_inventory_is_a_skip_that_names_the_option(self):
        self.assertIn('[mempage] host_inventory',
                      self._skip(mempage={'host_inventory': None}))

    def test_no_nova(self):
        self.assertEqual('Nova is not available',
                         self._skip(service_available={'nova': False}))


class ChooseTest(JoinedTestCase):

    def setUp(self):
        super().setUp()
        self._configure(mempage={'host_inventory': 'x.yaml'})

    def _chosen(self, cls):
        joined.choose_hosts(cls)
        return [host.name for host in cls.declared]

    def test_all_conditions_have_to_hold(self):
        self._declare(
            _host('a'), _host('b', samples.PLAIN, compute_service=SERVICE),
            _host('c', compute_service=SERVICE),
            _host('d', compute_service=SERVICE, pools=POOL))
        self.assertEqual(['c'], self._chosen(Both))
        self.assertEqual(['d'], self._chosen(More))
        self.assertEqual(['b'], self._chosen(Right))

    def test_choices_follow_each_other(self):
        class Each(base.BaseMemoryTest):
            """All there are."""

        class OneOfEach(Each):
            take = which.one_of_each_policy

        class Last(OneOfEach):
            take = which.Choice(lambda hosts, start: hosts[-1:])

        self._declare(_host('a'), _host('b', samples.PLAIN), _host('c'))
        self.assertEqual(['a', 'b', 'c'], self._chosen(Each))
        self.assertEqual(['a', 'b'], self._chosen(OneOfEach))
        self.assertEqual(['b'], self._chosen(Last))

    def test_no_host_is_a_skip_that_tells_which(self):
        self._declare(_host('a', samples.PLAIN))
        self.assertEqual('x.yaml declares no file-backed host',
                         self._skips(joined.choose_hosts, Left))
        self.assertEqual('x.yaml declares no file-backed ' + RECONFIGURABLE,
                         self._skips(joined.choose_hosts, Both))

    def test_none_among_those_that_the_run_is_about(self):
        self._configure(mempage={'host_inventory': 'x.yaml', 'hosts': ['a'],
                                 'peers': ['b']})
        self._declare(_host('a', samples.PLAIN), _host('b'))
        self.assertEqual(
            'x.yaml declares no file-backed host among [mempage] hosts',
            self._skips(joined.choose_hosts, Left))

    def test_peers_are_not_what_tests_are_about(self):
        self._configure(mempage={'host_inventory': 'x.yaml', 'hosts': ['b'],
                                 'peers': ['a']})
        self._declare(_host('a'), _host('b'), _host('c'))
        self.assertEqual(['b'], self._chosen(base.BaseMemoryTest))

    def test_who_needs_no_hosts_is_not_skipped(self):
        class Api(base.BaseMemoryTest):
            needs_hosts = False
            about = which.file_backed

        self._declare(_host('a', samples.PLAIN))
        self.assertEqual([], self._chosen(Api))

    def test_unknown_host_is_no_skip(self):
        self._configure(mempage={'host_inventory': 'x.yaml', 'hosts': ['z']})
        self._declare(_host('a'))
        self.assertRaises(exceptions.InventoryError, joined.choose_hosts,
                          Left)

    def test_broken_inventory_is_no_skip(self):
        self._configure(mempage={'host_inventory': '/nonexistent'})
        with fixtures.MockPatch('tempest.test.BaseTestCase.skip_checks'):
            self.assertRaises(exceptions.InventoryError,
                              base.BaseMemoryTest.skip_checks)


class MoveTest(JoinedTestCase):

    def setUp(self):
        super().setUp()
        self._configure(mempage={'host_inventory': 'x.yaml'})

    def _chosen(self, cls):
        joined.choose_hosts(cls)
        return [host.name for host in cls.declared]

    def test_start_and_destination_are_joined(self):
        class Begins(base.BaseMoveTest):
            start_on = which.file_backed

        class Ends(base.BaseMoveTest):
            go_to = which.alike

        class Move(Begins, Ends):
            start_on = which.with_pool
            go_to = which.reconfigurable

        self._declare(
            _host('a'), _host('b', pools=POOL),
            _host('c', samples.PLAIN, compute_service=SERVICE),
            _host('d', compute_service=SERVICE))
        self.assertEqual(['b', 'd'], self._chosen(Move))

    def test_start_has_what_the_guest_asks_for(self):
        class Large(base.BaseMoveTest):
            request = 'large'

        self._declare(_host('a'), _host('b', samples.LARGE_PAGE))
        self.assertEqual(['a', 'b'], self._chosen(base.BaseMoveTest))
        self.assertEqual(['b', 'a'], self._chosen(Large))

    def test_peers_are_destinations(self):
        self._configure(mempage={'host_inventory': 'x.yaml', 'hosts': ['b'],
                                 'peers': ['a']})
        self._declare(_host('a'), _host('b'), _host('c'))
        self.assertEqual(['b', 'a'], self._chosen(base.BaseMoveTest))

    def test_nowhere_to_go(self):
        class Move(base.BaseMoveTest):
            start_on = which.file_backed
            go_to = ~which.file_backed

        self._declare(_host('a'), _host('b'))
        self.assertEqual(
            'x.yaml declares no file-backed host that takes guests without '
            'page size beside which there is a host that is not file-backed',
            self._skips(joined.choose_hosts, Move))
