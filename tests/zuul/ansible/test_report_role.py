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


import pathlib

from tests.zuul.ansible import base

# These stand for Tempest's environment.
STESTR = '#!/bin/sh\necho "stream of $*"\nexit %d\n'
COMMAND = """#!/bin/sh
[ "$1 $3" = 'report --output' ] || exit 9
cd "$2" || exit 9
{ for name in *; do echo "$name:"; cat "$name"; done; } > "$4"
echo "$2" > "$4.where"
echo 'no test results' >&2
exit %d
"""


class ReportRoleTest(base.RoleTestCase):
    """The role makes the page, and Zuul links it if there is one."""

    role = 'mempage_report'

    def setUp(self):
        super().setUp()
        self.written = self.directory / 'mempage'

    def _install(self, stestr=0, command=0):
        self.install(stestr=STESTR % stestr,
                     mempage_tempest=COMMAND % command)

    def _play(self):
        result = self.play()
        # What went wrong is not that of the job.
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return result.stdout

    def test_page(self):
        self._install()
        self.written.mkdir()
        (self.written / 'expected.json').write_text('what was foretold\n')
        self._play()
        page = self.written / 'report.html'
        self.assertEqual(
            'results.expected.json:\nwhat was foretold\n'
            'results.subunit:\nstream of last --subunit\n', page.read_text())
        self.assertEqual(0o644, page.stat().st_mode & 0o777)
        self.assertEqual(
            [{'artifacts': [{
                'name': 'Guest memory report',
                'url': 'controller/logs/mempage/report.html',
                'metadata': {'type': 'mempage_report'}}]}],
            self.returns())
        self.assertFalse(pathlib.Path((
            self.written / 'report.html.where').read_text().strip()).exists())

    def test_nobody_told_what_had_to_run(self):
        self._install()
        self._play()
        self.assertEqual(
            'results.subunit:\nstream of last --subunit\n',
            (self.written / 'report.html').read_text())

    def test_tests_failed(self):
        self._install(stestr=1)
        self._play()
        self.assertNotEqual([], self.returns())

    def test_no_page(self):
        self._install(command=1)
        self.assertIn('no test results', self._play())
        self.assertEqual([], self.returns())

    def test_no_tempest(self):
        self.assertIn('stack/tempest', self._play())
        self.assertEqual([], self.returns())
