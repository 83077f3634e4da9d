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


import ddt
from oslotest import base

from mempage_certificate.pages import drawing
from mempage_certificate.pages import measured
from mempage_certificate.pages import report
from mempage_certificate import results
from mempage_certificate import verdict
from tests.certificate import made_up
from tests.certificate import samples

LATENCY = 'Latency of reads: cold, cached and control'
DIRTYING = 'Dirtying and device writes, first sample of dirty.throughput'
SPACE = 'Space of the store while guests come and go'


def judged(sample):
    """Judge a run.

    :returns: tuple of the run and of what result.json says of its first host
    """
    run = sample.run()
    told = samples.PRODUCT
    found = verdict.judge(run, sample.profile, told)
    result = results.make(run, sample.profile, told, found, dict.fromkeys((
        'results.subunit', 'profile.yaml', 'catalogue.yaml', 'PRODUCT.yaml'),
        b''))
    return run, result['hosts'][0]


def of(sample):
    """Make all plots of the first host of a run, by their titles."""
    run, host = judged(sample)
    shown = report.of_host(run, sample.profile, host)
    return {plot.title: plot for plot in shown.plots + shown.rounds}


def dots(plot, kind):
    return [shape.points[0] for shape in plot.picture.shapes
            if (shape.tag, shape.kind) == ('dot', kind)]


@ddt.ddt
class PlotsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.sample = made_up.sample()

    def test_all_are_there(self):
        found = of(self.sample)
        self.assertEqual([
            LATENCY, 'Throughput over footprint', DIRTYING,
            'dirty.throughput over time',
            'wear.boot_written over time', 'wear.idle_write_rate over time',
            'wear.written_per_dirtied over time',
            'Boot, deletion and migration, in s',
            'Boot, deletion and migration, in ms', SPACE,
            *('Rounds of %s' % name for name in sorted(made_up.VALUES))],
            list(found))
        for plot in found.values():
            self.assertGreater(len(plot.rows), 5, plot.title)
            self.assertEqual({len(plot.columns)}, set(map(len, plot.rows)))
            self.assertIn(plot.title, plot.alternative)

    def test_only_what_was_measured(self):
        found = of(samples.Sample('smoke-lab', only=(
            'TestFileBacked.test_', 'boot.time')))
        self.assertEqual(['Boot, deletion and migration, in s',
                          'Rounds of boot.time'], list(found))

    def test_latencies(self):
        plot = of(self.sample)[LATENCY]
        self.assertEqual(5 * samples.PAIRS, len(plot.rows))
        # In microseconds, whatever the unit was.
        identity, pair, store, control, limit = plot.rows[0]
        self.assertEqual(('cached.read_latency_p50', 1, '0.52'),
                         (identity, pair, limit))
        self.assertAlmostEqual(0.64, float(store), delta=0.03)
        self.assertAlmostEqual(0.58, float(control), delta=0.03)
        cold = [row for row in plot.rows if row[0] == made_up.MISSED]
        self.assertAlmostEqual(1650, float(cold[0][2].replace(',', '')),
                               delta=70)
        self.assertIn('cold.read_latency_p50: store 9', plot.alternative)

    def test_dots_are_where_the_values_are(self):
        plot = of(self.sample)[LATENCY]
        self.assertEqual(len(plot.rows), len(dots(plot, drawing.CIRCLE)))
        self.assertEqual(len(plot.rows), len(dots(plot, drawing.SQUARE)))
        # The store is the upper lane of each figure, and here the slower one.
        for store, control in zip(dots(plot, drawing.CIRCLE),
                                  dots(plot, drawing.SQUARE)):
            self.assertEqual(15, control[1] - store[1])
            self.assertLess(control[0], store[0])

    def test_footprint(self):
        plot = of(self.sample)['Throughput over footprint']
        self.assertEqual(4 * samples.PAIRS, len(plot.rows))
        self.assertEqual(['0.5', '1', '2', '4'],
                         list(dict.fromkeys(row[0] for row in plot.rows)))
        [line] = [shape for shape in plot.picture.shapes
                  if (shape.tag, shape.kind) == ('line', 'median')]
        heights = [y for _, y in line.points]
        # It becomes slower: further down.
        self.assertEqual(sorted(heights), heights)
        self.assertEqual(4, len(heights))

    def test_footprint_without_steady_figures(self):
        for name in ('half', 'equal', 'double', 'fourfold'):
            self.sample.measure('footprint.%s.throughput' % name,
                                samples.values([10, 99, 10, 99, 10, 99]))
        plot = of(self.sample)['Throughput over footprint']
        self.assertIn('No ratio is steady', plot.alternative)
        self.assertNotIn('median', [kind for kind, _ in plot.explained])

    def test_timeline(self):
        plot = of(self.sample)['dirty.throughput over time']
        self.assertEqual(2 * samples.PAIRS, len(plot.rows))
        self.assertEqual(['Pair', 'Of', 'From, seconds', 'To, seconds',
                          'MiB/s'], plot.columns)
        self.assertEqual([1, 'store', '0', '1'], plot.rows[0][:4])
        across = [x for x, _ in dots(plot, drawing.CIRCLE)]
        self.assertEqual(sorted(across), across)
        for (_, store), (_, control) in zip(dots(plot, drawing.CIRCLE),
                                            dots(plot, drawing.SQUARE)):
            self.assertLess(control, store)

    def test_dirtying(self):
        plot = of(self.sample)[DIRTYING]
        self.assertEqual(['Seconds', 'To be written, MiB',
                          'Given to the device, MiB'], plot.columns)
        self.assertEqual(len(made_up.TIMELINE), len(plot.rows))
        self.assertEqual(['44', '900', '50,400'], plot.rows[-1])
        self.assertIn('900 MiB in the page cache, still to be written; '
                      '50,400 MiB given to the device', plot.alternative)
        # Not every point has a dot, but all are in the line.
        lines = {shape.kind: shape.points for shape in plot.picture.shapes
                 if shape.tag == 'line'}
        for kind in (drawing.CIRCLE, drawing.SQUARE):
            self.assertEqual(lines[kind][::2], dots(plot, kind))
        heights = [y for _, y in lines[drawing.CIRCLE]]
        self.assertEqual(sorted(heights, reverse=True), heights)

    @ddt.data([], [{'seconds': 1e300, 'dirty_mib': 1, 'written_mib': 1}])
    def test_timeline_that_is_none(self, points):
        self.sample.measure('dirty.throughput',
                            lambda told: told.update(timeline=points))
        self.assertNotIn(DIRTYING, of(self.sample))

    def test_bars(self):
        plot = of(self.sample)['Boot, deletion and migration, in s']
        bars = [shape for shape in plot.picture.shapes if shape.tag == 'area']
        self.assertEqual(['store', 'control'] * 3,
                         [bar.kind for bar in bars])
        self.assertGreater(bars[0].points[1][0], 3 * bars[1].points[1][0])
        # From 0.
        self.assertEqual({plot.picture.across(0)},
                         {bar.points[0][0] for bar in bars})

    def test_space(self):
        plot = of(self.sample)[SPACE]
        self.assertEqual(3 * len(made_up.SPACE), len(plot.rows))
        self.assertIn('1,024 MiB allocated to guests; 2 MiB that no file '
                      'explains; 96 MiB kept by', plot.alternative)
        self.assertEqual(['Minutes', 'What', 'MiB'], plot.columns)

    @ddt.data('not found', None, True, -1, 10 ** 400)
    def test_space_that_nobody_could_tell(self, observed):
        sample = samples.Sample('smoke-lab', only=('TestFileBacked.test_',))
        sample.edit(made_up.DELETE, 'facts', lambda told: told['facts'].append(
            {'witness': 'file system', 'name': 'allocated, MiB',
             'agrees': True, 'expected': 0, 'observed': observed}))
        self.assertEqual({}, of(sample))

    def test_rounds(self):
        plot = of(self.sample)['Rounds of boot.time']
        self.assertEqual(samples.PAIRS, len(dots(plot, drawing.CIRCLE)))
        self.assertIn('6, steady from round 1 on', plot.alternative)
        self.assertEqual(['yes'] * 6, [row[-1] for row in plot.rows])
        [band] = [shape for shape in plot.picture.shapes
                  if shape.kind == 'steady']
        for _, y in dots(plot, drawing.CIRCLE):
            top = band.points[0][1]
            self.assertTrue(top < y < top + band.points[1][1])

    def test_rounds_that_become_steady(self):
        self.sample.measure('boot.time', samples.values(
            [300, 200, 101, 100, 101, 100, 101]))
        plot = of(self.sample)['Rounds of boot.time']
        self.assertIn('7, steady from round 3 on', plot.alternative)
        self.assertEqual((2, 5), (len(dots(plot, drawing.FAINT)),
                                  len(dots(plot, drawing.CIRCLE))))
        self.assertEqual(['no', 'no', 'yes'],
                         [row[-1] for row in plot.rows[:3]])

    def test_where_rounds_are_steady(self):
        self.sample.measure('boot.time', samples.values(
            [300, 200, 90, 100, 100, 100, 100]))
        drawn = of(self.sample)['Rounds of boot.time'].picture
        # Rounds 3 to 7, of which the mean is 98.
        [mean] = [shape.points for shape in drawn.shapes
                  if shape.kind == 'mean']
        self.assertEqual([drawn.point(2.6, 98), drawn.point(7.4, 98)], mean)
        [band] = [shape.points for shape in drawn.shapes
                  if shape.kind == 'steady']
        self.assertEqual(drawn.point(2.6, 98 * 1.1), band[0])

    def test_rounds_that_are_never_steady(self):
        plot = of(self.sample)['Rounds of %s' % made_up.UNSTEADY]
        self.assertIn('not steady in any rounds', plot.alternative)
        self.assertEqual([(drawing.FAINT, 'does not count')], plot.explained)

    def test_all_values_are_alike(self):
        for value in (0.001, 1e18):
            self.sample.measure('boot.time', samples.values(
                [value] * 5, [value] * 5, value))
            self.assertIn('Rounds of boot.time', of(self.sample))


class MeasuredTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.sample = samples.Sample('smoke-lab', only=(
            'TestFileBacked.test_', 'boot.time', 'delete.time'))

    def _of_host(self):
        return measured.of_host(*judged(self.sample))

    def test_figures(self):
        shown, hidden = self._of_host()
        self.assertEqual((['boot.time', 'delete.time'], {}), (
            [figure.identity for figure in shown], hidden))
        self.assertEqual([100.0] * samples.PAIRS, shown[0].values('control'))

    def test_without_a_control(self):
        self.sample.measure('boot.time', lambda told: [
            sample.update(arm='store') for sample in told['samples']])
        shown, hidden = self._of_host()
        self.assertEqual(['delete.time'], [
            figure.identity for figure in shown])
        self.assertEqual({'boot.time': ['pair 1 is not one of store and one '
                                        'of control']}, hidden)

    def test_without_a_limit(self):
        self.sample.measure('boot.time',
                            lambda told: told['limit'].update(value=0))
        self.assertEqual({'boot.time': ['a limit of 0 is none']},
                         self._of_host()[1])

    def test_with_another_cache(self):
        self.sample.measure('boot.time', lambda told: told['cache'].update(
            state='cold', resident_percent=50))
        [[reason]] = self._of_host()[1].values()
        self.assertIn('that is not cold', reason)

    def test_nothing_measured(self):
        self.sample.measure('boot.time', samples.values([0] * 6))
        self.assertEqual({'boot.time': ['a value is 0: nothing was measured']},
                         self._of_host()[1])

    def test_lines(self):
        run, host = judged(made_up.sample())
        shown = {figure.identity: figure
                 for figure in measured.of_host(run, host)[0]}
        lines = measured.lines(shown[made_up.MISSED])
        self.assertEqual(('store over limit', 'at most 3', 'proposal', 'fail'),
                         (lines[0].what, lines[0].goal, lines[0].source,
                          lines[0].status))
        self.assertRegex(lines[0].interval, r'^3\.\d+ \(3\.\d+ to 3\.\d+\)$')
        self.assertEqual(['store over limit', 'store over control', 'store'],
                         [line.what for line in lines])
        self.assertRegex(lines[2].interval, r'^1,\d+ \(1,\d+ to 1,\d+\) us$')
        self.assertEqual([], measured.lines(shown[made_up.UNSTEADY]))
