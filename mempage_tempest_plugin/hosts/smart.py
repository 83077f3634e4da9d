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

"""What disks count themselves, as nvme-cli and smartctl print it as JSON."""

import dataclasses
import json

#: Bytes in one of the units in which NVMe disks count what is written: a
#: thousand times 512 (NVM Express Base Specification, SMART / Health
#: Information).
DATA_UNIT = 1000 * 512
_KELVIN = 273
_GIGABYTE = 10 ** 9
# ACS-4, Device Statistics log: page, and offset of the value in it.
_WRITTEN = (1, 24)
_READ = (1, 40)
_UNCORRECTABLE = (4, 8)
_USED = (7, 8)


@dataclasses.dataclass(frozen=True)
class Smart:
    """What a disk has counted since it was made.

    :ivar percentage_used: of its endurance, by the word of its vendor; may be
        more than 100
    :ivar critical_warning: 0 if it warns of nothing
    """

    bytes_written: int
    bytes_read: int
    media_errors: int
    percentage_used: int
    critical_warning: int
    power_on_hours: int
    temperature_celsius: int


def of_nvme(text):
    """Read what nvme smart-log prints as JSON.

    :param text: the output
    :returns: a :class:`Smart`; None if it does not tell all of it
    """
    return _read(text, lambda found: _of_log(
        found, _percentage(found), _whole(found['temperature']) - _KELVIN))


def of_smartctl(text):
    """Read what smartctl --json --xall prints of a disk of any kind.

    :param text: the output
    :returns: a :class:`Smart`; None if it does not tell all of it
    """
    return _read(text, _of_any)


def _read(text, make):
    try:
        return make(json.loads(text))
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _whole(value):
    # Large numbers are texts in some versions of nvme-cli.
    found = int(value)
    if found < 0:
        raise ValueError(value)
    return found


def _percentage(found):
    for name in 'percent_used', 'percentage_used':
        if name in found:
            return _whole(found[name])
    raise KeyError('percent_used')


def _of_log(log, percentage, celsius):
    return Smart(
        DATA_UNIT * _whole(log['data_units_written']),
        DATA_UNIT * _whole(log['data_units_read']),
        _whole(log['media_errors']), percentage, _warning(log),
        _whole(log['power_on_hours']), max(0, celsius))


def _warning(log):
    found = log['critical_warning']
    # With a name for each bit, in later versions.
    return _whole(found['value'] if isinstance(found, dict) else found)


def _of_any(found):
    log = found.get('nvme_smart_health_information_log')
    if log is not None:
        return _of_log(log, _percentage(log), _whole(log['temperature']))
    if 'scsi_error_counter_log' in found:
        return _of_scsi(found)
    return _of_ata(found)


def _common(found):
    return {'critical_warning': int(not found['smart_status']['passed']),
            'power_on_hours': _whole(found['power_on_time']['hours']),
            'temperature_celsius': _whole(found['temperature']['current'])}


def _of_scsi(found):
    log = found['scsi_error_counter_log']
    return Smart(
        bytes_written=_processed(log['write']),
        bytes_read=_processed(log['read']),
        media_errors=sum(_whole(log[way]['total_uncorrected_errors'])
                         for way in ('read', 'write')),
        percentage_used=_whole(
            found['scsi_percentage_used_endurance_indicator']),
        **_common(found))


def _processed(counted):
    return round(float(counted['gigabytes_processed']) * _GIGABYTE)


def _of_ata(found):
    """Take what the standard defines: attributes mean what vendors like."""
    statistics = {
        (page['number'], value['offset']): value['value']
        for page in found['ata_device_statistics']['pages']
        for value in page['table']}
    sector = _whole(found['logical_block_size'])
    return Smart(
        bytes_written=sector * _whole(statistics[_WRITTEN]),
        bytes_read=sector * _whole(statistics[_READ]),
        media_errors=_whole(statistics[_UNCORRECTABLE]),
        percentage_used=_whole(statistics[_USED]), **_common(found))
