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

"""What a lab leaves for its users: a Tempest configuration, an inventory."""

import dataclasses
import pathlib
import shlex
import sys

import yaml

from mempage_lab import cloud
from mempage_lab import compute
from mempage_lab import containers
from mempage_lab import controller
from mempage_lab import image
from mempage_lab.machines import node
from mempage_lab import paths
from mempage_lab import secrets
from mempage_lab import switch
from mempage_lab import templates
from mempage_tempest_plugin.declared import inventory


def write(topology, resources, kvm):
    """Write all files that name the lab to those who use it.

    :param topology: a :class:`mempage_lab.topology.Topology`
    :param resources: a :class:`mempage_lab.cloud.Resources`
    :param kvm: whether guests run under KVM
    """
    credentials = cloud.credentials(topology.controller)
    write_private = secrets.write_private
    addresses = {host.name: topology.address(host) for host in topology.hosts}
    write_private(paths.KNOWN_HOSTS, compute.known_hosts(addresses))
    write_private(paths.SSH_CONFIG, templates.render(
        'ssh_config', addresses=addresses, user=compute.SSH_USER,
        key=paths.KEYS / compute.SSH_USER, known_hosts=paths.KNOWN_HOSTS,
        jumps={host.name: host.shape.jump for host in topology.hosts}))
    # libvirt names no configuration to the ssh that it starts.
    write_private(paths.SSH, '#!/bin/sh\nexec ssh -F %s "$@"\n'
                  % paths.SSH_CONFIG)
    paths.SSH.chmod(0o700)
    write_private(paths.CLOUDS, yaml.safe_dump(
        {'clouds': {'mempage': {'auth': credentials,
                                'region_name': 'RegionOne'}}}))
    write_private(paths.OPENRC, templates.render(
        'openrc', variables=_variables(credentials)))
    write_private(paths.INVENTORY, inventory.dump(inventory.Inventory(
        str(paths.INVENTORY),
        {host.hypervisor: _declaration(topology, host)
         for host in topology.hosts})))
    write_private(paths.TEMPEST_CONF, templates.render(
        'tempest.conf', workspace=paths.TEMPEST_WORKSPACE,
        log=paths.TEMPEST_LOG, accounts=paths.ACCOUNTS,
        controller=topology.controller, resources=resources,
        scheduler_filters=controller.scheduler_filters(topology),
        hosts=len(topology.hosts), stock=topology.stock,
        slowness=max(map(_slowness, topology.hosts)),
        running_guests_move=kvm or _qemu_keeps_guests(topology),
        login_user=image.LOGIN_USER, vhost_user=bool(topology.switched),
        shares=topology.shares,
        admin_password=credentials['password'], inventory=paths.INVENTORY))


def _qemu_keeps_guests(topology):
    """Tell whether emulated guests survive that they move while they run.

    Those of QEMU 7.2, Debian 12's, lose writes: it does not tell TCG which
    pages it looks at again. Mended in 9.0 (commit 03bfc2188f).
    """
    return all(topology.installation(host).system.name != 'debian-12'
               for host in topology.hosts)


def _variables(credentials):
    return {'OS_IDENTITY_API_VERSION': 3, 'OS_REGION_NAME': 'RegionOne',
            **{'OS_' + name.upper(): shlex.quote(value)
               for name, value in credentials.items()}}


def _declaration(topology, host):
    restart = 'systemctl restart ' if host.machine else (
        '%s -c /etc/mempage-lab/supervisord.conf restart ' % (
            topology.installation(host).system.supervisor / 'supervisorctl'))
    libvirt, nova = containers.services(host)
    return inventory.Host(
        name=host.hypervisor, address=topology.address(host),
        ssh=inventory.Ssh(
            user=compute.SSH_USER, key=str(paths.KEYS / compute.SSH_USER),
            known_hosts=str(paths.KNOWN_HOSTS), jump=_jump(topology, host)),
        libvirt_uri='qemu+ssh://%s@%s/system?command=%s'
                    % (compute.SSH_USER, host.name, paths.SSH),
        compute_log=inventory.Log(file='/var/log/%s.log' % nova.program),
        compute_service=inventory.Service(
            config='%s/%s' % (nova.configuration, nova.options),
            restart=restart + nova.program),
        libvirt_restart=restart + libvirt.program, slowness=_slowness(host),
        power=_power(host), switch=host.shape.switch and inventory.Switch(
            switch.PROGRAM, restart + switch.PROGRAM),
        **dict(vars(host.policy), file_backed=_store(host.policy)))


def _power(host):
    if not host.machine:
        return inventory.Power()
    reboot = '%s reboot %s' % (
        pathlib.Path(sys.prefix, 'bin', 'mempage-lab'), host.name)
    return inventory.Power(reboot, reboot + ' --hard')


def _slowness(host):
    # Guests in a machine are emulated, and may be so twice.
    return node.SLOWER if host.machine else 1


def _jump(topology, host):
    jump = topology.jump(host)
    return jump and inventory.Jump(topology.address(jump))


def _store(policy):
    """Return what the operator declares: what stands in qemu.conf."""
    store = policy.file_backed
    if store and store.link:
        return dataclasses.replace(store, directory=store.link)
    return store
