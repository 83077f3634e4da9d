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

"""The best verdict that a host can reach, before anything is spent on it."""

import dataclasses

from mempage_certificate import profiles
from mempage_certificate import runs

_SMOKE = profiles.LEVELS[0]
# Kinds of layers on which nobody's memory is certified.
_TOYS = {'loop': 'its store is on a loop device',
         'memory': 'its store is in memory itself',
         'thin': 'its store is on a thin device, which promises more than it '
                 'has',
         'network': 'its store is on a network'}
_TOY_FILE_SYSTEMS = ('tmpfs', 'ramfs')


@dataclasses.dataclass(frozen=True)
class Eligibility:
    """What a host can reach.

    :ivar best: the highest level, or None
    :ivar reasons: why it is not the one of the profile; list of texts
    """

    best: str | None
    reasons: list


def judge(profile, environment, product):
    """Tell what a host can reach at best.

    :param profile: a profiles.Profile
    :param environment: document of the host before the run
    :param product: what PRODUCT.yaml says
    :returns: an :class:`Eligibility`
    """
    toys = list(_toys(environment))
    # Smoke certifies nothing of a product.
    may_be_any = profile.target == _SMOKE or toys
    refused = [*_not_of_profile(profile.document['eligibility'], environment),
               *_not_the_product(environment['store'], product, may_be_any)]
    if refused:
        return Eligibility(None, refused)
    if toys and profile.target != _SMOKE:
        return Eligibility(_SMOKE, toys)
    return Eligibility(profile.target, toys)


def of_host(profile, phases, product):
    """Tell what a host of a run can reach at best.

    :param profile: a profiles.Profile
    :param phases: dict of the host's environments
    :param product: what PRODUCT.yaml says
    :returns: an :class:`Eligibility`; None if nobody knows the host
    """
    first = runs.before(phases)
    if not first or not first['store']:
        return None
    return judge(profile, first, product)


def _not_of_profile(wanted, environment):
    store = environment['store']
    if environment['accelerator'] not in wanted['accelerators']:
        yield 'its CPUs are run by %s' % environment['accelerator']
    if environment['nested'] and not wanted['nested']:
        yield 'it is a guest itself'
    if store['file_system'] not in wanted['file_systems']:
        yield 'its file system is %s' % store['file_system']
    for kind in sorted(set(store['stack']) - set(wanted['stack'])):
        yield 'its store has a layer of the kind %s' % kind
    for device in store['devices']:
        yield from _not_of_devices(wanted, device)
    if store['dax'] != wanted['dax']:
        yield 'its files are mapped %s a page cache' % (
            'without' if store['dax'] else 'through')
    if store['declared_mib'] > store['usable_mib']:
        yield '%d MiB are declared, and its store has %d MiB' % (
            store['declared_mib'], store['usable_mib'])


def _not_of_devices(wanted, device):
    if device['transport'] not in wanted['transports']:
        yield 'its device %s is %s' % (device['model'], device['transport'])
    if device['emulated'] and not wanted['emulated_devices']:
        yield 'its device %s is played by software' % device['model']


def _not_the_product(store, product, may_be_any):
    named = product['devices'] or not may_be_any
    firmware = {device['model']: device['firmware']
                for device in product['devices']}
    for device in store['devices']:
        known = firmware.get(device['model'])
        if known is None and named:
            yield 'its device %s is not of the product' % device['model']
        elif known and device['firmware'] not in known:
            yield 'its device %s has firmware %s, and the product has %s' % (
                device['model'], device['firmware'], ', '.join(known))
    if product['devices'] and not store['devices']:
        yield 'its store is on no device, and the product is one'


def _toys(environment):
    store = environment['store']
    if environment['accelerator'] != 'kvm':
        yield 'its CPUs are emulated'
    if environment['nested']:
        yield 'it is a guest itself'
    for kind in sorted(set(store['stack']) & set(_TOYS)):
        yield _TOYS[kind]
    if store['file_system'] in _TOY_FILE_SYSTEMS and (
            'memory' not in store['stack']):
        yield _TOYS['memory']
    for device in store['devices']:
        if device['emulated']:
            yield 'its device %s is played by software' % device['model']
    if not store['devices']:
        yield 'its store is on no device that is known'
