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

"""OpenStack as the lab installs it: a virtual environment for each release.

Each is named after what is in it, so that another one lies beside it and is
never mixed with it.
"""

import functools
import hashlib
import pathlib
import shutil
import tempfile

from mempage_lab import files
from mempage_lab import paths
from mempage_lab import shell

PYTHON = '/usr/bin/python3'
# pyuwsgi is uWSGI in Python's own binary. With Debian's libpython, which uWSGI
# links, the same work takes half as long again.
DISTRIBUTIONS = ('nova', 'keystone', 'glance', 'openstack-placement',
                 'neutron', 'pyuwsgi', 'mysqlclient', 'python-memcached',
                 'libvirt-python',
                 # Older releases import pkg_resources.
                 'setuptools<81')
# What is not as it was released: a module, a text in it, what stands for it
# here, and what the module must have besides, or be left as it is.
PATCHES = (
    # After each message oslo.messaging looks 1, 2, 4 ... ms later whether
    # there is one to acknowledge: a fifth of nova-conductor's time. Only
    # notifications are acknowledged there, which nobody in the lab listens to.
    ('oslo_messaging/_drivers/amqpdriver.py',
     'ACK_REQUEUE_EVERY_SECONDS_MIN = 0.001',
     'ACK_REQUEUE_EVERY_SECONDS_MIN = 1.0', ''),
    # os-vif adds the port first, then makes its tap and sets that up. Open
    # vSwitch without a kernel datapath reads the tap's flags meanwhile, writes
    # them back with IFF_PROMISC, and the tap may be down for ever. So does
    # what libvirt makes with [ovn] ovs_create_tap = false, and before os-vif
    # 4.3.0, which makes none: see libvirt-hook.j2.
    ('vif_plug_ovs/ovs.py',
     '        self.ovsdb.create_ovs_vif_port(\n',
     '        profile = vif.port_profile\n'
     '        if ("create_tap" in profile and profile.create_tap\n'
     '                and not ip_lib.exists(vif_name)):\n'
     '            linux_net.create_tap(vif_name, mtu, vif.address)\n'
     '        self.ovsdb.create_ovs_vif_port(\n', 'profile.create_tap'))


class Installation:
    """OpenStack of one release, on one system.

    :param release: a :class:`mempage_lab.releases.Release`
    :param stock: whether without the project's extension of Nova
    :param system: the :class:`mempage_lab.systems.System` that it runs on
    """

    #: What its directory is called.
    kind = 'openstack'

    def __init__(self, release, stock, system):
        self.release = release
        self.stock = stock
        self.system = system

    @property
    def distributions(self):
        """What is installed, in the words of pip."""
        return DISTRIBUTIONS

    @property
    def patches(self):
        """What is not as it was released; see :data:`PATCHES`."""
        return PATCHES

    @functools.cached_property
    def fingerprint(self):
        """A name for what :meth:`install` installs."""
        content = repr((self.system.name, self.distributions,
                        self.patches)).encode()
        return hashlib.sha256(
            content + self.release.constraints.read_bytes()).hexdigest()[:12]

    @property
    def venv(self):
        """The directory of the virtual environment."""
        return paths.CACHE / ('%s-%s' % (self.kind, self.fingerprint))

    @property
    def search_path(self):
        """The PATH with which OpenStack's commands are found."""
        return '%s/bin:%s' % (self.venv, shell.PATH)

    def install(self):
        """Make the virtual environment, unless it is complete."""
        complete = self.venv / 'complete'
        if complete.exists():
            return
        shutil.rmtree(self.venv, ignore_errors=True)
        paths.CACHE.mkdir(parents=True, exist_ok=True)
        run = functools.partial(self.system.run, visible=[paths.PACKAGE])
        make_venv(self.venv, '-c', self.release.constraints,
                  *self.distributions, run=run)
        for path, old, new, needed in self.patches:
            patched = self.module(path)
            if needed in patched.read_text():
                patched.write_text(files.replaced(patched, old, new))
        self._finish()
        complete.touch()

    def _finish(self):
        """Do what is left to do when all is installed."""

    def module(self, path):
        """Return where a module of the virtual environment is.

        :param path: its path below site-packages
        """
        [found] = self.venv.glob('lib/python3*/site-packages/%s' % path)
        return found

    def settle_extension(self):
        """Install the extension of Nova, or remove it for a stock Nova.

        One that is there already is left alone, as long as it is this one.
        """
        stamp = self.venv / 'nova-mempage'
        if self.stock:
            if stamp.exists():
                self._pip('uninstall', '-q', '-y', 'nova-mempage')
                stamp.unlink()
            return
        digest = _digest(paths.NOVA_EXTENSION)
        if stamp.exists() and stamp.read_text() == digest:
            return
        # There is something to remove from now on, complete or not.
        stamp.write_text('')
        # Built where it lies, it would pick up what an earlier build left.
        with tempfile.TemporaryDirectory(dir=paths.CACHE) as copy:
            source = shutil.copytree(
                paths.NOVA_EXTENSION, pathlib.Path(copy, 'nova_mempage'),
                ignore=shutil.ignore_patterns('build', '.*', '*.egg-info'))
            self._pip('install', '-q', '--no-deps', '--force-reinstall',
                      source)
        stamp.write_text(digest)

    def _pip(self, *arguments):
        _pip(self.system.run, self.venv, *arguments)


def _digest(directory):
    """Digest what a package is made of."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob('nova*/**/*.py')):
        digest.update(str(path.relative_to(directory)).encode())
        digest.update(path.read_bytes())
    digest.update((directory / 'pyproject.toml').read_bytes())
    return digest.hexdigest()


def make_venv(directory, *arguments, run=shell.run):
    """Make a virtual environment and install into it.

    :param directory: where; a :class:`pathlib.Path`
    :param arguments: of ``pip install``
    :param run: what runs commands, as :func:`mempage_lab.shell.run` does
    """
    run(PYTHON, '-m', 'venv', directory)
    _pip(run, directory, 'install', '-q', *arguments)


def _pip(run, directory, *arguments):
    # A killed lab must not leave a pip that goes on writing here.
    run('setpriv', '--pdeathsig', 'KILL', directory / 'bin' / 'pip',
        *arguments)
