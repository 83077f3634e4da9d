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

import dataclasses
import json

import ddt
from oslotest import base
import yaml

from mempage_certificate import eligibility
from mempage_certificate import masking
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_certificate import verdict
from tests.certificate import samples
from tests.plugin import samples as plugin_samples

CAPACITY = 'TestFileBacked.test_capacity['
DELETE = 'TestFileBacked.test_delete_frees_store['
TRUTH = 'test_memory_comes_back_from_store['


def permissive():
    """Make a profile that lets everything in, and certifies functional."""
    lab = profiles.find('smoke-lab')
    document = yaml.safe_load(lab.data)
    document['levels'] = {'smoke': {'must': ['F02'], 'should': [],
                                    'info': []},
                          'functional': {'must': ['C05'], 'should': [],
                                         'info': []}}
    document['eligibility']['stack'].append('network')
    document['goals'] = []
    return profiles.make(yaml.safe_dump(document).encode(),
                         lab.catalogue_data)


class VerdictTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.sample = samples.Sample()

    def judge(self, **changes):
        return verdict.judge(self.sample.run(), self.sample.profile,
                             dict(samples.PRODUCT, **changes))

    def assert_verdict(self, status, level, words, **changes):
        found = self.judge(**changes).verdict
        self.assertEqual((status, level), (found.status, found.level),
                         found.reasons)
        self.assertIn(words, '\n'.join(found.reasons))


@ddt.ddt
class TestsTest(VerdictTestCase):
    """What becomes of checks that tests prove."""

    def test_certified(self):
        self.assert_verdict('certified', 'endurance', '')

    def test_smoke_is_never_certified(self):
        self.sample = samples.Sample('smoke-lab')
        self.assert_verdict('passed', 'smoke', '')

    def test_skipped_must(self):
        self.sample.skip(TRUTH)
        self.assert_verdict('incomplete', 'functional',
                            'host-1: D01 skip: scenario.test_memory_truth.'
                            'TestMemoryTruth.test_memory_comes_back_from_'
                            'store: skipped: not here')

    def test_skipped_class(self):
        self.sample.change(
            TRUTH, name='setUpClass (mempage_tempest_plugin.tests.scenario.'
            'test_memory_truth.TestMemoryTruth)')
        self.sample.skip('setUpClass')
        self.assert_verdict('incomplete', 'functional',
                            'D01 skip: scenario.test_memory_truth.'
                            'TestMemoryTruth.test_memory_comes_back_from_'
                            'store: skipped: not here')

    def test_skipped_info(self):
        self.sample.skip('test_pool_is_full[')
        self.assert_verdict('certified', 'endurance', '')

    def test_failed_must(self):
        self.sample.fail(CAPACITY)
        self.assert_verdict(
            'failed', None, 'host-1: F02 fail: api.test_file_backed.'
            'TestFileBacked.test_capacity: failed: no valid host')

    def test_failed_later(self):
        self.sample.fail('test_device_is_gone[')
        self.assert_verdict('failed', 'functional', 'X10 fail: ')

    def test_failed_should(self):
        self.sample.fail('test_memory_given_back_is_gone[')
        self.assert_verdict('certified', 'endurance', '')

    def test_missing_test(self):
        self.sample.remove(TRUTH)
        self.assert_verdict('incomplete', 'functional',
                            'test_memory_comes_back_from_store: ran 0 times, '
                            'not 1')

    def test_missing_case(self):
        self.sample.remove('test_after_3_x[')
        self.assert_verdict('incomplete', 'smoke', 'ran 4 times, not 5')

    def test_nothing_compared(self):
        self.sample.edit(TRUTH, 'facts',
                         lambda document: document['facts'].pop(1))
        self.assert_verdict('incomplete', 'functional', 'nobody asked for '
                            'the fact "kernel: error of fsync"')

    def test_never_ended(self):
        self.sample.change(TRUTH, status='inprogress', ended=None)
        self.assert_verdict('error', 'functional', 'never ended: the run was '
                            'cut off, or a host was lost')

    def test_nobody_knows_where(self):
        self.sample.fail(TRUTH)
        number = self.sample.find(TRUTH)
        self.sample.change(TRUTH, details=[
            detail for detail in self.sample.records[number].details
            if detail.name == 'traceback'])
        self.assert_verdict('failed', 'functional',
                            'failed, and did not tell where')

    def test_test_without_hosts(self):
        self.sample.change(TRUTH, details=[])
        # Of one host, it tells all the same.
        self.assert_verdict('incomplete', 'functional', 'nobody asked for')

    @ddt.data('media_errors', 'critical_warning')
    def test_device_has_errors(self, count):
        self.sample.environment(lambda document: document['store']['devices'][
            0]['smart'].update({count: 1}), ('after',))
        self.assert_verdict('failed', 'performance', (
            'W06 fail: device MODEL X: %s was 0, and is 1' % count))

    @ddt.data('bytes_written', 'bytes_read', 'power_on_hours')
    def test_device_counts_backwards(self, count):
        self.sample.environment(lambda document: document['store']['devices'][
            0]['smart'].update({count: 9}), ('before',))
        self.sample.environment(lambda document: document['store']['devices'][
            0]['smart'].update({count: 8}), ('after',))
        self.assert_verdict('failed', 'performance', (
            'W06 fail: device MODEL X: %s was 9, and is 8' % count))

    def test_device_warns_all_the_time(self):
        self.sample.environment(lambda document: document['store']['devices'][
            0]['smart'].update(critical_warning=4))
        self.assert_verdict('failed', 'performance', (
            'W06 fail: device MODEL X: critical_warning was 4, and is 4'))

    def test_device_does_not_tell(self):
        self.sample.environment(lambda document: document['store']['devices'][
            0].update(smart=None))
        self.assert_verdict('incomplete', 'performance',
                            'W06 missing: device MODEL X does not tell')


@ddt.ddt
class FiguresTest(VerdictTestCase):
    """What becomes of figures."""

    def _measure(self, *arguments):
        self.sample.measure('cached.read_bandwidth',
                            samples.values(*arguments))

    def test_goal_missed(self):
        self._measure([90, 91, 90, 89, 90])
        self.assert_verdict(
            'failed', 'resilient', 'host-1: P01 fail: cached.read_bandwidth: '
            'ratio 0.9 (0.89 to 0.91), goal at least 0.95')

    def test_goal_straddled(self):
        self._measure([93, 95, 96, 97, 99])
        self.assert_verdict('inconclusive', 'resilient', (
            'P01 inconclusive: cached.read_bandwidth: ratio 0.96 (0.93 to '
            '0.99), goal at least 0.95; about 15 more pairs may tell'))

    def test_goal_straddled_at_the_cap(self):
        self._measure([93, 99] * 10)
        self.assert_verdict('inconclusive', 'resilient',
                            'no more pairs may be measured')

    def test_upper_goal(self):
        self.sample.measure('cold.read_latency_p50',
                            samples.values([201] * 6))
        self.assert_verdict('failed', 'resilient', 'goal at most 200')

    def test_limit(self):
        self.sample.measure('cold.read_bandwidth',
                            samples.values([100] * 6, None, 200))
        self.assert_verdict('failed', 'resilient',
                            'of_limit 0.5 (0.5 to 0.5), goal at least 0.8')

    def test_not_steady(self):
        self._measure([100, 130, 100, 130, 100, 130])
        self.assert_verdict(
            'inconclusive', 'resilient', 'P01 inconclusive: cached.read_'
            'bandwidth: the store was not steady in any five rounds; 14 more '
            'pairs may be measured')

    def test_steady_later(self):
        self._measure([300, 100, 100, 100, 100, 100])
        found = self.judge().hosts[0].figures['cached.read_bandwidth']
        self.assertEqual(('pass', 2), (found.status, found.steady))
        self.assertEqual(1.0, found.figures['ratio'].high)

    def test_too_few_pairs(self):
        self._measure([100] * 4)
        self.assert_verdict('incomplete', 'resilient',
                            '4 of at least 5 pairs were measured')

    def test_too_many_pairs(self):
        self._measure([100] * 21)
        self.assert_verdict('error', None,
                            'host-1: cached.read_bandwidth: has 21 pairs, '
                            'more than 20: one may not go on until it suits')

    def test_nothing_is_written_for_the_control(self):
        self.sample.measure('wear.written_per_dirtied',
                            samples.values([1.03] * 6, [0] * 6, 1))
        self.assert_verdict('certified', 'endurance', '')
        found = self.judge().hosts[0].figures['wear.written_per_dirtied']
        self.assertEqual({'value', 'of_limit'}, set(found.figures))

    def _written(self, *values):
        self.sample.measure('wear.written_per_dirtied', samples.values(
            values, [0] * len(values), 1))

    def _life(self, **changes):
        return self.judge(**changes).hosts[0].figures['wear.projected_life']

    def test_life(self):
        # 7300 TBW at 3600 GiB a day, of which the device writes 1.03.
        self._written(*[1.03] * 6)
        found = self._life()
        self.assertEqual(('pass', 'years'),
                         (found.status, found.document['unit']))
        self.assertEqual({'value', 'of_limit'}, set(found.figures))
        self.assertAlmostEqual(5.0233, found.figures['value'].median, 4)
        self.assertAlmostEqual(5.1740, found.document['limit']['value'], 4)

    def test_daily_budget(self):
        # 7300 TBW in five years, of which the device writes 1.03 for each.
        self._written(*[1.03] * 6)
        found = self.judge().hosts[0].figures['wear.daily_budget']
        self.assertEqual(('pass', 'GiB/day'),
                         (found.status, found.document['unit']))
        self.assertAlmostEqual(3616.8, found.figures['value'].median, 1)
        self.assertAlmostEqual(3725.3, found.document['limit']['value'], 1)

    def test_daily_budget_is_spent_by_the_workload(self):
        self._written(*[1.05] * 6)
        self.assert_verdict(
            'failed', 'performance', 'wear.daily_budget: value 3548 (3548 to '
            '3548), goal at least 3600')

    def test_daily_budget_is_that_of_the_warranty(self):
        self._written(*[1.0] * 6)
        document = yaml.safe_load(self.sample.profile.data)
        document['workload'].update(warranty_years=10)
        self.sample.profile = profiles.make(
            yaml.safe_dump(document).encode(),
            self.sample.profile.catalogue_data)
        figures = self.judge().hosts[0].figures
        self.assertAlmostEqual(
            1862.6, figures['wear.daily_budget'].figures['value'].median, 1)
        self.assertAlmostEqual(
            5.174, figures['wear.projected_life'].figures['value'].median, 3)

    def test_life_is_too_short(self):
        self._written(*[1.05] * 6)
        self.assert_verdict(
            'failed', 'performance', 'W04 fail: wear.projected_life: value '
            '4.928 (4.928 to 4.928), goal at least 5')

    def test_life_is_not_told(self):
        self._written(1.0, 1.06, 1.0, 1.06, 1.0, 1.06)
        self.assert_verdict('inconclusive', 'performance', (
            'W04 inconclusive: wear.projected_life: value 5.028 (4.881 to '
            '5.174), goal at least 5; about 14 more pairs may tell'))

    def test_life_has_the_interval_of_what_is_written(self):
        self._written(1.0, 1.01, 1.02, 1.01, 1.0)
        figures = self.judge().hosts[0].figures
        written = figures['wear.written_per_dirtied'].figures['value']
        life = figures['wear.projected_life'].figures['value']
        for years, value in ((life.low, written.high),
                             (life.median, written.median),
                             (life.high, written.low)):
            self.assertAlmostEqual(5.1740, years * value, 4)

    def test_life_of_a_store_that_is_not_steady(self):
        self._written(1.0, 1.4, 1.0, 1.4, 1.0, 1.4)
        found = self._life()
        self.assertEqual(('inconclusive', {}), (found.status, found.figures))
        self.assertIn('not steady', found.reasons[0])

    @ddt.unpack
    @ddt.data((2, {}), (1, {'devices': [
        {'model': 'MODEL X', 'firmware': ['1.0']}]}))
    def test_life_cannot_be_reckoned(self, devices, changes):
        self.sample.environment(lambda told: told['store'].update(
            devices=devices * told['store']['devices']))
        self.assert_verdict(
            'incomplete', 'performance', 'W04 missing: wear.projected_life '
            'cannot be reckoned: it takes wear.written_per_dirtied, and the '
            'rated_endurance_tbw of the one device of the store in '
            'PRODUCT.yaml; wear.daily_budget cannot be reckoned: ',
            **changes)

    def test_lowest_endurance_counts(self):
        found = self._life(devices=[
            dict(samples.PRODUCT['devices'][0], rated_endurance_tbw=rated)
            for rated in (9000, 3650, 7300)])
        self.assertAlmostEqual(2.58, found.figures['value'].median, 2)

    def test_nobody_measures_life(self):
        self.sample.measure('wear.written_per_dirtied',
                            lambda told: told.update(
                                id='wear.projected_life', unit='years',
                                direction='higher'))
        self.assert_verdict(
            'error', None, 'host-1: wear.projected_life: follows from '
            'wear.written_per_dirtied, and nobody measures it')

    def test_no_ratio(self):
        self.sample.measure('cached.read_bandwidth', lambda document: (
            samples.values([1] * 6, [0] * 6, 1)(document),
            document.update(unit='bytes/s')))
        self._catalogue(lambda told: told['checks']['P01']['measurements'][
            'cached.read_bandwidth'].update(unit='bytes/s'))
        self.assert_verdict('error', 'resilient',
                            'the control is 0: there is no ratio')

    def test_value_of_nothing(self):
        self._measure([100, 100, 0, 100, 100])
        self.assert_verdict('error', 'resilient',
                            'a value is 0: nothing was measured')

    def test_not_measured(self):
        self.sample.remove('TestMeasureMemory.test_cached[')
        self.assert_verdict('incomplete', 'resilient', 'P01 missing: '
                            'cached.read_bandwidth was not measured')

    @ddt.unpack
    @ddt.data(({'unit': 'us'}, 'unit is us, and the catalogue says MiB/s'),
              ({'direction': 'lower'}, 'direction is lower, and'),
              ({'cache': {'state': 'mixed', 'resident_percent': 50,
                          'witness': 'cachestat'}}, 'cache is mixed, and'),
              ({'id': 'hot.air'}, 'hot.air: is not in the catalogue'))
    def test_other_than_the_catalogue(self, changes, words):
        self.sample.measure('cached.read_bandwidth',
                            lambda document: document.update(changes))
        self.assert_verdict('error', None, words)

    def _catalogue(self, change):
        profile = self.sample.profile
        catalogue = yaml.safe_load(profile.catalogue_data)
        change(catalogue)
        self.sample.profile = profiles.make(
            profile.data, yaml.safe_dump(catalogue).encode())

    @ddt.unpack
    @ddt.data((lambda told: told['checks']['P07']['measurements'][
        'boot.time'].update(tests={
            'test_measure.TestMeasure.test_boot': {
                'id': '00000000-0000-4000-8000-000000000000'}}),
        'host-1: boot.time: scenario.test_measure_memory.TestMeasureMemory.'
        'test_boot[id-078ec97c-dc65-41e4-8d81-1b82e2ff79d3,measurement,'
        'per-host] does not measure it'),
        (lambda told: told.update(environment={}),
         'host-1: api.test_store_environment.TestStoreEnvironment.test_before'
         '[id-456c1690-4767-49e6-985a-3e9169e15337,per-host] is no test that '
         'tells what it is made of'))
    def test_kept_by_another_test(self, change, words):
        self._catalogue(change)
        self.assert_verdict('error', None, words)

    def test_other_footprint(self):
        self.sample.measure(
            'footprint.double.throughput',
            lambda document: document.update(footprint_over_dram=1.2))
        self.assert_verdict('error', None, 'footprint_over_dram is 1.2, and '
                            'the catalogue says 2.0')


@ddt.ddt
class HostsTest(VerdictTestCase):
    """What hosts are made of, and what becomes of several."""

    @ddt.unpack
    @ddt.data(({'accelerator': 'tcg'}, 'its CPUs are run by tcg'),
              ({'nested': True}, 'it is a guest itself'))
    def test_not_of_the_profile(self, changes, words):
        self.sample.environment(lambda document: document.update(changes))
        self.assert_verdict('not-eligible', None, 'host-1: ' + words)

    @ddt.unpack
    @ddt.data(({'file_system': 'btrfs'}, 'its file system is btrfs'),
              ({'stack': ['loop', 'disk']},
               'its store has a layer of the kind loop'),
              ({'stack': ['thin', 'disk']},
               'its store has a layer of the kind thin'),
              ({'dax': True}, 'its files are mapped without a page cache'),
              ({'declared_mib': 200000},
               '200000 MiB are declared, and its store has 131072 MiB'),
              ({'devices': []}, 'its store is on no device, and the product'),
              ({'devices': [plugin_samples.disk(model='OTHER')]},
               'its device OTHER is not of the product'),
              ({'devices': [plugin_samples.disk(firmware='0.9')]},
               'its device MODEL X has firmware 0.9, and the product has 1.0'),
              ({'devices': [plugin_samples.disk(transport='sata')]},
               'its device MODEL X is sata'),
              ({'devices': [plugin_samples.disk(emulated=True)]},
               'its device MODEL X is played by software'))
    def test_store_not_of_the_profile(self, changes, words):
        self.sample.environment(
            lambda document: document['store'].update(changes))
        self.assert_verdict('not-eligible', None, words)

    @ddt.unpack
    @ddt.data(({'accelerator': 'tcg'}, {}, 'its CPUs are emulated'),
              ({'nested': True}, {}, 'it is a guest itself'),
              ({}, {'stack': ['loop', 'disk']}, 'on a loop device'),
              ({}, {'stack': ['thin', 'disk']}, 'on a thin device'),
              ({}, {'stack': ['network']}, 'on a network'),
              ({}, {'stack': ['memory'], 'devices': []}, 'in memory itself'),
              ({}, {'file_system': 'tmpfs'}, 'in memory itself'),
              ({}, {'devices': []}, 'on no device that is known'),
              ({}, {'devices': [plugin_samples.disk(emulated=True)]},
               'is played by software'))
    def test_smoke_at_most(self, changes, store, words):
        environment = plugin_samples.environment('fbm1', **changes)
        environment['store'].update(store)
        found = eligibility.judge(permissive(), environment,
                                  dict(samples.PRODUCT, devices=[]))
        self.assertEqual('smoke', found.best)
        self.assertIn(words, ', '.join(found.reasons))

    def test_smoke_at_most_whatever_passes(self):
        self.sample.profile = permissive()
        self.sample.environment(
            lambda document: document.update(accelerator='tcg'))
        self.assert_verdict('not-eligible', 'smoke', 'its CPUs are emulated')

    def test_nothing_in_the_way(self):
        found = eligibility.judge(
            permissive(), plugin_samples.environment('fbm1'), samples.PRODUCT)
        self.assertEqual(('functional', []), (found.best, found.reasons))

    def test_did_not_come_to_its_end(self):
        self.sample.remove('test_after[')
        self.assert_verdict('incomplete', 'performance',
                            'host-1: the run did not come to its end')

    def test_lost_on_the_way(self):
        self.sample = samples.Sample(hosts=('fbm1', 'fbm2'))
        number = self.sample.find('TestStoreEnvironment.test_after')
        self.sample.change('TestStoreEnvironment.test_after', details=[
            detail for detail in self.sample.records[number].details
            if b'"fbm2"' not in detail.data])
        self.assert_verdict('error', None, 'host-2: it was lost on the way: '
                            'nobody could ask it after the run')

    def test_cut_off(self):
        data = self.sample.data()
        self.sample.data = lambda: data[:len(data) // 2]
        self.assert_verdict('error', None, 'parts of the stream could not be '
                            'read: it was cut off')

    def test_two_hosts(self):
        self.sample = samples.Sample(hosts=('fbm1', 'fbm2'))
        self.assert_verdict('certified', 'endurance', '')
        self.sample.fail(CAPACITY, host='fbm2')
        found = self.judge()
        self.assertEqual(['certified', 'failed'], [
            host.verdict.status for host in found.hosts])
        self.assertEqual(('failed', None),
                         (found.verdict.status, found.verdict.level))

    def test_not_run_on_a_host(self):
        self.sample = samples.Sample(hosts=('fbm1', 'fbm2'))
        number = self.sample.find(TRUTH)
        self.sample.change(TRUTH, details=[
            detail for detail in self.sample.records[number].details
            if b'"fbm2"' not in detail.data])
        self.assert_verdict('incomplete', 'functional',
                            'host-2: D01 missing: scenario.test_memory_truth.'
                            'TestMemoryTruth.test_memory_comes_back_from_'
                            'store: was not run on this host')

    def test_does_not_tell_on_which_host(self):
        self.sample = samples.Sample(hosts=('fbm1', 'fbm2'))
        self.sample.change(TRUTH, details=[])
        self.assert_verdict('incomplete', 'functional',
                            'does not tell on which host it was run')

    def test_peer_without_a_store(self):
        # Guests have moved to it.
        number = self.sample.find('ColdMigration.test_to_ordinary_and_back')
        record = self.sample.records[number]
        document = {'kind': 'outcome', 'version': 1, 'host': 'plain1',
                    'passed': True, 'error': None}
        self.sample.records[number] = dataclasses.replace(
            record, details=[*record.details, stream.Detail(
                'outcome-1', stream.JSON, json.dumps(document).encode())])
        self.assert_verdict('certified', 'endurance', '')

    def test_host_that_nobody_knows(self):
        self.sample = samples.Sample(hosts=('fbm1', 'fbm2'))
        for phase in ('before', 'after'):
            name = 'TestStoreEnvironment.test_' + phase
            details = self.sample.records[self.sample.find(name)].details
            self.sample.change(name, details=details[:1])
        self.assert_verdict('incomplete', 'endurance', 'host-2: was tested, '
                            'and does not tell what it is made of')

    def test_no_host_at_all(self):
        self.sample.remove('TestStoreEnvironment.test_before')
        self.sample.remove('TestStoreEnvironment.test_after')
        self.assert_verdict('incomplete', None, 'no host with a store tells '
                            'what it is made of')

    def test_outliers(self):
        self.sample = samples.Sample(
            hosts=tuple('fbm%d' % number for number in range(1, 7)))
        self.sample.measure('boot.time', samples.values([150] * 6, None, 150),
                            'fbm3')
        found = self.judge()
        self.assertEqual({'boot.time': ['host-3']}, found.outliers)
        self.assertEqual('certified', found.verdict.status)

    @ddt.unpack
    @ddt.data((lambda document: document['versions'].update(kernel='7'),
               'host-1: versions changed during the run'),
              (lambda document: document['store']['devices'][0].update(
                  firmware='2.0'), 'host-1: store changed during the run'),
              (lambda document: document['store']['devices'].pop(),
               'host-1: store changed during the run'),
              (lambda document: document.update(
                  run='00000000-5a25-4d0c-9c1c-0f9f0a1d2b33'),
               'documents are of 2 runs'))
    def test_changed_during_the_run(self, change, words):
        self.sample.environment(change, ('after',))
        self.assert_verdict('error', None, words)


class LanesTest(base.BaseTestCase):
    """Hosts that have a lane of the stream each."""

    def setUp(self):
        super().setUp()
        self.lanes = {
            'lane-%d' % number: samples.Sample(
                'smoke-lab', ('fbm%d' % number,),
                ('TestFileBacked.test_', 'test_guest_memory_is_found'))
            for number in (1, 2)}

    def _judge(self):
        records = [dataclasses.replace(record, worker=(
            '%s worker-0' % lane).strip())
            for lane, sample in self.lanes.items()
            for record in sample.records]
        run = runs.read(masking.mask(stream.write(
            stream.in_order(records)))[0])
        return verdict.judge(run, profiles.find('smoke-lab'), samples.PRODUCT)

    def _assert_verdicts(self, fleet, *hosts):
        found = self._judge()
        self.assertEqual([fleet, *hosts], [
            part.verdict.status for part in (found, *found.hosts)],
            found.verdict.reasons)
        return '\n'.join(found.verdict.reasons)

    def _add_outcome(self, **changes):
        """Have the first lane tell what became of the second one's host."""
        sample = self.lanes['lane-1']
        record = sample.records[sample.find(DELETE)]
        document = {'kind': 'outcome', 'version': 1, 'host': 'fbm2',
                    'passed': True, 'error': None, **changes}
        sample.change(DELETE, details=[*record.details, stream.Detail(
            'outcome-1', stream.JSON, json.dumps(document).encode())])

    def test_all_is_well(self):
        self._assert_verdicts('passed', 'passed', 'passed')

    def test_failure_is_that_of_one_host(self):
        self.lanes['lane-2'].fail(DELETE)
        self.assertIn('host-2: F05 fail', self._assert_verdicts(
            'failed', 'passed', 'failed'))

    def test_skip_is_that_of_one_host(self):
        self.lanes['lane-2'].skip(DELETE)
        self._assert_verdicts('incomplete', 'passed', 'incomplete')

    def test_without_lanes(self):
        self.lanes[''] = self.lanes.pop('lane-2')
        self.lanes[''].records += self.lanes.pop('lane-1').records
        self.assertIn('is there 2 times: two runs are mixed',
                      self._assert_verdicts('error', 'error', 'error'))

    def test_lane_without_a_host(self):
        other = samples.Sample('smoke-lab', ('fbm1',), ('TestFileBacked.t',))
        [record] = [record for record in other.records
                    if DELETE in record.name]
        other.records = [record]
        other.fail(DELETE)
        self.lanes['lane-7'] = other
        self.assertIn('lane-7: no host tells there what it is made of',
                      self._assert_verdicts('error', 'failed', 'passed'))

    def test_failure_in_the_lane_of_another_host(self):
        self._add_outcome(passed=False, error='gone')
        sample = self.lanes['lane-1']
        sample.change(DELETE, status='fail', details=[
            *sample.records[sample.find(DELETE)].details,
            stream.Detail('traceback', stream.TEXT, b'gone')])
        self._assert_verdicts('failed', 'passed', 'failed')

    def test_pass_in_the_lane_of_another_host(self):
        self._add_outcome()
        self.lanes['lane-2'].remove(DELETE)
        self.assertIn('host-2: F05 missing', self._assert_verdicts(
            'incomplete', 'passed', 'incomplete'))
