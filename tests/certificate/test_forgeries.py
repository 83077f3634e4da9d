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
import datetime
import json
import os
import re
import subprocess
from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_certificate import archive
from mempage_certificate import consistency
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import measurements
from tests.certificate import forger
from tests.certificate import samples

CAPACITY = 'TestFileBacked.test_capacity['
DELETE = 'TestFileBacked.test_delete_frees_store['
TRUTH = 'test_memory_comes_back_from_store['
READ = 'TestMeasureMemory.test_cached['
BOOT = 'TestMeasureMemory.test_boot['
_KNOWN = {}


def known():
    """Make what all forgeries begin with, once: a good bundle and a bad one.

    """
    if not _KNOWN:
        good = samples.Sample('nvme-standard')
        bad = samples.Sample('nvme-standard')
        bad.edit(DELETE, 'facts',
                 lambda told: told['facts'][0].update(agrees=False))
        bad.fail(DELETE)
        bad.measure('cached.read_bandwidth',
                    samples.values([100, 100, 90, 91, 90, 91, 90]))
        _KNOWN.update(good=good.bundle(), bad=bad.bundle())
    return _KNOWN


def later(hours, *keys):
    """Return a change of times of a document."""
    def change(told):
        for key in keys:
            when = datetime.datetime.fromisoformat(told[key])
            told[key] = measurements.moment(
                when + datetime.timedelta(hours=hours))
    return change


def drop_pair(told, pair, renumber=False):
    told['samples'] = [sample for sample in told['samples']
                       if sample['pair'] != pair]
    if renumber:
        for number, sample in enumerate(told['samples'], 1):
            sample.update(number=number, pair=(number + 1) // 2)


class ForgeryTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.directory, 'bundle')
        self.good = forger.Forger(known()['good'])
        self.bad = forger.Forger(known()['bad'])

    def assert_found(self, forged, words, allowed=None):
        believed, said = forged.verify(self.path, allowed)
        self.assertFalse(believed, said)
        self.assertIn(words, said)

    def assert_remade(self, forged, words):
        """Somebody has reckoned all again, and is found all the same."""
        forged.remake()
        self.assert_found(forged, words)

    def assert_relisted(self, forged, words):
        forged.relist()
        self.assert_found(forged, words)


@ddt.ddt
class FilesTest(ForgeryTestCase):
    """Files were changed, and perhaps the manifest was made anew."""

    def test_nothing(self):
        self.assertEqual((True, ''), self.good.verify(self.path))

    def test_what_is_bad_is_not_believed(self):
        believed, said = self.bad.verify(self.path)
        self.assertFalse(believed)
        self.assertIn('F05 fail: ', said)

    def test_changed_byte(self):
        data = bytearray(archive.pack(self.good.contents))
        data[len(data) // 2] ^= 4
        with open(self.path, 'wb') as target:
            target.write(data)
        believed, said = forger.verify(self.path)
        self.assertFalse(believed)
        self.assertRegex(said, 'is damaged|changed after|is no tar|cut off')

    @ddt.data(*archive.REQUIRED[:-1], 'raw/host-1.jsonl')
    def test_changed_byte_of_a_file(self, name):
        data = bytearray(self.good.contents[name] or b'\n')
        data[-1] ^= 1
        self.good.contents[name] = bytes(data)
        self.assert_found(self.good,
                          '%s: changed after the manifest was made' % name)

    @ddt.data(archive.JUNIT, archive.ENVIRONMENT, archive.FAILURES,
              archive.REPORT, 'raw/host-1.jsonl')
    def test_file_that_follows_from_others(self, name):
        self.bad.contents[name] += b' '
        self.assert_relisted(
            self.bad, '%s: does not follow from results.subunit' % name)

    def test_failures_removed(self):
        self.bad.contents[archive.FAILURES] = b''
        self.assert_relisted(self.bad, 'logs/failures.txt: does not follow')

    @ddt.unpack
    @ddt.data(
        ('✗ Failed', '✓ Certified'), ('--bad: #ad131c', '--bad: #0b6330'),
        # The control is shown as the store, and the other way round.
        ('"dot circle"', '"dot square"'), ('guest with its memory in the '
                                           'store', 'control guest'),
        ('<figure class="plot"', '<figure hidden class="plot"'),
        ('goal: at least 0.95', 'goal: at least 0.5'))
    def test_page(self, words, others):
        self.bad.edit(archive.REPORT,
                      lambda text: text.replace(words, others))
        self.assert_relisted(
            self.bad, 'report.html: does not follow from results.subunit')

    def test_page_of_another_bundle(self):
        self.bad.contents[archive.REPORT] = self.good.contents[archive.REPORT]
        self.assert_relisted(self.bad, 'report.html: does not follow')

    def test_page_of_another_version(self):
        def change(result):
            result['tool']['version'] = '0.0.0'
        self.good.edit_result(change)
        # The version that it says it was made with is in the page.
        self.assert_relisted(self.good, 'version 0.0.0 of this package made '
                             'the bundle, and this is ')
        self.bad.edit(archive.REPORT, lambda text: text + ' ')
        self.bad.relist()
        self.assertNotIn('of this package',
                         self.bad.verify(self.path)[1])

    def test_libraries_of_another_version(self):
        self.good.edit_result(lambda result: result['tool'].update(
            numpy='1.26.0'))
        self.good.edit(archive.REPORT, lambda text: re.sub(
            r'numpy [\d.]+', 'numpy 1.26.0', text))
        self.good.relist()
        self.assertEqual((True, ''), self.good.verify(self.path))

    def test_verdict(self):
        self.bad.edit_result(lambda result: result['verdict'].update(
            status='certified', level='performance', reasons=[]))
        self.assert_relisted(self.bad, (
            "result.json: $.verdict.level: is 'performance', and None follows "
            "from the results"))

    def test_verdict_and_all_checks(self):
        self.bad.edit('result.json', lambda text: text.replace(
            '"status": "fail"', '"status": "pass"').replace(
                '"status": "failed"', '"status": "certified"'))
        self.assert_relisted(self.bad, "$.verdict.status: is 'certified', and "
                             "'failed' follows from the results")

    def test_figure(self):
        self.good.edit_result(lambda result: result['hosts'][0]['figures'][0][
            'figures']['ratio'].update(median=0.5))
        self.assert_relisted(self.good, '.figures.ratio.median: is 0.5, and')

    def test_goal(self):
        def change(result):
            [figure] = [figure for figure in result['hosts'][0]['figures']
                        if figure['id'] == 'cached.read_bandwidth']
            figure['goals'][0]['min'] = 0.5
        self.bad.edit_result(change)
        self.assert_relisted(self.bad, '.goals[0].min: is 0.5, and 0.95')

    def test_check_removed(self):
        self.good.edit_result(
            lambda result: result['hosts'][0]['checks'].pop())
        self.assert_relisted(self.good, '.checks: has 38 items, and 39 follow')

    def test_schema_version(self):
        self.good.edit_result(lambda result: result.update(
            schema='mempage-cert/2'))
        self.assert_relisted(self.good, "result.json: $.schema: 'mempage-cert"
                             "/1' was expected")

    def test_key_that_is_not_in_the_schema(self):
        self.good.edit_result(lambda result: result.update(seal='genuine'))
        self.assert_relisted(self.good, "'seal' was unexpected")

    def test_result_that_is_no_json(self):
        self.good.contents[archive.RESULT] = b'{"a": NaN}'
        self.assert_relisted(self.good, 'result.json: is not plain JSON')

    def test_result_in_another_form(self):
        self.good.edit(archive.RESULT, lambda text: text.replace(': ', ':'))
        self.assert_relisted(self.good, 'result.json: is not as it was writt')

    def test_file_removed(self):
        del self.good.contents[archive.JUNIT]
        self.assert_relisted(self.good, 'lacks junit.xml')

    def test_samples_removed(self):
        del self.good.contents['raw/host-1.jsonl']
        self.assert_found(self.good, 'raw/host-1.jsonl: is in the manifest, '
                          'and was removed')
        self.assert_relisted(self.good, 'raw/host-1.jsonl: does not follow')

    def test_samples_of_another_host(self):
        self.good.contents['raw/host-9.jsonl'] = b'{}\n'
        self.assert_found(self.good,
                          'raw/host-9.jsonl: is not in the manifest')
        self.assert_relisted(self.good, 'raw/host-9.jsonl: has no samples')

    def test_foreign_file(self):
        self.good.contents['raw/evil.sh'] = b'#!/bin/sh\n'
        self.assert_found(self.good, 'has a file that no bundle has')

    def test_manifest_in_another_form(self):
        self.good.contents[archive.MANIFEST] += b'# hidden\n'
        self.assert_found(self.good, 'MANIFEST.sha256: is not as it was made')

    def test_profile_swapped(self):
        other = profiles.find('smoke-lab')
        self.good.contents[archive.PROFILE] = other.data
        self.assert_relisted(self.good, '$.inputs.profile.yaml: is ')
        # The same results, judged by another profile: they say less.
        self.good.remake()
        verdict = json.loads(self.good.contents[archive.RESULT])['verdict']
        self.assertEqual(('passed', 'smoke'), (verdict['status'],
                                               verdict['level']))

    def test_goal_of_the_profile(self):
        self.bad.edit(archive.PROFILE, lambda text: text.replace(
            'min: 0.95', 'min: 0.50'))
        self.assert_remade(self.bad, 'is none of those that are published')

    def test_catalogue(self):
        self.bad.edit(archive.CATALOGUE, lambda text: text.replace(
            'cases: 5', 'cases: 1'))
        self.assert_remade(self.bad, 'catalogue.yaml is not the one of')

    def test_catalogue_of_another_version(self):
        self.good.edit_result(lambda result: result['tool'].update(
            version='0.0.0'))
        self.good.edit(archive.CATALOGUE, lambda text: text + '# older')
        self.good.relist()
        believed, said = self.good.verify(self.path)
        self.assertFalse(believed)
        self.assertIn('catalogue.yaml is not the one of profile nvme-standard-'
                      '1: it was changed, or is that of another version', said)
        self.assertIn('version 0.0.0 of this package made the bundle, and '
                      'this is ', said)

    def test_product_renamed(self):
        self.good.edit(archive.PRODUCT, lambda text: text.replace(
            'Store X', 'Store Y'))
        self.assert_relisted(self.good, '$.inputs.PRODUCT.yaml: is ')

    def test_product_swapped(self):
        self.good.contents[archive.PRODUCT] = samples.product(
            product='Store Y', devices=[{'model': 'Y', 'firmware': ['1']}])
        self.assert_remade(self.good, 'its device MODEL X is not of the '
                           'product')

    def test_product_of_no_device(self):
        # It would be any that is there.
        self.good.contents[archive.PRODUCT] = samples.product(devices=[])
        self.assert_remade(self.good, 'its device MODEL X is not of the '
                           'product')

    def test_device_that_endures_more_than_there_are_numbers(self):
        self.good.edit(archive.PRODUCT, lambda text: text.replace(
            '7300', '1' + '0' * 400))
        self.assert_remade(self.good, 'PRODUCT.yaml: $.devices[0].rated_'
                           'endurance_tbw: ')

    def test_product_that_is_none(self):
        self.good.contents[archive.PRODUCT] = b'a: &a [*a]'
        self.assert_remade(self.good, 'PRODUCT.yaml: is not plain YAML')

    def _worn_out(self):
        """Make a bundle of a device that does not last long enough."""
        sample = samples.Sample(only=('Test', 'wear.'))
        sample.measure('wear.written_per_dirtied',
                       samples.values([1.05] * 6, [0] * 6, 1))
        return forger.Forger(sample.bundle())

    @staticmethod
    def _endure(forged):
        forged.edit(archive.PRODUCT, lambda text: text.replace(
            '"rated_endurance_tbw": 7300', '"rated_endurance_tbw": 9000'))

    @staticmethod
    def _figure(result, identity):
        [found] = [figure for figure in result['hosts'][0]['figures']
                   if figure['id'] == identity]
        return found

    def test_device_that_endures_more_afterwards(self):
        forged = self._worn_out()
        self._endure(forged)
        self.assert_relisted(forged, '$.inputs.PRODUCT.yaml: is ')

    def test_life_that_is_longer_than_it_follows(self):
        forged = self._worn_out()

        def lengthen(result):
            life = self._figure(result, 'wear.projected_life')
            life['figures']['value'].update(median=6.1, low=6.0, high=6.2)
        forged.edit_result(lengthen)
        self.assert_relisted(forged, '.figures.value.high: is 6.2, and '
                             '4.9')

    def test_budget_that_is_larger_than_it_follows(self):
        forged = self._worn_out()

        def enlarge(result):
            budget = self._figure(result, 'wear.daily_budget')
            budget['figures']['value'].update(median=9e3, low=9e3, high=9e3)
            budget['store'].update(median=9e3)
        forged.edit_result(enlarge)
        self.assert_relisted(forged, '.figures.value.high: is 9000.0, and '
                             '3547')

    def test_budget_of_a_shorter_warranty(self):
        forged = self._worn_out()
        forged.edit(archive.PROFILE, lambda text: text.replace(
            'warranty_years: 5', 'warranty_years: 3'))
        self.assert_remade(forged, 'is none of those that are published')

    def test_budget_that_somebody_measured(self):
        self.good.document('TestMeasureDevice.test_written[', 'measurement',
                           lambda told: told.update(id='wear.daily_budget'))
        self.assert_remade(self.good, 'wear.daily_budget: follows from '
                           'wear.written_per_dirtied, and nobody measures it')

    def test_life_is_that_of_the_product_that_is_told(self):
        forged = self._worn_out()
        self.assertIn('W04 fail: ', forged.verify(self.path)[1])
        self._endure(forged)
        forged.remake()
        result = json.loads(forged.contents[archive.RESULT])
        self.assertNotIn('W04 fail', str(result['verdict']))
        self.assertEqual(profiles.sha256(forged.contents[archive.PRODUCT]),
                         result['inputs'][archive.PRODUCT])


@ddt.ddt
class SignaturesTest(ForgeryTestCase):
    """Somebody has signed, and it was somebody else or something else."""

    def setUp(self):
        super().setUp()
        self.key = forger.make_key(self.directory, 'vendor')
        self.other = forger.make_key(self.directory, 'other')
        self.allowed = forger.allow(self.directory, vendor=self.key)
        self._sign(self.good, self.key)

    def _sign(self, forged, key, namespace='mempage-cert'):
        path = os.path.join(self.directory, 'manifest')
        with open(path, 'wb') as target:
            target.write(forged.contents[archive.MANIFEST])
        if os.path.exists(path + '.sig'):
            os.remove(path + '.sig')
        subprocess.run(['ssh-keygen', '-q', '-Y', 'sign', '-f', key, '-n',
                        namespace, path], check=True, capture_output=True)
        with open(path + '.sig', 'rb') as source:
            forged.contents[archive.SIGNATURE] = source.read()

    def test_nothing(self):
        self.assertEqual((True, ''), self.good.verify(self.path,
                                                      self.allowed))
        self.assertEqual((True, ''), self.good.verify(self.path))

    def test_of_another(self):
        self._sign(self.good, self.other)
        self.assert_found(self.good, 'the bundle was signed by somebody who '
                          'is not in', self.allowed)

    def test_for_something_else(self):
        self._sign(self.good, self.key, 'file')
        self.assert_found(self.good, 'the signature of vendor@example.com is '
                          'not that of this bundle', self.allowed)

    def test_of_another_bundle(self):
        self._sign(self.bad, self.key)
        self.good.contents[archive.SIGNATURE] = self.bad.contents[
            archive.SIGNATURE]
        for allowed, words in ((self.allowed, 'the signature of vendor@'),
                               (None, 'the signature is not that of')):
            self.assert_found(self.good, words, allowed)

    def test_removed(self):
        del self.good.contents[archive.SIGNATURE]
        self.assert_found(self.good, 'nobody has signed it', self.allowed)

    @ddt.data(b'', b'hidden\n', b'-----BEGIN PGP SIGNATURE-----\n')
    def test_none_of_ssh(self, data):
        self.good.contents[archive.SIGNATURE] = (
            data and data + self.good.contents[archive.SIGNATURE])
        self.assert_found(self.good, 'nobody has signed it' if not data
                          else 'the signature is none of ssh', self.allowed)

    def test_all_reckoned_again(self):
        # Who may write all of it, and has not the key.
        self.good.document(READ, 'measurement',
                           lambda told: told['limit'].update(value=1))
        self.good.remake()
        self.assertTrue(forger.Forger({
            name: data for name, data in self.good.contents.items()
            if name != archive.SIGNATURE}).verify(self.path)[0])
        self.assert_found(self.good, 'the signature of vendor@example.com is '
                          'not that of this bundle', self.allowed)


@ddt.ddt
class StreamTest(ForgeryTestCase):
    """The results themselves were changed, and all was reckoned again."""

    def test_only_the_stream(self):
        self.bad.document(READ, 'measurement',
                          lambda told: drop_pair(told, 3, True))
        self.assert_relisted(self.bad, '$.inputs.results.subunit: is ')

    def test_failing_sample_removed(self):
        self.bad.document(READ, 'measurement',
                          lambda told: told['samples'].pop(4))
        self.assert_remade(self.bad, 'sample 5: it has number 6: samples are '
                           'numbered in order, and none is left out')

    def test_failing_pair_removed(self):
        self.bad.document(READ, 'measurement',
                          lambda told: drop_pair(told, 3))
        self.assert_remade(self.bad, 'sample 5: it has number 7')

    def test_so_many_pairs_removed_that_too_few_are_left(self):
        def change(told):
            for pair in (6, 5):
                drop_pair(told, pair, True)
        self.good.document(BOOT, 'measurement', change)
        self.good.document(BOOT, 'measurement-1', change)
        self.assert_remade(self.good, '4 of at least 5 pairs were measured')

    @ddt.data(1, 3, 6)
    def test_pair_removed_of_one_figure_of_a_test(self, pair):
        self.good.document(READ, 'measurement',
                           lambda told: drop_pair(told, pair, True))
        self.assert_remade(
            self.good, 'cached.write_bandwidth: has not the samples of the '
            'moments that cached.read_bandwidth of the same test has')

    def test_figure_removed_from_one_of_two_measurements(self):
        def change(records):
            [record] = [record for record in records if READ in record.name]
            records.insert(records.index(record) + 1, dataclasses.replace(
                record, details=record.details[:-1]))
        self.good.records(change)
        self.assert_remade(self.good, 'in some of the times that it ran: the '
                           'others were removed')

    def test_what_took_how_long_is_told_once_of_two(self):
        # It contradicts much, and nothing gives up.
        def change(records):
            [record] = [record for record in records if READ in record.name]
            records.insert(records.index(record) + 1, record)
        self.good.document(READ, 'measurement', lambda told: told.update(
            took={'seconds': 1, 'samples': 1, 'limit': 1}))
        taken = self.good.contents[archive.STREAM]
        self.good.contents[archive.STREAM] = known()['good'][archive.STREAM]
        self.good.records(change)
        records = stream.read(self.good.contents[archive.STREAM])
        [first] = [record for record in stream.read(taken)
                   if READ in record.name]
        records[[READ in record.name for record in records].index(
            True)] = first
        self.good.contents[archive.STREAM] = stream.write(records)
        self.assert_remade(self.good, 'measured 2 times, though its figures')

    def test_limit_measured_while_samples_were_taken(self):
        self.good.document(READ, 'measurement', lambda told: told[
            'limit'].update(started=told['samples'][2]['started'],
                            ended=told['samples'][4]['ended']))
        self.assert_remade(self.good, 'cached.read_bandwidth: the limit of '
                           'the store was measured while samples were taken')

    def test_more_pairs_than_anybody_reckons(self):
        self.good.document(READ, 'measurement', samples.values([100] * 1000))
        self.good.remake()
        [figure] = [figure for figure in json.loads(self.good.contents[
            archive.RESULT])['hosts'][0]['figures']
            if figure['id'] == 'cached.read_bandwidth']
        self.assertEqual(('error', {}), (figure['status'], figure['figures']))
        self.assert_found(self.good, 'has 1000 pairs, more than 20')

    def test_sample_copied(self):
        self.good.document(READ, 'measurement', lambda told: told[
            'samples'].insert(2, dict(told['samples'][0])))
        self.assert_remade(self.good, 'sample 3: it has number 1')

    def test_pair_copied(self):
        def change(told):
            told['samples'] += [
                dict(sample, number=12 + number, pair=7)
                for number, sample in enumerate(told['samples'][:2], 1)]
        self.good.document(READ, 'measurement', change)
        self.assert_remade(self.good, 'sample 13: the clock went backwards, '
                           'or samples overlap')

    def test_arms_swapped(self):
        self.bad.document(READ, 'measurement', lambda told: told['samples'][
            4].update(arm='control'))
        self.assert_remade(self.bad, 'pair 3 is not one of store and one of '
                           'control')

    def test_clock_of_a_sample(self):
        self.good.document(READ, 'measurement', lambda told: later(
            -1, 'started', 'ended')(told['samples'][3]))
        self.assert_remade(self.good, 'sample 4: the clock went backwards')

    def test_samples_of_another_time(self):
        def change(told):
            for sample in told['samples']:
                later(-2, 'started', 'ended')(sample)
        self.good.document(READ, 'measurement', change)
        self.assert_remade(self.good, 'its samples are from another time')

    def test_direction(self):
        self.bad.document(READ, 'measurement',
                          lambda told: told.update(direction='lower'))
        self.assert_remade(self.bad, 'direction is lower, and the catalogue')

    def test_not_cached(self):
        self.good.document(READ, 'measurement', lambda told: told[
            'cache'].update(resident_percent=10))
        self.assert_remade(self.good, '10 % of the memory was in the page '
                           'cache: that is not cached')

    def test_measured_again_until_it_suits(self):
        def change(records):
            [record] = [record for record in records if READ in record.name]
            [other] = [record for record in records if BOOT in record.name]
            told = json.loads(record.details[0].data)
            other.details.append(dataclasses.replace(
                record.details[0], name='measurement-2',
                data=json.dumps(told).encode()))
        self.good.records(change)
        self.assert_remade(self.good, 'cached.read_bandwidth was measured 2 '
                           'times: one may not choose')

    def test_measurement_in_another_test(self):
        self.good.record(READ, name=lambda record: record.name.replace(
            'measurement,', ''))
        self.assert_remade(self.good, 'is no test that measures')

    def test_test_removed(self):
        self.bad.records(lambda records: records.remove(next(
            record for record in records if DELETE in record.name)))
        self.assert_remade(self.bad, 'test_delete_frees_store: ran 0 times')

    def test_case_removed(self):
        self.good.records(lambda records: records.remove(next(
            record for record in records if '.test_after_2_x' in record.name)))
        self.assert_remade(self.good, 'test_after: ran 4 times, not 5')

    def test_case_renamed(self):
        self.good.record('.test_after_2_x', name=lambda record: (
            record.name.replace('test_after_2_x', 'test_after_9_x')))
        self.assert_remade(self.good, 'the test has 5 cases')

    def test_case_copied(self):
        self.good.record('.test_after_2_x', name=lambda record: (
            record.name.replace('test_after_2_x', 'test_after_1_x')))
        self.assert_remade(self.good, 'is there 2 times: two runs are mixed')

    def test_case_copied_by_another_name(self):
        self.good.record('.test_after_2_x', name=lambda record: (
            record.name.replace('test_after_2_x', 'test_after_1_y')))
        self.assert_remade(self.good, 'is case 1, and so is api.test_file_')

    def test_copied_with_another_attribute(self):
        def change(records):
            [record] = [record for record in records if TRUTH in record.name]
            records.append(dataclasses.replace(
                record, worker='worker-7',
                name=record.name.replace('per-host', 'per-host,slow')))
        self.good.records(change)
        self.assert_remade(self.good, 'is there 2 times: two runs are mixed')

    @ddt.data('setUpClass', 'tearDownClass')
    def test_class_that_failed(self, what):
        def change(records):
            records.append(dataclasses.replace(
                records[-1], status='fail', worker='worker-7',
                name='%s (mempage_tempest_plugin.tests.api.test_file_backed.'
                     'TestFileBacked)' % what,
                details=[stream.Detail('traceback', stream.TEXT, b'left')]))
        self.good.records(change)
        self.assert_remade(self.good, 'F05 fail: api.test_file_backed.'
                           'TestFileBacked.test_delete_frees_store: its class '
                           'could not be set up, or not put back')

    @ddt.data('certified.by.nobody', '<script>alert(1)</script>',
              'a.b\x1b[2J', 'mempage_tempest_plugin.tests.a b')
    def test_test_of_others(self, name):
        self.good.records(lambda records: records.append(dataclasses.replace(
            records[-1], name=name, details=[], worker='worker-7')))
        self.assert_remade(self.good, 'is in no masked stream: no test is '
                           'called so')

    def test_status_changed(self):
        self.bad.record(DELETE, status='success')
        self.assert_remade(self.bad, 'passed, and has a traceback')

    def _without_traceback(self):
        self.bad.record(DELETE, status='success', details=lambda record: [
            detail for detail in record.details
            if detail.name != 'traceback'])

    def test_status_changed_and_traceback_removed(self):
        self._without_traceback()
        self.assert_remade(self.bad, 'passed, and failed on a host')

    def test_status_and_outcome_changed(self):
        self._without_traceback()
        self.bad.document(DELETE, 'outcome', lambda told: told.update(
            passed=True, error=None))
        self.assert_remade(self.bad, 'passed, and has a fact that disagrees')

    def test_fact_removed(self):
        self._without_traceback()
        self.bad.document(DELETE, 'outcome', lambda told: told.update(
            passed=True, error=None))
        self.bad.document(DELETE, 'facts',
                          lambda told: told['facts'].pop(0))
        self.assert_remade(self.bad, 'nobody asked for the fact "file system:'
                           ' files and directories left"')

    def _unequal(self, **changes):
        def change(told):
            told['facts'][0].update(expected=[], observed=['1-instance'],
                                    **changes)
        self.good.document(DELETE, 'facts', change)

    def test_fact_that_disagrees_said_to_agree(self):
        self._unequal(exact=True)
        self.assert_remade(
            self.good, 'TestFileBacked.test_delete_frees_store[id-6f3accd1-'
            '848c-4faa-b28a-0dd3cdf63c72,per-host]: the fact "file system: '
            'files and directories left" says that it agrees, and '
            "['1-instance'] is not []")

    def test_fact_that_has_not_to_be_equal(self):
        self._unequal(exact=False)
        self.good.remake()
        self.assertEqual((True, ''), self.good.verify(self.path))

    @ddt.unpack
    @ddt.data(
        ('test_write_errors_are_silent_but_found[',
         'kernel: fsync of what was not written'),
        ('test_killed_and_started[', 'file system: what the killed guest had '
         'in memory is found in'), ('test_fill[', 'nova: why the server was '
                                    'refused'))
    def test_what_a_check_is_about_removed(self, test, fact):
        self._remove_fact(test, fact)
        self.assert_remade(self.good, 'nobody asked for the fact "%s"' % fact)

    @ddt.unpack
    @ddt.data(
        # Other tests of the same check have the other facts still.
        ('TestMemoryTruth.test_next_guest_finds_nothing[', 'file system: what '
         'the deleted guest had written is found in'),
        ('test_refused_4_x[', 'nova-compute: does not start, and logs why'),
        ('test_restored[', 'kernel: pc.ram: mapped inode'),
        ('test_after_3_x[', 'kernel: files with the RAM: path and inode'),
        ('test_evacuate[', 'kernel: QEMU processes'),
        ('test_mixed[', 'guest: digest of the pattern'))
    def test_what_a_test_is_about_removed(self, test, fact):
        self._remove_fact(test, fact)
        self.assert_remade(self.good, 'did not ask for the fact "%s"' % fact)

    def _remove_fact(self, test, fact):
        def change(told):
            [found] = [known for known in told['facts'] if fact == '%s: %s' % (
                known['witness'], known['name'])]
            told['facts'].remove(found)
        self.good.document(test, 'facts', change)

    def test_document_removed(self):
        self.good.record(CAPACITY, details=lambda record: [
            detail for detail in record.details
            if detail.name != 'outcome'] + [
                dataclasses.replace(detail, name='outcome-1')
                for detail in record.details if detail.name == 'outcome'])
        self.assert_remade(self.good, 'kept outcome-1, and outcome is not '
                           'there: it was removed')

    def test_limit_of_another_run(self):
        self.bad.document(READ, 'measurement', lambda told: later(
            -9, 'started', 'ended')(told['limit']))
        self.assert_remade(self.bad, 'the limit of the store was not measured '
                           'in this run')

    def test_hosts_of_a_run_that_contradicts_itself(self):
        self.bad.record(DELETE, status='success')
        self.bad.remake()
        result = json.loads(self.bad.contents[archive.RESULT])
        self.assertEqual('error', result['hosts'][0]['verdict']['status'])

    def test_failure_made_a_skip(self):
        self.bad.record(DELETE, status='skip', details=[])
        self.assert_remade(self.bad, 'was skipped, and does not say why')

    def test_failure_without_a_reason(self):
        self.bad.record(DELETE, details=[])
        self.assert_remade(self.bad, 'failed, and does not say why')

    def test_skip_made_a_success(self):
        self.good.record(TRUTH, details=lambda record: [
            *record.details,
            stream.Detail('reason', stream.TEXT, b'no such host')])
        self.assert_remade(self.good, 'was not skipped, and has a reason')

    def test_id_renamed(self):
        self.good.record(DELETE, name=lambda record: record.name.replace(
            '6f3accd1', '00000000'))
        self.assert_remade(self.good, 'has the ID 00000000-848c-4faa-b28a-'
                           '0dd3cdf63c72, and the catalogue knows it by')

    def test_test_renamed(self):
        self.good.record(DELETE, name=lambda record: record.name.replace(
            'test_delete_frees_store', 'test_something'))
        self.assert_remade(self.good, 'has the ID of mempage_tempest_plugin.')

    def test_id_of_another_test(self):
        self.bad.record(DELETE, name=lambda record: record.name.replace(
            '6f3accd1-848c-4faa-b28a-0dd3cdf63c72',
            'f52f2cfc-9c97-4083-be43-ef350658775c'))
        self.assert_remade(self.bad, 'and the catalogue knows it by 6f3accd1')

    def _other_run(self):
        other = forger.Forger(known()['good'])
        found = {}
        other.records(lambda records: found.update(
            {record.name: record for record in records}))
        return found

    def test_test_of_another_run(self):
        name = next(name for name in self._other_run() if DELETE in name)
        record = self._other_run()[name]
        hour = datetime.timedelta(hours=9)
        self.bad.record(
            DELETE, status='success', started=record.started + hour,
            ended=record.ended + hour, worker='worker-7', details=[])
        self.bad.record(DELETE, details=record.details)
        self.bad.document(DELETE, 'facts', later(9, 'when'))
        self.assert_remade(self.bad, 'ran after the run had ended on host-1: '
                           'it is of another run')

    def test_test_of_an_earlier_run(self):
        day = datetime.timedelta(days=1)
        self.good.record(DELETE, worker='worker-7',
                         started=lambda record: record.started - day,
                         ended=lambda record: record.ended - day)
        self.good.document(DELETE, 'facts', later(-24, 'when'))
        self.assert_remade(self.good, 'ran before the run began on host-1')

    def test_facts_of_another_run(self):
        self.good.document(DELETE, 'facts', later(9, 'when'))
        self.assert_remade(self.good, 'has facts of another time')

    def test_figures_of_another_run(self):
        self.good.document(READ, 'measurement', lambda told: told.update(
            run='00000000-5a25-4d0c-9c1c-0f9f0a1d2b33'))
        self.assert_remade(self.good, 'documents are of 2 runs: 00000000-')

    def _ran_before(self, minutes, **changes):
        """Add what a test has left that was cut off."""
        def change(records):
            record = next(record for record in records
                          if DELETE in record.name)
            records.append(dataclasses.replace(record, **{
                'status': stream.HUNG, 'ended': None, 'details': [],
                'started': record.started - datetime.timedelta(
                    minutes=minutes), **changes}))
        self.good.records(change)

    def test_cut_off_is_told(self):
        self._ran_before(1)
        self.good.remake()
        self.assertEqual((True, ''), self.good.verify(self.path))
        self.assertEqual(1, json.loads(
            self.good.contents[archive.RESULT])['run']['unfinished'])

    def test_cut_off_several_times(self):
        self._ran_before(1)
        self._ran_before(2)
        self.good.remake()
        self.assertEqual(2, json.loads(
            self.good.contents[archive.RESULT])['run']['unfinished'])

    def test_cut_off_so_often_that_nobody_compares_each_with_all(self):
        self._ran_before(1)
        run = runs.read(self.good.contents[archive.STREAM])
        with mock.patch.object(runs.Entry, '__eq__',
                               side_effect=AssertionError):
            self.assertEqual(1, len(run.cut_off))
            self.assertEqual(len(run.entries) - 1, sum(
                len(run.of_all(name)) for name in {
                    entry.methods()[-1] for entry in run.entries}))
            list(consistency._of_repeated(run, None))

    def test_failure_made_a_cut_off(self):
        self._ran_before(1, details=[stream.Detail(
            'traceback', stream.TEXT, b'no valid host')])
        self.assert_remade(self.good, 'never ended, has kept traceback all '
                           'the same, and ran again')

    def test_ran_again_and_was_cut_off(self):
        self._ran_before(-1)
        self.assert_remade(self.good, 'is there 2 times: two runs are mixed')

    def test_measured_again_though_all_was_told(self):
        def change(records):
            [record] = [record for record in records if READ in record.name]
            records.insert(records.index(record) + 1, record)
        self.good.records(change)
        self.assert_remade(self.good, 'test_cached[id-351de58a-44cb-41a1-85ce-'
                           'b35d86d56f49,measurement,per-host] measured 2 '
                           'times, though its figures were told')

    def test_both_runs(self):
        self.bad.records(lambda records: records.append(
            next(record for name, record in self._other_run().items()
                 if DELETE in name)))
        self.assert_remade(self.bad, 'is there 2 times: two runs are mixed')

    def test_clock_turned_back(self):
        minute = datetime.timedelta(minutes=30)
        self.good.record(TRUTH, started=lambda record: record.started - minute,
                         ended=lambda record: record.ended - minute)
        self.good.document(TRUTH, 'facts', later(-0.5, 'when'))
        self.assert_remade(self.good, 'the clock went backwards, or two runs '
                           'are mixed')

    def test_ended_before_it_began(self):
        self.good.record(TRUTH, ended=lambda record: (
            record.started - datetime.timedelta(seconds=1)))
        self.assert_remade(self.good, 'ended before it began: the clock')

    def test_without_times(self):
        self.good.record(TRUTH, started=None)
        self.assert_remade(self.good, 'nobody knows when it ran')

    def test_cut_off(self):
        data = self.good.contents[archive.STREAM]
        self.good.contents[archive.STREAM] = data[:-300]
        self.assert_remade(self.good, 'results.subunit: is not as it was '
                           'written: parts of it were cut off')

    def test_cut_between_two_tests(self):
        self.good.records(lambda records: records.pop())
        self.assert_remade(self.good, 'the run did not come to its end')

    def test_something_after_the_end(self):
        self.good.contents[archive.STREAM] += b'hidden'
        self.assert_remade(self.good, 'is not as it was written')

    def test_another_order(self):
        self.good.records(lambda records: records.insert(
            0, records.pop(7)))
        self.assert_remade(self.good, 'which the same worker ran before it')

    def test_no_stream(self):
        self.good.contents[archive.STREAM] = b'\xb3' * 99
        self.assert_remade(self.good, 'results: have no tests')

    @ddt.unpack
    @ddt.data(({'version': 2}, '$.version: 1 was expected'),
              ({'kind': 'seal'}, 'is no document'),
              ({'kind': 'outcome'}, 'is no document'),
              ({'facts': 7}, "$.facts: 7 is not of type 'array'"))
    def test_document(self, changes, words):
        self.good.document(DELETE, 'facts', lambda told: told.update(changes))
        self.assert_remade(self.good, words)

    @ddt.unpack
    @ddt.data((b'{"kind":"outcome","version":1,"host":"host-1","passed":true,'
               b'"error":NaN}', 'NaN is no number'),
              (b'[' * 9999, 'is not plain JSON'),
              (b'\xff', 'is not plain JSON'), (b'1e999', 'is not plain JSON'),
              (b'[' * 300 + b']' * 300, 'it is too deep'),
              (b'7', 'is no document'), (b'{"kind": []}', 'is no document'))
    def test_data_that_is_none(self, data, words):
        self.good.record(DELETE, details=[
            stream.Detail('outcome', stream.JSON, data)])
        self.assert_remade(self.good, words)

    def test_detail_that_is_in_no_masked_stream(self):
        self.good.record(DELETE, details=lambda record: [
            *record.details, stream.Detail('seal', stream.TEXT, b'x')])
        self.assert_remade(self.good, "kept 'seal', which is in no masked")

    @ddt.unpack
    @ddt.data(
        ({'samples': 3.0}, 'took 3 s for samples, and 12 s passed by its '
                           'moments'),
        ({'limit': 9.5}, 'took 9.5 s for limit, and 1 s passed'),
        ({'seconds': 5.0}, 'took 5 s, which is less than its samples or more '
                           'than scenario.test_measure_memory.TestMeasure'),
        ({'seconds': 500.0}, 'took 500 s, which is less than its samples or'))
    def test_time_that_it_took(self, changes, words):
        def change(told, **changes):
            told['took'] = {'seconds': 40.0, 'samples': 12.0, 'limit': 1.0,
                            **changes}
        self.good.document(BOOT, 'measurement', change)
        self.good.remake()
        self.assertEqual((True, ''), self.good.verify(self.path))
        self.good.document(BOOT, 'measurement',
                           lambda told: change(told, **changes))
        self.assert_remade(self.good, words)

    def _fleet(self, profile, serial_hash):
        sample = samples.Sample(profile, ('fbm1', 'fbm2'),
                                ('test_capacity',))
        for host in sample.hosts:
            sample.environment(
                lambda told: told['store']['devices'][0].update(
                    serial_hash=serial_hash), host=host)
        return forger.Forger(sample.bundle())

    def test_device_in_two_hosts(self):
        self.assert_found(
            self._fleet('nvme-standard', '0' * 64), 'host-2: its device MODEL '
            'X has the serial number of one of host-1: a device is in one')

    @ddt.unpack
    @ddt.data(
        # Parts of one machine, and devices without a serial number.
        ('smoke-lab', '0' * 64),
        ('nvme-standard', environments.serial_hash('MODEL X', '')))
    def test_device_that_two_hosts_may_have(self, profile, serial_hash):
        self.assertNotIn('serial number', self._fleet(
            profile, serial_hash).verify(self.path)[1])

    def test_emulated_host(self):
        # It is told twice what it is made of.
        self.good.document('TestStoreEnvironment.test_before', 'environment',
                           lambda told: told.update(accelerator='tcg'))
        self.assert_remade(self.good, 'accelerator changed during the run')

    def test_told_twice(self):
        self.good.record('TestStoreEnvironment.test_before',
                         details=lambda record: [
                             *record.details, dataclasses.replace(
                                 record.details[0], name='environment-1')])
        self.assert_remade(self.good, 'host-1: tells 2 times what it was '
                           'before the run')

    def test_results_of_another_host(self):
        self.bad.document(DELETE, 'outcome',
                          lambda told: told.update(host='host-2'))
        self.assert_remade(self.bad, 'F05 fail: ')

    def test_host_left_out(self):
        def change(told):
            told['host'] = 'host-2'
        for phase in ('before', 'after'):
            self.good.document('TestStoreEnvironment.test_' + phase,
                               'environment', change)
        self.assert_remade(self.good, 'host-1: was tested, and does not tell')

    def test_host_removed(self):
        sample = samples.Sample('smoke-lab', ('fbm1', 'fbm2', 'fbm3'))
        forged = forger.Forger(sample.bundle())

        def change(records):
            for place, record in enumerate(records):
                details = []
                for detail in record.details:
                    if b'"host-2"' not in detail.data:
                        kind = detail.name.partition('-')[0]
                        number = sum(other.name.startswith(kind)
                                     for other in details)
                        details.append(dataclasses.replace(
                            detail, name='%s-%d' % (kind, number) if number
                            else kind))
                records[place] = dataclasses.replace(record, details=details)
        forged.records(change)
        self.assert_remade(forged, 'host-2: is not there, and hosts have all '
                           'numbers from 1 on: it was removed')

    @ddt.data('before', 'after')
    def test_store_that_was_not_always_there(self, phase):
        forged = forger.Forger(samples.Sample(
            'nvme-endurance', only=('wear.',)).bundle())
        forged.document('TestStoreEnvironment.test_' + phase, 'environment',
                        lambda told: told.update(store=None))
        self.assert_remade(forged, 'store changed during the run')

    def test_not_masked(self):
        self.good.document(DELETE, 'outcome',
                           lambda told: told.update(host='fbm1'))
        self.assert_remade(self.good, 'a host is called by its name: the '
                           'stream was not masked')
