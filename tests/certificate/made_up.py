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

"""A run whose figures look like those of a device, and are made up.

Some miss their goals, some are not steady, and tests have failed.
"""

import random

from mempage_certificate import stream
from mempage_tempest_plugin.evidence import measurements
from tests.certificate import samples

DELETE = 'TestFileBacked.test_delete_frees_store['
TRUTH = 'test_memory_comes_back_from_store['
#: Of the store, the control and the limit, by figure.
VALUES = {
    'cached.read_bandwidth': (9100, 9300, 9500),
    'cached.write_bandwidth': (5600, 6100, 6400),
    'cached.copy_bandwidth': (4100, 4600, 4700),
    'cached.read_latency_p50': (640, 580, 520),
    'cached.read_latency_p99': (1900, 1300, 1100),
    'cold.read_latency_p50': (92, 0.6, 81),
    'cold.read_latency_p99': (310, 1.4, 210),
    'cold.read_latency_p999': (1650, 2.2, 480),
    'cold.read_bandwidth': (2300, 9100, 2700),
    'footprint.half.throughput': (4500, 4700, 2700),
    'footprint.equal.throughput': (3900, 4600, 2700),
    'footprint.double.throughput': (1700, 4600, 2700),
    'footprint.fourfold.throughput': (850, 4550, 2700),
    'dirty.throughput': (1150, 5900, 1310),
    'boot.time': (4.6, 1.2, 3.9),
    'delete.time': (0.7, 0.3, 0.2),
    'migration.time': (38, 31, 28),
    'migration.downtime': (310, 240, 200),
    'wear.written_per_dirtied': (1.03, 0, 1.01),
    'wear.boot_written': (1.02, 0, 1.0),
    'wear.idle_write_rate': (52000, 0, 4000)}
#: The figure whose rounds are never steady, and the one that misses its goal.
UNSTEADY = 'dirty.throughput'
MISSED = 'cold.read_latency_p999'
TRACEBACK = b'''Traceback (most recent call last):
  File "/test.py", line 1, in test
    self.check()
AssertionError: host fbm1: file system: files and directories left: expected
none, observed ['1-instance-00000001']
'''
TIMELINE = [{'seconds': second, 'dirty_mib': min(900, 300 * second),
             'written_mib': max(0, 1200 * (second - 2))}
            for second in range(45)]
# What is allocated, unexplained and kept when guests come and go, MiB.
SPACE = ((0, 0, 0), (512, 0, 0), (1024, 2, 0), (512, 2, 0), (0, 1, 96),
         (0, 0, 0))


def sample(hosts=('fbm1',), figures=''):
    """Make the run.

    :param hosts: names of hosts
    :param figures: words that their names have in them
    :returns: a samples.Sample
    """
    made = samples.Sample('nvme-endurance', hosts, ('Test', figures))
    chance = random.Random(7)
    for host in hosts:
        for identity, values in VALUES.items():
            if figures in identity:
                made.measure(identity, _measured(chance, identity, *values),
                             host)
    _fill(made, hosts[0])
    made.edit(DELETE, 'facts', lambda told: told['facts'][0].update(
        agrees=False, expected=[], observed=['1-instance-00000001']), hosts[0])
    made.fail(DELETE, 'host fbm1: files and directories left', hosts[0])
    number = made.find(DELETE)
    made.change(DELETE, details=[*made.records[number].details[:-1],
                                 stream.Detail('traceback', stream.TEXT,
                                               TRACEBACK)])
    made.skip(TRUTH, '[mempage] reconfigure_hosts is not set')
    made.environment(_worn, ('after',), hosts[0])
    return made


def _measured(chance, identity, store, control, limit):
    def change(told):
        for sample in told['samples']:
            value = store if sample['arm'] == 'store' else control
            if identity == UNSTEADY and sample['arm'] == 'store':
                value *= 1 + 0.2 * sample['pair']
            sample['value'] = round(value * chance.uniform(0.96, 1.04), 6)
        told['limit']['value'] = limit
        told['took'] = {'seconds': 55.0, **measurements.spent(told)}
        if identity == UNSTEADY:
            told['timeline'] = TIMELINE
    return change


def _fill(made, host):
    """Have guests come and go, by the word of tests that passed."""
    names = ('allocated, MiB', 'space that no file explains, MiB',
             'space kept by deleted files, MiB')
    entries = [record.name for record in made.records
               if 'test_after_' in record.name or 'test_fill' in record.name]
    for name, values in zip(entries, SPACE):
        made.edit(name, 'facts', lambda told, values=values: told[
            'facts'].extend({
                'witness': 'file system', 'name': of, 'agrees': True,
                'expected': 'less than 16', 'observed': value}
                for of, value in zip(names, values)), host)


def _worn(told):
    told['store']['devices'][0]['smart'].update(
        bytes_written=9 * 10 ** 11, temperature_celsius=61)
