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

"""Tests of what measuring tests share, with guests that are made up."""

import datetime
import json
import os
from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
import yaml

import mempage_certificate
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.scenario import test_measure_cached
from tests.plugin.bases import cases
from tests.plugin import samples

RUN = '6ec5d6a5-5a25-4d0c-9c1c-0f9f0a1d2b33'
CLASSES = (test_measure_cached.TestMeasureCached,)


def catalogue():
    path = os.path.join(os.path.dirname(mempage_certificate.__file__),
                        'published', 'catalogue-1.yaml')
    with open(path, encoding='utf-8') as stream:
        checks = yaml.safe_load(stream)['checks'].values()
    return {identity: rule for check in checks
            for identity, rule in check.get('measurements', {}).items()}


class Memory:
    """A guest's memory, which is as fast as it is told to be."""

    mib = 48

    def __init__(self, speed):
        self.speed = speed
        self.asked = []

    def read_bandwidth(self):
        return 1000 * self.speed

    def write_bandwidth(self):
        return 900 * self.speed

    def copy_bandwidth(self):
        return 500 * self.speed

    def latencies(self, number, seed):
        self.asked.append((number, seed))
        return [100 / self.speed] * (number - 30) + [500] * 30


@ddt.ddt
class MeasuredTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        conf = cases.options(mempage={'measure': 2, 'run': RUN})
        for module in (base, measured):
            self.useFixture(fixtures.MockPatchObject(module, 'CONF', conf))
        self.cached = 49152
        self.useFixture(fixtures.MockPatchObject(
            cache, 'look', lambda host, path: cache.Cached(
                49152, self.cached, 'cachestat', None, 4096)))
        self.removed = self.useFixture(fixtures.MockPatchObject(
            measured.foreign_data, 'remove')).mock
        self.host = cases.host('fbm1', declared=samples.FILE_BACKED)
        self.host.survey.return_value.files = {
            samples.PATH: samples.file(samples.PATH, 'f', size=samples.RAM)}
        self.host.survey.return_value.memory_mib = 1536

    def make(self, cls):
        test = self

        class Case(cls):
            """Guests that are there."""

            def begin(self, host):
                self._host = host
                self.seed = 7
                self._versions = {'ioping': '1.3', 'mbw': '1.2.2'}
                server = mock.Mock(ram_mib=192, uuid=samples.SERVER)
                self.arms = [
                    measured.Arm('store', server, Memory(0.9), samples.PATH),
                    measured.Arm('control', server, Memory(1))]
                self.began = self.new_figures()

            def end(self, host):
                pass

        self.case = cases.make(
            Case, next(name for name in dir(cls) if name.startswith('test_')),
            hosts=[test.host])
        return self.case

    def kept(self):
        return {document['id']: document for document in (
            json.loads(b''.join(content.iter_bytes()))
            for name, content in self.case.getDetails().items()
            if name.startswith('measurement'))}


@ddt.ddt
class SharedTest(MeasuredTestCase):

    @ddt.data(*CLASSES)
    def test_figures_are_those_of_the_catalogue(self, cls):
        known = catalogue()
        self.assertEqual({}, {
            identity: told for identity, told in cls.figures.items()
            if told != (known[identity]['unit'],
                        known[identity]['direction'])})

    @ddt.data(*CLASSES)
    def test_can_be_left_out(self, cls):
        """Nothing is measured, nor is anybody harmed, unless asked for"""
        self.assertTrue(cls.harmful)
        self.assertIn('measure', base.joined.united(cls, 'promises'))
        name = next(name for name in dir(cls) if name.startswith('test_'))
        self.assertIn('measurement', vars(getattr(cls, name))[
            '__testtools_attrs'])

    def test_file_with_holes(self):
        """Memory that a guest has given back need not be in the cache"""
        case = self.make(test_measure_cached.TestMeasureCached)
        case.begin(self.host)
        self.cached = 24576
        self.assertEqual((50, 'cachestat'), case.resident())
        self.host.survey.return_value.files[samples.PATH] = samples.file(
            samples.PATH, 'f', size=samples.RAM // 2)
        self.assertEqual((100, 'cachestat'), case.resident())

    def test_footprint(self):
        case = self.make(test_measure_cached.TestMeasureCached)
        case.begin(self.host)
        self.assertEqual(0.25, case.footprint())

    def test_limit_that_cannot_be_measured(self):
        """What fio has written is removed all the same"""
        case = self.make(test_measure_cached.TestMeasureCached)
        case.begin(self.host)
        self.useFixture(fixtures.MockPatchObject(
            fio, 'run', side_effect=exceptions.FactsMissing('fbm1', 'speed')))
        self.assertRaises(exceptions.FactsMissing, case.measure_limit, [],
                          dict)
        self.removed.assert_called_once_with(self.host)


class CachedTest(MeasuredTestCase):

    def setUp(self):
        super().setUp()
        done = fio.Done(1200, 1100, 0.1, {50: 90, 99: 300, 99.9: 400})
        self.ran = self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', dict.fromkeys(
                ('read', 'write', 'copy', 'random'), done)))).mock

    def test_kept(self):
        self.make(test_measure_cached.TestMeasureCached).test_cached()
        kept = self.kept()
        self.assertEqual(set(self.case.figures), set(kept))
        read = kept['cached.read_bandwidth']
        self.assertEqual(
            [('store', 900), ('control', 1000)] * 2,
            [(sample['arm'], sample['value']) for sample in read['samples']])
        self.assertEqual(('cached', 100, 1200, RUN, 7), (
            read['cache']['state'], read['cache']['resident_percent'],
            read['limit']['value'], read['run'], read['seed']))
        self.assertEqual(500, kept['cached.read_latency_p99']['samples'][0][
            'value'])
        self.assertEqual('mbw', kept['cached.copy_bandwidth']['tool']['name'])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(read['samples'][-1]['ended'], now.isoformat())
        self.assertEqual(48, self.ran.call_args[0][2])

    def test_not_in_the_cache(self):
        self.cached = 40000
        error = self.assertRaises(
            self.failureException,
            self.make(test_measure_cached.TestMeasureCached).test_cached)
        self.assertIn('81.3802 % of the memory was in the page cache: that is '
                      'not cached', str(error))
        self.assertEqual({}, self.kept())
