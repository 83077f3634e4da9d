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

import ddt

from mempage_tempest_plugin.cmd import report
from mempage_tempest_plugin.pages import matrix
from tests.browser import base
from tests.plugin.pages import pages

VERSIONS = {'release': '2026.2', 'stock': True,
            'openstack': {'nova': '34.0.0'},
            'hosts': {'fbm1': {'libvirt': '9.0.0'}, 'fbm2': None}}


def _facts(host, disagrees, names):
    return json.dumps({
        'kind': 'facts', 'version': 1, 'subject': 'host %s' % host,
        'host': host, 'server': None, 'when': '2026-11-30T04:00:00+00:00',
        'facts': [{'witness': 'kernel', 'name': name, 'expected': 'a' * 80,
                   'observed': 'b' * 80, 'agrees': name not in disagrees}
                  for name in names]}).encode()


@ddt.ddt
class PagesTest(base.BaseBrowserTest):
    """The pages, as a browser shows them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in 'recorded', 'wide', 'hostile', 'empty':
            (cls.directory / name).mkdir()
            stream = cls.directory / name / 'results.subunit'
            getattr(cls, '_write_' + name)(stream)
            report.make([stream], cls.directory / (name + '.html'))

    @staticmethod
    def _write_recorded(stream):
        pages.unpack(stream)
        # Nobody knows of these, and they had to run.
        stream.with_name('results.expected.json').write_text(json.dumps({
            'required': None, 'tests': [
                {'test': 'a.TestA.test_%d' % number, 'skips': None,
                 'may_skip': []} for number in range(9)]}))
        stream.with_name('versions.json').write_text(json.dumps(VERSIONS))

    @staticmethod
    def _write_wide(stream):
        """200 hosts, 60 facts; some are like no other host."""
        names = ['what the kernel says of fact number %d' % number
                 for number in range(60)]
        hosts = ['compute-%03d.rack-%d.example.org' % (number, number % 8)
                 for number in range(200)]
        with pages.Recorder(stream) as recorder:
            for number, host in enumerate(hosts):
                wrong = ({names[number % 60], names[number % 7]}
                         if number % 8 == 0 else set())
                recorder.test(
                    'a.TestA.test_%d' % number, 'fail' if wrong else 'success',
                    [('facts', 'application/json',
                      _facts(host, wrong, names)),
                     ('left_out', 'application/json', json.dumps(
                         {'kind': 'left_out', 'version': 1, 'host': host,
                          'reason': 'x' * 300}).encode())],
                    number, 5, 'worker-%d' % (number % 8))

    @staticmethod
    def _write_hostile(stream):
        name = base.SCRIPT.decode()
        with pages.Recorder(stream) as recorder:
            for status in 'fail', 'skip', 'success':
                recorder.test('a.Test%s.%s' % (status, name), status, [
                    ('facts', 'application/json', _facts(name, {name},
                                                         [name])),
                    ('reason', 'text/plain', base.SCRIPT),
                    ('traceback', 'text/x-traceback', base.SCRIPT),
                    ('hazard', 'text/plain', base.SCRIPT),
                    (name, 'text/plain', b'</pre></details>' + base.SCRIPT)
                ], 1)

    @staticmethod
    def _write_empty(stream):
        with pages.Recorder(stream) as recorder:
            recorder.test('a.TestA.test_a', 'success')

    @ddt.data('recorded', 'wide', 'hostile', 'empty')
    def test_fits_a_telephone(self, name):
        self.assert_fits(name)

    def test_colours(self):
        self.assert_colours('recorded')

    @ddt.data(('recorded', 1280, 'light'), ('recorded', 1280, 'dark'),
              ('recorded', 360, 'light'), ('recorded', 360, 'dark'),
              ('empty', 1280, 'light'), ('hostile', 1280, 'dark'))
    @ddt.unpack
    def test_accessible(self, name, width, scheme):
        self.assert_accessible(name, width, scheme)

    @ddt.data(('recorded', {
        'What the hosts run on': 2, 'Facts that disagree': 1, 'Its hosts': 1,
        'What is not as it had to be': 1, 'Reasons to skip': 6,
        'Facts and hosts': 84, 'Test classes and hosts': 17,
        'Slowest tests': 12, 'Workers': 3}), ('wide', {
            'Facts that disagree': 2, 'Hosts that were left out': 200,
            'Facts and hosts, part 1 of 3': 61, 'Workers': 8}))
    @ddt.unpack
    def test_tables(self, name, expected):
        tables = self.show(name).evaluate(base.TABLES)
        found = {table['caption']: table['rows'] for table in tables}
        for caption, rows in expected.items():
            self.assertGreaterEqual(found[caption], rows, caption)
        for table in tables:
            self.assertTrue(table['seen'] and table['named'], table)
            self.assertEqual(table['columns'], table['heads'], table)
            self.assertLessEqual(table['heads'], matrix.COLUMNS + 1)

    @ddt.data('recorded', 'wide', 'hostile')
    def test_paper(self, name):
        page = self.on_paper(name)
        # Lists of names are folded on a screen only.
        self.assertEqual(0, page.evaluate(base.HIDDEN))
        page.emulate_media(media='screen')
        self.assertGreater(page.evaluate(base.HIDDEN), -1)
        self.assertTrue(page.locator('nav').is_visible())
        self.assertTrue(page.pdf(format='A4').startswith(b'%PDF'))

    def test_names_are_folded_on_a_screen(self):
        page = self.show('recorded')
        self.assertGreater(page.evaluate(base.HIDDEN), 5)

    def test_hostile_results_run_nothing(self):
        page = self.show('hostile')
        page.evaluate(base.OPEN)
        self.assertIsNone(page.evaluate('window.ran ?? null'))
        self.assertGreater(page.locator('body').inner_text().count(
            base.SCRIPT.decode()), 10)
        self.assertEqual(0, page.locator('script, img').count())

    def test_what_is_hostile_would_be_seen(self):
        text = (self.directory / 'empty.html').read_text()
        (self.directory / 'sabotage.html').write_text(
            text.replace('</main>', base.SCRIPT.decode() + '</main>'))
        context = self.browser.new_context(bypass_csp=True)
        self.addCleanup(context.close)
        page = context.new_page()
        page.goto((self.directory / 'sabotage.html').as_uri())
        self.assertEqual(1, page.evaluate('window.ran'))

    def test_nothing_would_run_even_then(self):
        self.test_what_is_hostile_would_be_seen()
        page = self.browser.new_page()
        self.addCleanup(page.close)
        page.goto((self.directory / 'sabotage.html').as_uri())
        self.assertIsNone(page.evaluate('window.ran ?? null'))
