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

"""Tests of what measures stores, with output of fio that was recorded."""

import json
from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.hosts import ssh

JOBS = [fio.Job('read', {'rw': 'read', 'bs': '1m'}),
        fio.Job('random', {'rw': 'randread', 'bs': '4k'})]
# Of fio 3.33, what is read of it.
OUTPUT = {
    'fio version': 'fio-3.33', 'jobs': [
        {'jobname': 'read', 'error': 0,
         'read': {'bw_bytes': 1735604096, 'runtime': 29, 'clat_ns': {
             'percentile': {'50.000000': 301056, '99.000000': 5734400,
                            '99.900000': 5734400}}},
         'write': {'bw_bytes': 0, 'runtime': 0, 'clat_ns': {}}},
        {'jobname': 'random', 'error': 0,
         'read': {'bw_bytes': 1398101333, 'runtime': 36, 'clat_ns': {
             'percentile': {'50.000000': 1256, '99.000000': 4960,
                            '99.900000': 110080}}},
         'write': {'bw_bytes': 0, 'runtime': 0, 'clat_ns': {}}}]}


@ddt.ddt
class FioTest(base.BaseTestCase):

    def _host(self, output='', status=0, error=''):
        host = mock.Mock()
        host.name = 'fbm1'
        host.ssh.execute.return_value = ssh.Result('fio', status, output,
                                                   error)
        return host

    def _run(self, host):
        return fio.run(host, '/srv/memory/mempage-foreign-data', 48, 7, JOBS)

    def test_run(self):
        host = self._host(json.dumps(OUTPUT))
        version, done = self._run(host)
        self.assertEqual(('3.33', 0.029, {50: 1256, 99: 4960, 99.9: 110080}),
                         (version, done['read'].seconds,
                          done['random'].latency_ns))
        self.assertAlmostEqual(1655.2, done['read'].read_mib, 1)
        jobs = host.ssh.execute.call_args[1]['stdin']
        for line in ('filename=/srv/memory/mempage-foreign-data',
                     'size=48m', 'randseed=7', '[read]\nrw=read\nbs=1m',
                     'stonewall', '[random]\nrw=randread\nbs=4k\n'):
            self.assertIn(line, jobs)

    def test_writes(self):
        """Where nothing is read, what writes have taken is told"""
        job = dict(OUTPUT['jobs'][0])
        job['read'], job['write'] = job['write'], job['read']
        _, done = self._run(self._host(json.dumps({**OUTPUT, 'jobs': [job]})))
        self.assertEqual(5734400, done['read'].latency_ns[99.9])

    @ddt.data('', 'fio: pid=7, err=28', '{}', '{"jobs": []}',
              json.dumps({**OUTPUT, 'jobs': [
                  {**OUTPUT['jobs'][0], 'error': 28}]}))
    def test_nothing_measured(self, output):
        error = self.assertRaises(exceptions.FactsMissing, self._run,
                                  self._host(output))
        self.assertIn('the speed of the store', str(error))

    def test_unable(self):
        self.assertIsNone(fio.unable(self._host('fio-3.33')))
        self.assertEqual(
            'it has no fio, where its libvirt is: sh: fio: not found',
            fio.unable(self._host(status=127, error='sh: fio: not found\n')))
        self.assertRaises(exceptions.HostCommandFailed, fio.unable,
                          self._host(status=1))
