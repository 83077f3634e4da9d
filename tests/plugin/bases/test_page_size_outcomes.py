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

"""Tests of what is made of requests for page sizes."""

import dataclasses
from unittest import mock

import fixtures
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc
import testtools

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import page_size_outcomes
from tests.plugin.bases import cases
from tests.plugin import samples

GRANTED = page_sizes.Outcome({'a': 2048}, frozenset())
REFUSED = page_sizes.Outcome({}, frozenset({page_sizes.NO_VALID_HOST}))
EITHER = page_sizes.Outcome({'a': None},
                            frozenset({page_sizes.NO_MORE_RETRIES}),
                            frozenset({'late'}))


class OutcomeTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.case = cases.make(
            page_size_outcomes.BasePageSizeTest, hosts=[], nova=mock.Mock(),
            cloud=mock.Mock(), begin_to_delete=mock.Mock(),
            inventory=inventory.Inventory('x.yaml', {
                name: dataclasses.replace(samples.LARGE_PAGE, name=name)
                for name in 'ab'}))
        self.useFixture(fixtures.MockPatchObject(
            page_size_outcomes, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatchObject(
            compute_host, 'get',
            side_effect=lambda declared, timeout: cases.host(
                declared.name, declared=declared)))
        self.collected = self.useFixture(fixtures.MockPatchObject(
            collect, 'collect')).mock
        # The host and the page size of which it was asked.
        self.looked_at = []
        self.seen = facts.Comparison('memory')
        self.useFixture(fixtures.MockPatchObject(
            server_memory, 'compare', self._compare))

    def _compare(self, declared, evidence, page_kib, status, system):
        self.assertEqual('ACTIVE', status)
        self.assertFalse(system)
        self.looked_at.append((declared.name, page_kib))
        return self.seen

    def server(self, status, host=None, fault='', uuid='uuid'):
        return servers.RequestedServer(uuid, 64, host=host, status=status,
                                       fault=fault)


class AssertOutcomeTest(OutcomeTestCase):

    def _assert_outcome(self, expected, *arguments, page_kib=None):
        server = self.server(*arguments)
        self.case.cloud.page_size.return_value = page_kib
        try:
            self.case.assert_outcome(server, expected)
        finally:
            kept = [name for name in self.case.getDetails()
                    if name.startswith(facts.FACTS)]
            self.assertEqual(1 + len(self.looked_at), len(kept))

    def _fails(self, *arguments, **kwargs):
        return str(cases.assert_fails(self, self._assert_outcome,
                                      *arguments, **kwargs))

    def test_granted(self):
        self._assert_outcome(GRANTED, 'ACTIVE', 'a', page_kib=2048)

    def test_looked_at(self):
        self._assert_outcome(GRANTED, 'ACTIVE', 'a', page_kib=2048)
        self.assertEqual([('a', 2048)], self.looked_at)
        self.assertEqual(('uuid', 64),
                         self.collected.call_args.args[1:3])

    def test_each_kind_is_looked_at_once(self):
        both = page_sizes.Outcome({'a': 2048, 'b': None}, frozenset())
        for host, page_kib in ('a', 2048), ('a', 2048), ('b', None):
            self.case.cloud.page_size.return_value = page_kib
            self.case.assert_outcome(self.server('ACTIVE', host), both)
        self.assertEqual([('a', 2048), ('b', None)], self.looked_at)

    def test_granted_and_not_had(self):
        self.seen.equal('kernel', 'page size, KiB', [2048], [4])
        self.assertIn('page size, KiB: expected 2048, kernel says 4',
                      self._fails(GRANTED, 'ACTIVE', 'a', page_kib=2048))

    def test_refused_is_not_looked_at(self):
        self._assert_outcome(REFUSED, 'ERROR', None,
                             page_sizes.NO_VALID_HOST)
        self.assertEqual([], self.looked_at)

    def test_granted_something_else(self):
        self.assertIn('runs on a with page size 4; allowed are these hosts '
                      "with these page sizes in KiB: {'a': 2048}, or else "
                      'these faults: none',
                      self._fails(GRANTED, 'ACTIVE', 'a', page_kib=4))

    def test_granted_elsewhere(self):
        self.assertIn('runs on b', self._fails(GRANTED, 'ACTIVE', 'b',
                                               page_kib=2048))

    def test_refused(self):
        self._assert_outcome(REFUSED, 'ERROR', None,
                             page_sizes.NO_VALID_HOST + ' Reason: x')

    def test_refused_for_another_reason(self):
        self.assertIn('is ERROR: Build aborted', self._fails(
            REFUSED, 'ERROR', None, 'Build aborted'))

    def test_must_not_be_refused(self):
        self._fails(GRANTED, 'ERROR', None, page_sizes.NO_VALID_HOST)

    def test_must_be_refused(self):
        self.assertIn('in KiB: none, or else', self._fails(
            REFUSED, 'ACTIVE', 'a', page_kib=2048))

    def test_either(self):
        self._assert_outcome(EITHER, 'ACTIVE', 'a')

    def _no_more_retries(self, *asked):
        self.case.services = mock.Mock()
        self.case.services.host_of.side_effect = 'service-{}'.format
        self.useFixture(fixtures.MockPatchObject(
            actions, 'builds', return_value=asked))
        return EITHER, 'ERROR', None, page_sizes.NO_MORE_RETRIES

    def test_or(self):
        self._assert_outcome(*self._no_more_retries('service-late'))

    def test_refused_by_who_must_take_it(self):
        self.assertIn(
            'It failed on service-a, which must take it',
            self._fails(*self._no_more_retries('service-late', 'service-a')))

    def test_faults_are_waited_for(self):
        self._assert_outcome(REFUSED, 'ERROR', None,
                             page_sizes.NO_VALID_HOST)
        _, told = self.case.nova.settle.call_args.args
        self.assertFalse(told('Build aborted'))
        self.assertTrue(told(page_sizes.NO_VALID_HOST))

    def test_no_fault_is_waited_for_where_none_is_right(self):
        self._assert_outcome(GRANTED, 'ACTIVE', 'a', page_kib=2048)
        _, told = self.case.nova.settle.call_args.args
        self.assertTrue(told('Build aborted'))


class CheckOutcomesTest(OutcomeTestCase):

    def setUp(self):
        super().setUp()
        self.case.cloud.page_size.return_value = 2048
        self.case.flavor_for = lambda request: request
        self.case.send = mock.Mock(side_effect=self._send)
        self.fails = False

    def _send(self, flavor, host, way):
        if self.fails and host.name == 'b':
            raise lib_exc.Forbidden
        # Only on host a there are pages.
        uuid = '%s-%s' % (host.name, flavor)
        if host.name == 'a':
            return self.server('ACTIVE', 'a', uuid=uuid)
        return self.server('ERROR', None, page_sizes.NO_VALID_HOST, uuid)

    def _check(self, expected):
        self.hosts = {name: cases.host(name) for name in expected}
        self.case.check_outcomes(
            {self.hosts[name]: outcomes
             for name, outcomes in expected.items()},
            page_sizes.Way.HOST, 'with this')

    def _deleted(self):
        [deleted] = self.case.begin_to_delete.call_args.args
        return sorted(server.uuid for server in deleted)

    def test_as_expected(self):
        self._check({'a': {'large': GRANTED, 2048: GRANTED},
                     'b': {'large': REFUSED}})
        self.assertEqual(['a-2048', 'a-large', 'b-large'], self._deleted())

    def test_all_that_disagrees_is_told(self):
        error = str(cases.assert_fails(self, self._check, {
            'a': {'large': REFUSED, 2048: GRANTED, None: REFUSED},
            'b': {2048: GRANTED}}))
        for text in ('2 of 2 hosts failed', 'with this:',
                     'page size large: server a-large',
                     'page size not set: server a-None',
                     'page size 2048: server b-2048'):
            self.assertIn(text, error)
        self.assertNotIn('server a-2048', error)
        self.assertEqual(4, len(self._deleted()))

    def test_those_that_could_be_requested_are_deleted(self):
        self.fails = True
        self.assertRaises(lib_exc.Forbidden, self._check, {
            'b': {'large': REFUSED}, 'a': {'large': GRANTED}})
        self.assertEqual(['a-large'], self._deleted())


class AnywhereTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()

        class Case(page_size_outcomes.BaseAnywhereTest):
            """All hosts."""

            inventory = inventory.Inventory('x.yaml', {'a': samples.PLAIN})
            os_admin = mock.Mock()

        self.cls = Case

    def _hypervisors(self, *names):
        self.cls.os_admin.hypervisor_client.list_hypervisors.return_value = {
            'hypervisors': [{'hypervisor_hostname': name} for name in names]}

    def test_all_are_declared(self):
        self._hypervisors('a')
        self.cls._skip_if_undeclared()

    def test_some_are_not(self):
        self._hypervisors('c', 'a', 'b')
        error = self.assertRaises(testtools.TestCase.skipException,
                                  self.cls._skip_if_undeclared)
        self.assertEqual('servers may land on hosts that are not declared: '
                         'x.yaml does not declare b, c', str(error))
