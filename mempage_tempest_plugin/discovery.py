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

import os

from oslo_utils import strutils
from tempest import clients
from tempest.common import credentials_factory
from tempest import config

from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import sections
from mempage_tempest_plugin import inventory

SCRIPT = os.path.join(os.path.dirname(__file__), 'hosts', 'discover.sh')


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


def draft(name, address, ssh, libvirt_uri, timeout):
    """Draft the entry of one host by looking at it.

    :param name: hypervisor_hostname
    :param address: address to connect to
    :param ssh: the entry's ``ssh`` part, a dict
    :param libvirt_uri: URI of its libvirt
    :param timeout: seconds that the host may stay silent
    :returns: the entry, a dict
    :raises HostError: if the host cannot be reached or asked
    """
    host = compute_host.ComputeHost(inventory.Host(
        name, address, inventory.Ssh(**ssh), libvirt_uri), timeout)
    with open(SCRIPT, encoding='utf-8') as stream:
        script = stream.read()
    try:
        output = host.ssh.execute(['sh', '-s'], stdin=script, root=True)
    finally:
        host.close()
    entry = {'address': address, 'ssh': ssh, 'libvirt_uri': libvirt_uri}
    entry.update(policy(sections.split(output.stdout)))
    return entry


def policy(found):
    """Turn a host's configuration into declarations.

    :param found: dict of the script's sections
    :returns: the parts of an inventory entry that the configuration tells
    """
    found = {name: text.strip() for name, text in found.items()}
    declared = {}
    if int(found.get('capacity') or 0):
        mount, _, filesystem = found['mount'].rpartition(' ')
        declared['file_backed'] = {
            'capacity_mib': int(found['capacity']),
            'directory': found['directory'], 'mount': mount.strip(),
            'filesystem': filesystem}
    sizes = {}
    for pool in pools.parse(found.get('pools', '')):
        sizes[pool.size_kib] = sizes.get(pool.size_kib, 0) + pool.total
    for size, pages in _reserved(found.get('reserved', '')):
        sizes[size] = max(0, sizes.get(size, 0) - pages)
    declared['pools'] = [{'size_kib': size, 'pages': pages}
                         for size, pages in sorted(sizes.items()) if pages]
    for key in ('journal', 'log'):
        if found.get(key):
            declared['services'] = {
                'nova-compute': {key: found[key].splitlines()[0]}}
            break
    return declared


def _reserved(text):
    """Read the values of nova's reserved_huge_pages.

    :param text: a value per line, as ``node:0,size:2048,count:64``
    :returns: iterator over (page size in KiB, pages)
    """
    for line in text.splitlines():
        value = dict(part.strip().split(':') for part in line.split(','))
        size = value['size']
        if not size.isdigit():
            size = strutils.string_to_bytes(size, return_int=True) // 1024
        yield int(size), int(value['count'])
