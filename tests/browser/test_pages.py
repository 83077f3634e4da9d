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
import shutil

from axe_playwright_python import sync_playwright as axe
import ddt
import fixtures
from oslotest import base
from playwright import sync_api

from mempage_tempest_plugin.cmd import report
from mempage_tempest_plugin.pages import matrix
from tests.plugin.pages import pages

BROWSERS = ('chromium-headless-shell', 'chromium', 'chromium-browser',
            'google-chrome')
# The width of a sheet of A4 less its margins, in CSS's pixels.
PAPER = 718
# What runs if it is taken for more than text.
SCRIPT = b'<script>window.ran = 1</script><img src=x onerror="window.ran = 1">'
VERSIONS = {'release': '2026.2', 'stock': True,
            'openstack': {'nova': '34.0.0'},
            'hosts': {'fbm1': {'libvirt': '9.0.0'}, 'fbm2': None}}

TABLES = '''() => [...document.querySelectorAll('table')].map(table => ({
    caption: table.caption ? table.caption.textContent : null,
    columns: table.tHead.querySelectorAll('th[scope=col]').length,
    heads: table.tHead.rows[0].cells.length,
    rows: [...table.tBodies].reduce((sum, body) => sum + body.rows.length, 0),
    named: [...table.tBodies].every(body => [...body.rows].every(
        row => row.cells[0].matches('th[scope=row], th[scope=rowgroup]'))),
    seen: table.getBoundingClientRect().height > 0}))'''
OPEN = '''() => document.querySelectorAll('details').forEach(
    each => { each.open = true; })'''
# Relative luminance of the page's colours, as WCAG 2 reckons it.
LUMINANCE = '''() => ['backgroundColor', 'color'].map(name => {
    const parts = getComputedStyle(document.body)[name].match(/\\d+/g)
        .slice(0, 3).map(part => part / 255).map(part => part <= 0.04045
            ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]; })'''
# What is wider than the page, unless something around it scrolls.
TOO_WIDE = '''width => [...document.querySelectorAll('body *')].filter(
    each => each.getBoundingClientRect().right > width + 1
        && !each.matches('.unseen') && !each.closest('.unseen')
        && !(each.parentElement.closest('.scroll, pre')
             && getComputedStyle(each.parentElement.closest('.scroll, pre'))
                .overflowX === 'auto'))
    .map(each => each.outerHTML.slice(0, 200)).slice(0, 5)'''
HIDDEN = '''() => [...document.querySelectorAll('details.names li')].filter(
    each => !each.checkVisibility({contentVisibilityAuto: true})).length'''


def _browser():
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    raise AssertionError(
        'no browser to look at pages with: none of %s is installed. "bindep '
        'test" names its package' % ', '.join(BROWSERS))


def _facts(host, disagrees, names):
    return json.dumps({
        'kind': 'facts', 'version': 1, 'subject': 'host %s' % host,
        'host': host, 'server': None, 'when': '2026-11-30T04:00:00+00:00',
        'facts': [{'witness': 'kernel', 'name': name, 'expected': 'a' * 80,
                   'observed': 'b' * 80, 'agrees': name not in disagrees}
                  for name in names]}).encode()


@ddt.ddt
class PagesTest(base.BaseTestCase):
    """The pages, as a browser shows them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = fixtures.TempDir()
        directory.setUp()
        cls.addClassCleanup(directory.cleanUp)
        cls.directory = pathlib.Path(directory.path)
        for name in 'recorded', 'wide', 'hostile', 'empty':
            (cls.directory / name).mkdir()
            stream = cls.directory / name / 'results.subunit'
            getattr(cls, '_write_' + name)(stream)
            report.make([stream], cls.directory / (name + '.html'))
        playwright = sync_api.sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(executable_path=_browser())
        cls.addClassCleanup(cls.browser.close)

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
        name = SCRIPT.decode()
        with pages.Recorder(stream) as recorder:
            for status in 'fail', 'skip', 'success':
                recorder.test('a.Test%s.%s' % (status, name), status, [
                    ('facts', 'application/json', _facts(name, {name},
                                                         [name])),
                    ('reason', 'text/plain', SCRIPT),
                    ('traceback', 'text/x-traceback', SCRIPT),
                    ('hazard', 'text/plain', SCRIPT),
                    (name, 'text/plain', b'</pre></details>' + SCRIPT)], 1)

    @staticmethod
    def _write_empty(stream):
        with pages.Recorder(stream) as recorder:
            recorder.test('a.TestA.test_a', 'success')

    def _show(self, name, width=1280, **how):
        """Open a page as somebody does; nothing may go wrong meanwhile."""
        context = self.browser.new_context(
            viewport={'width': width, 'height': 800}, bypass_csp=True, **how)
        self.addCleanup(context.close)
        page = context.new_page()
        self.said = []
        page.on('console', lambda message: self.said.append(message.text))
        page.on('pageerror', lambda error: self.said.append(str(error)))
        page.on('request', lambda request: self.said.append(request.url))
        url = (self.directory / (name + '.html')).as_uri()
        page.goto(url)
        self.assertEqual([url], self.said)
        return page

    @ddt.data('recorded', 'wide', 'hostile', 'empty')
    def test_fits_a_telephone(self, name):
        page = self._show(name, 360)
        page.evaluate(OPEN)
        self.assertEqual([], page.evaluate(TOO_WIDE, 360))
        self.assertEqual(360, page.evaluate(
            'document.documentElement.scrollWidth'))

    @ddt.unpack
    @ddt.data(('light', 0.9, 1, 0, 0.02), ('dark', 0, 0.02, 0.7, 1))
    def test_colours(self, scheme, *limits):
        page = self._show('recorded', color_scheme=scheme)
        back, text = page.evaluate(LUMINANCE)
        self.assertTrue(limits[0] <= back <= limits[1], back)
        self.assertTrue(limits[2] <= text <= limits[3], text)

    @ddt.data(('recorded', 'light', 1280), ('recorded', 'dark', 1280),
              ('recorded', 'light', 360), ('recorded', 'dark', 360),
              ('empty', 'light', 1280), ('hostile', 'dark', 1280))
    @ddt.unpack
    def test_accessible(self, name, scheme, width):
        page = self._show(name, width, color_scheme=scheme)
        page.evaluate(OPEN)
        found = axe.Axe().run(page).response
        # Contrast is among what was looked at.
        self.assertIn('color-contrast',
                      [rule['id'] for rule in found['passes']])
        self.assertEqual([], [
            (rule['id'], node['html'][:200], node['failureSummary'])
            for rule in found['violations'] for node in rule['nodes']])

    @ddt.data(('recorded', {
        'What the hosts run on': 2, 'Facts that disagree': 1, 'Its hosts': 1,
        'What is not as it had to be': 1, 'Reasons to skip': 6,
        'Facts and hosts': 84, 'Test classes and hosts': 17,
        'Slowest tests': 12, 'Workers': 3}), ('wide', {
            'Facts that disagree': 2, 'Hosts that were left out': 200,
            'Facts and hosts, part 1 of 3': 61, 'Workers': 8}))
    @ddt.unpack
    def test_tables(self, name, expected):
        tables = self._show(name).evaluate(TABLES)
        found = {table['caption']: table['rows'] for table in tables}
        for caption, rows in expected.items():
            self.assertGreaterEqual(found[caption], rows, caption)
        for table in tables:
            self.assertTrue(table['seen'] and table['named'], table)
            self.assertEqual(table['columns'], table['heads'], table)
            self.assertLessEqual(table['heads'], matrix.COLUMNS + 1)

    @ddt.data('recorded', 'wide', 'hostile')
    def test_paper(self, name):
        page = self._show(name, PAPER, color_scheme='dark')
        page.emulate_media(media='print')
        self.assertEqual([], page.evaluate(TOO_WIDE, PAPER))
        back, text = page.evaluate(LUMINANCE)
        self.assertGreater(back, text)
        # Lists of names are folded on a screen only.
        self.assertEqual(0, page.evaluate(HIDDEN))
        self.assertFalse(page.locator('nav').is_visible())
        page.emulate_media(media='screen')
        self.assertGreater(page.evaluate(HIDDEN), -1)
        self.assertTrue(page.locator('nav').is_visible())
        self.assertTrue(page.pdf(format='A4').startswith(b'%PDF'))

    def test_names_are_folded_on_a_screen(self):
        page = self._show('recorded')
        self.assertGreater(page.evaluate(HIDDEN), 5)

    def test_hostile_results_run_nothing(self):
        page = self._show('hostile')
        page.evaluate(OPEN)
        self.assertIsNone(page.evaluate('window.ran ?? null'))
        self.assertGreater(page.locator('body').inner_text().count(
            SCRIPT.decode()), 10)
        self.assertEqual(0, page.locator('script, img').count())

    def test_what_is_hostile_would_be_seen(self):
        text = (self.directory / 'empty.html').read_text()
        (self.directory / 'sabotage.html').write_text(
            text.replace('</main>', SCRIPT.decode() + '</main>'))
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
