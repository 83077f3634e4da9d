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

import getpass
import tarfile

import ddt

from tests.zuul.ansible import base

KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAAnobodys
-----END OPENSSH PRIVATE KEY-----
"""
# It says what it was told, and how, and makes a bundle of it.
COMMAND = r"""#!/bin/bash
if [[ $1 == show ]]; then
    tar xOf "$2" result.json
    exit
fi
verb=$1
status=%(status)d
echo "$@" >>calls
while (($#)); do
    case $1 in
        --results) run=$2 ;;
        --output) bundle=$2 ;;
        --sign)
            stat -c %%a "$2" >mode
            cat "$2" >key
            cmp -s "$2" refused && { echo 'cannot sign' >&2; exit 1; } ;;
    esac
    shift
done
case $verb in
    run)
        mkdir "$run"
        echo '{"hosts": ["fbm1", "fbm2"]}' >"$run/run.json"
        cp PRODUCT.yaml "$run/results.subunit"
        if [[ -e slow ]]; then
            trap 'status=3' TERM
            sleep 60 &
            wait
        fi
        if ((status == 2)); then
            echo 'mempage-certify: no profile' >&2
            exit 2
        fi
        bundle=$run/bundle.tar.gz ;;
    bundle)
        touch signed ;;
esac
echo '<title>The verdict</title>' >report.html
printf '%%s\n' "FAILED: level none" 'A check has failed.' more >result.json
tar czf "$bundle" report.html result.json $(ls signed 2>/dev/null)
if [[ $verb == run ]]; then
    exit $status
fi
"""
ECHO = '#!/bin/sh\necho "$@" >stestr\n'


@ddt.ddt
class CertifyRoleTest(base.RoleTestCase):
    """The job ends as the command does, and always has the bundle."""

    role = 'mempage_certify'

    def setUp(self):
        super().setUp()
        self.tempest = self.directory / 'stack' / 'tempest'
        self.written = self.directory / 'mempage' / 'certify'
        self.product = self.directory / 'product.yaml'
        self.product.write_text('vendor: Example\n')

    def _play(self, status=0, **variables):
        self.install(mempage_certify=COMMAND % {'status': status},
                     pip='#!/bin/sh\n', stestr=ECHO)
        return self.play(
            ansible_user_dir=str(self.directory),
            zuul={'build': 'b1', 'timeout': 100,
                  'project': {'src_dir': 'src/vendor'}},
            mempage_certify_product=str(self.product),
            mempage_certify_user=getpass.getuser(), **variables)

    def _calls(self):
        return (self.tempest / 'calls').read_text().splitlines()

    def _bundle(self):
        with tarfile.open(self.written / 'bundle.tar.gz') as bundle:
            return set(bundle.getnames())

    def test_passed(self):
        result = self._play()
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        self.assertEqual(
            ['run --profile smoke-ramdisk --product PRODUCT.yaml --lanes 1 '
             '--results %s/certify-b1' % self.tempest], self._calls())
        self.assertEqual({'report.html', 'result.json'}, self._bundle())
        self.assertEqual('<title>The verdict</title>\n',
                         (self.written / 'report.html').read_text())
        self.assertEqual('vendor: Example\n',
                         (self.written / 'results.subunit').read_text())
        self.assertIn('load --force-init %s/certify-b1/results.subunit' %
                      self.tempest, (self.tempest / 'stestr').read_text())
        [returned] = self.returns()
        self.assertEqual(
            ['controller/logs/mempage/certify/report.html',
             'controller/logs/mempage/certify/bundle.tar.gz'],
            [artifact['url'] for artifact in returned['artifacts']])

    def test_what_a_vendor_asks_for(self):
        self._play(mempage_certify_profile='nvme-standard',
                   mempage_certify_hosts=['fbm1', 'fbm2'],
                   mempage_certify_info=False, mempage_certify_lanes=2)
        self.assertEqual(
            'run --profile nvme-standard --product PRODUCT.yaml --lanes 2 '
            '--results %s/certify-b1 --hosts fbm1,fbm2 --without-info'
            % self.tempest,
            self._calls()[0])

    @ddt.data(1, 3)
    def test_not_passed(self, status):
        result = self._play(status)
        self.assertNotEqual(0, result.returncode)
        self.assertIn('FAILED: level none', result.stdout)
        self.assertEqual({'report.html', 'result.json'}, self._bundle())
        artifacts, warnings = self.returns()
        self.assertEqual(2, len(artifacts['artifacts']))
        self.assertEqual(['FAILED: level none A check has failed.'],
                         warnings['warnings'])

    def test_too_long(self):
        self.tempest.mkdir(parents=True)
        (self.tempest / 'slow').touch()
        result = self._play(mempage_certify_seconds=1)
        self.assertIn('exit status 3', result.stdout)
        self.assertEqual({'report.html', 'result.json'}, self._bundle())

    def test_no_bundle(self):
        result = self._play(2, mempage_certify_key={'private': KEY})
        self.assertNotEqual(0, result.returncode)
        self.assertEqual([{'warnings': [
            'there is no bundle mempage-certify: no profile']}],
            self.returns())
        self.assertTrue((self.written / 'run.json').exists())
        self.assertFalse((self.tempest / 'key').exists())

    def test_no_product(self):
        self.product.unlink()
        result = self._play()
        self.assertNotEqual(0, result.returncode)
        self.assertIn('product.yaml', result.stdout)
        self.assertIn('there is no bundle', self.returns()[0]['warnings'][0])

    @ddt.data(0, 1)
    def test_signed(self, status):
        result = self._play(status, mempage_certify_key={'private': KEY})
        self.assertEqual(status != 0, result.returncode != 0, result.stdout)
        self.assertEqual({'report.html', 'result.json', 'signed'},
                         self._bundle())
        self.assertEqual(
            'bundle %(run)s/results.subunit --profile smoke-ramdisk '
            '--product PRODUCT.yaml --sign %(run)s.key '
            '--output %(run)s/bundle.tar.gz --hide=fbm1 --hide=fbm2' % {
                'run': self.tempest / 'certify-b1'}, self._calls()[1])
        self.assertEqual(KEY, (self.tempest / 'key').read_text())
        self.assertEqual('600\n', (self.tempest / 'mode').read_text())
        self._assert_key_is_nowhere(result)

    def test_key_that_does_not_sign(self):
        self.tempest.mkdir(parents=True)
        (self.tempest / 'refused').write_text(KEY)
        result = self._play(mempage_certify_key={'private': KEY})
        self.assertNotEqual(0, result.returncode)
        self.assertIn('cannot sign', self.returns()[1]['warnings'][0])
        self.assertEqual({'report.html', 'result.json'}, self._bundle())
        self._assert_key_is_nowhere(result)

    def _assert_key_is_nowhere(self, result):
        secret = KEY.splitlines()[1]
        self.assertNotIn(secret, result.stdout + result.stderr)
        self.assertEqual([], list(self.tempest.glob('*.key')))
        self.assertEqual([], [
            path for path in self.written.rglob('*')
            if path.is_file() and secret.encode() in path.read_bytes()])
