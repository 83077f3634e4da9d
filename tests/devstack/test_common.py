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

import ddt

from tests.devstack import base


@ddt.ddt
class CommonTest(base.ShellTest):

    def test_error_goes_through_devstack_where_it_is(self):
        self.refuse('^DevStack [0-9]+ the reason\n$',
                    'function die { echo "DevStack $*" >&2; exit 1; }\n'
                    'mempage_die the reason')

    def test_root_needs_no_sudo(self):
        self.assertEqual('0\n', self.succeed(
            'function sudo { false; }\nmempage_as_root id -u'))

    def test_others_use_sudo(self):
        self.assertEqual('sudo id -u\n', self.succeed(
            'function sudo { echo sudo "$@"; }\n'
            'export -f sudo mempage_as_root\n'
            'setpriv --reuid 65534 --clear-groups '
            'bash -c "mempage_as_root id -u"'))

    def test_of_two_mounts_the_one_on_top_counts(self):
        self.assertEqual(
            'tmpfs above\n8388608\ntmpfs below\nnone\n', self.succeed(
                'mkdir ram; mount -t tmpfs -o size=4M below ram\n'
                'mount -t tmpfs -o size=8M above ram\n'
                'mempage_mounted $PWD/ram/; mempage_mounted $PWD/ram SIZE\n'
                'umount ram; mempage_mounted $PWD/ram\n'
                'umount ram; mempage_mounted $PWD/ram || echo none'))

    def test_hidden_mount_does_not_count(self):
        self.assertEqual('none\n', self.succeed(
            'mkdir -p a/ram; mount -t tmpfs hidden a/ram\n'
            'mount -t tmpfs above a; mkdir a/ram\n'
            'mempage_mounted $PWD/a/ram || echo none'))

    def test_nothing_is_mounted_where_nothing_is(self):
        self.assertEqual('none\n', self.succeed(
            'mempage_mounted /nonexistent || echo none'))

    def test_small_page(self):
        self.assertEqual('64\n', self.succeed(
            'function getconf { echo 65536; }; mempage_small_page'))

    @ddt.data('0', '7', '10', '999999999999999')
    def test_number(self, text):
        self.succeed("mempage_check_number pages '%s'" % text)

    # Octal, wrapped around, or none at all.
    @ddt.data('', '08', '010', '00', '-1', '1e3', '4 GiB', '0x10', '1.0',
              '1\n2', '9' * 20)
    def test_no_number(self, text):
        self.refuse('is not a whole number',
                    "mempage_check_number pages '%s'" % text)

    def test_xtrace_stays_as_it_was(self):
        self.succeed('set -x; source %s/hugepages\n'
                     '[[ $- == *x* ]]; set +x; source %s/hugepages\n'
                     '[[ $- != *x* ]]' % (base.LIBRARIES, base.LIBRARIES))
