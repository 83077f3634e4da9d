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


import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import ddt
from oslotest import base

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import documents
from mempage_certificate.pages import hazards
from mempage_certificate.pages import report
from mempage_certificate import profiles
from mempage_certificate import runs
from tests.certificate import forger
from tests.certificate import made_up
from tests.certificate import samples
from tests.plugin.pages import pages
from tests.plugin import test_hazards

ROOT = pathlib.Path(__file__).parents[3]
SECTIONS = ['verdict', 'checks', 'figures', 'failures', 'plots', 'hazards',
            'environment', 'product', 'reproduce', 'verify']
SMALL = ('TestFileBacked.test_', 'test_guest_memory_is_found', 'boot.time')
HOSTILE = ('<script>window.ran = 1</script><img src=x onerror="window.ran '
           '= 1"></style></svg></table>&{{ 7 * 7 }}{% raw %}')


def of(sample, **product):
    """Make the page of a run."""
    contents = sample.bundle(**product)
    return pages.Page(contents[archive.REPORT].decode())


@functools.cache
def made_up_page():
    """Make the page of what is made up, once."""
    return of(made_up.sample())


def spoil(sample):
    """Put HTML into all of a masked bundle that has room for it.

    :returns: the forger.Forger
    """
    forged = forger.Forger(sample.bundle(product=HOSTILE, vendor=HOSTILE,
                                         contact=HOSTILE))
    failed = [record.name for record in sample.records
              if record.status == 'fail']
    for name in failed:
        forged.document(name, 'facts', lambda told: told.update(
            subject=HOSTILE, facts=[dict(
                fact, name=HOSTILE, expected=HOSTILE, observed=[HOSTILE],
                witness=HOSTILE) for fact in told['facts']]))
        forged.document(name, 'outcome',
                        lambda told: told.update(error=HOSTILE))
        forged.record(name, details=lambda record: [
            type(detail)(detail.name, detail.mime_type, HOSTILE.encode())
            if detail.name == 'traceback' else detail
            for detail in record.details])
    forged.record(made_up.TRUTH, details=lambda record: [
        type(detail)(detail.name, detail.mime_type, HOSTILE.encode())
        for detail in record.details])
    return forged


def made_of(forged):
    """Make the page of what a forger has made."""
    forged.remake()
    return forged.contents[archive.REPORT].decode()


@ddt.ddt
class ReportTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.sample = samples.Sample('smoke-lab', only=SMALL)

    def test_order(self):
        self.assertEqual(SECTIONS, list(of(self.sample).sections))

    def test_verdict(self):
        section = made_up_page().sections['verdict']
        for words in ('Failed', 'level reached: none', 'asks for endurance',
                      'A check that must pass has failed',
                      'Vendor Store X 1', 'nvme-endurance-1', samples.RUN,
                      'host-1', ' passed, 1 failed, 1 skipped',
                      'F05 fail: ', 'What this page does not say',
                      'Nothing of other models', 'Nothing of what was skipped,'
                      ' tests or whole classes: 1.'):
            self.assertIn(words, section)

    def test_verdict_of_what_contradicts_itself(self):
        self.sample.environment(lambda told: told.update(accelerator='kvm'),
                                ('after',))
        self.sample.environment(lambda told: told.update(accelerator='tcg'),
                                ('before',))
        section = of(self.sample).sections['verdict']
        self.assertIn('What contradicts itself', section)
        self.assertIn('accelerator changed during the run', section)

    def test_checks(self):
        rows = made_up_page().tables['Checks by level']
        known = {row[0]: row for row in rows}
        self.assertEqual(['✓ passed', ''], known['F01'][3:])
        self.assertEqual('✗ failed', known['F05'][3])
        self.assertIn('files and directories left', known['F05'][4])
        self.assertEqual('– skipped', known['D01'][3])
        self.assertIn('[mempage] reconfigure_hosts is not set',
                      known['D01'][4])
        self.assertEqual('should', known['P08'][2])
        self.assertIn(['smoke, of what must be so: 1 failed, 6 passed'], rows)
        # P08 has failed as well, and need not pass.
        self.assertIn(['performance, of what must be so: 1 failed, 3 '
                       'inconclusive, 4 passed'], rows)

    def test_check_that_was_not_run(self):
        self.sample.remove('test_guest_memory_is_found_in_file')
        rows = {row[0]: row
                for row in of(self.sample).tables['Checks by level']}
        self.assertEqual('· not run', rows['F11'][3])
        self.assertIn('ran 0 times, not 1', rows['F11'][4])

    def test_figures(self):
        page = made_up_page()
        rows = {row[0].split()[0]: row
                for row in page.tables['Figures of host-1']}
        _, result, store, control, limit, cache, status = rows[made_up.MISSED]
        self.assertRegex(result, r'^store over limit: 3\.\d+ \(3\.\d+ to '
                         r'3\.\d+\); goal: at most 3 ✗ failed Goal from: '
                         r'proposal store over control: 7\d\d')
        self.assertRegex(store, r'^1,[67]\d\d$')
        self.assertRegex(control, r'^2\.\d+$')
        self.assertEqual('480', limit)
        self.assertIn('cold: 1 % of the guest (cachestat)', cache)
        self.assertEqual('✗ failed 6 pairs', status)
        self.assertIn('was not steady', rows[made_up.UNSTEADY][1])

    def test_what_follows_from_figures(self):
        page = made_up_page()
        self.assertNotIn('Figures of host-1 that are not shown', page.tables)
        _, row, budget = page.tables['What follows from figures of host-1']
        self.assertEqual('wear.daily_budget GiB/day, higher is better',
                         budget[0])
        self.assertRegex(budget[1], r'store: 3,\d+ \(3,\d+ to 3,\d+\) '
                         'GiB/day; goal: at least 3,600 . ')
        self.assertEqual('wear.projected_life years, higher is better',
                         row[0])
        self.assertRegex(row[1], r'store: \d\.\d+ \(\d\.\d+ to \d\.\d+\) '
                         'years; goal: at least 5 . ')
        self.assertEqual('5.123', row[2])

    def test_figure_without_a_limit(self):
        self.sample.measure('boot.time',
                            lambda told: told['limit'].update(value=0))
        page = of(self.sample)
        self.assertEqual(['boot.time', 'a limit of 0 is none'], page.tables[
            'Figures of host-1 that are not shown'][1])
        self.assertNotIn('Figures of host-1', page.tables)
        self.assertNotIn('svg', page.tags)
        self.assertIn('no samples to draw', page.sections['plots'])

    def test_failures(self):
        page = made_up_page()
        section = page.sections['failures']
        for words in ('Proves F05 (Nothing is left of a deleted guest)',
                      "tempest run --regex 'mempage_tempest_plugin",
                      'File "/test.py", line 1, in test'):
            self.assertIn(words, section)
        self.assertIn('1-instance-00000001',
                      page.tables['Facts that disagree'][1][2])
        steps = {row[0].partition(':')[0]: row[1:]
                 for row in page.tables['What to do next']}
        self.assertEqual('≈ inconclusive', steps['P06'][0])
        self.assertIn('Measure more pairs', steps['P06'][1])
        self.assertIn('Give the host, or the option', steps['D01'][1])
        self.assertRegex(steps['P03'][1], r'cold.read_latency_p999: with a '
                         r'guest it is 3\.\d+ times the limit of the store')

    def test_goal_that_the_store_itself_does_not_reach(self):
        sample = samples.Sample('nvme-standard')
        sample.measure('cold.read_latency_p50', samples.values(
            [900] * 6, limit=800))
        steps = of(sample).tables['What to do next']
        self.assertEqual(2, len(steps))
        self.assertIn('it takes another device', steps[1][2])

    def test_class_that_could_not_be_set_up(self):
        sample = self.sample
        sample.fail('TestFileBacked.test_delete_frees_store[')
        sample.change('TestFileBacked.test_delete_frees_store[', name=(
            'setUpClass (mempage_tempest_plugin.tests.api.test_file_backed.'
            'TestFileBacked)'))
        section = of(sample).sections['failures']
        self.assertIn('Proves F01 (', section)
        self.assertIn(r'test_file_backed\.TestFileBacked', section)

    def test_nothing_failed(self):
        section = of(self.sample).sections['failures']
        self.assertIn('No test failed', section)

    def test_hazards(self):
        page = made_up_page()
        rows = dict(zip(
            [row[0] for row in page.tables[
                'Hazards that this profile looks at']],
            page.tables['Hazards that this profile looks at']))
        row = rows['A large folio stays in the page cache when it is pushed '
                   'out once']
        self.assertEqual('words', row[1])
        self.assertTrue(row[2].endswith('comes_back_from_store: – skipped'))

    def test_environment(self):
        page = of(made_up.sample(('fbm1', 'fbm2')))
        parts = dict(page.tables['Before the run: host-1, host-2'])
        self.assertEqual('6.1.0-31-amd64', parts['versions, kernel'])
        self.assertEqual('65,536', parts['memory MiB'])
        self.assertEqual('rw, noatime', parts['store, mount options'])
        self.assertEqual(
            [['host-1', 'store, devices 1, SMART, bytes written',
              '1,000,000,000', '900,000,000,000'],
             ['host-1', 'store, devices 1, SMART, temperature celsius', '40',
              '61']], page.tables['What changed'][1:])
        self.assertEqual(3, len(page.tables['Devices of the stores']))

    def test_host_that_was_lost(self):
        self.sample.remove('TestStoreEnvironment.test_after')
        self.assertIn('Nobody knows what changed on these hosts',
                      of(self.sample).sections['environment'])

    def test_reproduce(self):
        page = of(self.sample)
        contents = self.sample.bundle()
        self.assertEqual(
            {name: hashlib.sha256(contents[name]).hexdigest() for name in (
                archive.STREAM, archive.PROFILE, archive.CATALOGUE,
                archive.PRODUCT)},
            dict(page.tables['What all of this follows from'][1:]))
        self.assertEqual(
            ['boot.time', 'tool 1.0', '7', 'fio 3.33', 'nobody told'],
            page.tables['How it was measured on host-1'][1])
        self.assertEqual(
            '55.0 s: samples 12.0 s, limit 1.0 s',
            made_up_page().tables['How it was measured on host-1'][1][-1])
        self.assertIn('--profile smoke-lab-1 ', page.sections['reproduce'])

    def test_verify(self):
        self.assertIn('--allowed-signers signers',
                      of(self.sample).sections['verify'])

    def test_product(self):
        section = of(self.sample, contact='who asks').sections['product']
        for words in ('who asks', 'MODEL X, firmware 1.0'):
            self.assertIn(words, section)

    def test_without_hosts(self):
        for phase in ('before', 'after'):
            self.sample.remove('TestStoreEnvironment.test_' + phase)
        page = of(self.sample)
        self.assertEqual(SECTIONS, list(page.sections))
        self.assertIn('no host with a store tells what it is made of',
                      page.sections['verdict'])
        self.assertIn('No host has told', page.sections['environment'])

    def test_fleet(self):
        hosts = tuple('fbm%d' % number for number in range(1, 14))
        sample = samples.Sample('smoke-lab', hosts, SMALL)
        sample.fail('TestFileBacked.test_delete_frees_store[', host='fbm13')
        sample.measure('boot.time', samples.values([300] * 6), 'fbm12')
        page = of(sample)
        self.assertIn('Of 13 hosts, figures and plots of 10 are shown',
                      page.sections['plots'])
        for host, shown in (('host-1', True), ('host-9', False),
                            ('host-12', True), ('host-13', True)):
            self.assertEqual(shown, 'Figures of %s' % host in page.tables)
        [row] = page.tables['Figures of all hosts'][1:]
        self.assertEqual(['boot.time, s', '13', '100.1 on host-1', '100.1',
                          '300 on host-12', '12 passed, 1 failed',
                          'host-12'], row)
        verdicts = page.tables['Verdict of each host']
        self.assertEqual(3, len(verdicts))
        self.assertIn('12 hosts', verdicts[1][0])
        [check] = [row for row in page.tables['Checks by level']
                   if row[0] == 'F05']
        self.assertTrue(check[3].startswith('✗ failed host-13 ✓ passed 12'))

    def test_nothing_but_text_gets_in(self):
        plain = pages.Page(made_of(forger.Forger(made_up.sample().bundle())))
        text = made_of(spoil(made_up.sample()))
        page = pages.Page(text)
        self.assertEqual(plain.tags, page.tags)
        self.assertEqual({name for name, _ in plain.attributes},
                         {name for name, _ in page.attributes})
        self.assertGreater(page.text.count(HOSTILE), 8)
        self.assertNotIn('<script', text)

    def test_needs_nothing_beside_it(self):
        page = made_up_page()
        self.assertFalse({'script', 'link', 'img', 'iframe', 'image', 'use'}
                         & page.tags)
        self.assertFalse({'src', 'srcset', 'xlink:href', 'style'}
                         & {name for name, _ in page.attributes})
        self.assertEqual({report.report.HAZARDS}, {
            value for name, value in page.attributes
            if name == 'href' and not value.startswith('#')})


class SameBytesTest(base.BaseTestCase):
    """The page follows from what it is of, whoever makes it."""

    def test_in_another_process(self):
        script = ('from tests.certificate import made_up\n'
                  'import hashlib\n'
                  'print(hashlib.sha256(made_up.sample().bundle()'
                  '["report.html"]).hexdigest())')
        found = {subprocess.run(
            [sys.executable, '-c', script], cwd=ROOT, check=True,
            capture_output=True, text=True, env=dict(
                os.environ, PYTHONHASHSEED=seed, TZ=zone, LC_ALL=locale)
        ).stdout for seed, zone, locale in (
            ('1', 'UTC', 'C'), ('2', 'Asia/Tokyo', 'C.UTF-8'))}
        found.add(hashlib.sha256(made_up.sample().bundle()[
            archive.REPORT]).hexdigest() + '\n')
        self.assertEqual(1, len(found))

    def test_of_the_same_result_from_other_libraries(self):
        contents = made_up.sample().bundle()
        told = json.loads(contents[archive.RESULT])
        [figure] = [figure for figure in told['hosts'][0]['figures']
                    if figure['id'] == made_up.MISSED]
        figure['figures']['value']['median'] *= 1 + 1e-12
        told['tool']['numpy'] = '99'
        sample = made_up.sample()
        derived = bundles.derive(
            runs.read(contents[archive.STREAM]), sample.profile,
            samples.PRODUCT, contents, told)
        # It shows what the bundle says, and not what follows here.
        self.assertIn('numpy 99', derived[archive.REPORT].decode())
        self.assertEqual(contents[archive.RESULT], derived[archive.RESULT])

    def test_not_of_another_result(self):
        contents = made_up.sample().bundle()
        told = documents.parse('x', contents[archive.RESULT])
        told['verdict']['status'] = 'certified'
        derived = bundles.derive(
            runs.read(contents[archive.STREAM]), made_up.sample().profile,
            samples.PRODUCT, contents, told)
        self.assertEqual(contents[archive.REPORT], derived[archive.REPORT])


class HazardsTest(base.BaseTestCase):

    def test_as_the_documentation_has_them(self):
        checks = profiles.find('nvme-endurance').checks.values()
        catalogue = {name for check in checks
                     for name in check.get('tests', ())}
        severities = {name: severity for severity, name in re.findall(
            r'\* - (\w+)\n     - :ref:`hazard-([\w-]+)`', test_hazards.TEXT)}
        expected = {}
        for name, text in test_hazards.HAZARDS.items():
            found = [test for test in re.findall(
                r'``((?:api|scenario)\.[\w.]+)``',
                text.partition('**Test.**')[2]) if test in catalogue]
            if found:
                expected[name] = {'severity': severities[name],
                                  'title': text.strip().partition('\n')[0],
                                  'tests': found}
        self.assertEqual(expected, hazards.known())
