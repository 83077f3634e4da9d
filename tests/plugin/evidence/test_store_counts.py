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

"""Tests of what guests take from a backing store."""

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.evidence import store_counts
from mempage_tempest_plugin.hosts import files
from tests.plugin import samples

MIB = samples.MIB
HOST = samples.FILE_BACKED
DIRECTORY = HOST.file_backed.directory


def _file(name, mib, allocated=None):
    path = '%s/%s' % (DIRECTORY, name)
    return {path: files.File('f', 0o600, 1, 1, 1, 1, mib * MIB,
                             (mib if allocated is None else allocated) * MIB,
                             path)}


def _count(used, found, lost=0):
    in_files = sum(each.allocated for each in found.values())
    return store_counts.Count(samples.host_survey(
        files=found, store=samples.store(
            1024 * MIB, 1024 * MIB - in_files - lost * MIB, in_files)), used)


BEFORE = _count(64, _file('old', 64))
GUESTS = {**_file('old', 64), **_file('a', 16), **_file('b', 48)}


@ddt.ddt
class CompareTest(base.BaseTestCase):

    @ddt.data(
        ([16, 48], _count(128, GUESTS), []),
        ([16, 48], _count(127, GUESTS), ['MEMORY_MB used']),
        ([16], _count(80, GUESTS),
         ['files, MiB']),
        ([16, 48, 16], _count(144, GUESTS),
         ['files, MiB', 'allocated, MiB']),
        ([16], _count(80, {**_file('old', 64), **_file('a', 16, 15)}),
         ['allocated, MiB']),
        ([16], _count(80, {**_file('old', 64), **_file('a', 16)}, lost=16),
         ['space that no file explains, MiB']),
        ([], _count(64, {**_file('old', 64), **_file(
            foreign_data.NAME, 900)}), []))
    @ddt.unpack
    def test_compare(self, guests, now, wrong):
        comparison = store_counts.compare(HOST, BEFORE, now, guests)
        self.assertEqual(wrong, [fact.name for fact
                                 in comparison.disagreements])

    @ddt.data(
        # MiB of the host, its available memory; guests; store; what is wrong
        (51, 1, [16, 48], GUESTS, []),
        (51, None, [16, 48], GUESTS, []),
        (52, 1, [16, 48], GUESTS, ['RAM of all guests, MiB']),
        (51, 0, [16, 48], GUESTS, ['memory available, MiB']),
        (51, 1, [16, 48], {**GUESTS, **_file('b', 48, 47)},
         ['space taken, MiB']))
    @ddt.unpack
    def test_compare_exceeding(self, memory, available, guests, found, wrong):
        now = _count(128, found)
        comparison = store_counts.compare_exceeding(
            HOST, BEFORE, dataclasses.replace(now, survey=dataclasses.replace(
                now.survey, memory_mib=memory, available_mib=available)),
            guests)
        self.assertEqual(wrong, [fact.name for fact
                                 in comparison.disagreements])
