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

"""Tests of what all tests of the plugin share."""

import json
import threading
from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
from tempest import exceptions
from tempest.lib import exceptions as lib_exc
from tempest.lib.services.compute import base_compute_client
import testtools

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.changes import reconfiguration
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.evidence import attachments
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import ends
from mempage_tempest_plugin.tests.bases import observed
from tests.plugin.bases import cases


def _comparison(host, agrees=True, subject='pool'):
    comparison = facts.Comparison('%s on %s' % (subject, host), host)
    comparison.holds('kernel', 'pages', 1, 2, agrees)
    return comparison


def _server(uuid, host):
    return servers.RequestedServer(uuid, 64, host=host)


class BaseTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.a, self.b = self.hosts = [cases.host(name) for name in 'ab']
        self.case = cases.make(base.BaseMemoryTest, hosts=self.hosts,
                               nova=mock.Mock())
        self.limit(16)

    def limit(self, parallel_hosts):
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options(
                mempage={'parallel_hosts': parallel_hosts})))

    def kept(self, kind):
        """Read the documents of a kind that the test has kept."""
        return [json.loads(b''.join(detail.iter_bytes())) for name, detail
                in self.case.getDetails().items()
                if name.partition('-')[0] == kind]


class WaitUntilActiveTest(BaseTestCase):

    def test_who_fails_says_what_nova_compute_knows(self):
        self.case.servers = [_server('u', 'a')]
        self.a.errors_of.return_value = ['libvirtError: no memory']
        self.case.nova.wait_until_active.side_effect = (
            exceptions.BuildErrorException('Exceeded', server_id='u'))
        error = self.assertRaises(exceptions.BuildErrorException,
                                  self.case.wait_until_active, self.a)
        self.assertEqual(
            'Server u failed to build and is in ERROR status\n'
            'Details: Exceeded\na: libvirtError: no memory', str(error))


class WaitUntilCrashedTest(BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case.servers = [_server('u', 'a')]
        self.a.pids.return_value = []

    def test_crashed(self):
        self.a.libvirt.end.return_value = 'crashed'
        ends.wait_until_crashed(self.case, self.a)
        self.case.nova.wait_for.assert_called_once_with('u', 'SHUTOFF')
        self.a.libvirt.end.assert_called_once_with('u')

    def test_guest_that_shuts_down_itself(self):
        self.a.libvirt.end.return_value = 'shut down'
        self.assertIn('how the guest has ended: expected crashed, libvirt '
                      'says shut down', str(cases.assert_fails(
                          self, ends.wait_until_crashed, self.case,
                          self.a)))


@ddt.ddt
class OnEachHostTest(BaseTestCase):

    def setUp(self):
        super().setUp()
        self.taken = []

    def _step(self, name, failing=(), error=None):
        def step(host):
            self.taken.append((name, host.name))
            if host.name in failing:
                raise error or ValueError('odd %s' % host.name)

        step.__name__ = name
        return step

    def _outcomes(self):
        return {kept['host']: (kept['passed'], kept['error'])
                for kept in self.kept(facts.OUTCOME)}

    def test_steps_are_taken_on_all_hosts_in_turn(self):
        self.limit(1)
        self.case.on_each_host(self._step('one'), self._step('two'))
        self.assertEqual([('one', 'a'), ('one', 'b'), ('two', 'a'),
                          ('two', 'b')], self.taken)

    def test_on_all_hosts_at_the_same_time(self):
        together = threading.Barrier(2)

        def one(host):
            together.wait(10)

        self.case.on_each_host(one)

    def test_no_step_before_the_last_one_has_ended(self):
        ended = threading.Event()

        def one(host):
            if host is self.a:
                ended.wait(0.1)
                self.taken.append('end of one')

        def two(host):
            self.taken.append('two')
            ended.set()

        self.case.on_each_host(one, two)
        self.assertEqual(['end of one', 'two', 'two'], self.taken)

    def test_limit(self):
        self.limit(1)
        together = threading.Barrier(2)

        def one(host):
            together.wait(0.01)

        error = cases.assert_fails(self, self.case.on_each_host,
                                   one)
        self.assertIn('BrokenBarrierError', str(error))

    def test_failing_host_takes_no_further_step(self):
        error = cases.assert_fails(
            self, self.case.on_each_host,
            self._step('one', ['a']), self._step('two'))
        self.assertNotIn(('two', 'a'), self.taken)
        self.assertIn(('two', 'b'), self.taken)
        self.assertIn('1 of 2 hosts failed\na: one: ValueError: odd a',
                      str(error))
        self.assertEqual([self.a], self.case.failed)

    def test_all_failing_hosts_are_named(self):
        error = cases.assert_fails(
            self, self.case.on_each_host,
            self._step('one', ['b']), self._step('two', ['a']),
            self._step('three'))
        self.assertIn('2 of 2 hosts failed', str(error))
        self.assertIn('a: two: ValueError: odd a', str(error))
        self.assertIn('b: one: ValueError: odd b', str(error))
        self.assertEqual([self.a, self.b], self.case.failed)
        self.assertNotIn('three', [step for step, _ in self.taken])

    def test_failed_assertion_is_told_as_it_is(self):
        error = cases.assert_fails(
            self, self.case.on_each_host,
            self._step('_check_it', ['a'], AssertionError('1 != 2')))
        self.assertIn('\na: check_it: 1 != 2', str(error))

    def test_outcome_of_each_host_is_kept(self):
        cases.assert_fails(self, self.case.on_each_host,
                           self._step('one'), self._step('two', ['a']))
        self.assertEqual({'a': (False, 'two: ValueError: odd a'),
                          'b': (True, None)}, self._outcomes())

    def test_outcome_is_kept_if_all_pass(self):
        self.case.on_each_host(self._step('one'))
        self.assertEqual({'a': (True, None), 'b': (True, None)},
                         self._outcomes())
        self.assertEqual([], self.case.failed)

    def test_some_hosts_only(self):
        error = cases.assert_fails(
            self, self.case.on_each_host,
            self._step('one', ['a', 'b']), hosts=[self.b])
        self.assertIn('1 of 1 hosts failed\nb:', str(error))
        self.assertEqual([('one', 'b')], self.taken)
        self.assertEqual(['b'], list(self._outcomes()))
        self.assertEqual([self.b], self.case.failed)

    def test_no_hosts(self):
        self.case.on_each_host(self._step('one'), hosts=[])
        self.assertEqual(([], {}), (self.taken, self._outcomes()))

    def test_step_without_a_name(self):
        self.case.on_each_host(mock.Mock(spec=[]))

    def _skips(self, *steps):
        return str(self.assertRaises(testtools.TestCase.skipException,
                                     self.case.on_each_host, *steps))

    def test_skip(self):
        def skip(host):
            raise self.case.skipException('no log: host %s' % host.name)

        self.assertEqual('no log: host a; no log: host b', self._skips(skip))
        self.assertEqual({}, self._outcomes())
        self.assertEqual(
            {'a': 'no log: host a', 'b': 'no log: host b'},
            {kept['host']: kept['reason']
             for kept in self.kept(facts.LEFT_OUT)})

    def test_skipping_host_takes_no_further_step(self):
        self.assertEqual('no', self._skips(
            self._step('one', ['a'], self.case.skipException('no')),
            self._step('two')))
        self.assertEqual([('one', 'a'), ('one', 'b'), ('two', 'b')],
                         sorted(self.taken))
        self.assertEqual({'b': (True, None)}, self._outcomes())

    @ddt.data(('fail', 'skip'), ('skip', 'fail'))
    def test_failure_is_told_whoever_skips(self, names):
        """Before, in or after the step in which another host skips"""
        all_of = {'skip': self._step('skip', ['a'],
                                     self.case.skipException('no')),
                  'fail': self._step('fail', ['b'])}

        def both(host):
            for step in all_of.values():
                step(host)

        for steps in [all_of[name] for name in names], [both]:
            error = cases.assert_fails(self, self.case.on_each_host, *steps)
            self.assertIn('1 of 2 hosts failed\nb:', str(error))
            self.assertEqual((False,), self._outcomes()['b'][:1])
            self.assertNotIn('a', self._outcomes())
            self.assertEqual([self.b], self.case.failed)

    def test_reason_of_all_hosts_is_told_once(self):
        self.assertEqual('no', self._skips(self._step(
            'one', ['a', 'b'], self.case.skipException('no'))))

    def test_timeout_of_the_test_passes(self):
        self.assertRaises(
            fixtures.TimeoutException, self.case.on_each_host,
            self._step('one', ['a'], fixtures.TimeoutException()))


class KeepTest(BaseTestCase):

    def _kept(self):
        return {kept['host']: kept for kept in self.kept(facts.FACTS)}

    def test_agreement(self):
        self.case.assert_agrees(_comparison('a'))
        kept = self._kept()['a']
        self.assertEqual(('pool on a', True), (
            kept['subject'], kept['facts'][0]['agrees']))

    def test_disagreement(self):
        error = cases.assert_fails(self, self.case.assert_agrees,
                                   _comparison('a', agrees=False))
        self.assertIn('pool on a: pages: expected 1, kernel says 2',
                      str(error))
        self.assertIs(False, self._kept()['a']['facts'][0]['agrees'])

    def test_keep_does_not_judge(self):
        self.case.keep(_comparison('a', agrees=False))
        self.assertIs(False, self._kept()['a']['facts'][0]['agrees'])

    def test_all_are_kept(self):
        for _ in range(3):
            self.case.assert_agrees(_comparison('a'))
        self.assertEqual(3, len(self.kept(facts.FACTS)))

    def test_hosts_are_asked_at_the_same_time(self):
        self.hosts[:] = [cases.host(str(name)) for name in range(16)]
        together = threading.Barrier(16)

        def check(host):
            together.wait(10)
            for _ in range(5):
                self.case.assert_agrees(_comparison(host.name))

        self.case.on_each_host(check)
        self.assertEqual(80, len(self.kept(facts.FACTS)))

    def test_soon(self):
        with mock.patch('time.sleep'):
            answers = [_comparison('a', agrees=False), _comparison('a')]
            self.case.assert_soon_agrees(
                self.a, lambda host: answers.pop(0), 10)
        # What was not so yet is no fact.
        [kept] = self.kept(facts.FACTS)
        self.assertTrue(kept['facts'][0]['agrees'])

    def test_never(self):
        cases.assert_fails(
            self, self.case.assert_soon_agrees, self.a,
            lambda host: _comparison('a', agrees=False), 0.01)
        self.assertEqual(1, len(self.kept(facts.FACTS)))


class ServersTest(BaseTestCase):

    def test_server_on(self):
        first, other, last, nowhere = self.case.servers = [
            _server('1', 'a'), _server('2', 'b'), _server('3', 'a'),
            _server('4', None)]
        self.assertIs(last, self.case.server_on(self.a))
        self.assertIs(other, self.case.server_on(self.b))
        self.assertIsNone(self.case.server_on(cases.host('c')))

    def test_server_that_has_moved(self):
        server = _server('1', 'a')
        self.case.servers = [server]
        server.host = 'b'
        self.assertIsNone(self.case.server_on(self.a))
        self.assertIs(server, self.case.server_on(self.b))

    def _boot(self, hosts):
        for host in hosts:
            self.case.nova.request.return_value = _server(host.name,
                                                          host.name)
            with mock.patch.multiple(
                    base.BaseMemoryTest, create=True, nova=self.case.nova,
                    flavor={'id': '1'}, image='image'), \
                    mock.patch.object(names, 'of', lambda cls, what: what):
                self.case.boot(host)

    def test_boot(self):
        self._boot([self.a])
        self.case.nova.request.assert_called_once_with(
            'server', {'id': '1'}, 'image', 'a')
        self.assertEqual('a', self.case.server_on(self.a).uuid)

    def test_servers_boot_from_volumes_only(self):
        self.case.nova.request.side_effect = lib_exc.BadRequest(
            'Block Device Mapping is Invalid: You specified more local '
            'devices than the limit allows')
        error = self.assertRaises(testtools.TestCase.skipException,
                                  self._boot, [self.a])
        self.assertIn('max_local_block_devices is 0', str(error))

    def test_other_requests_that_are_bad(self):
        self.case.nova.request.side_effect = lib_exc.BadRequest('odd')
        self.assertRaises(lib_exc.BadRequest, self._boot, [self.a])

    def test_all_are_deleted_at_the_same_time(self):
        self._boot(self.hosts)
        self.case.doCleanups()
        self.assertEqual([mock.call(['a', 'b']), mock.call([])],
                         self.case.nova.delete.call_args_list)

    def test_what_was_deleted_is_not_deleted_again(self):
        self._boot([self.a])
        self.case.delete_requested()
        self._boot([self.b])
        self.case.delete_requested()
        self.assertEqual([mock.call(['a']), mock.call(['b'])],
                         self.case.nova.delete.call_args_list)


@ddt.ddt
class AttachDetailsTest(BaseTestCase):

    def setUp(self):
        super().setUp()
        self.attach = self.useFixture(fixtures.MockPatchObject(
            attachments, 'attach')).mock

    def _raise(self, error):
        self.case.onException((type(error), error, None))

    def _assert_attached(self, hosts, uuids):
        self.attach.assert_called_once_with(
            self.case, hosts, uuids, self.case.evidence_table, 16)

    def test_failure_attaches_once(self):
        self._raise(AssertionError('a'))
        self._raise(ValueError('b'))
        self.attach.assert_called_once()

    def test_skip_attaches_nothing(self):
        self._raise(self.case.skipException('a'))
        self.attach.assert_not_called()

    def test_failed_hosts_only(self):
        self.case.servers = [_server('1', 'a'), _server('2', 'b')]

        def fail(host):
            self.assertIs(self.a, host)

        error = cases.assert_fails(self, self.case.on_each_host,
                                   fail)
        self._raise(error)
        self._assert_attached([self.b], {'a': '1', 'b': '2'})

    def test_hosts_that_were_used(self):
        self.case.servers = [_server('1', 'b'), _server('2', 'b')]
        self._raise(AssertionError('a'))
        self._assert_attached([self.b], {'b': '2'})

    def test_no_host_was_used(self):
        self._raise(AssertionError('a'))
        self._assert_attached([self.a], {})

    def test_no_hosts(self):
        self.hosts.clear()
        self._raise(AssertionError('a'))
        self._assert_attached([], {})

    def test_table_that_failed(self):
        self.case.keep(_comparison('a', agrees=False))
        self.case.keep(_comparison('b', agrees=False, subject='store'))
        self.assertIn('pool on a', self.case.evidence_table(self.a))
        self.assertIn('store on b', self.case.evidence_table(self.b))

    def test_table_of_this_moment(self):
        self.case.servers = [_server('1', 'a')]
        self.case.keep(_comparison('a'))
        with mock.patch.object(self.case, 'compare_evidence',
                               return_value=_comparison('a', subject='now')):
            self.assertIn('now on a', self.case.evidence_table(self.a))

    def test_no_table(self):
        self.assertEqual('No server was requested on this host.',
                         self.case.evidence_table(self.a))


class UnoccupiedTest(test_base.BaseTestCase):
    """Hosts with guests of others are told before anything is made."""

    def _spoken(self, harmful):
        """List in which versions of the compute API they were asked."""
        spoken = []
        cls = type('TestIt', (base.BaseMemoryTest,), {
            'harmful': harmful, 'os_admin': mock.Mock(),
            'inventory': mock.Mock()})
        self.useFixture(fixtures.MockPatch(
            'tempest.test.BaseTestCase.setup_clients'))
        options = cases.options()
        options.compute['build_timeout'] = 7
        self.useFixture(fixtures.MockPatchObject(base, 'CONF', options))
        self.useFixture(fixtures.MockPatchObject(
            observed, 'take_unoccupied', lambda cls: spoken.append(
                base_compute_client.COMPUTE_MICROVERSION)))
        cls.setup_clients()
        return spoken

    def test_who_does_harm(self):
        """In that of the tests: hypervisors are asked for just once"""
        self.assertEqual([base.BaseMemoryTest.min_microversion],
                         self._spoken(True))
        self.assertIsNone(base_compute_client.COMPUTE_MICROVERSION)

    def test_who_does_none(self):
        self.assertEqual([], self._spoken(False))


class ResourceSetupTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        for target in ('tempest.test.BaseTestCase.resource_setup',
                       'oslo_concurrency.lockutils.get_lock_path'):
            self.useFixture(fixtures.MockPatch(target))
        self.useFixture(fixtures.MockPatch(
            'mempage_tempest_plugin.changes.empty_image.shared'))
        self.useFixture(fixtures.MockPatch(
            'mempage_tempest_plugin.changes.quotas.room', mock.MagicMock()))
        for name in 'setup_api_microversion_fixture', 'create_flavor':
            self.useFixture(fixtures.MockPatchObject(
                base.BaseMemoryTest, name))
        self.useFixture(fixtures.MockPatchObject(
            compute_host, 'get', lambda declared, timeout: declared))
        self.put_back = self.useFixture(fixtures.MockPatchObject(
            reconfiguration, 'put_back_left')).mock

    def _set_up(self, reconfigure_hosts=True, **attributes):
        cls = type('TestIt', (base.BaseMemoryTest,), {
            'declared': ['a', 'b'], 'services': None, 'needs_system': False,
            'os_admin': None,
            **attributes})
        options = cases.options(
            mempage={'reconfigure_hosts': reconfigure_hosts})
        options.compute['build_timeout'] = 7
        with mock.patch.object(base, 'CONF', options):
            cls.resource_setup()
        return cls

    def test_hosts(self):
        self.assertEqual(['a', 'b'], self._set_up().hosts)

    def test_what_killed_runs_have_left_is_put_back(self):
        self._set_up()
        self.put_back.assert_called_once_with(
            ['a', 'b'], None, 7, mock.ANY, mock.ANY)

    def test_only_where_hosts_may_be_changed(self):
        self._set_up(reconfigure_hosts=False)
        self.put_back.assert_not_called()

    def test_not_by_those_who_have_leased_no_host(self):
        # Somebody else may be changing it.
        self._set_up(needs_hosts=False)
        self.put_back.assert_not_called()

    def test_who_does_harm_leaves_out_hosts_with_guests_of_others(self):
        with mock.patch.object(observed, 'leave_out_occupied') as leave_out:
            self._set_up()
            leave_out.assert_not_called()
            cls = self._set_up(harmful=True)
            leave_out.assert_called_once_with(cls)


class CreateFlavorTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.client = mock.Mock(**{
            'show_flavor.return_value': {'flavor': {
                'id': 'model', 'ram': 64, 'vcpus': 2, 'disk': 1}},
            'create_flavor.return_value': {'flavor': {'id': 'made'}}})

    def _extra_specs(self, model, *arguments, **options):
        self.client.list_flavor_extra_specs.return_value = {
            'extra_specs': model}
        cls = type('TestIt', (base.BaseMemoryTest,), {
            'os_admin': mock.Mock(flavors_client=self.client),
            'addClassResourceCleanup': mock.Mock()})
        options_of_tempest = cases.options()
        options_of_tempest.compute['flavor_ref'] = 'model'
        with mock.patch.object(base, 'CONF', options_of_tempest):
            cls.create_flavor(*arguments, **options)
        found = {}
        for call in self.client.set_flavor_extra_spec.call_args_list:
            self.assertEqual(('made',), call.args)
            found.update(call.kwargs)
        return found

    def test_what_the_cloud_needs_is_kept(self):
        needed = {'trait:CUSTOM_X': 'required',
                  'aggregate_instance_extra_specs:ssd': 'true',
                  'hw:cpu_policy': 'dedicated'}
        self.assertEqual(
            {**needed, 'a': 'b', 'hw:mem_page_size': 'small'},
            self._extra_specs({**needed, 'hw:mem_page_size': 'large'},
                              {'a': 'b'}, request='small'))

    def test_what_is_about_memory_is_not(self):
        self.assertEqual({}, self._extra_specs(dict.fromkeys([
            'hw:mem_page_size', 'hw:locked_memory', 'hw:numa_nodes',
            'hw:numa_mem.0', 'hw:numa_cpus.1', 'resources:MEMORY_MB',
            'trait:COMPUTE_MEM_BACKING_FILE',
            'trait1:CUSTOM_MEMORY_PAGE_SIZE_2048'], '1'), {}))

    def test_the_test_has_the_last_word(self):
        self.assertEqual({'trait:CUSTOM_X': 'forbidden'}, self._extra_specs(
            {'trait:CUSTOM_X': 'required'}, {'trait:CUSTOM_X': 'forbidden'}))


class ScopeTest(test_base.BaseTestCase):

    def _attributes(self, cls):
        return cls('test_it').id().rpartition('[')[2].rstrip(']').split(',')

    def test_scope_is_an_attribute(self):
        class Hosts(base.BaseMemoryTest):
            def test_it(self):
                pass

        class Cloud(base.BaseMemoryTest):
            scope = base.PER_CLOUD

            def test_it(self):
                pass

        self.assertEqual(['per-host'], self._attributes(Hosts))
        self.assertEqual(['per-cloud'], self._attributes(Cloud))

    def test_of_each_test_that_ddt_makes(self):
        @ddt.ddt
        class Hosts(base.BaseMemoryTest):
            @ddt.data(1, 2)
            def test_it(self, number):
                pass

        for name in 'test_it_1_1', 'test_it_2_2':
            self.assertTrue(Hosts(name).id().endswith('[per-host]'))
