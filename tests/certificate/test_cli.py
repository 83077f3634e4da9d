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

import gzip
import json
import os
import pathlib
import stat
import subprocess
import sys
import tarfile
from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import cli
from mempage_certificate import comparison
from mempage_certificate import display
from mempage_certificate import profiles
from tests.certificate import forger
from tests.certificate import samples

ROOT = pathlib.Path(cli.__file__).parents[1]
SMALL = ('TestFileBacked.test_', 'test_guest_memory_is_found', 'boot.time')
SUMMARY = {'n': 1, 'median': 1, 'p99': 1, 'min': 1, 'max': 1}
FIGURE = {'id': 'boot.time', 'unit': 's', 'direction': 'lower', 'cache': {},
          'footprint_over_dram': 1, 'tool': {}, 'seed': 1, 'status': 'pass',
          'reasons': [], 'store': SUMMARY, 'control': SUMMARY,
          'limit': {'value': 1, 'tool': {}}, 'steady_from_pair': 1,
          'figures': {}, 'goals': []}
DELETE = 'TestFileBacked.test_delete_frees_store['


class CliTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.output = self.useFixture(fixtures.StringStream('out')).stream
        self.errors = self.useFixture(fixtures.StringStream('err')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', self.output))
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.errors))
        self.sample = samples.Sample('smoke-lab', ('fbm1', 'fbm2'), SMALL)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, data):
        with open(self.path(name), 'wb') as target:
            target.write(data)
        return self.path(name)

    def run_command(self, *arguments):
        """Run the command.

        :returns: tuple of its exit status and of what it printed
        """
        begin = self.output.tell()
        status = cli.main(arguments)
        self.output.seek(begin)
        return status, self.output.read()

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def bundle(self, name='bundle', *arguments, product=None):
        return self.run_command(
            'bundle', self.write('results', self.sample.data()),
            '--profile', 'smoke-lab', '--product',
            self.write('PRODUCT.yaml', product or samples.product()),
            '-o', self.path(name), *arguments)


@ddt.ddt
class CliTest(CliTestCase):

    def test_bundle(self):
        status, printed = self.bundle()
        self.assertEqual(0, status)
        self.assertIn('PASSED: level smoke reached, profile smoke-lab-1 '
                      '(smoke), Vendor Store X 1', printed)
        self.assertIn('fbm2 is host-2 in the bundle', printed)
        self.assertIn('not signed', printed)
        with tarfile.open(self.path('bundle')) as found:
            self.assertEqual([
                'MANIFEST.sha256', 'PRODUCT.yaml', 'catalogue.yaml',
                'environment.json', 'junit.xml', 'logs/failures.txt',
                'profile.yaml', 'raw/host-1.jsonl', 'raw/host-2.jsonl',
                'report.html', 'result.json', 'results.subunit'],
                found.getnames())

    def test_same_bundle_again(self):
        self.bundle('one')
        self.bundle('two')
        with open(self.path('one'), 'rb') as one:
            with open(self.path('two'), 'rb') as two:
                self.assertEqual(one.read(), two.read())

    def test_bundle_of_stdin(self):
        with open(self.write('results', self.sample.data()), 'rb') as source:
            with mock.patch.object(cli, '_read', wraps=cli._read) as read:
                read.side_effect = lambda path: (
                    source.read() if path == '/dev/stdin'
                    else samples.product())
                self.assertEqual(0, self.run_command(
                    'bundle', '-', '--profile', 'smoke-lab', '--product',
                    'x', '-o', self.path('bundle'))[0])

    def test_verify(self):
        self.bundle()
        status, printed = self.run_command('verify', self.path('bundle'))
        self.assertEqual(
            (0, 'Nobody vouches for it: whoever has it could have made it.\n'
                'As it says: PASSED: level smoke reached, profile '
                'smoke-lab-1 (smoke), Vendor Store X 1\n'), (status, printed))

    def test_verify_signed(self):
        key = forger.make_key(self.directory, 'vendor')
        allowed = forger.allow(self.directory, vendor=key)
        self.assertIn('bundle: signed', self.bundle('bundle', '--sign',
                                                    key)[1])
        self.assertIn('Signed with the key SHA256:', self.run_command(
            'verify', self.path('bundle'))[1])
        status, printed = self.run_command(
            'verify', self.path('bundle'), '--allowed-signers', allowed)
        self.assertEqual(0, status)
        self.assertIn('Signed by vendor@example.com\n', printed)

    def test_verify_what_was_changed(self):
        forged = forger.Forger(self.sample.bundle())
        forged.edit_result(lambda result: result['product'].update(
            vendor='A\x1b[31m'))
        forged.relist()
        path = self.write('bundle', archive.pack(forged.contents))
        status, printed = self.run_command('verify', path)
        self.assertEqual(1, status)
        self.assertIn("result.json: $.product.vendor: is 'A", printed)
        self.assertTrue(printed.endswith('NOT as it says\n'))
        self.assertNotIn('\x1b', printed)

    def test_verdict_that_is_bad_is_as_it_says(self):
        self.sample.fail(DELETE, host='fbm2')
        self.bundle()
        status, printed = self.run_command('verify', self.path('bundle'))
        self.assertEqual(0, status)
        self.assertIn('As it says: FAILED: level none reached', printed)

    def test_show(self):
        self.sample.fail(DELETE, host='fbm2')
        self.bundle()
        status, printed = self.run_command('show', self.path('bundle'))
        self.assertEqual(0, status)
        for words in (
                'FAILED: level none reached', 'Says nothing of other models',
                'Why it is no better:\n- host-2: F05 fail: api.test_file_'
                'backed.TestFileBacked.test_delete_frees_store: failed: no '
                'valid host', 'fail 1, pass 1', 'boot.time'):
            self.assertIn(words, printed)

    def test_show_what_steers_a_terminal(self):
        forged = forger.Forger(self.sample.bundle())
        forged.edit_result(lambda result: result['verdict'].update(
            reasons=['x\x1b[2J\nCERTIFIED: all']))
        path = self.write('bundle', archive.pack(forged.contents))
        self.assertIn('- x?[2J?CERTIFIED: all\n', self.run_command(
            'show', path)[1])

    def test_profile_that_steers_a_terminal(self):
        self._tell(lambda result: result['profile'].update(name='\x1b[2J'))
        for command in (['show', 'forged'], ['compare', 'forged', 'forged']):
            status, said = self.run_command(command[0], *map(
                self.path, command[1:]))
            self.assertEqual(0, status)
            self.assertNotIn('\x1b', said)

    @ddt.unpack
    @ddt.data(('limit', {}), ('limit', {'value': 'x', 'tool': {}}),
              ('store', {'n': 1, 'median': 10 ** 400, 'p99': 1, 'min': 1,
                         'max': 1}))
    def test_figure_that_cannot_be_shown(self, key, value):
        self._tell(lambda result: result['hosts'][0]['figures'].append({
            **FIGURE, key: value}))
        status, _ = self.run_command('show', self.path('forged'))
        self.assertEqual(1, status)
        self.errors.seek(0)
        said = self.errors.read()
        self.assertIn('result.json: $.hosts[0].figures[', said)
        self.assertNotIn('Traceback', said)

    def _tell(self, change):
        forged = forger.Forger(self.sample.bundle())
        forged.edit_result(change)
        self.write('forged', archive.pack(forged.contents))

    def test_compare(self):
        self.bundle('one')
        self.sample.fail(DELETE)
        self.bundle('two')
        status, printed = self.run_command('compare', self.path('one'),
                                           self.path('two'))
        self.assertEqual(0, status)
        self.assertIn('A: PASSED', printed)
        self.assertIn('B: FAILED', printed)
        self.assertRegex(printed, r'F05 +pass +fail, pass +\*\n')
        self.assertRegex(printed, r'F02 +pass +pass\n')
        self.assertRegex(printed, r'boot.time, s +100.1 100.1 +100.1 100.1\n')

    def test_compare_other_profiles(self):
        result = json.loads(self.sample.bundle()[archive.RESULT])
        other = dict(result, profile=dict(result['profile'], name='ci-loop'))
        self.assertIn('The profiles differ', comparison.text(result, other))

    def test_profiles(self):
        status, printed = self.run_command('profiles')
        self.assertEqual(0, status)
        self.assertRegex(printed, r'nvme-standard-1 +performance +[0-9a-f]{64}'
                         r' +NVMe devices\n')

    @ddt.unpack
    @ddt.data((['show', '/nonexistent'], 'bundle /nonexistent: cannot be '
               'read: No such file or directory'),
              (['verify', '/dev/null'], 'does not begin as a bundle'),
              (['bundle', '/nonexistent', '--profile', 'smoke-lab',
                '--product', 'x', '-o', 'x'],
               '/nonexistent: cannot be read: No such file'),
              (['bundle', '/dev/null', '--profile', 'smoke-lab', '--product',
                '/dev/null', '-o', 'x'], 'results: have no tests'))
    def test_errors(self, arguments, words):
        self.assertEqual((1, ''), self.run_command(*arguments))
        self.assertIn('mempage-certify: ', self.said())
        self.assertIn(words, self.said())

    def test_key_that_is_none(self):
        self.assertEqual((1, ''), self.bundle('bundle', '--sign',
                                              self.path('nothing')))
        self.assertIn('cannot sign with', self.said())
        self.assertFalse(os.path.exists(self.path('bundle')))

    def test_file_that_cannot_be_written(self):
        self.assertEqual((1, ''), self.bundle('x' * 300))
        self.assertIn('cannot be written: File name too long', self.said())

    @ddt.data(('-o', 'no/such', 'no: no such directory'),
              ('-o', '', '-o/--output: it is empty'),
              ('--sign', '', '--sign: it is empty'),
              ('--hide', ' ', '--hide: it is empty'),
              ('--profile', 'mine', "--profile: no profile 'mine' is "
               'published; there are ci-loop-1, '))
    @ddt.unpack
    def test_refused_at_once(self, option, value, words):
        self.assertRaises(SystemExit, self.bundle, 'bundle', option, value)
        self.assertIn(words, self.said())

    def test_no_signers(self):
        # As of a variable that is not set: nobody's signature would do.
        self.bundle()
        self.assertRaises(SystemExit, self.run_command, 'verify',
                          self.path('bundle'), '--allowed-signers', '')

    def test_special_files_are_not_replaced(self):
        os.mkfifo(self.path('fifo'))
        self.assertEqual((1, ''), self.bundle('fifo'))
        self.assertIn('that is no plain file', self.said())
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path('fifo')).st_mode))

    @ddt.data('PRODUCT.yaml', 'results', 'key')
    def test_what_it_is_made_of_is_not_replaced(self, name):
        key = self.write('key', b'secret')
        self.assertEqual((1, ''), self.bundle(name, '--sign', key))
        self.assertIn('is what this command reads', self.said())
        with open(key, 'rb') as stream:
            self.assertEqual(b'secret', stream.read())

    def test_product_of_a_run_is_not_replaced(self):
        product = self.write('PRODUCT.yaml', samples.product())
        self.assertEqual((2, ''), self.run_command(
            'run', '--config-file', 'x', '--product', product, '-o', product))
        self.assertIn('is what this command reads', self.said())

    def test_links_are_not_replaced(self):
        os.symlink('target', self.path('link'))
        self.assertEqual(0, self.bundle('link')[0])
        self.assertEqual('target', os.readlink(self.path('link')))
        self.assertTrue(os.path.isfile(self.path('target')))

    def test_nothing_is_left_of_what_cannot_be_written(self):
        with mock.patch('os.replace', side_effect=OSError(28, 'No space')):
            self.assertEqual((1, ''), self.bundle())
        self.assertEqual({'results', 'PRODUCT.yaml'},
                         set(os.listdir(self.directory)))

    def test_two_at_once(self):
        # The other one has half of its bundle there.
        self.write('bundle.part', b'half')
        with mock.patch('os.getpid', return_value=1):
            self.assertEqual(0, self.bundle()[0])
        with open(self.path('bundle.part'), 'rb') as other:
            self.assertEqual(b'half', other.read())

    def test_bundle_without_result(self):
        path = self.write('bundle', archive.pack({'junit.xml': b''}))
        self.assertEqual(1, self.run_command('show', path)[0])
        self.assertIn('the bundle has no result.json', self.said())
        self.assertEqual(1, self.run_command('verify', path)[0])
        self.assertIn('lacks PRODUCT.yaml, profile.yaml', self.said())

    @ddt.data('scipy', 'numpy', 'junitparser')
    def test_without_the_extra(self, package):
        done = subprocess.run([sys.executable, '-c', (
            'import sys\nsys.modules[%r] = None\n'
            'from mempage_certificate import cli' % package)],
            capture_output=True, text=True, cwd=ROOT)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r'^mempage-certify: .*%s.*: pip install '
                         r'mempage-tempest-plugin\[certify\]\n$' % package)

    def test_help(self):
        self.assertRaises(SystemExit, cli.main, ['--help'])
        for words in ('bundle', 'verify', 'show', 'compare', 'profiles'):
            self.output.seek(0)
            self.assertIn(words, self.output.read())


class FilesTest(base.BaseTestCase):
    """What follows from a stream, in files."""

    def setUp(self):
        super().setUp()
        self.sample = samples.Sample('smoke-lab', only=SMALL)

    def test_junit(self):
        self.sample.fail(DELETE, 'kernel: expected 1, observed \x1b2')
        self.sample.skip('test_guest_memory_is_found_in_file', 'no guest')
        self.sample.change('test_capacity', status='inprogress', ended=None)
        text = self.sample.bundle()[archive.JUNIT].decode()
        self.assertIn('<testsuite name="mempage-certify" tests="', text)
        self.assertIn('name="test_delete_frees_store[id-6f3accd1-848c-4faa-'
                      'b28a-0dd3cdf63c72,per-host]" classname="api.test_file_'
                      'backed.TestFileBacked"', text)
        for words in ('<failure message="kernel: expected 1, observed ',
                      '<skipped message="no guest"',
                      '<error message="never ended"', 'time="59.0'):
            self.assertIn(words, text)

    def test_failures(self):
        self.sample.fail(DELETE)
        text = self.sample.bundle()[archive.FAILURES].decode()
        self.assertIn('test_delete_frees_store', text)
        self.assertTrue(text.endswith('no valid host\n'))

    def test_samples(self):
        lines = self.sample.bundle()['raw/host-1.jsonl'].splitlines()
        self.assertEqual(2 * samples.PAIRS, len(lines))
        self.assertEqual(('boot.time', 's', 'control', 100.0), tuple(
            json.loads(lines[1])[key]
            for key in ('id', 'unit', 'arm', 'value')))

    def test_environment(self):
        told = json.loads(self.sample.bundle()[archive.ENVIRONMENT])
        self.assertEqual({'before', 'after'}, set(told['host-1']))

    def test_result_without_hosts(self):
        self.sample.remove('TestStoreEnvironment.test_before')
        self.sample.remove('TestStoreEnvironment.test_after')
        result = json.loads(self.sample.bundle()[archive.RESULT])
        self.assertEqual(('incomplete', []),
                         (result['verdict']['status'], result['hosts']))
        self.assertIn('INCOMPLETE: level none', display.text(result))

    def test_run_of_lanes(self):
        # Workers of two lanes are called alike, and run at the same time.
        for number, record in enumerate(self.sample.records):
            self.sample.change(record.name, worker='worker-0 lane-%d' % (
                number % 2))
        self.assertEqual(
            {'lane-0 worker-0', 'lane-1 worker-0'},
            {entry.record.worker for entry in self.sample.run().entries})


class RecordedTest(base.BaseTestCase):
    """A part of a run of a lab, recorded before anybody measured there."""

    def setUp(self):
        super().setUp()
        with gzip.open(os.path.join(os.path.dirname(__file__),
                                    'recorded.subunit.gz')) as source:
            self.recorded = source.read()
        self.contents, self.hosts = bundles.make(
            self.recorded, profiles.find('ci-loop'),
            samples.product(devices=[]))

    def test_result(self):
        result = json.loads(self.contents[archive.RESULT])
        self.assertEqual([], result['problems'])
        self.assertEqual(('incomplete', ['no host with a store tells what it '
                                         'is made of']),
                         (result['verdict']['status'],
                          result['verdict']['reasons']))
        self.assertEqual((4, 1, 2), tuple(
            result['run'][status]
            for status in ('passed', 'failed', 'skipped')))

    def test_nobody_is_named(self):
        self.assertIn('fbm1', self.hosts)
        everything = b''.join(self.contents.values())
        for name in (*self.hosts, '198.18.', 'fa:16:3e', 'mempage-huge1'):
            self.assertIn(name.encode(), self.recorded)
            self.assertFalse(name.encode() in everything, name)

    def test_what_failed_can_still_be_read(self):
        text = self.contents[archive.FAILURES].decode()
        self.assertIn('GuestError: the guest: port 22 at address took no '
                      'connection within 90 s', text)
