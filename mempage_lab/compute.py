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

"""A compute host: libvirt, Open vSwitch, sshd and nova-compute."""

import functools
import uuid

from mempage_lab import containers
from mempage_lab import memory
from mempage_lab import network
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import program
from mempage_lab import secrets
from mempage_lab import shell
from mempage_lab import switch
from mempage_lab import templates

#: Who the tests log in as on a host; not root, but with sudo.
SSH_USER = 'tempest'
#: Programs that have large pages of their own, and map those of guests.
PEERS = (switch.PROGRAM, 'virtiofsd')


class Compute:
    """One compute host's node and what runs in it.

    :param host: a :class:`mempage_lab.topology.LabHost`
    :param topology: the :class:`mempage_lab.topology.Topology` it is in
    :param machine_pages: dict of page size in KiB to the number of pages
        that the machine had before the lab
    :ivar kvm: whether KVM works here
    :ivar libvirt: the :class:`mempage_lab.containers.Service` libvirt
    :ivar nova: the :class:`mempage_lab.containers.Service` nova-compute
    """

    #: Which of Open vSwitch's datapaths it has.
    datapath = 'netdev'

    def __init__(self, host, topology, machine_pages):
        self.host = host
        self.topology = topology
        self.machine_pages = machine_pages
        self.kvm = False
        self.libvirt, self.nova = containers.services(host)
        self.node = self._make_node()

    def _make_node(self):
        return node.Node(self.host.name, 10 + self.host.index,
                         self.topology.address(self.host),
                         self.topology.installation(self.host))

    @property
    def guests_under_kvm(self):
        """Whether guests run under KVM; they are emulated otherwise."""
        return self.kvm

    def programs(self):
        """Return the host's :class:`Program` objects."""
        yield program.Program('sshd', '/usr/sbin/sshd -D -e')
        # kolla has none: QEMU writes the consoles itself.
        if not self.host.shape.contained:
            yield program.Program('virtlogd', '/usr/sbin/virtlogd')
        # Guests outlive libvirtd, as they do elsewhere.
        yield program.Program(self.libvirt.program,
                              self.libvirt.run('/usr/sbin/libvirtd'),
                              whole_group=False)
        yield program.Program(
            'ovsdb-server',
            'ovsdb-server --remote=punix:/run/openvswitch/db.sock '
            '--remote=db:Open_vSwitch,Open_vSwitch,manager_options '
            '--unixctl=/run/openvswitch/ovsdb-server.ctl '
            '/var/lib/openvswitch/conf.db')
        yield program.Program(
            switch.PROGRAM, 'ovs-vswitchd unix:/run/openvswitch/db.sock '
            '--unixctl=/run/openvswitch/ovs-vswitchd.ctl '
            '--pidfile=/run/openvswitch/ovs-vswitchd.pid')
        yield program.Program(
            'ovn-controller', 'ovn-controller '
            'unix:/run/openvswitch/db.sock '
            '--pidfile=/run/ovn/ovn-controller.pid')
        yield program.Program(
            self.nova.program, self._nova_compute, autostart=False,
            environment='PATH="%s"' % self.node.installation.search_path,
            # One that refuses to start would refuse again, for ever. To stop
            # it right after such a start takes 20 s: the signal gets lost.
            autorestart='false',
            # After SIGTERM it needs up to 8 s to leave its queues.
            stop_signal='INT')

    @property
    def _nova_compute(self):
        command = '%s/bin/nova-compute' % self.node.installation.venv
        if not self.host.shape.contained:
            command += ' --config-file /etc/nova/nova.conf'
        return self.nova.run(command)

    def start(self, hosts):
        """Start the host's node with everything but nova-compute.

        :param hosts: dict of all nodes' names to their addresses
        """
        if self.node.pid:
            self.node.wait_for_supervisor()
            return
        self.node.prepare()
        self._write_configuration(hosts)
        self.node.start(
            list(self.programs()), self._by_all_names(hosts),
            self._setup('compute-setup.sh', self.topology.page_sizes),
            kvm=self.kvm)

    def _setup(self, template, page_sizes):
        """Return what the host runs before its programs.

        :param template: its name
        :param page_sizes: in KiB, of the large pages that its guests may see
        """
        return templates.render(
            template, policy=self.host.policy, page_sizes=page_sizes,
            contained=self.host.shape.contained,
            switch=self.host.shape.switch, shares=self.topology.shares,
            libvirt=self.libvirt, nova=self.nova, volumes=containers.VOLUMES,
            outside=functools.partial(containers.outside, self.host))

    def _by_all_names(self, hosts):
        """Return hosts by their names as /etc/hosts has them.

        libvirt takes the first one of its host for its name.
        """
        known = {host.name: ' '.join(dict.fromkeys(
            [host.hypervisor, host.name])) for host in self.topology.hosts}
        return {known.get(name, name): address
                for name, address in hosts.items()}

    def configure_network(self):
        """Tell Open vSwitch and OVN who this host is."""
        self.node.wait_for('ovsdb-server', lambda: self.node.run(
            'ovs-vsctl', '--no-wait', 'init') == '')
        ids = {'system-id': self.host.name, 'hostname': self.host.name,
               'ovn-remote': 'tcp:%s:6642' % self.topology.controller,
               'ovn-encap-type': 'geneve',
               'ovn-encap-ip': self._tunnel_address,
               'ovn-bridge-datapath-type': self.datapath,
               'ovn-bridge-mappings': 'public:br-ex',
               'ovn-cms-options': 'enable-chassis-as-gw',
               'ovn-remote-probe-interval': '60000'}
        self.node.run(
            'ovs-vsctl', '--no-wait', 'set', 'Open_vSwitch', '.',
            *('external_ids:%s="%s"' % item for item in ids.items()),
            *('other_config:%s="%s"' % item for item in {
                'n-handler-threads': 1, 'n-revalidator-threads': 1,
                **switch.options(self.host.shape.switch,
                                 self.host.index)}.items()), '--',
            '--may-exist', 'add-br', 'br-ex', '--',
            'set', 'bridge', 'br-ex', 'datapath_type=%s' % self.datapath, '--',
            '--may-exist', 'add-port', 'br-ex', 'eth1')
        if self.host.shape.switch:
            # The kernel tells others that the bridge's address is at its only
            # port, too, and what they would send there is for no tunnel.
            card = network.hardware_address(
                network.BRIDGES.index(network.EXTERNAL), self.node.number)
            self.node.run('ovs-vsctl', '--no-wait', 'set', 'bridge', 'br-ex',
                          'other_config:hwaddr="%s"' % card)
            self.node.wait_for(switch.PROGRAM, self._connect_tunnels)

    @property
    def _tunnel_address(self):
        """Where other hosts send what guests there send to guests here."""
        if self.host.shape.switch:
            return switch.tunnel_address(self.host.index)
        return self.node.address

    def _connect_tunnels(self):
        """Give the bridge an address, or raise if it is not there yet.

        It stays when the switch restarts.
        """
        self.node.run('ip', 'address', 'replace',
                      self._tunnel_address + '/24', 'dev', 'br-ex')
        self.node.run('ip', 'link', 'set', 'br-ex', 'up')
        return True

    def start_nova_compute(self):
        """Start nova-compute, once libvirt can tell it of its guests."""
        self.wait_for_libvirt()
        self.node.start_program(self.nova.program)

    def wait_for_libvirt(self):
        """Wait until libvirt answers."""
        self.node.wait_for(self.libvirt.program, lambda: self.node.run(
            'virsh', '-q', '-c', 'qemu:///system', 'version'))

    def used_pages(self, pids):
        """Return how many pages of each of its pools its guests have mapped.

        :param pids: the machine's numbers of all processes of the host
        :returns: list of numbers, in the order of its pools
        """
        used = memory.large_pages(pids, but=PEERS)
        return [used.get(pool.size_kib, 0) for pool in self.host.policy.pools]

    def reserved_huge_pages(self):
        """Return what this host must not hand out: the others' pages.

        The machine may have pages of sizes that no host has a pool of.

        :returns: list of (NUMA node, page size in KiB, pages)
        """
        own = self.host.policy.node_pages
        return [(0, size, pages + self.topology.pages(size)
                 - sum(own(size).values()))
                for size, pages in self.machine_pages.items()]

    def pools_mib(self):
        """Return what all pools of its kernel take, whosever they are."""
        return sum((pages + self.topology.pages(size)) * size
                   for size, pages in self.machine_pages.items()) // 1024

    def _write_configuration(self, hosts):
        write = self.node.write
        for path in paths.DEVSTACK_LIB.iterdir():
            write('/etc/mempage-lab/lib/' + path.name, path.read_text())
        for name, text in self._nova_configuration().items():
            write('%s/%s' % (self.nova.configuration, name), text, mode=0o600)
        # libvirt takes hosts of the same UUID for the same host.
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, self.host.name)
        write(self.libvirt.configuration + '/libvirtd.conf', templates.render(
            'libvirtd.conf', node=self.node, uuid=identity))
        write(self.libvirt.configuration + '/qemu.conf', templates.render(
            'qemu.conf', node=self.node, host=self.host), mode=0o600)
        write(self.libvirt.configuration + '/hooks/qemu',
              templates.render('libvirt-hook'), mode=0o755)
        if self.host.shape.contained:
            write(containers.SCRIPT, templates.render(
                'contained.sh', volumes=containers.VOLUMES), mode=0o755)
        if self.topology.shares:
            write('/etc/mempage-lab/mount.ceph',
                  templates.render('mount.ceph'), mode=0o755)
        jump = self.topology.jump(self.host)
        write('/etc/ssh/sshd_config', templates.render(
            'sshd_config', node=self.node,
            jump=jump and self.topology.address(jump)))
        for name in ('tempest', 'nova'):
            write('/etc/mempage-lab/%s.pub' % name,
                  (paths.KEYS / (name + '.pub')).read_text())
        write('/etc/mempage-lab/nova.key',
              (paths.KEYS / 'nova').read_text(), mode=0o600)
        write('/etc/ssh/ssh_host_ed25519_key',
              (paths.KEYS / self.host.name).read_text(), mode=0o600)
        write('/etc/ssh/ssh_host_ed25519_key.pub',
              (paths.KEYS / (self.host.name + '.pub')).read_text())
        write('/etc/ssh/ssh_known_hosts', known_hosts(hosts))
        # nova-compute is root here, and sends disks to other hosts.
        write('/etc/ssh/ssh_config', 'User nova\n'
              'IdentityFile /var/lib/nova/.ssh/id_ed25519\n')

    def _nova_configuration(self):
        """Return the files of nova-compute's options by their names."""
        values = dict(
            node=self.node, policy=self.host.policy,
            kvm=self.guests_under_kvm, machine=bool(self.host.machine),
            reserved_huge_pages=self.reserved_huge_pages(),
            pools_mib=self.pools_mib(),
            controller=self.topology.controller, secrets=secrets.load(),
            shares=self.topology.shares)
        split = self.host.shape.contained
        files = {'nova.conf': templates.render('nova.conf', **values,
                                               split=split)}
        if split:
            # The last file wins, so that is the one to edit.
            files['nova.conf.d/10-libvirt.conf'] = templates.render(
                'nova-libvirt.conf', **values)
            files['nova.conf.d/20-memory.conf'] = (
                '[DEFAULT]\n' + templates.render('nova-memory.conf', **values))
        return files


def known_hosts(hosts):
    """Return the lines of a known_hosts file for all compute hosts.

    :param hosts: dict of names to addresses
    """
    lines = []
    for name, address in hosts.items():
        public = paths.KEYS / (name + '.pub')
        if public.exists():
            lines.append('%s,%s %s' % (name, address, ' '.join(
                public.read_text().split()[:2])))
    return '\n'.join(lines) + '\n'


def generate_keys(names):
    """Generate an ssh key for each name, unless there is one."""
    paths.KEYS.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in names:
        if not (paths.KEYS / (name + '.pub')).exists():
            (paths.KEYS / name).unlink(missing_ok=True)
            shell.run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '',
                      '-C', name, '-f', paths.KEYS / name)
