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


import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
from unittest import mock

import ddt
import psutil

from mempage_certificate import documents
from mempage_lab import accounts
from mempage_lab import lab
from mempage_lab import paths
from mempage_lab import runner
from mempage_lab import shell
from mempage_lab import versions
from mempage_lab import wait
from tests.lab import base

# Has a worker, as Tempest has, and waits for it.
TEMPEST = """#!/bin/sh
sleep 600 &
echo $$ $! > %s
wait
"""
# What a script starts in its background ignores SIGINT, these tests as well.
LAB = """
import signal, sys
from mempage_lab import runner
signal.signal(signal.SIGINT, signal.default_int_handler)
runner._call(sys.argv[1])
"""
VERSIONS = {'release': '2025.1', 'openstack': {'nova': '31.0.0'}}
ROOT = pathlib.Path(runner.__file__).parents[1]


def _has_ended(pid):
    # Nobody may have asked yet how it ended.
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@ddt.ddt
class RunTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(shell, 'run')
        self.patch_object(accounts, 'release')
        self.patch_object(runner, 'BIN', self.directory)
        self.patch_object(lab, 'load').return_value = 'lab'
        self.patch_object(versions, 'collect', {'lab': VERSIONS}.get)
        paths.TEMPEST_WORKSPACE.mkdir(parents=True)

    def _tempest(self, script):
        path = self.directory / 'tempest'
        path.write_text('#!/bin/sh\n' + script)
        path.chmod(0o755)

    def test_status_and_results(self):
        self._tempest('exit 3')
        status, results = runner.run(['--regex', 'a'])
        self.assertEqual(3, status)
        self.assertEqual(b'', (results / 'results.subunit').read_bytes())
        self.assertEqual(results, (paths.RESULTS / 'latest').resolve())
        self._assert_versions(results)

    def _assert_versions(self, results):
        self.assertEqual(VERSIONS, json.loads(
            (results / 'versions.json').read_text()))

    def test_each(self):
        said = self.directory / 'said'
        # It refuses results that have something in them.
        self._tempest('[ $1 = report ] && { ls $2 > %s-page; exit; }; '
                      '{ echo "$@"; ls "$5"; } > %s; exit 1' % (said, said))
        (self.directory / 'tempest').rename(
            self.directory / 'mempage-tempest')
        self.assertEqual(1, runner.run_each(['--each', '--lanes', '2']))
        self.assertEqual('run --config-file %s --results %s --each --lanes 2\n'
                         % (paths.TEMPEST_CONF,
                            (paths.RESULTS / 'latest').resolve()),
                         said.read_text())
        self._assert_versions(paths.RESULTS / 'latest')
        self.assertEqual('versions.json\n', (
            self.directory / 'said-page').read_text())

    @ddt.data((('--hosts', 'fbm3'), True), (('--resume', '/x'), False),
              (('--resume=/x',), False))
    @ddt.unpack
    def test_certify(self, arguments, new):
        said = self.directory / 'said'
        self._tempest('echo "$@" > %s; exit 3' % said)
        (self.directory / 'tempest').rename(
            self.directory / 'mempage-certify')
        self.assertEqual(3, runner.certify(arguments))
        own = ('--profile smoke-lab --product %s --results %s/certificate ' % (
            runner.PRODUCT, (paths.RESULTS / 'latest').resolve())
            if new else '')
        self.assertEqual('run --config-file %s %s%s\n' % (
            paths.TEMPEST_CONF, own, ' '.join(arguments)), said.read_text())

    def test_product(self):
        documents.from_yaml('product.yaml', runner.PRODUCT.read_bytes(),
                            'product')

    @ddt.data(({}, '^mempage_tempest_plugin', 4),
              ({'regex': 'a|b', 'workers': 2}, 'a|b', 2))
    @ddt.unpack
    def test_suite(self, wanted, regex, workers):
        self.assertEqual(('--regex', regex, '--concurrency', str(workers)),
                         runner.suite(**wanted))

    def _compare(self, script, arguments):
        self._tempest(script)
        (self.directory / 'tempest').rename(
            self.directory / 'mempage-tempest')
        said = runner.compare(arguments, self.directory)
        return said, (self.directory / 'expected.txt').read_text()

    @ddt.data(
        ((), '--regex ^mempage_tempest_plugin'),
        (('--concurrency', '2'), '--regex ^mempage_tempest_plugin'),
        (('--exclude-regex', 'c'),
         '--regex ^mempage_tempest_plugin --exclude-regex c'),
        (('--load-list', 'x'), '--load-list x'),
        (('--whitelist-file', 'i', '--black-regex', 'c'),
         '--exclude-regex c --include-list i'),
        (('--regex', 'a b', '--concurrency', '2', '--load_list', 'x'),
         '--regex a b --load-list x'),
        (('-s', '--exclude-regex=c', '--exclude-list', 'e',
          '--include-list', 'i', '--serial'),
         '--regex smoke --exclude-regex c --include-list i '
         '--exclude-list e'))
    @ddt.unpack
    def test_compares_the_tests_that_were_selected(self, arguments, selected):
        expected = 'expect --config-file %s --results %s --json-file %s ' \
            '%s\n' % (paths.TEMPEST_CONF, self.directory / 'results.subunit',
                      self.directory / 'results.expected.json', selected)
        self.assertEqual((None, expected), self._compare(
            'echo "$@"', arguments))

    @ddt.data((0, True), (1, False))
    @ddt.unpack
    def test_page(self, status, made):
        self._tempest('echo "$@"; exit %d' % status)
        (self.directory / 'tempest').rename(
            self.directory / 'mempage-tempest')
        self.assertEqual(
            ('report %s --output %s' % (
                self.directory, self.directory / 'report.html'), made),
            runner.make_page(self.directory))

    def test_what_had_to_run_and_did_not(self):
        self.assertEqual(('did not\nnot at all\n',) * 2, self._compare(
            'echo did not; echo not at all >&2; exit 1', ['--regex', 'a']))

    def test_arguments(self):
        said = self.directory / 'said'
        self._tempest('echo "$@" $ORDER > %s; cat >> %s' % (said, said))
        self.patch_object(runner.test_discover, 'SEED', 'ORDER')
        runner.run(['--regex', 'a b'], seed=7)
        self.assertEqual('run --config-file %s --regex a b 7\n'
                         % paths.TEMPEST_CONF, said.read_text())

    def test_the_suite_unless_tests_are_named(self):
        said = self.directory / 'said'
        self._tempest('echo "$@" > %s' % said)
        runner.run(['--concurrency', '2'])
        self.assertEqual(
            'run --config-file %s --regex ^mempage_tempest_plugin '
            '--concurrency 4 --concurrency 2\n' % paths.TEMPEST_CONF,
            said.read_text())

    def test_progress(self):
        self._tempest('echo "{0} a.test_b [1.0s] ... FAILED"; exit 3')
        shown = mock.Mock()
        status, _ = runner.run(['--regex', 'a'], shown)
        self.assertEqual(3, status)
        shown.say.assert_called_once_with('failed: a.test_b')


@ddt.ddt
class CallTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.pids = self.directory / 'pids'
        self.tempest = self.directory / 'tempest'
        self.tempest.write_text(TEMPEST % self.pids)
        self.tempest.chmod(0o755)

    def _started(self):
        """Return the numbers of a Tempest and its worker that run."""
        # A busy machine needs that long to import what the lab does.
        self.assertTrue(wait.until(
            lambda: self.pids.exists() and self.pids.read_text(), 60, 0.02))
        found = [int(pid) for pid in self.pids.read_text().split()]
        for pid in found:
            self.addCleanup(_kill, pid)
        return found

    @ddt.data(signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
    def test_nothing_is_left_behind(self, how):
        lab = subprocess.Popen([sys.executable, '-c', LAB, self.tempest],
                               cwd=ROOT, stderr=subprocess.DEVNULL)
        pids = self._started()
        os.kill(lab.pid, how)
        lab.wait(10)
        for pid in pids:
            self.assertTrue(wait.until(
                functools.partial(_has_ended, pid), 10, 0.02))

    @ddt.data(None, mock.Mock())
    def test_worker_that_outlives_tempest(self, shown):
        self.tempest.write_text((TEMPEST % self.pids).replace('wait', ''))
        self.assertEqual(0, runner._call(self.tempest, shown=shown))
        _, worker = self.pids.read_text().split()
        self.assertTrue(wait.until(
            functools.partial(_has_ended, int(worker)), 10, 0.02))
