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

from tests.zuul.ansible import base

# Stands for Tempest's environment.
STESTR = '#!/bin/sh\necho "stream of $*"\n'
COMMAND = """#!/bin/sh
for argument; do echo "argument $argument"; done
cat
echo 'mempage-tempest: TestPlain is short' >&2
exit %d
"""


class ExpectRoleTest(base.RoleTestCase):
    """The role is red where the command is, and passes on what was asked."""

    role = 'mempage_expect'

    def _play(self, status, **variables):
        self.install(stestr=STESTR, mempage_tempest=COMMAND % status)
        return self.play(**variables)

    def _written(self):
        return (self.directory / 'mempage' / 'expected.txt').read_text()

    def test_all_ran_that_had_to(self):
        result = self._play(0, tempest_test_regex=r"^a\.b' c",
                            tempest_exclude_regex='slow',
                            mempage_required_tests='TestPlain')
        self.assertEqual(0, result.returncode, result.stdout)
        self.assertEqual(
            ['expect', '--config-file', 'etc/tempest.conf', '--results', '-',
             '--json-file=%s/mempage/expected.json' % self.directory,
             r"--regex=^a\.b' c", '--exclude-regex=slow',
             '--require=TestPlain'],
            [line.removeprefix('argument ')
             for line in self._written().splitlines()
             if line.startswith('argument ')])
        self.assertIn('stream of last --subunit', self._written())

    def test_some_did_not_run_that_had_to(self):
        result = self._play(1)
        self.assertNotEqual(0, result.returncode)
        for said in result.stdout, self._written():
            self.assertIn('TestPlain is short', said)

    def test_nobody_can_tell(self):
        self.install()
        self.assertNotEqual(0, self.play().returncode)
        self.assertIn('mempage-tempest', self._written())
