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

"""What tests of the plugin keep of one host, played at this moment.

A profile that asks for little, and tests that are called as those of the
plugin: a real run takes minutes, and what is told here is how runs go.
"""

import datetime
import functools
import json

import yaml

from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import measurements
from tests.certificate import samples as run_samples
from tests.plugin import samples

PACKAGE = profiles.PACKAGE
LOOK = PACKAGE + 'api.test_store_environment.TestStoreEnvironment.test_'
BEFORE = LOOK + 'before[id-456c1690-4767-49e6-985a-3e9169e15337]'
AFTER = LOOK + 'after[id-1f70113f-2507-4a1d-a64c-0d497e4fad19]'
DELETE = (PACKAGE + 'api.test_file_backed.TestFileBacked.test_delete_frees_'
          'store[id-6f3accd1-848c-4faa-b28a-0dd3cdf63c72,per-host]')
CAPACITY = (PACKAGE + 'api.test_file_backed.TestFileBacked.test_capacity['
            'id-f52f2cfc-9c97-4083-be43-ef350658775c,per-host]')
KILLED = (PACKAGE + 'scenario.test_faults.TestQemuKilled.test_killed_and_'
          'started[id-8f3b2e5c-b17a-4e4a-ac65-309d72e6fb58,per-host]')
BOOT = (PACKAGE + 'scenario.test_measure_memory.TestMeasureMemory.test_boot['
        'id-078ec97c-dc65-41e4-8d81-1b82e2ff79d3,measurement]')
TESTS = (BEFORE, AFTER, DELETE, CAPACITY, KILLED, BOOT)


@functools.cache
def profile():
    """Return a profile that asks for one test of each of three levels."""
    known = profiles.find('nvme-standard')
    document = dict(
        known.document, name='tiny', version=1, levels={
            'smoke': {'must': ['F05'], 'should': [], 'info': []},
            'functional': {'must': ['F10'], 'should': [], 'info': ['X06']},
            'performance': {'must': ['P07'], 'should': [], 'info': []}},
        goals=[goal for goal in known.document['goals']
               if goal['measurement'] == 'boot.time'],
        pairs={'min': 5, 'max': 12, 'source': 'for tests'})
    return profiles.make(yaml.safe_dump(document).encode(),
                         known.catalogue_data)


def documents(name, host, run, pairs=5, values=None, **environment):
    """List what a test keeps of a host when all is well.

    :param name: one of TESTS
    :param host: name of the host
    :param run: UUID of the run
    :param pairs: how many a test that measures takes
    :param values: those of the store, in turn; the limit of which is 1
    :param environment: what the host is made of, if not of what a sample is
    """
    if name in (BEFORE, AFTER):
        return [samples.environment(
            host, run=run, phase='before' if name == BEFORE else 'after',
            when=_now(), **environment)]
    if name == BOOT:
        return [_measured(host, run, (values or [1.0]) * pairs, pairs)]
    wanted = dict.fromkeys(
        fact for method in runs.methods(name.partition('[')[0])
        for fact in run_samples.wanted(
            profile(), method.removeprefix(PACKAGE)))
    return [
        {'kind': 'facts', 'version': 1, 'subject': 'host %s' % host,
         'host': host, 'server': samples.SERVER,
         'when': measurements.moment(_now()), 'facts': [
             dict(zip(('witness', 'name'), fact.split(': ', 1)),
                  expected=True, observed=True, agrees=True)
             for fact in wanted]},
        {'kind': 'outcome', 'version': 1, 'host': host, 'passed': True,
         'error': None}]


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _measured(host, run, values, pairs):
    made = measurements.Measurement('boot.time', 's', 'lower', host, run, 7,
                                    ('libvirt', '9.0.0'))
    made.cache('cached', 100, 'cachestat', 0.5)
    made.limit(1.0, ('fio', '3.33'), _now(), _now())
    for value in values[:pairs]:
        made.sample('store', value, _now(), _now())
        made.sample('control', 1.0, _now(), _now())
    return made.document()


def details(found):
    """Make details of documents.

    :param found: what :func:`documents` returned
    """
    return [stream.Detail(document['kind'], stream.JSON,
                          json.dumps(document).encode())
            for document in found]
