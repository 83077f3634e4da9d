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

"""What the lab needs installed: the distribution's packages, and OpenStack.

OpenStack gets a virtual environment of its own, named after what is in it,
so that another version lies beside it and is never mixed with it.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
import shutil
import tempfile

from mempage_lab import files
from mempage_lab import image
from mempage_lab import paths
from mempage_lab import shell

PYTHON = '/usr/bin/python3'
CONSTRAINTS = paths.PACKAGE / 'constraints' / '2026.2.txt'
# pyuwsgi is uWSGI in Python's own binary. With Debian's libpython, which uWSGI
# links, the same work takes half as long again.
OPENSTACK = ('nova', 'keystone', 'glance', 'openstack-placement', 'neutron',
             'pyuwsgi', 'mysqlclient', 'python-memcached', 'libvirt-python')
# What is not as it was released: a module, a text in it, and what stands for
# it here.
PATCHES = (
    # After each message oslo.messaging looks 1, 2, 4 ... ms later whether
    # there is one to acknowledge: a fifth of nova-conductor's time. Only
    # notifications are acknowledged there, which nobody in the lab listens to.
    ('oslo_messaging/_drivers/amqpdriver.py',
     'ACK_REQUEUE_EVERY_SECONDS_MIN = 0.001',
     'ACK_REQUEUE_EVERY_SECONDS_MIN = 1.0'),
    # os-vif adds the port first, then makes its tap and sets that up. Open
    # vSwitch without a kernel datapath reads the tap's flags meanwhile, writes
    # them back with IFF_PROMISC, and the tap may be down for ever. So does
    # what libvirt makes with [ovn] ovs_create_tap = false.
    ('vif_plug_ovs/ovs.py',
     '        self.ovsdb.create_ovs_vif_port(\n',
     '        if ("create_tap" in profile and profile.create_tap\n'
     '                and not ip_lib.exists(vif_name)):\n'
     '            linux_net.create_tap(vif_name, mtu, address)\n'
     '        self.ovsdb.create_ovs_vif_port(\n'))
DEBIAN = (
    'qemu-system-x86', 'qemu-utils', 'libvirt-daemon',
    'libvirt-daemon-driver-qemu', 'libvirt-daemon-system', 'libvirt-clients',
    'mariadb-server', 'rabbitmq-server', 'memcached', 'openvswitch-switch',
    'ovn-central', 'ovn-host', 'iproute2', 'ethtool', 'openssh-server',
    'openssh-client', 'sudo', 'genisoimage', 'xfsprogs', 'e2fsprogs',
    # Tempest pings guests.
    'iputils-ping', *image.PACKAGES)
# To build libvirt-python and mysqlclient, before :func:`install_openstack`.
BUILD = ('gcc', 'libc6-dev', 'libvirt-dev', 'libmariadb-dev', 'pkg-config',
         'python3-dev', 'python3-venv')
POLICY = pathlib.Path('/usr/sbin/policy-rc.d')
POLICY_TEXT = '#!/bin/sh\n# mempage-lab installs packages\nexit 101\n'


@functools.cache
def fingerprint():
    """Return a name for what :func:`install_openstack` installs."""
    version = shell.run(PYTHON, '--version')
    content = repr((version, OPENSTACK, PATCHES)).encode()
    return hashlib.sha256(content
                          + CONSTRAINTS.read_bytes()).hexdigest()[:12]


def venv():
    """Return the directory of OpenStack's virtual environment."""
    return paths.CACHE / ('openstack-' + fingerprint())


def search_path():
    """Return the PATH with which OpenStack's commands are found."""
    return '%s/bin:%s' % (venv(), shell.PATH)


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


def install_openstack():
    """Make OpenStack's virtual environment, unless it is complete."""
    complete = venv() / 'complete'
    if complete.exists():
        return
    shutil.rmtree(venv(), ignore_errors=True)
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    make_venv(venv(), '-c', CONSTRAINTS, *OPENSTACK)
    for path, old, new in PATCHES:
        patched = module(path)
        patched.write_text(files.replaced(patched, old, new))
    complete.touch()


def module(path):
    """Return where a module of OpenStack's virtual environment is.

    :param path: its path below site-packages
    """
    [found] = venv().glob('lib/python3*/site-packages/%s' % path)
    return found


def install_extension():
    """Install the project's extension of Nova, unless this one is there."""
    stamp = venv() / 'nova-mempage'
    digest = _digest(paths.NOVA_EXTENSION)
    if stamp.exists() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    # Built where it lies, it would pick up what an earlier build left there.
    with tempfile.TemporaryDirectory() as copy:
        source = shutil.copytree(
            paths.NOVA_EXTENSION, pathlib.Path(copy, 'nova_mempage'),
            ignore=shutil.ignore_patterns('build', '.*', '*.egg-info'))
        _pip(venv(), 'install', '-q', '--no-deps', '--force-reinstall',
             source)
    stamp.write_text(digest)


def _digest(directory):
    """Digest what a package is made of."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob('nova*/**/*.py')):
        digest.update(str(path.relative_to(directory)).encode())
        digest.update(path.read_bytes())
    digest.update((directory / 'pyproject.toml').read_bytes())
    return digest.hexdigest()


def make_venv(directory, *arguments):
    """Make a virtual environment and install into it.

    :param directory: where; a :class:`pathlib.Path`
    :param arguments: of ``pip install``
    """
    shell.run(PYTHON, '-m', 'venv', directory)
    _pip(directory, 'install', '-q', *arguments)


def _pip(directory, *arguments):
    # A killed lab must not leave a pip that goes on writing here.
    shell.run('setpriv', '--pdeathsig', 'KILL', directory / 'bin' / 'pip',
              *arguments)
