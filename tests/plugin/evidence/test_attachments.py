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
import logging
import threading
from unittest import mock

import fixtures
from oslotest import base
import subunit
import testtools
from testtools import content
from testtools import matchers

from mempage_tempest_plugin.evidence import attachments
from mempage_tempest_plugin import exceptions
from tests.plugin import samples


class DetailsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.found = {}
        self.host = mock.Mock(**{
            'libvirt.xml.return_value': '<domain passwd="x"/>',
            'compute_log.return_value': 'log password=x',
            'survey.return_value': samples.host_survey()})
        self.host.name = 'fbm1'

    def _attach(self, servers=None, table=lambda host: 'TABLE'):
        test = mock.Mock()
        test.addDetailUniqueName = lambda name, content: (
            self.found.__setitem__(name, content.as_text()))
        attachments.attach(test, [self.host], servers or {}, table, 2)

    def test_all(self):
        self._attach({'fbm1': samples.SERVER})
        self.assertEqual({'fbm1-evidence', 'fbm1-domain.xml', 'fbm1-memory',
                          'fbm1-nova-compute.log'}, set(self.found))
        self.assertEqual('TABLE', self.found['fbm1-evidence'])
        self.assertEqual('log password=***',
                         self.found['fbm1-nova-compute.log'])
        self.assertEqual('<domain passwd="***"/>',
                         self.found['fbm1-domain.xml'])
        for text in (samples.PATH, '0:40 tmpfs', 'node0 2048 KiB 256'):
            self.assertIn(text, self.found['fbm1-memory'])

    def test_no_server(self):
        self._attach()
        self.assertNotIn('fbm1-domain.xml', self.found)

    def test_failing_source_hides_nothing(self):
        self.host.libvirt.xml.side_effect = exceptions.HypervisorError(
            'fbm1', 'gone')
        self._attach({'fbm1': samples.SERVER}, mock.Mock(
            side_effect=ValueError('odd')))
        self.assertEqual('not collected: ValueError: odd',
                         self.found['fbm1-evidence'])
        self.assertIn('host fbm1: gone', self.found['fbm1-domain.xml'])
        self.assertIn('fbm1-nova-compute.log', self.found)

    def test_hosts_are_asked_at_the_same_time(self):
        both = threading.Barrier(2, timeout=20)
        hosts = [self.host, mock.Mock(**{
            'survey.side_effect': exceptions.HostUnreachable('b', 'x', 'y')})]
        hosts[1].name = 'b'
        test = mock.Mock()
        attachments.attach(test, hosts, {}, lambda host: str(both.wait()), 2)
        self.assertEqual(
            ['fbm1-evidence', 'fbm1-memory', 'fbm1-nova-compute.log',
             'b-evidence', 'b-unreachable'],
            [call.args[0] for call in
             test.addDetailUniqueName.call_args_list])

    def test_unreachable_host_is_asked_once(self):
        self.host.survey.side_effect = exceptions.HostUnreachable(
            'fbm1', 'tempest@198.51.100.1:22', 'timed out')
        self._attach()
        self.assertIn('timed out', self.found['fbm1-unreachable'])
        self.host.compute_log.assert_not_called()


class _LongLog(testtools.TestCase):
    """As Tempest and the base of all tests have it."""

    log = ''

    def setUp(self):
        self.addCleanup(attachments.shorten, self)
        super().setUp()
        self.useFixture(fixtures.FakeLogger(nuke_handlers=False))

    def write(self):
        logging.getLogger().warning(self.log)
        self.fail('as it has to')


class ShortenTest(base.BaseTestCase):

    def _run(self, log):
        """Run a test, and write its results as stestr does."""
        stream = io.BytesIO()
        result = testtools.ExtendedToStreamDecorator(
            subunit.StreamResultToBytes(stream))
        test = _LongLog('write')
        test.log = log
        result.startTestRun()
        test.run(result)
        result.stopTestRun()
        self.assertIn(b'as it has to', stream.getvalue())
        return test.getDetails()['pythonlogging:\'\''].as_text()

    def test_short(self):
        self.assertEqual('begin \u20ac end\n', self._run('begin \u20ac end'))

    def test_long(self):
        text = self._run('begin %s end' % ('\u20ac' * attachments.MOST * 2))
        self.assertThat(text, matchers.StartsWith('begin \u20ac'))
        self.assertThat(text, matchers.EndsWith('\u20ac end\n'))
        self.assertIn('\n... %d bytes are left out ...\n' % (
            5 * attachments.MOST + len('begin  end\n')), text)
        self.assertTrue(len(text.encode()) < attachments.MOST + 100)

    def test_data_is_left_alone(self):
        test = mock.Mock(**{'getDetails.return_value': {
            'facts': content.json_content(['a' * 2 * attachments.MOST])}})
        attachments.shorten(test)
        test.addDetail.assert_not_called()
