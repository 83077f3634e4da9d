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

"""What a test class and its bases say together.

Each says its part, and knows nothing of the others: the parts are joined
here, from the farthest base to the class.
"""

import functools

from tempest import config
from tempest.lib.common import api_version_utils

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import which

CONF = config.CONF

#: What lacks where an option of [mempage] is off.
LACKS = {
    'allowed_memory_pagesize':
        'does not promise that hosts run the driver of nova_mempage',
    'aggregate_memory_backing_filter':
        'does not promise that the scheduler has '
        'AggregateMemoryBackingFilter',
    'isolated_aggregates':
        'does not promise that nova-scheduler has [scheduler] '
        'enable_isolated_aggregate_filtering',
    'resize_to_same_host':
        'does not promise that nova-api has [DEFAULT] '
        'allow_resize_to_same_host',
    'vhost_user': 'does not promise that ports are vhost-user ports',
    'shares': 'does not promise that servers can have shares of Manila',
    'reconfigure_hosts':
        'does not allow to restart nova-compute with other options',
    'fill_stores': 'does not allow to fill the backing stores',
    'fill_pools': 'does not allow to take all large pages for guests',
    'fault_injection': 'does not allow to break anything on purpose',
    'measure': 'does not allow to measure anything',
    'run': 'does not name the run to which figures would belong',
}


def values(cls, name):
    """Collect what a class and its bases say.

    :param cls: the class
    :param name: of the attribute
    :returns: list of its values, that of the farthest base first
    """
    return [vars(each)[name] for each in reversed(cls.__mro__)
            if name in vars(each)]


def lacking(option):
    """Say that an option of [mempage] is off.

    :param option: its name
    """
    return '[mempage] %s %s' % (option, LACKS[option])


def skip_unless_promised(cls):
    """Skip a class whose tests need what the configuration does not promise.

    :param cls: the class
    :raises SkipException: naming all that lacks
    """
    if not CONF.service_available.nova:
        raise cls.skipException('Nova is not available')
    if not CONF.mempage.host_inventory:
        raise cls.skipException(
            '[mempage] host_inventory is not set: it declares the compute '
            'hosts to test')
    lacks = [lacking(option) for option in united(cls, 'promises')
             if not CONF.mempage[option]]
    lacks += ['[compute-feature-enabled] %s is not set' % feature
              for feature in united(cls, 'features')
              if not CONF.compute_feature_enabled[feature]]
    if lacks:
        raise cls.skipException('; '.join(lacks))
    for wanted, most, group in (
            (cls.min_microversion, cls.max_microversion, 'compute'),
            (cls.placement_min_microversion, cls.placement_max_microversion,
             'placement'),
            *((version, 'latest', 'compute')
              for version in united(cls, 'speaks'))):
        _skip_unless_spoken(cls, wanted, most, group)


def skip_unless_reachable(cls):
    """Skip a class whose guests could not be asked.

    :param cls: the class
    :raises SkipException: naming the options
    """
    if cls.needs_network and (not CONF.validation.run_validation or
                              CONF.validation.auth_method != 'keypair'):
        raise cls.skipException(
            'ssh to guests needs [validation] run_validation = true and '
            'auth_method = keypair')


def _skip_unless_spoken(cls, wanted, most, group):
    configured = getattr(CONF, group)
    try:
        api_version_utils.check_skip_with_microversion(
            wanted, most, configured.min_microversion,
            configured.max_microversion)
    except cls.skipException as error:
        # It names no option.
        raise cls.skipException(
            '[%s] min_microversion and max_microversion: %s' % (
                group, error)) from error


def united(cls, name):
    """Unite tuples of names that a class and its bases say.

    :param cls: the class
    :param name: of the attribute
    :returns: dict of the names, each of which counts once
    """
    return dict.fromkeys(item for part in values(cls, name) for item in part)


def moves_live(cls):
    """Tell whether a class migrates guests that run.

    :param cls: the class
    """
    return 'live_migration' in united(cls, 'features')


def choose_hosts(cls):
    """Have a class choose its hosts among those that the run is about.

    :param cls: the class; it knows its inventory and what is declared of its
        hosts then
    :raises SkipException: if no host is what it needs
    :raises InventoryError: if the inventory cannot be used
    """
    cls.inventory = inventory.load_confirmed(CONF.mempage.host_inventory)
    selected = which.selected(cls.inventory, CONF.mempage.hosts,
                              CONF.mempage.peers)
    cls.declared = cls.choose(*(
        [host for host in hosts if host.name not in cls.avoided]
        for hosts in selected))


def choose(cls, hosts):
    """Choose the hosts that a class is about.

    :param cls: the class
    :param hosts: declarations (inventory.Host)
    :returns: list of declarations
    :raises SkipException: if there is none
    """
    about = which.all_of(values(cls, 'about'))
    chosen = [host for host in hosts if about(host)]
    if not chosen and cls.needs_hosts:
        skip(cls, about)
    return functools.reduce(lambda left, take: take(left),
                            values(cls, 'take'), chosen)


def skip(cls, wanted):
    """Skip a class or a test, as no host is what it needs.

    A test does so before it asks anything of the cloud: what it skips for can
    be foretold then.

    :param cls: the class, or the test
    :param wanted: what is needed, with a text
    :raises SkipException: always
    """
    raise cls.skipException('%s declares no %s%s' % (
        cls.inventory.path, wanted,
        ' among [mempage] hosts' if CONF.mempage.hosts else ''))
