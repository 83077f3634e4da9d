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
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import footprints
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import writes
from mempage_tempest_plugin.tests.scenario import test_measure_device
from mempage_tempest_plugin.tests.scenario import test_measure_memory
from mempage_tempest_plugin.tests.scenario import test_measure_migration
from tests.plugin.bases import cases
from tests.plugin import samples

RUN = '6ec5d6a5-5a25-4d0c-9c1c-0f9f0a1d2b33'
FIGURES = {**test_measure_memory.CACHED, **test_measure_memory.BOOT,
           **test_measure_device.COLD, **test_measure_device.WEAR,
           **writes.DIRTY, **writes.IDLE, **footprints.FIGURES,
           **test_measure_migration.MIGRATION}
CLASSES = (test_measure_memory.TestMeasureMemory,
           test_measure_device.TestMeasureDevice,
           test_measure_migration.TestMeasureMigration)


def catalogue():
    path = os.path.join(os.path.dirname(mempage_certificate.__file__),
                        'published', 'catalogue-1.yaml')
    with open(path, encoding='utf-8') as stream:
        checks = yaml.safe_load(stream)['checks'].values()
    return {identity: rule for check in checks
            for identity, rule in check.get('measurements', {}).items()}


def identity_of(method):
    [found] = [attribute for attribute in vars(method)['__testtools_attrs']
               if attribute.startswith('id-')]
    return found.removeprefix('id-')


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

    def rewrite_bandwidth(self, seconds):
        self.asked.append(seconds)
        return 300 * self.speed

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

            def begin(self, host, figures):
                self.host = host
                self._began_at = (measured.now()
                                  - datetime.timedelta(seconds=60))
                self.seed = 7
                self.versions = {'ioping': '1.3', 'mbw': '1.2.2',
                                 'kernel': '6.1', 'libvirt': '9.0.0'}
                server = mock.Mock(ram_mib=192, uuid=samples.SERVER)
                self.arms = [
                    measured.Arm('store', server, Memory(0.9), samples.PATH),
                    measured.Arm('control', server, Memory(1))]
                self.began = self.new_figures(figures)

            begin_with_twins = begin

            def end(self):
                pass

        self.case = cases.make(
            Case, hosts=[test.host])
        return self.case

    def kept(self):
        return {document['id']: document for document in (
            json.loads(b''.join(content.iter_bytes()))
            for name, content in self.case.getDetails().items()
            if name.startswith('measurement'))}


@ddt.ddt
class SharedTest(MeasuredTestCase):

    def test_figures_are_those_of_the_catalogue(self):
        known = catalogue()
        self.assertEqual({}, {
            identity: told for identity, told in FIGURES.items()
            if told[:2] != (known[identity]['unit'],
                            known[identity]['direction'])})

    def test_tests_are_those_of_the_catalogue(self):
        """No figure is taken from any other"""
        known = {name: test['id'] for rule in catalogue().values()
                 for name, test in rule.get('tests', {}).items()}
        self.assertEqual(known, {
            '%s.%s.%s' % (cls.__module__.partition('tests.')[2],
                          cls.__name__, name): identity_of(getattr(cls, name))
            for cls in CLASSES for name in dir(cls)
            if name.startswith('test_')})

    @ddt.data(*CLASSES)
    def test_can_be_left_out(self, cls):
        """Nothing is measured, nor is anybody harmed, unless asked for"""
        self.assertTrue(cls.harmful)
        self.assertIn('measure', base.joined.united(cls, 'promises'))
        self.assertEqual([], [
            name for name in dir(cls) if name.startswith('test_')
            and 'measurement' not in vars(getattr(cls, name))[
                '__testtools_attrs']])

    def test_file_with_holes(self):
        """Memory that a guest has given back need not be in the cache"""
        case = self.make(test_measure_memory.TestMeasureMemory)
        case.begin(self.host, test_measure_memory.CACHED)
        self.cached = 24576
        self.assertEqual((50, 'cachestat'), case.resident())
        self.host.survey.return_value.files[samples.PATH] = samples.file(
            samples.PATH, 'f', size=samples.RAM // 2)
        self.assertEqual((100, 'cachestat'), case.resident())

    def test_footprint(self):
        case = self.make(test_measure_memory.TestMeasureMemory)
        case.begin(self.host, test_measure_memory.CACHED)
        self.assertEqual(0.25, case.footprint())

    def test_limit_that_cannot_be_measured(self):
        """What fio has written is removed all the same"""
        case = self.make(test_measure_memory.TestMeasureMemory)
        case.begin(self.host, test_measure_memory.CACHED)
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
        self.make(test_measure_memory.TestMeasureMemory).test_cached()
        kept = self.kept()
        self.assertEqual(set(test_measure_memory.CACHED), set(kept))
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
        took = read['took']
        self.assertLess(60, took['seconds'])
        self.assertLess(took['samples'] + took['limit'], took['seconds'])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(read['samples'][-1]['ended'], now.isoformat())
        self.assertEqual(48, self.ran.call_args[0][2])

    def test_not_in_the_cache(self):
        self.cached = 40000
        error = self.assertRaises(
            self.failureException,
            self.make(test_measure_memory.TestMeasureMemory).test_cached)
        self.assertIn('81.3802 % of the memory was in the page cache: that is '
                      'not cached', str(error))
        self.assertEqual({}, self.kept())


@ddt.ddt
class ColdTest(MeasuredTestCase):

    def setUp(self):
        super().setUp()
        done = fio.Done(700, 0, 0.1, {50: 80000, 99: 90000, 99.9: 99000})
        self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', {'random': done,
                                               'mapped': done})))
        self.left = iter([0, 50, 0, 0])
        self.evict = self.useFixture(fixtures.MockPatchObject(
            cache, 'evict', side_effect=lambda host, path, pids: cache.Cached(
                49152, next(self.left), 'cachestat', self.fsync, 4096))).mock
        self.fsync = None
        self.ram = 192
        self.useFixture(fixtures.MockPatchObject(
            block_devices, 'read_ahead_kib', return_value=128))

    def _run(self):
        case = self.make(test_measure_device.TestMeasureDevice)
        case.nova = self.nova = mock.Mock()
        case.store_mount = mock.Mock()
        case.flavor = {'ram': self.ram}
        case.test_cold()

    def test_kept(self):
        self._run()
        kept = self.kept()
        # Of 96 reads, none is the slowest hundredth.
        self.assertEqual({'cold.read_bandwidth', 'cold.read_latency_p50'},
                         set(kept))
        found = kept['cold.read_latency_p50']
        self.assertEqual(('cold', 100 * 50 / 49152, 80), (
            found['cache']['state'], found['cache']['resident_percent'],
            found['limit']['value']))
        # A file that is read all around is not read at random any more.
        self.assertEqual((96, 7), self.case.arms[0].memory.asked[0])
        # The control is paused as well.
        self.assertEqual(4, self.evict.call_count)
        self.assertEqual(16, self.nova.act.call_count)

    @ddt.unpack
    @ddt.data((196, 2), (256, 3), (2048, 4))
    def test_figures_of_larger_guests(self, ram, number):
        self.ram = ram
        self.left = iter([0] * 4)
        self._run()
        kept = self.kept()
        self.assertEqual(number, len(kept))
        self.assertEqual([], [
            identity for identity in test_measure_device.COLD
            if identity not in kept and number == 4])

    def test_not_cold(self):
        self.left = iter([0, 0, 0, 3000])
        error = self.assertRaises(self.failureException, self._run)
        self.assertIn('that is not cold, which is at most 5 %', str(error))

    def test_store_that_cannot_be_written(self):
        self.fsync = 'Input/output error'
        error = self.assertRaises(self.failureException, self._run)
        self.assertIn("'Input/output error' is not None", str(error))

    def test_reads(self):
        reads = test_measure_device.reads
        self.assertEqual([96, 8, 96, 2000], [
            reads(48, 128), reads(48, 2560), reads(48, None),
            reads(4096, 128)])


class WearTest(MeasuredTestCase):

    def _run(self):
        self.host.libvirt.inactive_xml.return_value = BootTest.XML
        case = self.make(test_measure_device.TestMeasureDevice)
        case.nova = mock.Mock()
        case.test_written()

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', {})))

    def _look(self, *written):
        mib = 48 * samples.MIB
        answers = iter([block_devices.BlockDevices(
            {'nvme0n1p1': int(each * mib), 'nvme0n1': 10 * mib}, ['nvme0n1'],
            {}) for each in written])
        self.useFixture(fixtures.MockPatchObject(
            block_devices, 'look', lambda host: next(answers)))

    def test_kept(self):
        self._look(0, 1.25,
                   1.25, 2.5, 2.5, 6.5, 6.5, 6.5, 6.5, 6.5,
                   6.5, 7.5, 7.5, 11.5, 11.5, 12, 12, 12)
        self._run()
        found = self.kept()['wear.written_per_dirtied']
        self.assertEqual([1.25, 0, 1, 0.5], [
            sample['value'] for sample in found['samples']])
        booted = self.kept()['wear.boot_written']
        self.assertEqual([1, 0, 1, 0], [
            sample['value'] for sample in booted['samples']])
        self.assertEqual(1.25, found['limit']['value'])
        self.assertEqual({'name': 'kernel', 'version': '6.1'},
                         found['tool'])

    def test_nothing_was_written(self):
        self._look(*[1] * 18)
        error = self.assertRaises(self.failureException, self._run)
        self.assertIn('a limit of 0 is none', str(error))


class BootTest(MeasuredTestCase):

    XML = '''<domain type='kvm'><name>instance-00000001</name>
    <uuid>%s</uuid><memory>196608</memory><metadata/>
    <memoryBacking><source type='file'/></memoryBacking>
    <sysinfo type='smbios'/><os><type>hvm</type><smbios mode='sysinfo'/></os>
    <devices><emulator>qemu</emulator><disk/><interface/><serial/>
    <controller type='pci'/></devices></domain>''' % samples.SERVER

    def test_kept(self):
        done = fio.Done(0, 900, 0.2, {})
        ran = self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', {'write': done}))).mock
        self.useFixture(fixtures.MockPatchObject(
            measured.foreign_data, 'remove_timed',
            return_value=(0.05, '9.1')))
        libvirt = self.host.libvirt
        libvirt.inactive_xml.return_value = self.XML
        case = self.make(test_measure_memory.TestMeasureMemory)
        case.flavor = {'ram': 192}
        case.test_boot()
        found = self.kept()['boot.time']
        self.assertEqual(('rm', '9.1', 0.05), (*self.kept()['delete.time'][
            'limit']['tool'].values(), self.kept()['delete.time']['limit'][
                'value']))
        self.assertEqual((4, 0.2, 'libvirt'), (
            len(found['samples']), found['limit']['value'],
            found['tool']['name']))
        self.assertEqual(192, ran.call_args[0][2])
        started = [call[0][0] for call in libvirt.start.call_args_list]
        ended = [call[0][0] for call in libvirt.destroy.call_args_list]
        self.assertEqual(4, len(set(ended)))
        self.assertEqual([True, False] * 2, [
            '<source type="file"' in xml for xml in started])
        for xml, uuid in zip(started, ended):
            self.assertIn(uuid, xml)
            self.assertIn('mempage-twin', xml)
            for word in (samples.SERVER, 'disk', 'interface', 'serial',
                         'sysinfo', 'metadata'):
                self.assertNotIn(word, xml)


class BeginTest(test_base.BaseTestCase):
    """Guests are booted, and one of them gets anonymous memory."""

    def setUp(self):
        super().setUp()
        conf = cases.options(mempage={'measure': 2, 'run': RUN})
        self.useFixture(fixtures.MockPatchObject(measured, 'CONF', conf))
        self.give = self.useFixture(fixtures.MockPatchObject(
            measured.anonymous_memory, 'give')).mock
        self.guest = self.useFixture(fixtures.MockPatchObject(
            measured.speed, 'Memory')).mock.return_value
        self.guest.lacking.return_value = []
        self.guest.versions.return_value = {'ioping': '1.3', 'mbw': '1.2.2'}
        self.host = cases.host('fbm1')
        self.host.libvirt.xml.return_value = '<domain/>'
        self.host.libvirt.versions.return_value = ('9.0.0', '7.2.22')
        self.host.ssh.execute.return_value.stdout = '6.1\n'
        self.host.memory_backends.return_value = [
            mock.Mock(mem_path=samples.PATH)]
        self.case = measured.BaseMeasuredTest('begin')
        self.case.nova = mock.Mock()
        self.case.connect = mock.Mock()
        self.case.boot_reachable = mock.Mock(side_effect=[
            mock.Mock(uuid=uuid, ram_mib=192) for uuid in '12'])

    def _begin(self):
        self.case.begin(self.host, test_measure_memory.CACHED)

    def test_begin(self):
        self._begin()
        self.give.assert_called_once_with(self.host, '2')
        # It loses nothing of what it has written to its disk.
        self.assertEqual(
            mock.call().exec_command('sync'),
            self.case.connect.mock_calls[1])
        self.assertEqual([('store', '1', samples.PATH),
                          ('control', '2', None)], [
            (arm.name, arm.server.uuid, arm.path) for arm in self.case.arms])
        self.assertEqual(set(test_measure_memory.CACHED),
                         set(self.case.began))
        self.assertEqual(2, self.guest.fill.call_count)

    def test_image_without_programs(self):
        self.guest.lacking.return_value = ['ioping', 'mbw']
        error = self.assertRaises(self.case.skipException, self._begin)
        self.assertEqual('what measures is not installed: the image [compute] '
                         'image_ref lacks ioping and mbw', str(error))

    def test_memory_that_others_map(self):
        self.host.libvirt.xml.return_value = (
            "<domain><devices><interface type='vhostuser'/></devices>"
            "</domain>")
        error = self.assertRaises(self.case.skipException, self._begin)
        self.assertIn('guests need memory that others can map: host fbm1: '
                      'guests have vhostuser', str(error))
        self.give.assert_not_called()
