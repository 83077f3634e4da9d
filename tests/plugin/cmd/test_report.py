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


import json
import pathlib
import re

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin.cmd import mempage_tempest as command
from mempage_tempest_plugin.cmd import report
from mempage_tempest_plugin import exceptions
from tests.plugin.pages import pages

PREFIX = 'mempage_tempest_plugin.tests.'
PLAIN = 'api.test_plain.TestPlain.test_capacity'
ALIKE = {'system': 'Debian 12', 'libvirt': '9.0.0'}
VERSIONS = {
    'release': '2026.2', 'stock': False, 'openstack': {'nova': '34.0.0'},
    'hosts': {'fbm1': ALIKE, 'fbm2': ALIKE, 'plain1': None}}
HOSTILE = ('<script>alert(1)</script>"\'><img src=x onerror=alert(2)>'
           '</style></pre>&{{ 7 * 7 }}{% raw %}\u202e\x00\x1b[31m')
WHEN = '2026-11-30T06:00:00.000+00:00'


def _expected(*tests, required=None):
    return json.dumps({'required': required, 'problems': [], 'tests': [
        {'test': name, 'skips': skips, 'may_skip': []}
        for name, skips in tests]})


@ddt.ddt
class ReportTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.stream = self.directory / 'results.subunit'
        self.output = self.directory / 'report.html'
        self.stdout = self.useFixture(fixtures.StringStream('stdout')).stream
        self.stderr = self.useFixture(fixtures.StringStream('stderr')).stream
        for name in 'stdout', 'stderr':
            self.useFixture(fixtures.MonkeyPatch(
                'sys.' + name, getattr(self, name)))

    def _run(self, *results):
        return command.main(['report', *map(str, results or [self.stream]),
                             '-o', str(self.output)])

    def _page(self, *results):
        self.assertEqual(0, self._run(*results), self._said())
        return pages.Page(self.output.read_text())

    def _said(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def _record(self, *tests):
        with pages.Recorder(self.stream) as recorder:
            for test in tests:
                recorder.test(*test)

    def _beside(self, name, text):
        (self.directory / name).write_text(text)

    def test_recorded_run(self):
        pages.unpack(self.stream)
        page = self._page()
        verdict = page.sections['verdict']
        for words in ('Failed', '7 passed, 5 failed, 8 skipped',
                      'on 7 hosts', '20 min 57 s',
                      'Nobody has told which tests had to run'):
            self.assertIn(words, verdict)
        self.assertEqual(
            ['page sizes in traits, KiB host plain1, placement, '
             '2026-11-30T04:29:50.085+00:00', '4', '✗ 4, 2048', 'placement'],
            page.tables['Facts that disagree'][1])
        failures = page.sections['failures']
        self.assertLess(failures.index(PLAIN), failures.index(
            'AssertionError: 1 of 1 hosts failed'))
        self.assertIn('plain1-nova-compute.log', failures)
        self.assertIn('✗ failed', failures)
        self.assertIn('Nobody has told', page.sections['missing'])
        reasons = dict(page.tables['Reasons to skip'][1:])
        self.assertEqual(
            'api.test_apparmor.TestAppArmor.test_confined_guest_has_its_file',
            reasons['AppArmor confines no guests: libvirt says so on fbm1, '
                    'fbm2, fbm3'])
        self.assertIn('No host was left out', page.sections['left-out'])
        self.assertIn('processes that have large pages, and are no guests',
                      page.sections['hazards'])
        self.assertEqual(PLAIN, page.tables['Slowest tests'][2][0])
        self.assertEqual(['worker-0', 'worker-1', 'worker-2'],
                         [row[0] for row in page.tables['Workers'][1:]])

    def test_matrices_of_the_recorded_run(self):
        pages.unpack(self.stream)
        tables = self._page().tables
        header, *rows = tables['Facts and hosts']
        traits = {row[0]: row[1:] for row in rows}[
            'page sizes in traits, KiB, says placement']
        self.assertEqual('✗2 disagrees',
                         traits[header.index('plain1') - 1])
        header, *rows = tables['Test classes and hosts']
        plain = {row[0]: row[1:] for row in rows}[
            'api.test_plain.TestPlain']
        self.assertEqual('✗1 failed ✓1 passed',
                         plain[header.index('plain1') - 1])
        self.assertEqual('· none', plain[header.index('huge1') - 1])

    def test_sections_are_in_order(self):
        pages.unpack(self.stream)
        self.assertEqual(
            ['verdict', 'failures', 'missing', 'skipped', 'left-out', 'facts',
             'classes', 'time', 'hazards'], list(self._page().sections))

    def test_needs_nothing_beside_it(self):
        pages.unpack(self.stream)
        page = self._page()
        for tag in 'script', 'link', 'img', 'iframe', 'object', 'base':
            self.assertNotIn(tag, page.tags)
        self.assertNotIn('src', dict(page.attributes))
        links = [value for name, value in page.attributes if name == 'href'
                 and not value.startswith('#')]
        self.assertEqual([report.report.HAZARDS], links)
        self.assertNotIn('url(', self.output.read_text())
        self.assertNotIn('@import', self.output.read_text())

    def test_same_results_make_the_same_page(self):
        pages.unpack(self.stream)
        self._run()
        first = self.output.read_bytes()
        self._run()
        self.assertEqual(first, self.output.read_bytes())

    def test_passed(self):
        self._record((PREFIX + 'a.TestA.test_a[id-1]', 'success'))
        self._beside('results.expected.json', _expected(
            (PREFIX + 'a.TestA.test_a[id-1]', None)))
        self._beside('versions.json', json.dumps(VERSIONS))
        page = self._page()
        verdict = page.sections['verdict']
        for words in ('Passed', '1 passed, 0 failed, 0 skipped', 'Had to run',
                      'OpenStack 2026.2, Nova with nova_mempage',
                      'nova 34.0.0'):
            self.assertIn(words, verdict)
        for words in 'Nobody', 'versions.json', 'skipped, a test':
            self.assertNotIn(words, verdict)
        self.assertEqual(
            [['fbm1, fbm2', 'system Debian 12, libvirt 9.0.0'],
             ['plain1', 'did not run']],
            page.tables['What the hosts run on'][1:])
        self.assertIn('No test failed', page.sections['failures'])
        self.assertIn('All ran that had to', page.sections['missing'])
        self.assertIn('Nothing was skipped', page.sections['skipped'])
        self.assertIn('do not tell', page.sections['time'])

    def test_nothing_tested(self):
        self._record(('a.b.c', 'skip', [
            ('reason', 'text/plain', b'no host')]))
        self.assertIn('Nothing tested', self._page().sections['verdict'])

    def test_what_had_to_run_and_did_not(self):
        self._record(
            ('a.TestA.test_a', 'success'),
            ('a.TestA.test_b', 'skip', [('reason', 'text/plain', b'late')]))
        self._beside('results.expected.json', _expected(
            ('a.TestA.test_a', None), ('a.TestA.test_b', None),
            ('a.TestA.test_c', None), ('a.TestA.test_d', 'no option'),
            required='test_e'))
        page = self._page()
        self.assertIn('Failed', page.sections['verdict'])
        self.assertIn('3 tests', page.sections['verdict'])
        self.assertIn('no test is called test_e', page.sections['verdict'])
        self.assertEqual(
            [['✗ had to run, and skipped: late', 'a.TestA.test_b'],
             ['✗ had to run, and is not in the results', 'a.TestA.test_c']],
            page.tables['What is not as it had to be'][1:])

    def test_hosts_that_were_left_out(self):
        self._record(('a.TestA.test_a', 'success', [
            ('left_out', 'application/json', json.dumps(
                {'kind': 'left_out', 'version': 1, 'host': 'fbm1',
                 'reason': 'occupied: 2 guests'}).encode())]))
        page = self._page()
        self.assertEqual(
            ['fbm1', 'occupied: 2 guests', 'a.TestA.test_a'],
            page.tables['Hosts that were left out'][1])
        self.assertIn('left out of some tests: fbm1',
                      page.sections['verdict'])

    def test_run_of_each_host(self):
        for name, status in ('fbm1', 'success'), ('fbm2', 'fail'):
            self.stream = self.directory / (name + '.subunit')
            self._record(('a.TestA.test_a', status, [], 5))
            self._beside(name + '.expected.json', _expected(
                ('a.TestA.test_a', None), ('a.TestA.test_' + name, None)))
        self._beside('fbm3.subunit', 'nothing')
        page = self._page(self.directory)
        self.assertIn('1 passed, 1 failed', page.sections['verdict'])
        self.assertIn('fbm3.subunit: no test results',
                      page.sections['verdict'])
        self.assertIn('fbm2: a.TestA.test_a', page.sections['failures'])
        self.assertEqual(
            'fbm1: a.TestA.test_fbm1 fbm2: a.TestA.test_fbm2',
            page.tables['What is not as it had to be'][1][1])
        self.assertEqual(['fbm1, worker-0', 'fbm2, worker-0'],
                         [row[0] for row in page.tables['Workers'][1:]])
        self.assertIn('of 3 runs', page.text)

    @ddt.unpack
    @ddt.data((('success', 'skip'), 'Passed'),
              (('skip', 'skip'), 'Nothing tested'))
    def test_run_of_a_host_where_nothing_is_to_be_tested(self, statuses, word):
        for name, status in zip(('fbm1', 'fbm2'), statuses):
            self.stream = self.directory / (name + '.subunit')
            self._record(('a.TestA.test_a', status, [
                ('reason', 'text/plain', b'no pools')]))
            self._beside(name + '.expected.json', _expected(
                ('a.TestA.test_a', None if status == 'success'
                 else 'no pools')))
        self.assertRegex(self._page(self.directory).sections['verdict'],
                         r'Verdict\s+%s\s' % word)

    def test_no_run_has_any_results(self):
        for name in 'a.subunit', 'b.subunit':
            self._beside(name, 'nothing')
        self.assertEqual(1, self._run(self.directory))
        self.assertIn('b.subunit: no test results in it', self._said())

    def test_a_run_that_was_killed(self):
        self._record(('a.TestA.test_a', 'success'),
                     ('a.TestA.test_b', 'inprogress'))
        with open(self.stream, 'ab') as stream:
            stream.write(b'\xb3\x29')
        page = self._page()
        self.assertIn('Parts of the results cannot be read',
                      page.sections['verdict'])
        self.assertIn('a.TestA.test_b', page.sections['failures'])
        self.assertIn('was killed', page.sections['failures'])

    def test_hostile_results(self):
        facts = {'kind': 'facts', 'version': 1, 'subject': HOSTILE,
                 'host': HOSTILE + '\ud800', 'server': None, 'when': WHEN,
                 'facts': [{'witness': HOSTILE, 'name': HOSTILE,
                            'expected': {HOSTILE: [HOSTILE]},
                            'observed': [HOSTILE], 'agrees': False}]}
        outcome = {'kind': 'outcome', 'version': 1, 'host': HOSTILE,
                   'passed': False, 'error': HOSTILE}
        left_out = {'kind': 'left_out', 'version': 1, 'host': HOSTILE + 'x',
                    'reason': HOSTILE}
        details = [(name['kind'], 'application/json',
                    json.dumps(name).encode())
                   for name in (facts, outcome, left_out)]
        text = HOSTILE.encode()
        # Names have no characters that end them.
        name = re.sub('[\x00]', '', HOSTILE)
        self._record(
            ('a.TestA.' + name, 'fail', [
                *details, ('traceback', 'text/x-traceback', text),
                (name, 'text/plain; charset="nope"', b'\xff' + text)], 1),
            ('a.TestB.' + name, 'skip', [('reason', 'text/plain', text)], 1),
            ('setUpClass (%s)' % name, 'fail', [], 1, 5, 'worker-0'),
            (name, 'success', [('hazard', 'text/plain', text), *details], 1))
        self._beside('results.expected.json', _expected(
            ('a.TestC.' + HOSTILE, None), (HOSTILE, HOSTILE)))
        self._beside('versions.json', json.dumps({
            'release': HOSTILE, 'openstack': {HOSTILE: HOSTILE},
            'hosts': {HOSTILE: {HOSTILE: HOSTILE}}}))
        page = self._page()
        self.assertEqual(set(), page.tags & {'script', 'img'})
        self.assertEqual([], [name for name, _ in page.attributes
                              if name.startswith('on')])
        # It is there, as text, in each section.
        for section in set(page.sections) - {'time'}:
            self.assertIn('<script>alert(1)</script>"\'><img',
                          page.sections[section], section)
        self.assertIn('{{ 7 * 7 }}', page.text)
        for unseen in '\u202e', '\x00', '\x1b', '\ud800':
            self.assertNotIn(unseen, page.text)
        self.assertIn(r'\u202e\u0000\u001b[31m', page.text)

    def test_secrets_are_masked_once_more(self):
        secret = 'password = hunter2'
        self._record(
            ('a.TestA.test_a', 'fail', [
                ('traceback', 'text/x-traceback', secret.encode()),
                ('log', 'text/plain', b'x' * 99 + b'\n' + secret.encode()),
                ('facts', 'application/json', json.dumps({
                    'kind': 'facts', 'version': 1, 'subject': secret,
                    'host': 'a', 'server': None, 'when': WHEN, 'facts': [{
                        'witness': 'w', 'name': 'n', 'expected': secret,
                        'observed': secret, 'agrees': False}]}).encode())]),
            ('a.TestA.test_b', 'skip', [
                ('reason', 'text/plain', secret.encode())]))
        page = self._page()
        self.assertNotIn('hunter2', self.output.read_text())
        self.assertIn('password = ***', page.sections['skipped'])

    @ddt.data('no results', '')
    def test_no_results(self, text):
        self._beside('results.subunit', text)
        self.assertEqual(1, self._run())
        self.assertIn('no test results in it', self._said())
        self.assertFalse(self.output.exists())

    def test_no_such_results(self):
        self.assertEqual(1, self._run())
        self.assertIn('results.subunit: cannot be read: No such', self._said())

    def test_directory_without_results(self):
        self.assertEqual(1, self._run(self.directory))
        self.assertIn('no file in it is called NAME.subunit', self._said())

    @ddt.unpack
    @ddt.data(
        ('results.expected.json', '{', 'is not what "mempage-tempest expect'),
        ('results.expected.json', '[]', 'is not what "mempage-tempest expect'),
        ('results.expected.json', '{"tests": [{}], "required": null}',
         'is not what "mempage-tempest expect'),
        ('results.expected.json', '{"tests": [], "required": "("}',
         'is not what "mempage-tempest expect'),
        ('versions.json', '{', 'is not JSON'),
        ('versions.json', '{"release": 1, "openstack": {}, "hosts": {}}',
         "$.release: 1 is not of type 'string'"))
    def test_what_lies_beside_is_something_else(self, name, text, said):
        self._record(('a.b.c', 'success'))
        self._beside(name, text)
        self.assertEqual(1, self._run())
        self.assertIn('%s: %s' % (self.directory / name, said), self._said())

    def test_page_where_the_results_are(self):
        self._record(('a.b.c', 'success'))
        before = self.stream.read_bytes()
        self.output = self.stream
        self.assertEqual(1, self._run())
        self.assertIn('is what this command reads; name another', self._said())
        self.assertEqual(before, self.stream.read_bytes())

    def test_page_where_something_else_is_that_it_reads(self):
        self._record(('a.b.c', 'success'))
        self._beside('versions.json', '{}')
        self.output = self.directory / 'versions.json'
        self.assertEqual(1, self._run())
        self.assertIn('is what this command reads', self._said())
        self.assertEqual('{}', self.output.read_text())

    def test_page_that_cannot_be_written(self):
        self._record(('a.b.c', 'success'))
        self.output = self.directory / ('x' * 300)
        self.assertEqual(1, self._run())
        self.assertIn('xxx: File name too long', self._said())
        for output, said in (
                (self.directory / 'none' / 'page', 'none: no such directory'),
                (self.directory, ': is a directory'), ('', 'it is empty')):
            self.output = output
            self.assertRaises(SystemExit, self._run)
            self.assertIn(said, self._said())

    def test_versions_of_several_clouds(self):
        for name in 'one', 'two':
            (self.directory / name).mkdir()
            self._beside(name + '/versions.json', json.dumps(VERSIONS))
            self.stream = self.directory / name / 'results.subunit'
            self._record(('a.b.c', 'success'))
        self.assertIn('there is no versions.json', self._page(
            self.directory / 'one', self.directory / 'two').sections[
                'verdict'])

    def test_who_asks_from_python(self):
        self.assertRaises(exceptions.ResultsError, report.make,
                          [self.directory], self.output)
