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

"""Which hosts have a run of their own, and which ones others go to."""

from tempest import config

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin import exceptions

CONF = config.CONF


def choose(wanted, about=None):
    """Choose hosts.

    :param wanted: names of hosts, if not all
    :param about: a function of a declared inventory.Host that tells whether
        it may be chosen; all may if not given
    :returns: names of the hosts that have a run each, and of all that may be
        used
    :raises RunError: if one is not declared, or not such a host
    """
    if not CONF.mempage.host_inventory:
        raise exceptions.RunError(
            '[mempage] host_inventory is not set: it declares the hosts')
    declared, peers = which.selected(
        inventory.load_confirmed(CONF.mempage.host_inventory),
        CONF.mempage.hosts, CONF.mempage.peers)
    usable = [host.name for host in declared]
    suitable = [host.name for host in declared if not about or about(host)]
    unknown = [name for name in wanted if name not in suitable]
    if unknown:
        raise exceptions.RunError('no host %s; there are %s' % (
            ', '.join(unknown), ', '.join(suitable)))
    return wanted or suitable, usable + [host.name for host in peers]


def peers(name, usable):
    """List the hosts that servers of a host may go to.

    Tests take the first that suits: that of each host is another one, and
    far from those that have their run at the same time.

    :param name: of the host
    :param usable: names of all hosts that may be used
    """
    begin = usable.index(name) + (len(usable) + 1) // 2
    turned = [usable[(begin + number) % len(usable)]
              for number in range(len(usable))]
    return [other for other in turned if other != name]
