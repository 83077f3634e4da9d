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


import os
import signal
from unittest import mock

import ddt

from mempage_lab import interrupts
from tests.lab import base


@ddt.ddt
class InterruptsTest(base.LabTestCase):

    @ddt.data(*interrupts.SIGNALS)
    def test_a_signal_ends_the_work(self, number):
        before = signal.getsignal(number)

        def work():
            with interrupts.raised():
                os.kill(os.getpid(), number)
                self.fail('it went on')
        self.assertRaises(KeyboardInterrupt, work)
        self.assertEqual(before, signal.getsignal(number))

    @ddt.data(*interrupts.SIGNALS)
    def test_what_must_not_be_ended_comes_to_its_end(self, number):
        done = []
        shown = mock.Mock()

        def work():
            with interrupts.raised():
                with interrupts.held_back(shown, 'mending'):
                    os.kill(os.getpid(), number)
                    os.kill(os.getpid(), number)
                    done.append('mended')
                self.fail('it went on')
        self.assertRaises(KeyboardInterrupt, work)
        self.assertEqual(['mended'], done)
        self.assertEqual('%s came: mending first'
                         % signal.Signals(number).name,
                         shown.say.call_args.args[0])

    def test_no_signal(self):
        with interrupts.held_back(mock.Mock(), 'mending'):
            pass
