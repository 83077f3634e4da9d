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

"""Draft a host inventory from a living cloud."""

import collections
import dataclasses
import os

from oslo_utils import strutils
from tempest import clients
from tempest.common import credentials_factory
from tempest import config

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import sections

SCRIPT = 'discover.sh'
STORE = 'discover_store.sh'


def addresses(config_file):
    """Ask nova for its compute hosts.

    :param config_file: path of a tempest.conf with administrator
        credentials
    :returns: dict of addresses by hypervisor_hostname
    """
    config.CONF.set_config_path(os.path.abspath(config_file))
    manager = clients.Manager(
        credentials_factory.get_configured_admin_credentials())
    found = manager.hypervisor_client.list_hypervisors(
        detail=True)['hypervisors']
    return {hypervisor['hypervisor_hostname']: hypervisor['host_ip']
            for hypervisor in found}


def draft(host, timeout):
    """Draft the declaration of a host by looking at it.

    :param host: its declaration as far as it is needed to reach it
        (inventory.Host)
    :param timeout: seconds that the host may stay silent
    :returns: the inventory.Host, with what its configuration tells
    :raises HostError: if the host cannot be reached or asked
    """
    living = compute_host.ComputeHost(host, timeout)
    try:
        found = sections.split(scripts.run(living.ssh, SCRIPT)
                               + libvirt_root.run(living.ssh, STORE))
    finally:
        living.close()
    found = {name: text.strip() for name, text in found.items()}
    return dataclasses.replace(host, compute_log=log(found),
                               **vars(policy(found)))


def policy(found):
    """Tell what a host's configuration says of its memory.

    :param found: dict of the script's sections
    :returns: an inventory.Policy
    """
    return inventory.Policy(file_backed=_file_backed(found),
                            pools=tuple(_pools(found)))


def log(found):
    """Tell where a host's nova-compute logs to.

    :param found: dict of the script's sections
    :returns: an inventory.Log, or None
    """
    for section, key in (('journal', 'unit'), ('log', 'file')):
        if found.get(section):
            return inventory.Log(**{key: found[section].splitlines()[0]})
    return None


def _file_backed(found):
    if not int(found.get('capacity') or 0):
        return None
    mount, _, filesystem = found['mount'].rpartition(' ')
    return inventory.FileBacked(int(found['capacity']), found['directory'],
                                mount.strip(), filesystem)


def _pools(found):
    seen = pools.parse(found.get('pools', ''))
    reserved = collections.Counter()
    for node, size, pages in _reserved(found.get('reserved', '')):
        reserved[node, size] += pages
    # On a machine with one node there is nothing to tell apart.
    several = len({pool.node for pool in seen}) > 1
    for pool in seen:
        held = min(reserved[pool.node, pool.size_kib], pool.total)
        if pool.total:
            yield inventory.DeclaredPool(
                pool.size_kib, pool.total - held,
                pool.node if several else None, held)


def _reserved(text):
    """Read the values of nova's reserved_huge_pages.

    :param text: a value per line, as ``node:0,size:2048,count:64``
    :returns: iterator over (node, page size in KiB, pages)
    """
    for line in text.splitlines():
        value = dict(part.strip().split(':') for part in line.split(','))
        size = value['size']
        if not size.isdigit():
            size = strutils.string_to_bytes(size, return_int=True) // 1024
        yield int(value['node']), int(size), int(value['count'])
