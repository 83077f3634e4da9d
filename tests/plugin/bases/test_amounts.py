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

"""Tests of what tests of all memory of hosts assert."""

import json
from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
import testtools

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.tests.bases import amounts
from mempage_tempest_plugin.tests.bases import base
from tests.plugin.bases import cases
from tests.plugin import samples

NOWHERE = page_sizes.NO_VALID_HOST
ON_A_HOST = 'host of the refused server: expected none, nova says a'


class _Case(amounts.BaseAmountTest):

    def check_taken(self, host):
        self.counted.append(host.name)


def _server(status, host=None, fault=''):
    return servers.RequestedServer('uuid', 64, host=host, status=status,
                                   fault=fault)


@ddt.ddt
class AmountTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.case = cases.make(
            _Case, hosts=[cases.host('a')], nova=mock.Mock(),
            cloud=mock.Mock(), counted=[], services=mock.Mock(),
            inventory=mock.Mock(path='x.yaml', limit=lambda seconds: seconds))
        self.case.services.host_of.side_effect = 'service-{}'.format
        self.asked = self.useFixture(fixtures.MockPatchObject(
            actions, 'builds', return_value=[])).mock
        self.case.cloud.allocated_memory.return_value = {}
        self.promised = self.useFixture(fixtures.MockPatch(
            'tempest.common.compute.is_scheduler_filter_enabled',
            return_value=False)).mock

    def _check(self, method, *servers, **kwargs):
        self.case.servers = list(servers)
        method(self.case.servers, **kwargs)
        self.case.nova.settle.assert_called_once_with(self.case.servers)
        self.assertEqual(['a'], self.case.counted)

    def _refusal_fails(self, server, **kwargs):
        error = cases.assert_fails(
            self, self._check, self.case.check_refused, server,
            **kwargs)
        self.assertEqual([], self.case.counted)
        return str(error)

    def test_active(self):
        self._check(self.case.check_active, _server('ACTIVE', 'a'))

    @ddt.data('ERROR', 'SHUTOFF', None)
    def test_not_active(self, status):
        error = cases.assert_fails(
            self, self._check, self.case.check_active,
            _server('ACTIVE', 'a'), _server(status, fault='no room'))
        self.assertIn('no room', str(error))

    @ddt.data(*amounts.REFUSALS)
    def test_refused(self, fault):
        self._check(self.case.check_refused, _server('ERROR', None,
                                                     fault + ' More.'))

    def test_refusal_is_kept(self):
        self._check(self.case.check_refused, _server('ERROR', None, NOWHERE))
        told = json.loads(b''.join(
            self.case.getDetails()['facts'].iter_bytes()))
        self.assertEqual(['why the server was refused', NOWHERE], [
            told['facts'][0][key] for key in ('name', 'observed')])

    def _given_up(self, service, *lines):
        self.asked.return_value = [service]
        self.case.hosts[0].log.about.return_value = lines
        return _server('ERROR', None, page_sizes.NO_MORE_RETRIES)

    def test_refused_by_the_host(self):
        self._check(self.case.check_refused, self._given_up(
            'service-a', 'Failed to claim: cannot fit'))
        self.case.hosts[0].log.about.assert_called_once_with(
            'uuid', self.case.hosts[0].log.end.return_value)

    def test_accepted_and_failed(self):
        self.assertIn('it was not refused there, but accepted. It failed '
                      'later:\nInstance failed to spawn', self._refusal_fails(
                          self._given_up('service-a',
                                         'Instance failed to spawn')))

    def _skips(self, *servers, **kwargs):
        error = str(self.assertRaises(
            self.case.skipException, self._check, self.case.check_refused,
            *servers, **kwargs))
        self.assertIn('nobody says where nova-compute logs to: ', error)
        self.assertIn('on service-b logs to', error)
        # What can be known is.
        self.assertEqual(['a'], self.case.counted)

    def test_nobody_can_tell_whether_it_was_accepted(self):
        self._skips(self._given_up('service-b'))

    def test_nobody_can_tell_who_lost_a_race(self):
        self.promised.return_value = True
        self._skips(self._given_up('service-b'), racing=True)

    def _had_to_refuse(self, requested):
        return str(cases.assert_fails(self, self.case.check_refused,
                                      requested))

    def test_scheduler_had_to_refuse(self):
        """Nothing has raced: the host has accepted what does not fit"""
        self.promised.side_effect = lambda name: name == 'NUMATopologyFilter'
        error = self._had_to_refuse([self._given_up('service-b')])
        self.assertIn('have accepted them, and failed to start them', error)
        self.assertIn("uuid='uuid'", error)

    def test_failure_comes_before_what_nobody_can_tell(self):
        """Wherever it is among those that were requested"""
        unknown = self._given_up('service-b')
        for failure, words in (
                (_server('ACTIVE', 'a'), 'host a had to refuse'),
                (_server('ERROR', None, 'odd'), 'nova says odd'),
                (_server('ERROR', 'a', NOWHERE), ON_A_HOST)):
            for requested in [unknown, failure], [failure, unknown]:
                self.assertIn(words, self._had_to_refuse(requested))

    def test_lost_memory_comes_before_what_nobody_can_tell(self):
        self.case.check_taken = mock.Mock(side_effect=ValueError('lost'))
        self.assertIn('lost', self._had_to_refuse(
            [self._given_up('service-b')]))

    def test_refused_with_words(self):
        self._check(self.case.check_refused,
                    _server('ERROR', None, 'QEMU: prealloc failed'),
                    words=['other', 'prealloc'])

    def test_taken_nevertheless(self):
        self.assertIn('host a had to refuse', self._refusal_fails(
            _server('ACTIVE', 'a')))
        self.case.nova.settle.reset_mock()
        self.assertIn("expected was one of ['x']", self._refusal_fails(
            _server('ACTIVE', 'a'), words=['x']))

    @ddt.data('', 'Build aborted', 'It said: ' + NOWHERE)
    def test_other_fault(self, fault):
        self.assertIn('why the server was refused: expected one of: No valid',
                      self._refusal_fails(_server('ERROR', None, fault)))

    def test_fault_without_the_words(self):
        self._refusal_fails(_server('ERROR', None, NOWHERE), words=['x'])

    def test_refused_but_on_a_host(self):
        self.assertIn(ON_A_HOST, self._refusal_fails(
            _server('ERROR', 'a', NOWHERE)))

    def test_refused_but_memory_is_allocated(self):
        self.case.cloud.allocated_memory.return_value = {'provider': 64}
        self.useFixture(fixtures.MockPatchObject(
            actions, 'GIVE_BACK_TIMEOUT', 0.01))
        self.assertIn('provider', self._refusal_fails(
            _server('ERROR', None, NOWHERE)))

    def test_refused_and_given_back_a_moment_later(self):
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.case.cloud.allocated_memory.side_effect = [
            {'provider': 64}, {}, {}]
        self._check(self.case.check_refused, _server('ERROR', None, NOWHERE))

    def _skip_if_held(self, needed_mib, used):
        self.case.cloud.provider.return_value = samples.provider(
            memory_total=1000, memory_reserved=100)
        self.case.cloud.used_memory.return_value = used
        self.case.cloud.memory_of_nobody.return_value = {'gone': 64}
        self.case.skip_if_held(self.case.hosts[0], needed_mib)

    def test_memory_that_others_hold(self):
        error = self.assertRaises(
            testtools.TestCase.skipException, self._skip_if_held, 900, 64)
        self.assertIn(
            'host a: the test needs 900 MiB, and placement has 836, as it '
            "holds 64. For consumers without a server there, MiB: "
            "{'gone': 64}", str(error))

    def test_memory_that_is_there(self):
        self._skip_if_held(836, 64)

    def test_memory_that_never_was_there(self):
        # What fails is the test itself.
        self._skip_if_held(901, 64)

    def test_delete_servers(self):
        self.case.servers = [_server('ACTIVE', 'a')]
        self.case._to_delete = ['uuid']
        self.case.delete_servers()
        self.case.nova.delete.assert_called_once_with(['uuid'])
        # Nothing has to be taken any more.
        self.assertEqual(([], ['a']), (self.case.servers, self.case.counted))

    def test_each_flavor_is_made_once(self):
        made = []

        def create(cls, extra_specs, ram_mib, request):
            made.append((extra_specs, ram_mib, request))
            return {'id': str(len(made))}

        class Case(_Case):
            _flavors = {}
            create_flavor = classmethod(create)

            def boot(self, host, flavor):
                return _server('ACTIVE', host)

        case = cases.make(Case, hosts=[])
        requested = case.request_at_once(
            [(64, 2048, 'a'), (64, None, 'a')] * 8)
        self.assertEqual([({}, 64, 2048), ({}, 64, None)], made)
        self.assertEqual([2048, None] * 8,
                         [server.size_kib for server in requested])
        Case.flavor_of(64, **{'hw:numa_nodes': '1'})
        self.assertEqual(({'hw:numa_nodes': '1'}, 64, None), made[-1])
