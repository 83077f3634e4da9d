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

import dataclasses

from tempest import clients
from tempest.common import credentials_factory

from mempage_tempest_plugin.cmd import tempest_conf
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.hosts import backing_directory
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import sections

SCRIPT = 'discover.sh'
STORE = 'discover_store.sh'
#: How the driver of nova_mempage is named, which knows allowed page sizes.
DRIVER = 'mempage.'


@dataclasses.dataclass(frozen=True)
class Draft:
    """A drafted declaration.

    :ivar notes: sentences that say what of it was guessed, and what was not
        found
    """

    host: inventory.Host
    notes: tuple[str, ...]


def addresses(config_file):
    """Ask nova for its compute hosts.

    :param config_file: path of a tempest.conf with administrator
        credentials
    :raises RunError: if that cannot be read
    :returns: dict of addresses by hypervisor_hostname
    """
    tempest_conf.use(config_file)
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
    :returns: a :class:`Draft`, with what its configuration tells
    :raises ConfigurationUnclear: if a service there would refuse its
        configuration
    :raises HostError: if the host cannot be reached or asked
    """
    living = compute_host.ComputeHost(host, timeout)
    try:
        return _look(living.ssh, host)
    finally:
        living.close()


def _look(ssh, host):
    running = nova_config.processes(ssh)
    configuration = nova_config.read(ssh, host.name, running)
    found = sections.split(scripts.run(
        ssh, SCRIPT, nova=running[0].pid if running else ''))
    found = {name: text.strip() for name, text in found.items()}
    notes = list(configuration.notes)
    store = None
    if configuration.file_backed_mib:
        store = _store(ssh, host.name, configuration.file_backed_mib, notes)
    drafted = dataclasses.replace(
        host, file_backed=store, compute_log=log(found),
        small_page_kib=_small_page_kib(found, notes),
        pools=tuple(_pools(found, configuration.reserved, notes)),
        allowed_page_sizes=_allowed(configuration, notes),
        switch=_switch(found),
        drafted=tuple(field.name for field
                      in dataclasses.fields(inventory.Policy)))
    if drafted.compute_log is None:
        notes.append('Where nova-compute logs to was not found: '
                     'services.nova-compute.')
    return Draft(drafted, tuple(notes))


def log(found):
    """Tell where a host's nova-compute logs to.

    :param found: dict of the script's sections
    :returns: an inventory.Log, or None
    """
    for section, key in (('journal', 'unit'), ('log', 'file')):
        if found.get(section):
            return inventory.Log(**{key: found[section].splitlines()[0]})
    return None


def _store(ssh, host, capacity_mib, notes):
    """Draft a backing store.

    :param notes: list that gets what was guessed
    :returns: an inventory.FileBacked
    """
    wanted, told = backing_directory.configured(ssh, host)
    if not told:
        notes.append('%s cannot be read: the directory that libvirt has by '
                     'itself was guessed.' % backing_directory.QEMU_CONF)
    found = sections.split(libvirt_root.run(ssh, STORE, directory=wanted))
    directory = found['directory'].strip()
    if directory != wanted:
        notes.append('%s, the directory that libvirt is to have, does not '
                     'exist: what is above it was drafted.' % wanted)
    mount = mounts.holding(mounts.parse(found['mounts']),
                           found['real'].strip())
    if mount.point == '/':
        notes.append('Nothing is mounted for %s: it is on the root file '
                     'system.' % directory)
    return inventory.FileBacked(capacity_mib, directory, mount.point,
                                mount.filesystem)


def _pools(found, reserved, notes):
    """Draft pools.

    :param reserved: as of nova_config.Configuration
    :param notes: list that gets what was guessed
    :returns: iterator over inventory.DeclaredPool
    """
    seen = pools.parse(found['pools'])
    # On a machine with one node there is nothing to tell apart.
    several = len({pool.node for pool in seen}) > 1
    for pool in seen:
        wanted = reserved.get((pool.node, pool.size_kib), 0)
        if wanted > pool.persistent:
            notes.append(
                'Nova reserves %d pages of %d KiB on node %d, which has %d.'
                % (wanted, pool.size_kib, pool.node, pool.persistent))
        held = min(wanted, pool.persistent)
        if pool.persistent:
            yield inventory.DeclaredPool(
                pool.size_kib, pool.persistent - held,
                pool.node if several else None, held)
        if pool.surplus:
            notes.append(
                '%d pages of %d KiB on node %d are surplus: the kernel takes '
                'them back, and they were left out.' % (
                    pool.surplus, pool.size_kib, pool.node))


def _small_page_kib(found, notes):
    if found['page'].isdecimal():
        return int(found['page']) // 1024
    notes.append('The size of small pages was not found: 4 KiB was guessed.')
    return inventory.Policy.small_page_kib


def _switch(found):
    program = found.get('switch')
    return inventory.Switch(program) if program else None


def _allowed(configuration, notes):
    sizes = configuration.allowed_page_sizes
    if not sizes:
        return inventory.Policy.allowed_page_sizes
    if (configuration.driver or '').startswith(DRIVER):
        return sizes
    notes.append('allowed_memory_pagesize is set, and not in effect: '
                 'compute_driver is %s.' % configuration.driver)
    return inventory.Policy.allowed_page_sizes
