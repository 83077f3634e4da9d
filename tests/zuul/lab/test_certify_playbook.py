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

"""Certifies a store of the lab, as a job for certificates does."""

import getpass
import pathlib
import subprocess
import sys
import tarfile

from tests.zuul.ansible import base

TEMPEST_CONF = pathlib.Path('/var/lib/mempage-lab/tempest.conf')
HOST = 'fbm1'


class CertifyPlaybookTest(base.RoleTestCase):
    """The node where Tempest runs is the machine that the lab is on."""

    role = 'mempage_certify'
    node = 'tempest'
    # Of which the command has four fifths.
    limit = 1800

    def setUp(self):
        super().setUp()
        self.playbook = base.ROOT / 'playbooks' / 'certify.yaml'
        self.assertTrue(TEMPEST_CONF.exists(),
                        'no lab is up: run "./lab.sh up" first')
        # Where a job has it.
        configuration = self.directory / 'stack/tempest/etc/tempest.conf'
        configuration.parent.mkdir(parents=True)
        configuration.symlink_to(TEMPEST_CONF)
        self.written = self.directory / 'mempage' / 'certify'

    def test_signed_bundle_of_a_host(self):
        key = self.directory / 'vendor'
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '',
                        '-f', str(key)], check=True)
        result = self._play(key.read_text())
        self.assertEqual(0, result.returncode, result.stdout[-4000:])
        signers = self.directory / 'signers'
        signers.write_text('vendor@example.com %s' % key.with_name(
            'vendor.pub').read_text())
        report = self._verify('--allowed-signers', str(signers))
        self.assertIn('PASSED', report)
        self.assertIn('Signed by vendor@example.com', report)
        self.assertNotIn(HOST, self._result())
        self.assertIn('<title>', (self.written / 'report.html').read_text())
        [returned] = self.returns()
        self.assertEqual(
            ['tempest/logs/mempage/certify/report.html',
             'tempest/logs/mempage/certify/bundle.tar.gz'],
            [artifact['url'] for artifact in returned['artifacts']])
        self.assertNotIn(key.read_text().splitlines()[1], result.stdout)

    def _play(self, private_key):
        return self.play(
            ansible_user_dir=str(self.directory),
            zuul={'build': 'b1', 'timeout': self.limit,
                  'project': {'src_dir': 'src/vendor'}},
            mempage_certify_environment=str(pathlib.Path(sys.prefix)),
            mempage_certify_hosts=[HOST],
            # Some minutes, and not half an hour.
            mempage_certify_info=False,
            mempage_certify_private_key=private_key,
            mempage_certify_product=str(
                base.ROOT / 'mempage_lab' / 'product.yaml'),
            mempage_certify_profile='smoke-lab',
            mempage_certify_user=getpass.getuser())

    def _verify(self, *arguments):
        result = subprocess.run(
            [str(pathlib.Path(sys.prefix, 'bin', 'mempage-certify')),
             'verify', *arguments, str(self.written / 'bundle.tar.gz')],
            capture_output=True, text=True, timeout=self.limit)
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return result.stdout

    def _result(self):
        with tarfile.open(self.written / 'bundle.tar.gz') as bundle:
            return bundle.extractfile('result.json').read().decode()
