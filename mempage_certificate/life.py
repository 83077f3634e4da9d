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

"""How long a device lasts, which nobody can wait for: it is reckoned.

And how much guests may write a day, so that it lasts as long as it is rated
for.
"""

from mempage_certificate import errors
from mempage_tempest_plugin.evidence import measurements

YEARS = 'years'
BUDGET = 'GiB/day'

_TERABYTE = 10 ** 12
_GIB = 1024 ** 3
_DAYS = 365


def at_best(profile, product, first):
    """Reckon what the device of a host endures.

    :param profile: a profiles.Profile
    :param product: what PRODUCT.yaml says
    :param first: what the host was made of before the run, or None
    :returns: dict by unit, if the device writes a byte for each that guests
        dirty: the years that it lasts with the workload of the profile, and
        the GiB that guests may dirty a day in the years of its warranty
    :raises CertificateError: if nobody can tell
    """
    workload = profile.document.get('workload')
    if not workload:
        raise errors.CertificateError('the profile has no workload')
    devices = first and first['store'] and first['store']['devices'] or []
    if len(devices) != 1:
        raise errors.CertificateError(
            'the store is on %d devices, and nobody knows what each of them '
            'writes' % len(devices))
    endured = _endurance(product, devices[0]) * _TERABYTE
    day = workload['dirtied_gib_per_day'] * _GIB
    return {YEARS: endured / day / _DAYS,
            BUDGET: endured / (workload['warranty_years'] * _DAYS) / _GIB}


def _endurance(product, device):
    rated = [other.get('rated_endurance_tbw') for other in product['devices']
             if other['model'] == device['model']
             and device['firmware'] in other['firmware']]
    if not rated or None in rated:
        raise errors.CertificateError(
            'PRODUCT.yaml has no rated_endurance_tbw of the device %s' %
            device['model'])
    return min(rated)


def document(best, identity, rule, written):
    """Reckon a figure from what is written for each byte that guests dirty.

    :param best: what :func:`at_best` returned
    :param identity: the ID of what is reckoned
    :param rule: what the catalogue says of it
    :param written: the measurement, without a value of 0
    :returns: the same in the unit of the rule, without a control: that
        writes nothing, and lasts for ever
    """
    most = best[rule['unit']]
    return dict(
        written, id=identity, unit=rule['unit'], direction=rule['direction'],
        limit=dict(written['limit'], value=most / written['limit']['value']),
        samples=[dict(sample, value=most / sample['value'])
                 for sample in written['samples']
                 if sample['arm'] == measurements.STORE])
