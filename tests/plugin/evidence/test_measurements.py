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

import copy
import datetime
import json

import ddt
from oslotest import base
import testtools

from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin import exceptions
from tests.plugin import samples

RUN = '6ec5d6a5-5a25-4d0c-9c1c-0f9f0a1d2b33'
BEGIN = datetime.datetime(2026, 11, 30, 6, tzinfo=datetime.timezone.utc)


def at(seconds):
    return BEGIN + datetime.timedelta(seconds=seconds)


def measurement(values=((95, 100), (96, 100))):
    made = measurements.Measurement(
        'cached.read_bandwidth', 'MiB/s', 'higher', 'fbm1', RUN, 7,
        ('fio', '3.33'))
    made.cache(measurements.CACHED, 100, 'cachestat', 0.5)
    made.limit(120, ('fio', '3.33'), at(0), at(1))
    for pair, (store, control) in enumerate(values):
        made.sample(measurements.STORE, store, at(4 * pair + 1),
                    at(4 * pair + 2))
        made.sample(measurements.CONTROL, control, at(4 * pair + 3),
                    at(4 * pair + 4))
    return made


@ddt.ddt
class MeasurementTest(base.BaseTestCase):

    def test_kept(self):
        test = testtools.TestCase('run')
        measurements.keep(test, measurement())
        [data] = test.getDetails()['measurement'].iter_bytes()
        document = json.loads(data)
        self.assertEqual((1, 'store', 95), tuple(
            document['samples'][0][key] for key in ('pair', 'arm', 'value')))
        self.assertEqual('2026-11-30T06:00:01.000+00:00',
                         document['samples'][0]['started'])

    def test_took(self):
        made = measurement()
        made.took(at(-30), at(10))
        self.assertEqual({'seconds': 40, 'samples': 4, 'limit': 1},
                         made.document()['took'])

    def test_timeline(self):
        made = measurement()
        point = {'seconds': 0, 'dirty_mib': 3.5, 'written_mib': 0}
        made.timeline([point])
        self.assertEqual([point], made.document()['timeline'])
        made.timeline([{**point, 'dirty_mib': -1}])
        self.assertRaises(exceptions.DocumentError, made.document)

    @ddt.unpack
    @ddt.data((100, 'cached'), (95, 'cached'), (94, 'mixed'), (5.1, 'mixed'),
              (5, 'cold'))
    def test_state(self, percent, state):
        self.assertEqual(state, measurements.state_of(percent))

    @ddt.data('cache', 'limit', 'samples', 'footprint_over_dram')
    def test_no_meaning_without(self, key):
        made = measurement()
        made._document.pop(key)
        error = self.assertRaises(exceptions.DocumentError, made.document)
        self.assertIn('measurement cached.read_bandwidth of host fbm1: $: '
                      "'%s' is a required property" % key, str(error))

    @ddt.unpack
    @ddt.data(
        (lambda told: told['samples'].pop(0), 'sample 1: it has number 2'),
        (lambda told: told['samples'].pop(), 'pair 2 has one sample only'),
        (lambda told: told['samples'][1].update(arm='store'),
         'pair 1 is not one of store and one of control'),
        (lambda told: told['samples'][3].update(pair=9), 'it is of pair 9'),
        (lambda told: told['samples'][2].update(
            started=told['samples'][0]['started']),
         'sample 3: the clock went backwards, or samples overlap'),
        (lambda told: told['samples'][2].update(
            ended='2026-11-30T06:00:00.000+00:00'),
         'sample 3: the clock went backwards'),
        (lambda told: told['cache'].update(resident_percent=90),
         '90 % of the memory was in the page cache: that is not cached'),
        (lambda told: told['cache'].update(state='cold', resident_percent=6),
         'that is not cold, which is at most 5 %'),
        (lambda told: told['limit'].update(value=0), 'a limit of 0 is none'),
        (lambda told: told['limit'].update(
            ended='2026-11-30T05:00:00.000+00:00'),
         'limit: the clock went backwards'))
    def test_no_meaning(self, spoil, words):
        told = copy.deepcopy(measurement().document())
        spoil(told)
        self.assertIsNone(kept.invalid(told, 'measurement'))
        self.assertIn(words, measurements.meaningless(told))

    @ddt.unpack
    @ddt.data(
        ({'unit': 'furlongs'}, "$.unit: 'furlongs' is not one of"),
        ({'run': 'x'}, '$.run: '), ({'seed': -1}, '$.seed: '),
        ({'id': 'Cached bandwidth'}, '$.id: '),
        ({'samples': []}, '$.samples: '),
        ({'comment': 'of host db1'}, "('comment' was unexpected)"),
        ({'version': 2}, '$.version: '))
    def test_invalid(self, changed, words):
        told = dict(measurement().document(), **changed)
        self.assertIn(words, kept.invalid(told, 'measurement'))

    @ddt.data('2026-11-30T99:00:00.000+00:00', '2026-13-30T06:00:00.000+00:00')
    def test_moment_that_is_none(self, text):
        told = copy.deepcopy(measurement().document())
        told['samples'][0]['started'] = text
        self.assertIn('$.samples[0].started: ',
                      kept.invalid(told, 'measurement'))

    @ddt.data(float('inf'), -1, 'fast', None)
    def test_value_that_is_none(self, value):
        told = copy.deepcopy(measurement().document())
        told['limit']['value'] = value
        self.assertIn('$.limit.value: ', kept.invalid(told, 'measurement'))


@ddt.ddt
class EnvironmentTest(base.BaseTestCase):

    def test_kept(self):
        test = testtools.TestCase('run')
        environments.keep(test, samples.environment('fbm1'))
        [data] = test.getDetails()['environment'].iter_bytes()
        self.assertEqual('ext4', json.loads(data)['store']['file_system'])

    @ddt.unpack
    @ddt.data(({'accelerator': 'xen'}, '$.accelerator: '),
              ({'cpu': 'a\nb'}, '$.cpu: '),
              ({'memory_mib': 1.5}, '$.memory_mib: '),
              ({'phase': 'meanwhile'}, '$.phase: '),
              ({'address': '203.0.113.9'}, "'address' was unexpected"))
    def test_invalid(self, changed, words):
        error = self.assertRaises(
            exceptions.DocumentError, samples.environment, 'fbm1', **changed)
        self.assertIn('environment of host fbm1: $', str(error))
        self.assertIn(words, str(error))

    def test_serial_number_is_not_told(self):
        self.assertEqual(environments.serial_hash('A1 ', 'S123'),
                         environments.serial_hash('A1', 'S123 '))
        self.assertNotEqual(environments.serial_hash('A1', 'S123'),
                            environments.serial_hash('A2', 'S123'))
