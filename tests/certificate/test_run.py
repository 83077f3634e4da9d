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

"""How runs go that a certificate is made of.

Processes that run tests are played here; test_run_processes has real ones.
"""

import collections
import json
import os
import pathlib
import types
from unittest import mock

import ddt
import fixtures
from oslotest import base
import yaml

from mempage_certificate import archive
from mempage_certificate import cli
from mempage_certificate import profiles
from mempage_certificate.running import directory
from mempage_certificate.running import plan
from mempage_certificate import stream
from mempage_certificate import verification
from mempage_tempest_plugin.cmd import hosts_of_runs
from mempage_tempest_plugin.cmd import runner
from mempage_tempest_plugin.cmd import tempest_conf
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions
from tests.certificate import forger
from tests.certificate import played
from tests.certificate import samples

ROOT = pathlib.Path(cli.__file__).parents[1]


class Runner:
    """Plays a process that runs tests."""

    def __init__(self, test):
        self.test = test
        self.ran = []

    def find(self):
        """List tests."""
        return list(played.TESTS)

    def run(self, _repository, listed, workers, stdout, stderr, env):
        """Play tests, and write what becomes of them."""
        host = env['OS_MEMPAGE__HOSTS']
        for name in listed.read_text().split():
            self.ran.append((host, name, workers,
                             env.get('OS_MEMPAGE__MEASURE')))
            record = self.record(host, name, env)
            stdout.write(stream.write([record]))
            stdout.flush()
            if not record.ended:
                stderr.write(b'Traceback\nKilled\n')
                return -9
        return 0

    def record(self, host, name, env):
        """Play a test."""
        begin = played._now()
        status, details = 'success', played.details(played.documents(
            name, host, env['OS_MEMPAGE__RUN'],
            int(env.get('OS_MEMPAGE__MEASURE', 0)),
            **self.test.wishes.get((host, name), {})))
        end = played._now()
        found = self.test.becomes.get((host, name))
        if callable(found):
            found = found()
        if found == 'class':
            found = 'skip'
            name = 'setUpClass (%s)' % streams.class_of(name)
        if found == stream.HUNG:
            status, details, end = stream.HUNG, [], None
        elif found:
            status = found
            kind = {'skip': 'reason', 'fail': 'traceback'}[status]
            details = [stream.Detail(kind, stream.TEXT, b'as it was told')]
        return stream.Record(name, status, begin, end, 'worker-0', details)


def _with_life(profile):
    """Make a profile that asks for a life which follows from boot.time."""
    catalogue = yaml.safe_load(profile.catalogue_data)
    for rule in catalogue['checks']['W04']['measurements'].values():
        rule['follows_from'] = 'boot.time'
    levels = dict(profile.document['levels'], performance={
        'must': ['P07', 'W04'], 'should': [], 'info': []})
    document = dict(
        profile.document, levels=levels, goals=[
            {'measurement': 'wear.projected_life', 'figure': 'value',
             'min': 5, 'source': 'for tests'}],
        workload={'dirtied_gib_per_day': 3600, 'warranty_years': 5,
                  'source': 'for tests'})
    return profiles.make(yaml.safe_dump(document).encode(),
                         yaml.safe_dump(catalogue).encode())


class RunTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.results = self.directory / 'run'
        (self.directory / 'tempest.conf').write_text('')
        (self.directory / 'PRODUCT.yaml').write_bytes(samples.product())
        self.runner = Runner(self)
        # What becomes of tests, and what they keep, by host and name.
        self.becomes = {}
        self.wishes = {}
        self.skips = {}
        self.declared = ['a', 'b']
        published = {'tiny-1': played.profile()}
        self._patch(profiles, 'published', lambda: published)
        self._patch(hosts_of_runs, 'choose', self._choose)
        self._patch(tempest_conf, 'CONF', mock.Mock())
        self._patch(runner, 'Runner', lambda *_: self.runner)
        self._patch(plan, 'foretell', lambda *_: self.skips)
        self._patch(plan, 'durations', lambda tests: self.seconds)
        self.seconds = {}
        self.output, self.errors = (
            self.useFixture(fixtures.StringStream(name)).stream
            for name in ('out', 'err'))
        self._patch(cli.sys, 'stdout', self.output)
        self._patch(cli.sys, 'stderr', self.errors)

    def _patch(self, *arguments):
        self.useFixture(fixtures.MockPatchObject(*arguments))

    def _choose(self, wanted, _about=None):
        if not set(wanted) <= set(self.declared):
            raise exceptions.RunError('no such host')
        return wanted or self.declared, self.declared

    def run_command(self, *arguments):
        """Run the command, and keep what it prints."""
        status = cli.main([
            'run', '--config-file', str(self.directory / 'tempest.conf'),
            *map(str, arguments)])
        for name in ('output', 'errors'):
            stream_ = getattr(self, name)
            stream_.seek(0)
            setattr(self, {'output': 'said', 'errors': 'told'}[name],
                    stream_.read())
        return status

    def new(self, *arguments):
        """Begin a run."""
        return self.run_command(
            '--profile', 'tiny', '--product',
            self.directory / 'PRODUCT.yaml', '--results', self.results,
            *arguments)

    def bundle(self):
        """Read the bundle."""
        return archive.unpack(str(self.results / 'bundle.tar.gz'))

    def result(self):
        """Read the result, of a bundle that is as it says."""
        self.assertEqual([], verification.verify(
            str(self.results / 'bundle.tar.gz')).problems)
        return json.loads(self.bundle()[archive.RESULT])

    def verdicts(self):
        """List the statuses: of all, and of each host."""
        result = self.result()
        return [result['verdict']['status'], *(
            host['verdict']['status'] for host in result['hosts'])]

    def ran(self, host='a'):
        """List the tests that ran on a host."""
        return [name for of, name, _, _ in self.runner.ran if of == host]


@ddt.ddt
class RunTest(RunTestCase):

    def test_certified(self):
        self.assertEqual(0, self.new('--host', 'a'), self.errors)
        self.assertEqual(['certified', 'certified'], self.verdicts())
        self.assertEqual([
            played.BEFORE, played.DELETE, played.CAPACITY, played.KILLED,
            played.BOOT, played.AFTER], self.ran())
        self.assertIn('a: can reach performance, which profile tiny-1 is for',
                      self.said)
        self.assertIn('CERTIFIED: level performance reached', self.said)
        self.assertIn('a is host-1 in the bundle', self.said)

    def test_same_as_bundle_of_the_same_stream(self):
        self.new('--host', 'a')
        output = str(self.directory / 'other')
        self.assertEqual(0, cli.main([
            'bundle', str(self.results / 'results.subunit'), '--profile',
            'tiny', '--product', str(self.directory / 'PRODUCT.yaml'), '-o',
            output]))
        self.assertEqual((self.results / 'bundle.tar.gz').read_bytes(),
                         pathlib.Path(output).read_bytes())

    def test_options(self):
        self.new('--hosts', 'a', '--lanes', '3')
        self.assertEqual(
            [1] * 6, [run[2] for run in self.runner.ran])
        self.assertEqual(
            [None] * 4 + ['5', None], [run[3] for run in self.runner.ran])

    @ddt.data((played.DELETE, 'fail', 'failed', 1, [played.DELETE]),
              (played.DELETE, 'skip', 'incomplete', 3, [played.DELETE]),
              (played.CAPACITY, 'fail', 'failed', 1,
               [played.DELETE, played.CAPACITY, played.KILLED]),
              (played.KILLED, 'fail', 'certified', 0,
               [played.DELETE, played.CAPACITY, played.KILLED, played.BOOT]))
    @ddt.unpack
    def test_levels(self, name, status, verdict, code, ran):
        self.becomes['a', name] = status
        self.assertEqual(code, self.new('--host', 'a'))
        self.assertEqual([verdict, verdict], self.verdicts())
        self.assertEqual([played.BEFORE, *ran, played.AFTER], self.ran())
        if code:
            self.assertIn('is not reached, and no level after it can be: ',
                          self.told)

    def test_without_info(self):
        self.assertEqual(0, self.new('--host', 'a', '--without-info'))
        self.assertEqual(['certified'] * 2, self.verdicts())
        self.assertEqual([played.BEFORE, played.DELETE, played.CAPACITY,
                          played.BOOT, played.AFTER], self.ran())
        # Whoever goes on need not say so again.
        self.assertEqual(0, self.run_command('--resume', self.results))
        self.assertNotIn(played.KILLED, self.ran())

    def test_not_eligible(self):
        for name in (played.BEFORE, played.AFTER):
            self.wishes['a', name] = {'accelerator': 'tcg'}
        self.assertEqual(1, self.new('--host', 'a'))
        self.assertEqual(['not-eligible'] * 2, self.verdicts())
        self.assertEqual([played.BEFORE], self.ran())
        self.assertIn('a: NOT ELIGIBLE: can reach nothing at best', self.said)
        self.assertIn('a: - its CPUs are run by tcg', self.said)

    def test_not_eligible_in_a_fleet(self):
        self.wishes['b', played.BEFORE] = {'nested': True}
        self.assertEqual(1, self.new())
        self.assertEqual(['not-eligible', 'certified', 'not-eligible'],
                         self.verdicts())

    def test_host_that_cannot_be_reached(self):
        self.becomes['b', played.BEFORE] = 'fail'
        self.assertEqual(3, self.new())
        self.assertEqual(['error', 'certified'], self.verdicts())
        self.assertIn('lane-2: no host tells there what it is made of',
                      self.result()['verdict']['reasons'][0])

    def test_host_lost_on_the_way(self):
        self.becomes['b', played.AFTER] = 'fail'
        self.assertEqual(3, self.new())
        self.assertEqual(['error', 'certified', 'error'], self.verdicts())

    @ddt.data(played.DELETE, played.KILLED)
    def test_lane_that_dies(self, name):
        self.becomes['a', name] = stream.HUNG
        self.assertEqual(3, self.new('--host', 'a'))
        self.assertEqual(played.AFTER, self.ran()[-1])
        self.assertNotIn(played.BOOT, self.ran())
        self.assertIn('a: ', self.told)
        self.assertIn('have no result, as their process ended with status '
                      '-9: Killed', self.told)
        self.assertEqual(1, self.result()['run']['unfinished'])

    def test_lane_that_dies_is_an_error(self):
        self.becomes['b', played.DELETE] = stream.HUNG
        self.assertEqual(3, self.new())
        self.assertEqual(['error', 'certified', 'error'], self.verdicts())

    def test_fleet(self):
        self.becomes['b', played.DELETE] = 'fail'
        self.assertEqual(1, self.new('--lanes', '2'))
        self.assertEqual(['failed', 'certified', 'failed'], self.verdicts())
        tags = {record.worker for record in stream.read(
            self.bundle()[archive.STREAM])}
        self.assertEqual({'lane-1 worker-0', 'lane-2 worker-0'}, tags)

    def test_inconclusive_until_the_cap(self):
        # One half meets the goal, and the other half does not.
        self.wishes['a', played.BOOT] = {'values': [1.2, 1.3]}
        self.assertEqual(1, self.new('--host', 'a'))
        self.assertEqual(['inconclusive'] * 2, self.verdicts())
        pairs = [int(run[3]) for run in self.runner.ran if run[3]]
        self.assertEqual((5, 12), (pairs[0], sum(pairs)))
        self.assertGreater(len(pairs), 1)
        [figure] = self.result()['hosts'][0]['figures']
        self.assertIn('no more pairs may be measured', figure['reasons'][0])
        lines = self.bundle()['raw/host-1.jsonl'].splitlines()
        self.assertEqual(list(range(1, 25)), [
            json.loads(line)['number'] for line in lines])

    def test_what_follows_is_inconclusive_until_the_cap(self):
        profile = _with_life(played.profile())
        self._patch(profiles, 'published', lambda: {profile.name: profile})
        self.wishes['a', played.BOOT] = {'values': [1.0, 1.06]}
        self.assertEqual(1, self.new('--host', 'a'))
        self.assertEqual(['inconclusive'] * 2, self.verdicts())
        self.assertEqual(12, sum(int(run[3]) for run in self.runner.ran
                                 if run[3]))
        boot, budget, life = self.result()['hosts'][0]['figures']
        self.assertEqual(('pass', []), (boot['status'], boot['reasons']))
        self.assertIn('no more pairs may be measured', life['reasons'][0])
        self.assertEqual(('wear.daily_budget', 'GiB/day', 'pass'), tuple(
            budget[key] for key in ('id', 'unit', 'status')))
        self.assertIn('wear.daily_budget    3725   none     3725   GiB/day',
                      self.said)

    def test_what_will_not_follow_is_told_before(self):
        profile = _with_life(played.profile())
        self._patch(profiles, 'published', lambda: {profile.name: profile})
        (self.directory / 'PRODUCT.yaml').write_bytes(samples.product(
            devices=[{'model': 'MODEL X', 'firmware': ['1.0']}]))
        self.assertEqual(0, self.new('--host', 'a', '--dry-run'))
        self.assertIn('a: cannot be told: must W04: PRODUCT.yaml has no '
                      'rated_endurance_tbw of the device MODEL X', self.said)
        self.assertNotIn('no test of the plugin does', self.said)

    def test_unsteady_until_the_cap(self):
        self.wishes['a', played.BOOT] = {'values': [1.0, 2.0]}
        self.assertEqual(1, self.new('--host', 'a'))
        self.assertEqual(['inconclusive'] * 2, self.verdicts())
        self.assertEqual(['5', '5', '2'],
                         [run[3] for run in self.runner.ran if run[3]])

    def test_inconclusive_until_it_is_told(self):
        self.becomes['a', played.BOOT] = lambda: self.wishes.update({
            ('a', played.BOOT): {'values': [1.1]}})
        self.wishes['a', played.BOOT] = {'values': [1.2, 1.3]}
        self.assertEqual(0, self.new('--host', 'a'))
        self.assertEqual(['certified'] * 2, self.verdicts())
        self.assertGreater(self.ran().count(played.BOOT), 1)

    def test_measuring_that_fails_is_not_tried_again_and_again(self):
        results = iter([None, 'fail'])
        self.becomes['a', played.BOOT] = lambda: next(results)
        self.wishes['a', played.BOOT] = {'values': [1.2, 1.3]}
        self.assertEqual(1, self.new('--host', 'a'))
        self.assertEqual(2, self.ran().count(played.BOOT))

    def test_dry_run(self):
        self.skips = {played.CAPACITY: '[mempage] fill_stores is false'}
        self.seconds = {played.DELETE: 100, played.KILLED: 50}
        self.assertEqual(0, self.new('--dry-run', '--host', 'a'))
        self.assertEqual([played.BEFORE], self.ran())
        self.assertFalse(self.results.exists())
        for words in (
                'a: 3 tests run, 1 skip; they take about 2 min, by the '
                'records of stestr here; of 1 of them that is unknown',
                'a: cannot be told, as tests skip: must F10: [mempage] '
                'fill_stores is false',
                'a: without it, the verdict is "incomplete" at best'):
            self.assertIn(words + '\n', self.said)

    def test_dry_run_of_what_is_not_eligible(self):
        self.wishes['a', played.BEFORE] = {'nested': True}
        self.assertEqual(1, self.new('--dry-run', '--host', 'a'))

    def test_durations_that_nobody_knows(self):
        self.new('--dry-run', '--host', 'a')
        self.assertIn('how long they take is unknown', self.said)

    def test_progress(self):
        self.seconds = dict.fromkeys(played.TESTS, 60)
        self.becomes['a', played.DELETE] = 'fail'
        self.new('--host', 'a')
        self.assertIn(
            'a: smoke: 1 of 1, 1 failed so far, about 3 min are left: '
            'api.test_file_backed.TestFileBacked.test_delete_frees_store '
            'failed\n', self.told)

    def test_progress_of_a_class_that_skips(self):
        self.becomes['a', played.KILLED] = 'class'
        self.assertEqual(0, self.new('--host', 'a'))
        self.assertIn('a: functional: 2 of 2, 0 failed so far', self.told)
        self.assertIn('setUpClass', self.told)

    @ddt.data(
        (['--host', 'x'], 'no such host'),
        (['--config-file', '/nonexistent'], 'configuration /nonexistent: No'),
        (['--sign', '/nonexistent'], 'cannot sign with'))
    @ddt.unpack
    def test_what_cannot_run(self, arguments, words):
        self.assertEqual(cli.NO_BUNDLE, self.new(*arguments))
        self.assertIn(words, self.told)
        self.assertEqual([], self.runner.ran)

    def test_product_that_tells_a_name(self):
        (self.directory / 'PRODUCT.yaml').write_bytes(
            samples.product(contact='root at a'))
        self.assertEqual(cli.NO_BUNDLE, self.new())
        self.assertIn('tells the name of a host', self.told)
        self.assertEqual([], self.runner.ran)

    def test_directory_of_another_run(self):
        self.results.mkdir()
        (self.results / 'x').touch()
        self.assertEqual(cli.NO_BUNDLE, self.new())
        self.assertIn('those of an earlier run are there; name a new '
                      'directory, or go on with what is there by --resume',
                      self.told)

    def test_signed(self):
        key = forger.make_key(self.directory, 'vendor')
        self.assertEqual(0, self.new('--host', 'a', '--sign', key))
        self.assertIn(archive.SIGNATURE, self.bundle())


@ddt.ddt
class ResumeTest(RunTestCase):

    def _cut_off(self, name, host='a'):
        """Cut off a run, as kill -9 does: nothing comes after."""
        class Killed(BaseException):
            pass

        def kill():
            raise Killed

        self.becomes[host, name] = kill
        self.assertRaises(Killed, self.new, '--host', host)
        del self.becomes[host, name]
        # It had begun.
        [lane] = self.results.glob('lane-1')
        with open(sorted(lane.glob('*.subunit'))[-1], 'ab') as part:
            part.write(stream.write([stream.Record(
                name, stream.HUNG, played._now(), None, 'worker-0', [])]))
        self.runner.ran = []

    def _resume(self, *arguments):
        return self.run_command('--resume', self.results, *arguments)

    @ddt.data(played.DELETE, played.KILLED, played.BOOT, played.AFTER)
    def test_resume(self, name):
        self._cut_off(name)
        told = json.loads((self.results / 'run.json').read_text())
        self.assertEqual(0, self._resume(), self.errors)
        self.assertEqual(['certified'] * 2, self.verdicts())
        order = [played.DELETE, played.CAPACITY, played.KILLED, played.BOOT,
                 played.AFTER]
        # It looks whether the host is what it was.
        self.assertEqual([played.BEFORE, *order[order.index(name):]],
                         self.ran())
        result = self.result()['run']
        self.assertEqual(1, result['unfinished'])
        self.assertEqual([told['id']], result['ids'])

    def test_cut_off_twice(self):
        self._cut_off(played.CAPACITY)
        part = sorted((self.results / 'lane-1').glob('*.subunit'))[-1]
        part.with_name('009-functional.subunit').write_bytes(
            part.read_bytes())
        self.assertEqual(0, self._resume(), self.errors)
        self.assertEqual(2, self.result()['run']['unfinished'])

    def test_each_part_is_read_once(self):
        self._cut_off(played.BOOT)
        self.wishes['a', played.BOOT] = {'values': [1.2, 1.3]}
        read = self.useFixture(fixtures.MockPatchObject(
            directory, '_copy', wraps=directory._copy)).mock
        self.assertEqual(1, self._resume(), self.errors)
        parts = collections.Counter(
            call.args[0] for call in read.call_args_list
            if call.args[0].parent.name == 'lane-1')
        # And once more, for the bundle. It has measured more, several times.
        self.assertEqual(sorted((self.results / 'lane-1').glob('*.subunit')),
                         sorted(parts))
        self.assertGreater(len(parts), 6)
        self.assertEqual({2}, set(parts.values()))

    def test_cut_off_within_a_packet(self):
        self._cut_off(played.CAPACITY)
        part = sorted((self.results / 'lane-1').glob('*.subunit'))[-1]
        with open(part, 'ab') as target:
            target.write(stream.write([stream.Record(
                played.KILLED, 'success', played._now(), played._now(),
                'worker-0', [])])[:20])
        self.assertEqual(0, self._resume(), self.errors)
        self.assertEqual(['certified'] * 2, self.verdicts())

    def test_failure_is_not_dropped(self):
        self.becomes['a', played.CAPACITY] = 'fail'
        self._cut_off(played.KILLED)
        del self.becomes['a', played.CAPACITY]
        self.assertEqual(1, self._resume())
        self.assertEqual(['failed'] * 2, self.verdicts())
        self.assertNotIn(played.CAPACITY, self.ran())

    def test_resume_of_what_has_ended(self):
        self.new('--host', 'a')
        before = (self.results / 'bundle.tar.gz').read_bytes()
        self.runner.ran = []
        self.assertEqual(0, self._resume(), self.errors)
        self.assertEqual([], self.ran())
        self.assertEqual(before,
                         (self.results / 'bundle.tar.gz').read_bytes())

    def test_host_that_has_changed(self):
        self._cut_off(played.CAPACITY)
        self.wishes['a', played.BEFORE] = {'memory_mib': 4096}
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn('hosts are not what they were when it began: a: '
                      'memory_mib', self.told)
        self.assertEqual([played.BEFORE], self.ran())

    def test_host_that_cannot_be_reached_any_more(self):
        self._cut_off(played.CAPACITY)
        self.becomes['a', played.BEFORE] = 'fail'
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn('host a: nobody can tell whether it is what it was',
                      self.told)

    def test_other_product(self):
        self._cut_off(played.CAPACITY)
        other = self.directory / 'other'
        other.write_bytes(samples.product(version='2'))
        self.assertEqual(cli.NO_BUNDLE, self._resume('--product', other))
        self.assertIn('PRODUCT.yaml is not the one that it was begun with: '
                      'SHA-256 is', self.told)

    def test_product_that_was_changed(self):
        self._cut_off(played.CAPACITY)
        (self.results / 'PRODUCT.yaml').write_bytes(
            samples.product(version='2'))
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn('PRODUCT.yaml is not the one', self.told)

    def test_other_profile(self):
        self._cut_off(played.CAPACITY)
        other = profiles.Profile(b'', dict(
            played.profile().document, name='other'), b'',
            played.profile().catalogue)
        self._patch(profiles, 'published', lambda: {
            'tiny-1': played.profile(), 'other-1': other})
        self.assertEqual(cli.NO_BUNDLE, self._resume('--profile', 'other'))
        self.assertIn('was begun with profile tiny-1, not with other',
                      self.told)

    def test_profile_that_has_changed(self):
        self._cut_off(played.CAPACITY)
        known = played.profile()
        self._patch(profiles, 'published', lambda: {
            'tiny-1': profiles.Profile(known.data + b'\n', known.document,
                                       known.catalogue_data,
                                       known.catalogue)})
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn('profile.yaml is not the one that it was begun with',
                      self.told)

    def test_other_hosts(self):
        self._cut_off(played.CAPACITY)
        self.assertEqual(cli.NO_BUNDLE, self._resume('--hosts', 'a,b'))
        self.assertIn('was begun with a, not with a, b', self.told)

    @ddt.data(('run.json', b'{}', "run.json: $: 'id' is a required"),
              ('run.json', b'[' * 100000, 'run.json: is not plain JSON'),
              ('run.json', None, 'No such file'))
    @ddt.unpack
    def test_no_run(self, name, data, words):
        self._cut_off(played.CAPACITY)
        (self.results / name).unlink()
        if data:
            (self.results / name).write_bytes(data)
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn(words, self.told)

    @ddt.data({'hosts': None}, {'hosts': []}, {'hosts': ['a', 'a']},
              {'hosts': [1]}, {'sha256': []}, {'info': 'x'}, {'id': 7})
    def test_changed_by_hand(self, changes):
        self._cut_off(played.CAPACITY)
        path = self.results / 'run.json'
        path.write_text(json.dumps({**json.loads(path.read_text()),
                                    **changes}))
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn('run.json: $.%s' % [*changes][0], self.told)

    def test_somebody_else_goes_on(self):
        self._cut_off(played.CAPACITY)
        kept = directory.find(self.results)
        self.addCleanup(kept.close)
        self.assertEqual(cli.NO_BUNDLE, self._resume())
        self.assertIn('another process goes on with it', self.told)


class PlanTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.plan = plan.Plan(played.profile(), played.TESTS)

    def test_levels(self):
        self.assertEqual([
            ([played.DELETE], []),
            ([played.CAPACITY, played.KILLED], []),
            ([], [played.BOOT])],
            [self.plan.of_level(level)
             for level in self.plan.profile.levels])

    def test_cases_and_checks_that_share_a_test(self):
        name = ('mempage_tempest_plugin.tests.api.test_file_backed_operations.'
                'TestFileBackedOperations.test_after_%d_pause[id-1]')
        found = plan.Plan(profiles.find('nvme-standard'),
                          [*played.TESTS, name % 1, name % 2])
        self.assertEqual([played.DELETE, played.CAPACITY],
                         sorted(found.of_level('smoke')[0], reverse=True))
        self.assertEqual([name % 1, name % 2],
                         found.of_level('functional')[0])

    def test_plugin_without_the_test(self):
        self.assertRaisesRegex(
            exceptions.MempageError, 'has no test .*test_before',
            plan.Plan(played.profile(), []).look, 'before')

    def test_foretold(self):
        done = types.SimpleNamespace(stdout=json.dumps({'tests': [
            {'test': 'a', 'skips': None}, {'test': 'b', 'skips': 'x'}]}))
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'list')
        with mock.patch.object(runner, 'expect', return_value=done) as ask:
            self.assertEqual({'b': 'x'}, plan.foretell(
                pathlib.Path('/x/tempest.conf'), {'hosts': 'h'}, ['a', 'b'],
                path))
        env = ask.call_args.args[0]
        self.assertEqual(('h', '/x'), (env['OS_MEMPAGE__HOSTS'],
                                       env['TEMPEST_CONFIG_DIR']))
        self.assertEqual('a\nb\n', path.read_text())

    def test_nobody_foretells(self):
        done = types.SimpleNamespace(stdout='', stderr='x\nbroken\n',
                                     returncode=1)
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'list')
        with mock.patch.object(runner, 'expect', return_value=done):
            self.assertRaisesRegex(
                exceptions.MempageError, 'expect: status 1: broken',
                plan.foretell, pathlib.Path('/x/y'), {}, [], path)

    def test_durations_without_records(self):
        before = os.getcwd()
        os.chdir(self.useFixture(fixtures.TempDir()).path)
        self.addCleanup(os.chdir, before)
        self.assertEqual({}, plan.durations(['a']))
