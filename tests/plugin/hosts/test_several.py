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

"""Tests of questions to several hosts."""

import threading
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import several


def _host(name):
    host = mock.Mock()
    host.name = name
    return host


class AskTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.hosts = [_host(name) for name in 'abcd']
        self.silent = []

    def _question(self, host):
        if host.name in self.silent:
            raise exceptions.HostUnreachable(host.name, 'x', 'silent')
        return host.name.upper()

    def test_nobody(self):
        self.assertEqual([], several.ask([], self._question, 2))

    def test_answers(self):
        self.assertEqual(list(zip(self.hosts, 'ABCD')),
                         several.ask(self.hosts, self._question, 2))

    def test_at_the_same_time(self):
        barrier = threading.Barrier(4, timeout=20)
        several.ask(self.hosts, lambda host: barrier.wait(), 4)

    def test_some_do_not_answer(self):
        self.silent = ['b', 'c']
        failed = mock.Mock()
        answers = several.ask(self.hosts, self._question, 2, failed)
        self.assertEqual(['A', 'D'], [answer for _, answer in answers])
        self.assertEqual(['b', 'c'], [call.args[0].name
                                      for call in failed.call_args_list])

    def test_that_is_an_error(self):
        self.silent = ['b']
        self.assertRaises(exceptions.HostUnreachable, several.ask, self.hosts,
                          self._question, 2)
        self.silent = ['b', 'c']
        self.assertRaises(fixtures.MultipleExceptions, several.ask,
                          self.hosts, self._question, 2)

    def test_tells_who_is_waited_for(self):
        told = threading.Event()
        say = mock.Mock(side_effect=lambda text: told.set())
        self.useFixture(fixtures.MockPatchObject(several, '_PATIENCE', 0.05))
        several.ask(self.hosts, lambda host: host.name == 'a' or told.wait(20),
                    4, say=say)
        self.assertIn('3 of 4 hosts have not answered for 0 s: b, c, d',
                      say.call_args_list[0].args)
