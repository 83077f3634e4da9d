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

"""Tests of what reads SMART, on output of real devices."""

import copy
import json

import ddt
from oslotest import base

from mempage_tempest_plugin.hosts import smart

# What nvme smart-log printed of a disk of a server, as tests of a public
# exporter of metrics have it (Go, TestGetSMARTLog).
NVME_CLI = {
    'critical_warning': 0, 'temperature': 301, 'avail_spare': 100,
    'spare_thresh': 5, 'percent_used': 15, 'data_units_read': 499296134,
    'data_units_written': 1474968593, 'power_on_hours': 38313,
    'unsafe_shutdowns': 139, 'media_errors': 0, 'num_err_log_entries': 17,
    'temperature_sensor_1': 306}
# What smartctl 7.1 and 7.0 printed of an Intel 660p (INTEL SSDPEKNW010T8) and
# a Corsair Force MP510: webapp/backend/pkg/models/testdata/smart-nvme.json and
# smart-nvme2.json of github.com/AnalogJ/scrutiny, the parts that are read.
INTEL = {'nvme_smart_health_information_log': {
    'critical_warning': 0, 'temperature': 36, 'available_spare': 100,
    'percentage_used': 0, 'data_units_read': 9511859,
    'data_units_written': 7773431, 'power_on_hours': 2401,
    'media_errors': 0, 'num_err_log_entries': 0}}
CORSAIR = {'nvme_smart_health_information_log': {
    'critical_warning': 0, 'temperature': 38, 'available_spare': 100,
    'percentage_used': 1, 'data_units_read': 6932144,
    'data_units_written': 16093122, 'power_on_hours': 6487,
    'media_errors': 0, 'num_err_log_entries': 8382}}
# Of a Seagate ST4000NM0043 (SAS), which has no endurance to tell: smart-scsi
# .json beside them.
SEAGATE = {
    'smart_status': {'passed': True}, 'temperature': {'current': 34},
    'power_on_time': {'hours': 43549, 'minutes': 33},
    'scsi_error_counter_log': {
        'read': {'gigabytes_processed': '176987.332',
                 'total_uncorrected_errors': 0},
        'write': {'gigabytes_processed': '86472.611',
                  'total_uncorrected_errors': 0}}}
# Made up as smartctl lays it out: offsets are those of ACS-4.
ATA = {
    'smart_status': {'passed': True}, 'temperature': {'current': 29},
    'power_on_time': {'hours': 61405}, 'logical_block_size': 512,
    'ata_device_statistics': {'pages': [
        {'number': 1, 'table': [{'offset': 24, 'value': 4286460901},
                                {'offset': 40, 'value': 3747432196}]},
        {'number': 4, 'table': [{'offset': 8, 'value': 2}]},
        {'number': 7, 'table': [{'offset': 8, 'value': 10}]}]}}


@ddt.ddt
class SmartTest(base.BaseTestCase):

    def test_nvme_cli(self):
        self.assertEqual(
            smart.Smart(1474968593 * 512000, 499296134 * 512000, 0, 15, 0,
                        38313, 28), smart.of_nvme(json.dumps(NVME_CLI)))

    @ddt.data({'data_units_written': '1474968593'},
              {'critical_warning': {'value': 0, 'available_spare': 0}})
    def test_nvme_cli_of_other_versions(self, changed):
        self.assertEqual(
            smart.of_nvme(json.dumps(NVME_CLI)),
            smart.of_nvme(json.dumps({**NVME_CLI, **changed})))

    @ddt.data('critical_warning', 'temperature', 'percent_used',
              'data_units_read', 'data_units_written', 'power_on_hours',
              'media_errors')
    def test_nvme_cli_that_does_not_tell(self, key):
        told = {name: value for name, value in NVME_CLI.items()
                if name != key}
        self.assertIsNone(smart.of_nvme(json.dumps(told)))

    @ddt.data('', 'NVMe status: INVALID_OPCODE', '[]', 'null',
              json.dumps({**NVME_CLI, 'data_units_written': -1}))
    def test_not_told(self, text):
        self.assertIsNone(smart.of_nvme(text))

    @ddt.unpack
    @ddt.data((INTEL, 7773431, 0, 36), (CORSAIR, 16093122, 1, 38))
    def test_smartctl_of_nvme(self, told, written, used, celsius):
        found = smart.of_smartctl(json.dumps(told))
        self.assertEqual((written * 512000, used, celsius), (
            found.bytes_written, found.percentage_used,
            found.temperature_celsius))

    def test_sas_without_endurance(self):
        self.assertIsNone(smart.of_smartctl(json.dumps(SEAGATE)))

    def test_sas(self):
        told = dict(SEAGATE, scsi_percentage_used_endurance_indicator=11)
        self.assertEqual(
            smart.Smart(86472611000000, 176987332000000, 0, 11, 0, 43549, 34),
            smart.of_smartctl(json.dumps(told)))

    def test_ata(self):
        self.assertEqual(
            smart.Smart(4286460901 * 512, 3747432196 * 512, 2, 10, 0, 61405,
                        29), smart.of_smartctl(json.dumps(ATA)))

    def test_ata_that_fails(self):
        told = copy.deepcopy(ATA)
        told['smart_status']['passed'] = False
        self.assertEqual(1, smart.of_smartctl(
            json.dumps(told)).critical_warning)

    def test_ata_without_statistics(self):
        told = dict(ATA, ata_device_statistics={'pages': []})
        self.assertIsNone(smart.of_smartctl(json.dumps(told)))
