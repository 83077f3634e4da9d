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

"""What the lab needs of the distribution's packages."""

import contextlib
import os
import pathlib

from mempage_lab import image
from mempage_lab import shell

DEBIAN = (
    'qemu-system-x86', 'qemu-utils', 'libvirt-daemon',
    'libvirt-daemon-driver-qemu', 'libvirt-daemon-system', 'libvirt-clients',
    'mariadb-server', 'rabbitmq-server', 'memcached', 'openvswitch-switch',
    'ovn-central', 'ovn-host', 'iproute2', 'ethtool', 'openssh-server',
    'openssh-client', 'sudo', 'genisoimage', 'xfsprogs', 'e2fsprogs',
    # Tempest pings guests, and fio measures the stores.
    'iputils-ping', 'fio', *image.PACKAGES)
# Of Debian 13, for what maps guests' memory besides QEMU. Without its pools
# DPDK makes no port: "Failed to create mempool".
CONSUMERS = (
    'openvswitch-switch-dpdk', 'librte-mempool-ring25', 'virtiofsd',
    # A small Ceph, and what mounts its file system without the kernel.
    'ceph-mon', 'ceph-mgr', 'ceph-osd', 'ceph-mds', 'ceph-common',
    'ceph-fuse', 'python3-rados')
# To build libvirt-python and mysqlclient, before OpenStack is installed.
BUILD = ('gcc', 'libc6-dev', 'libvirt-dev', 'libmariadb-dev', 'pkg-config',
         'python3-dev', 'python3-venv')
POLICY = pathlib.Path('/usr/sbin/policy-rc.d')
POLICY_TEXT = '#!/bin/sh\n# mempage-lab installs packages\nexit 101\n'


def missing(wanted):
    """Return the names of the distribution's packages still to install.

    :param wanted: names of packages
    """
    installed = set()
    for line in shell.run(
            'sh', '-c', 'dpkg-query -W -f \'${Package} ${db:Status-Status}\n\''
            ' "$@" 2>/dev/null || true', 'sh', *wanted).splitlines():
        name, _, state = line.partition(' ')
        if state == 'installed':
            installed.add(name)
    return sorted(set(wanted) - installed)


def install_debian(wanted):
    """Install missing packages; none of their services is started.

    :param wanted: names of packages, such as ``DEBIAN`` and ``BUILD``
    """
    names = missing(wanted)
    if not names:
        return
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    shell.run('apt-get', 'update', '-q', env=environment)
    with _no_services():
        shell.run('apt-get', 'install', '-q', '-y', '--no-install-recommends',
                  *names, env=environment)


@contextlib.contextmanager
def _no_services():
    """Keep the packages' services from starting, now and at the next boot."""
    before = _enabled_units()
    own_policy = (not POLICY.exists()
                  or POLICY.read_text() == POLICY_TEXT)
    if own_policy:
        POLICY.write_text(POLICY_TEXT)
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if own_policy:
            POLICY.unlink()
        new = _enabled_units() - before
        if new:
            shell.run('systemctl', 'disable', *sorted(new))


def _enabled_units():
    if not pathlib.Path('/run/systemd/system').exists():
        return set()
    return {line.split()[0] for line in shell.run(
        'systemctl', 'list-unit-files', '--state=enabled', '--no-legend',
        '--type=service,socket,timer').splitlines() if line.strip()}
