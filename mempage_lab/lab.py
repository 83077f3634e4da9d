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

"""The lab as a whole: what ``up`` and ``down`` do, and in which order."""

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import functools
import json
import pathlib
import shutil

from mempage_lab import accel
from mempage_lab import accounts
from mempage_lab import apis
from mempage_lab import boot
from mempage_lab import cloud
from mempage_lab import compute
from mempage_lab import controller
from mempage_lab import errors
from mempage_lab import hugepages
from mempage_lab import image
from mempage_lab.machines import compute as machine_compute
from mempage_lab import network
from mempage_lab import node
from mempage_lab import optional_pools
from mempage_lab import outputs
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import preflight
from mempage_lab import releases
from mempage_lab import secrets
from mempage_lab import shares
from mempage_lab import tasks
from mempage_lab import tenant
from mempage_lab import topology
from mempage_lab import wait

#: Seconds until a started nova-compute must have made itself known.
REGISTRATION_LIMIT = 90
LOCK = '/run/mempage-lab.lock'
TESTS_LOCK = '/run/mempage-lab-tests.lock'
HOST_LOCK = '/run/mempage-lab-host-%s.lock'


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a user names of a lab; the rest is left to the topology.

    :ivar path: of the topology's file
    :ivar release: a :class:`mempage_lab.releases.Release`
    :ivar stock: whether Nova is to be without the project's extension
    :ivar system: the Debian of all nodes that name no other
    """
    path: pathlib.Path | None = None
    release: releases.Release | None = None
    stock: bool | None = None
    system: str | None = None

    def of(self, declared):
        """Return a topology as it is wished for."""
        stock = declared.stock if self.stock is None else self.stock
        return declared.made_of(self.release or declared.release, stock,
                                self.system or declared.system)


class Lab:
    """The lab that is up, or is to be.

    :param wanted: a :class:`mempage_lab.topology.Topology`
    """

    def __init__(self, wanted):
        self.topology = wanted
        self.controller = controller.Controller(wanted)
        machine_pages = hugepages.before(hugepages.kernel_sizes())
        self.computes = [
            (machine_compute.MachineCompute if host.machine
             else compute.Compute)(host, wanted, machine_pages)
            for host in wanted.hosts]
        #: What is on a node of its own beside the controller: a list of none
        #: or one.
        self.shares = [shares.Shares(wanted)] if wanted.shares else []
        self.addresses = {controller.NAME: wanted.controller, **{
            host.name: wanted.address(host) for host in wanted.hosts}}

    @property
    def parts(self):
        """What has a node: the controller, and all compute hosts."""
        return (self.controller, *self.shares, *self.computes)

    @property
    def nodes(self):
        """All nodes by name."""
        return {part.node.name: part.node for part in self.parts}

    @property
    def apis(self):
        """Address and port of each API, by the name of its program."""
        return {**{name: (self.topology.controller, port)
                   for name, port in controller.APIS.items()},
                **{shares.API: (part.node.address, apis.PORTS['manila'])
                   for part in self.shares}}

    @functools.cached_property
    def cloud(self):
        """A connection to the cloud as its administrator."""
        return cloud.connect(self.topology.controller)

    def up(self, shown):
        """Bring the lab up; what is up already is left alone.

        :param shown: a :class:`mempage_lab.progress.Progress`
        :raises LabError: with all that failed
        """
        tasks.run(self._tasks(), shown)
        slow = [host.node.name for host in self.computes
                if host.host.machine and not host.kvm]
        if slow:
            shown.say('without KVM %s are emulated, and their guests twice: '
                      'all takes some ten times as long there'
                      % ' and '.join(slow))

    def _tasks(self):
        control = self.controller
        servers = {name: (functools.partial(control.start_api, name),
                          ['database']) for name in controller.APIS}
        workers = {name: (functools.partial(control.start_worker, name),
                          ['broker', 'keystone', 'placement'])
                   for name in control.workers}
        if 'neutron-ovn-maintenance-worker' in workers:
            workers['neutron-ovn-maintenance-worker'][1].append('neutron-api')
        openstack = _task('openstack', control.node.installation)
        workers['nova-scheduler'][1].append(
            _task('nova-mempage', control.node.installation))
        return {
            # First what the machine may refuse, then what changes it.
            'hugepages': (self._build_pools, ()),
            'compiler': (functools.partial(
                packages.install_debian, packages.BUILD), ['hugepages']),
            'packages': (functools.partial(
                packages.install_debian, packages.DEBIAN), ['compiler']),
            **self._installation_tasks(),
            'image': (self._build_image, ['packages']),
            'keys': (self._generate_keys, ['packages']),
            'accelerator': (self.choose_accelerator, ['image']),
            'fabric': (self._build_fabric, ['packages']),
            'template': (control.build_template, ['fabric', openstack]),
            'controller': (self._start_controller, ['template']),
            'database': (control.start_database, ['controller']),
            'broker': (control.start_broker, ['controller']),
            **servers, **workers, **self._host_tasks(),
            **self._shares_tasks(),
            'aggregates': (self._create_aggregates, ['registered']),
            'resources': (self._create_resources, [
                'image', 'keystone', 'glance-api', 'neutron-api',
                'nova-api']),
            'accounts': (self._create_accounts, ['resources']),
            'tenant': (self._boot_tenants_guests, ['aggregates', 'resources']),
        }

    def _shares_tasks(self):
        """Return what makes the node of shares, if there is to be one."""
        result = {}
        for part in self.shares:
            name = part.node.name
            made = _task('manila', part.node.installation)
            api = '%s/%s' % (name, shares.API)
            result = {
                made: (part.node.installation.install,
                       [_task('system', part.node.installation)]),
                name: (functools.partial(part.start, self.addresses),
                       ['fabric', made]),
                name + '/ceph': (part.make_filesystem, [name]),
                name + '/database': (part.make_database, [name, 'database']),
                name + '/catalogue': (functools.partial(
                    self._with_cloud, part.register), ['keystone']),
                api: (part.start_api, [name + '/database', 'broker']),
                **{'%s/%s' % (name, worker): (
                    functools.partial(part.start_worker, worker),
                    [name + '/database', name + '/ceph', 'broker'])
                   for worker in shares.WORKERS},
                name + '/type': (functools.partial(
                    self._with_cloud, part.make_share_type),
                    [api, name + '/catalogue']),
                name + '/usable': (
                    functools.partial(self._with_cloud,
                                      part.wait_until_usable),
                    [name + '/type', *('%s/%s' % (name, worker)
                                       for worker in shares.WORKERS)])}
        return result

    def _with_cloud(self, function):
        # A connection keeps the catalogue that there was when it began.
        function(cloud.connect(self.topology.controller))

    def _installation_tasks(self):
        """Return what makes OpenStack, for each system that nodes run."""
        result = {}
        for chosen in self.topology.installations:
            # To make a tree installs a package, and so does that step.
            before = ('compiler' if chosen.system.is_machine
                      and not chosen.system.extra else 'packages')
            for step, function in (('system', chosen.system.make),
                                   ('openstack', chosen.install),
                                   ('nova-mempage', chosen.settle_extension)):
                task = _task(step, chosen)
                result[task] = function, [before]
                before = task
        return result

    def _host_tasks(self):
        result = {}
        machines = [host for host in self.computes if host.host.machine]
        if machines:
            result['snapshots'] = (
                functools.partial(_make_snapshots, machines),
                # OpenStack is copied: nobody may install anything meanwhile.
                ['accelerator', *(_task('nova-mempage', host.node.installation)
                                  for host in machines)])
        for host in self.computes:
            name = host.node.name
            used = host.node.installation
            needed = ['fabric', 'accelerator', 'keys',
                      _task('openstack', used)]
            if host.host.machine:
                needed.append('snapshots')
            result[name] = (functools.partial(host.start, self.addresses),
                            needed)
            result[name + '/network'] = (host.configure_network, [name])
            result[name + '/nova-compute'] = (
                host.start_nova_compute,
                [name + '/network', 'nova-conductor',
                 _task('nova-mempage', used)])
        result['registered'] = (self._wait_for_hosts, [
            'nova-api', 'neutron-api', 'nova-scheduler',
            *(host.node.name + '/nova-compute' for host in self.computes)])
        return result

    @functools.cached_property
    def image_path(self):
        """Where the guest image is cached."""
        return paths.CACHE / ('guest-%s.raw' % image.fingerprint(
            self._image_modules))

    @property
    def _image_modules(self):
        return image.SHARE_MODULES if self.topology.shares else ()

    def _build_image(self):
        if not self.image_path.exists():
            image.build(self.image_path, paths.CACHE / 'image-work',
                        self._image_modules)

    def choose_accelerator(self):
        """Find out whether KVM works, and let all hosts know it."""
        # The answer holds until the machine boots again.
        now = boot.identity()
        answer = paths.CACHE / 'accelerator.json'
        known = json.loads(answer.read_text()) if answer.exists() else {}
        if known.get('boot') != now:
            known = {'boot': now, 'kvm': accel.kvm_boots(self.image_path)}
            answer.write_text(json.dumps(known))
        for host in self.computes:
            host.kvm = known['kvm']

    def _generate_keys(self):
        compute.generate_keys([compute.SSH_USER, 'nova', *(
            host.name for host in self.topology.hosts)])

    def _build_pools(self):
        hugepages.build(self.topology)

    def _build_fabric(self):
        complete = paths.STATE / 'fabric'
        if not complete.exists():
            network.remove(network.FABRIC)
            network.build_fabric(self.topology)
            complete.touch()

    def _start_controller(self):
        self.controller.start(self.addresses)

    def _wait_for_hosts(self):
        """Wait until nova and neutron say that every host is up."""
        if not wait.until(self._hosts_are_up, REGISTRATION_LIMIT, 0.5):
            missing = self._missing_hosts()
            raise errors.LabError('\n'.join(
                '%s\n%s' % (host.node.explain(host.nova.program),
                            host.node.explain('ovn-controller'))
                for host in self.computes if host.node.name in missing))

    def _hosts_are_up(self):
        return not self._missing_hosts()

    def _missing_hosts(self):
        return ({host.node.name for host in self.computes}
                - cloud.hosts_up(self.cloud))

    def _create_aggregates(self):
        cloud.create_aggregates(self.cloud, self.topology)

    def _create_resources(self):
        outputs.write(self.topology, cloud.create_resources(
            self.cloud, self.topology, self.image_path),
            all(host.guests_under_kvm for host in self.computes))

    def _create_accounts(self):
        accounts.create(cloud.credentials(self.topology.controller),
                        len(self.topology.hosts))

    def _boot_tenants_guests(self):
        tenant.boot(self.cloud, self.topology)


def _make_snapshots(machines):
    """Make what machines start from; those alike share one."""
    for host in machines:
        host.snapshot.make()


def _task(step, installation):
    """Name a step of making OpenStack on a system."""
    return '%s/%s' % (installation.system.name, step)


def choose(wish, shown):
    """Return the lab that ``up`` brings up.

    :param wish: a :class:`Wish`
    :param shown: a :class:`mempage_lab.progress.Progress`
    :raises LabError: if the machine or the topology does not allow it
    """
    preflight.check_system()
    if paths.TOPOLOGY.exists() and network.namespaces():
        return _continue(wish)
    declared = topology.load(wish.path or topology.DEFAULT,
                             network.used_networks())
    wanted = wish.of(declared)
    # What a reboot, or a try that ended early, has left.
    if paths.TOPOLOGY.exists() or network.namespaces():
        down(shown)
    if wanted.stock and declared.restricting:
        shown.say('a stock Nova hands out all page sizes: allowed_page_sizes '
                  'of %s is not heeded' % ', '.join(declared.restricting))
    preflight.check_kernel(wanted)
    preflight.check_resources(wanted)
    paths.STATE.mkdir(parents=True, exist_ok=True)
    paths.STATE.chmod(0o711)
    wanted = optional_pools.settle(wanted, shown)
    topology.save(wanted, paths.TOPOLOGY)
    # All nodes need them, and only the first caller may generate them.
    secrets.load()
    return Lab(wanted)


def _continue(wish):
    """Return the lab that is up, if it is the one that is wished for."""
    current = load()
    present = current.topology
    wanted = wish.of(topology.load(wish.path, network.used_networks())
                     if wish.path else present)
    left_out = set(wanted.optional_sizes) - set(present.optional_sizes)
    wanted = dataclasses.replace(wanted.without_optional(left_out),
                                 network=present.network)
    if _on_named_system(wanted) != _on_named_system(present):
        raise errors.LabError(
            'the lab is up with another topology (%s: OpenStack %s): '
            'mempage-lab down first' % (paths.TOPOLOGY, present.openstack))
    return current


def _on_named_system(chosen):
    return dataclasses.replace(
        chosen, system=chosen.installation().system.name)


def load():
    """Return the lab that is up, perhaps only in part.

    :raises LabError: if there is none
    """
    if not paths.TOPOLOGY.exists():
        raise errors.LabError('there is no lab: mempage-lab up')
    return Lab(topology.load(paths.TOPOLOGY, network.used_networks()))


def down(shown):
    """Take down whatever there is of a lab.

    Needs nothing that ``up`` wrote, as that may have been killed.

    :param shown: a :class:`mempage_lab.progress.Progress`
    """
    with shown.step('nodes'):
        names = [name.removeprefix(network.PREFIX)
                 for name in network.namespaces()]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(node.stop, names))
    with shown.step('hugepages'):
        hugepages.restore()
    with shown.step('files'):
        _wait_for_loop_devices()
        _remove_state()


def purge(shown):
    """Take the lab down and remove all that it keeps on the machine.

    :param shown: a :class:`mempage_lab.progress.Progress`
    """
    down(shown)
    for directory in (paths.STATE, paths.CACHE):
        with shown.step(str(directory)):
            shutil.rmtree(directory, ignore_errors=True)


def _wait_for_loop_devices(limit=5):
    """Wait until the kernel has let go of the killed hosts' stores."""
    wait.until(lambda: not _loop_devices(), limit, 0.05)


def _loop_devices():
    """Return the loop devices on the lab's own files."""
    return [entry for entry in pathlib.Path('/sys/block').glob(
        'loop*/loop/backing_file')
        if entry.read_text().startswith(str(paths.STATE))]


def _remove_state():
    if not paths.STATE.exists():
        return
    for entry in paths.STATE.iterdir():
        if entry in paths.KEPT_BY_DOWN:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextlib.contextmanager
def exclusive():
    """Keep others from changing the lab at the same time.

    :raises LabError: if another one does
    """
    with _locked(LOCK, 'another mempage-lab is at work: wait for its end'):
        yield


@contextlib.contextmanager
def exclusive_tests():
    """Keep others from running tests in the lab at the same time.

    :raises LabError: if another one does
    """
    with _locked(TESTS_LOCK, 'tests run in the lab already: wait for their '
                 'end'):
        yield


@contextlib.contextmanager
def exclusive_host(name):
    """Keep others from rebooting a host at the same time.

    :param name: the host's name
    :raises LabError: if another one does
    """
    with _locked(HOST_LOCK % name, '%s reboots already: wait until it is up'
                 % name):
        yield


@contextlib.contextmanager
def _locked(path, otherwise):
    with open(path, 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise errors.LabError(otherwise) from error
        yield
