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

"""Tests of what is said of guests that AppArmor keeps from their memory."""

from unittest import mock

from tempest.lib import exceptions as lib_exc
import testtools

from mempage_tempest_plugin.tests.api import test_apparmor
from tests.plugin.bases import cases

DENIED = ('audit: apparmor="DENIED" operation="open" profile="libvirt-u" '
          'name="/srv/memory/libvirt/qemu/5-instance-1/pc.ram"')


class AppArmorTest(testtools.TestCase):

    def _say(self, logged):
        """Return the message about a guest that did not start."""
        host = mock.Mock()
        host.name = 'compute1'
        host.ssh.execute.return_value.stdout = logged
        test = mock.Mock(failureException=AssertionError)
        test.server_on.return_value.uuid = 'u'
        test.wait_until_active.side_effect = lib_exc.TempestException(
            'Permission denied')
        test._denied = (
            lambda host: test_apparmor.TestAppArmor._denied(test, host))
        return str(cases.assert_fails(
            self, test_apparmor.TestAppArmor._wait_until_active,
            test, host))

    def test_refusal_is_logged(self):
        """The message has what the kernel, or auditd, wrote"""
        said = self._say(DENIED)
        for words in ('AppArmor', 'compute1', DENIED, 'Permission denied'):
            self.assertIn(words, said)

    def test_refusal_is_silent(self):
        """The message says where else to look"""
        said = self._say('')
        for words in ('AppArmor', 'compute1', 'abstractions/libvirt-qemu',
                      'Permission denied'):
            self.assertIn(words, said)
