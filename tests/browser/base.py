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

"""Pages, as a browser shows them."""

import pathlib
import shutil

from axe_playwright_python import sync_playwright as axe
import fixtures
from oslotest import base
from playwright import sync_api

BROWSERS = ('chromium-headless-shell', 'chromium', 'chromium-browser',
            'google-chrome')
# The width of a sheet of A4 less its margins, in CSS's pixels.
PAPER = 718
# What runs if it is taken for more than text.
SCRIPT = b'<script>window.ran = 1</script><img src=x onerror="window.ran = 1">'
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


class BaseBrowserTest(base.BaseTestCase):
    """Tests of pages in a directory that its classes write them to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = fixtures.TempDir()
        directory.setUp()
        cls.addClassCleanup(directory.cleanUp)
        cls.directory = pathlib.Path(directory.path)
        playwright = sync_api.sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(executable_path=_browser())
        cls.addClassCleanup(cls.browser.close)

    def show(self, name, width=1280, **how):
        """Open a page as somebody does; nothing may go wrong meanwhile.

        :param name: of its file, without the ending
        :param width: of the window, in CSS's pixels
        :param how: as of playwright's new_context
        :returns: playwright's Page
        """
        context = self.browser.new_context(
            viewport={'width': width, 'height': 800}, bypass_csp=True, **how)
        self.addCleanup(context.close)
        page = context.new_page()
        said = []
        page.on('console', lambda message: said.append(message.text))
        page.on('pageerror', lambda error: said.append(str(error)))
        page.on('request', lambda request: said.append(request.url))
        url = (self.directory / (name + '.html')).as_uri()
        page.goto(url)
        self.assertEqual([url], said)
        return page

    def assert_fits(self, name):
        """A telephone shows all of it, and scrolls tables alone."""
        page = self.show(name, 360)
        page.evaluate(OPEN)
        self.assertEqual([], page.evaluate(TOO_WIDE, 360))
        self.assertEqual(360, page.evaluate(
            'document.documentElement.scrollWidth'))

    def assert_colours(self, name):
        """It is dark on light, and light on dark for who wants it so."""
        for scheme, back_to, text_to in (('light', 1, 0), ('dark', 0, 1)):
            page = self.show(name, color_scheme=scheme)
            back, text = page.evaluate(LUMINANCE)
            self.assertAlmostEqual(back_to, back, delta=0.1, msg=scheme)
            self.assertAlmostEqual(text_to, text, delta=0.3, msg=scheme)

    def assert_accessible(self, name, width=1280, scheme='light'):
        """axe finds nothing, and has looked."""
        page = self.show(name, width, color_scheme=scheme)
        page.evaluate(OPEN)
        found = axe.Axe().run(page).response
        # Contrast is among what was looked at.
        self.assertIn('color-contrast',
                      [rule['id'] for rule in found['passes']])
        self.assertEqual([], [
            (rule['id'], node['html'][:200], node['failureSummary'])
            for rule in found['violations'] for node in rule['nodes']])

    def on_paper(self, name):
        """Show a page as a sheet of A4 has it.

        :returns: playwright's Page
        """
        page = self.show(name, PAPER, color_scheme='dark')
        page.emulate_media(media='print')
        self.assertEqual([], page.evaluate(TOO_WIDE, PAPER))
        back, text = page.evaluate(LUMINANCE)
        self.assertGreater(back, text)
        self.assertFalse(page.locator('nav').is_visible())
        return page
