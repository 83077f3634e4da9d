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


from mempage_lab import paths
from mempage_lab import secrets
from tests.lab import base


class SecretsTest(base.LabTestCase):

    def test_generated_once(self):
        first = secrets.load()
        self.assertEqual(first, secrets.load())
        self.assertEqual(set(secrets.NAMES), set(first))
        self.assertEqual(len(first), len(set(first.values())))

    def test_another_lab_has_others(self):
        first = secrets.load()
        paths.SECRETS.unlink()
        self.assertNotEqual(first, secrets.load())

    def test_readable_by_root_only(self):
        secrets.load()
        self.assertEqual(0o600, paths.SECRETS.stat().st_mode & 0o777)

    def test_written_anew_whatever_was_there(self):
        path = self.directory / 'a' / 'b'
        secrets.write_private(path, 'one')
        path.chmod(0o644)
        secrets.write_private(path, 'two')
        self.assertEqual('two', path.read_text())
        self.assertEqual(0o600, path.stat().st_mode & 0o777)
        self.assertEqual([path], list(path.parent.iterdir()))
