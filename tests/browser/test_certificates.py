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
import pathlib

import ddt

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate.pages import report
from mempage_certificate import profiles
from tests.browser import base
from tests.certificate import made_up
from tests.certificate.pages import test_report
from tests.certificate import samples

RECORDED = (pathlib.Path(samples.__file__).parent
            / 'recorded.subunit.gz')
PLOTS = '''() => [...document.querySelectorAll('figure.plot')].map(figure => {
    const svg = figure.querySelector('svg[role=img]');
    const places = kind => [...svg.querySelectorAll('.dot.' + kind)].map(
        dot => { const box = dot.getBBox();
                 return [box.x + box.width / 2, box.y + box.height / 2]; });
    const texts = [...svg.querySelectorAll('text')].map(
        text => [text, text.getBBox()]);
    const table = figure.querySelector('table');
    return {
        title: figure.querySelector('figcaption').textContent,
        alternative: svg.getAttribute('aria-label'),
        seen: Math.min(svg.getBoundingClientRect().width,
                       svg.getBoundingClientRect().height) > 100,
        circles: places('circle'), squares: places('square'),
        diamonds: places('diamond'), faint: places('faint'),
        axes: texts.filter(([text, _]) => text.matches('.below, .above'))
            .map(([text, _]) => text.textContent),
        outside: texts.filter(([_, box]) => box.x < 0 || box.y < 0
            || box.x + box.width > svg.viewBox.baseVal.width
            || box.y + box.height > svg.viewBox.baseVal.height)
            .map(([text, _]) => text.textContent),
        over: texts.filter(([text, box], index) => texts.slice(0, index).some(
            ([_, other]) => box.x < other.x + other.width
                && other.x < box.x + box.width && box.y < other.y
                + other.height - 2 && other.y < box.y + box.height - 2))
            .map(([text, _]) => text.textContent),
        columns: [...table.tHead.querySelectorAll('th[scope=col]')].map(
            cell => cell.textContent),
        rows: [...table.tBodies[0].rows].map(
            row => [...row.cells].map(cell => cell.textContent)),
        folded: !table.checkVisibility({contentVisibilityAuto: true})}; })'''
# How much the shapes of plots stand out, as WCAG 2 reckons contrast.
CONTRAST = '''() => { const light = colour => {
        const parts = colour.match(/\\d+/g).slice(0, 3).map(
            part => part / 255).map(part => part <= 0.04045 ? part / 12.92
                : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]; };
    const back = light(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll(
        '.plot .dot, .plot .line:not(.grid)')].map(each => {
            const found = light(getComputedStyle(each).stroke);
            return [(Math.max(back, found) + 0.05)
                    / (Math.min(back, found) + 0.05),
                    each.getAttribute('class')]; }); }'''
ALL = {'Latency of reads: cold, cached and control': 30,
       'Throughput over footprint': 24, 'dirty.throughput over time': 12,
       'Dirtying and device writes, first sample of dirty.throughput': 45,
       'wear.written_per_dirtied over time': 12,
       'Boot, deletion and migration, in s': 18,
       'Boot, deletion and migration, in ms': 6,
       'Space of the store while guests come and go': 18,
       'Rounds of boot.time': 6, 'Rounds of dirty.throughput': 6}


@ddt.ddt
class CertificatesTest(base.BaseBrowserTest):
    """The page of a certificate, as a browser shows it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in 'failed', 'few', 'fleet', 'recorded':
            cls._write(name, getattr(cls, '_' + name)()[archive.REPORT])
        cls._write('hostile', test_report.made_of(
            test_report.spoil(made_up.sample(figures='dirty'))).encode())

    @classmethod
    def _write(cls, name, data):
        (cls.directory / (name + '.html')).write_bytes(data)

    @staticmethod
    def _failed():
        return made_up.sample().bundle()

    @staticmethod
    def _few():
        """As the one before, so that all can be looked at in seconds."""
        return made_up.sample(figures='cold.read_latency').bundle()

    @staticmethod
    def _fleet():
        hosts = tuple('fbm%d' % number for number in range(1, 31))
        made = samples.Sample('smoke-lab', hosts, test_report.SMALL)
        made.fail(made_up.DELETE, host='fbm13')
        made.measure('boot.time', samples.values([300] * 6), 'fbm12')
        return made.bundle()

    @staticmethod
    def _recorded():
        """A run of a lab before anybody measured there: nothing to draw."""
        return bundles.make(
            gzip.decompress(RECORDED.read_bytes()), profiles.find('ci-loop'),
            samples.product(devices=[]))[0]

    @ddt.data('failed', 'few', 'fleet', 'recorded', 'hostile')
    def test_fits_a_telephone(self, name):
        self.assert_fits(name)

    def test_colours(self):
        self.assert_colours('failed')

    @ddt.data(('few', 1280, 'light'), ('few', 1280, 'dark'),
              ('few', 360, 'light'), ('few', 360, 'dark'),
              ('failed', 1280, 'light'), ('recorded', 1280, 'dark'),
              ('hostile', 1280, 'light'))
    @ddt.unpack
    def test_accessible(self, name, width, scheme):
        self.assert_accessible(name, width, scheme)

    def test_verdict_is_seen_first(self):
        page = self.show('failed', 360)
        box = page.locator('.verdict').bounding_box()
        self.assertLess(box['y'] + box['height'], 640)

    def test_plots(self):
        found = {plot['title']: plot
                 for plot in self.show('failed').evaluate(PLOTS)}
        # Those, and the rounds of each figure.
        self.assertEqual(10 + len(made_up.VALUES), len(found))
        for title, rows in ALL.items():
            self.assertEqual(rows, len(found[title]['rows']), title)
        for title, plot in found.items():
            self.assertTrue(plot['seen'] and plot['folded'], title)
            self.assertIn(title, plot['alternative'])
            self.assertGreater(len(plot['axes']), 2, title)
            self.assertEqual(([], []), (plot['outside'], plot['over']), title)

    def test_plots_have_their_data(self):
        for plot in self.show('failed').evaluate(PLOTS):
            drawn = sum(len(plot[kind]) for kind in (
                'circles', 'squares', 'diamonds', 'faint'))
            rows = len(plot['rows'])
            if plot['columns'][-1].startswith(('Limit', 'Given')):
                # A row has two values that are drawn.
                rows *= 2
            if rows == 2 * len(made_up.TIMELINE):
                # Long lines have a dot at every other point.
                rows = 46
            self.assertEqual(rows, drawn, plot['title'])

    @ddt.data(('Latency of reads: cold, cached and control', 'us'),
              ('Boot, deletion and migration, in s', 's'),
              ('Boot, deletion and migration, in ms', 'ms'))
    @ddt.unpack
    def test_who_is_who(self, title, unit):
        """The further right a dot is, the more is in the table."""
        [plot] = [plot for plot in self.show('failed').evaluate(PLOTS)
                  if plot['title'] == title]
        self.assertEqual(['Store, ' + unit, 'Control, ' + unit],
                         plot['columns'][2:4])
        for column, kind in ((2, 'circles'), (3, 'squares')):
            values = [float(row[column].replace(',', ''))
                      for row in plot['rows']]
            across = [x for x, _ in plot[kind]]
            order = sorted(range(len(values)), key=values.__getitem__)
            places = [across[number] for number in order]
            for left, right in zip(places, places[1:]):
                # Tables have four digits.
                self.assertLessEqual(left, right + 0.2, kind)

    @ddt.data('light', 'dark')
    def test_shapes_stand_out(self, scheme):
        found = self.show('failed', color_scheme=scheme).evaluate(CONTRAST)
        self.assertGreater(len(found), 300)
        self.assertGreaterEqual(min(found)[0], 3, min(found))

    def test_without_plots(self):
        page = self.show('recorded')
        self.assertEqual([], page.evaluate(PLOTS))
        self.assertIn('There is no host with samples to draw',
                      page.locator('body').inner_text())

    def test_fleet(self):
        plots = self.show('fleet').evaluate(PLOTS)
        self.assertEqual(2 * report.HOSTS, len(plots))

    @ddt.data('failed', 'fleet', 'hostile')
    def test_tables(self, name):
        for table in self.show(name).evaluate(base.TABLES):
            self.assertTrue(table['named'] and table['caption'], table)
            self.assertEqual(table['columns'], table['heads'], table)

    @ddt.data('failed', 'fleet', 'hostile')
    def test_paper(self, name):
        page = self.on_paper(name)
        plots = page.locator('figure.plot svg[role=img]')
        self.assertTrue(plots.first.is_visible())
        self.assertFalse(page.locator('details.data').first.is_visible())
        self.assertEqual(0, page.evaluate(base.HIDDEN))
        self.assertTrue(page.pdf(format='A4').startswith(b'%PDF'))

    def test_hostile_results_run_nothing(self):
        page = self.show('hostile')
        page.evaluate(base.OPEN)
        self.assertIsNone(page.evaluate('window.ran ?? null'))
        self.assertGreater(page.locator('body').inner_text().count(
            test_report.HOSTILE), 8)
        self.assertEqual(0, page.locator('script, img').count())
