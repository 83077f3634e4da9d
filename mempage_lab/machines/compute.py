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

"""A compute host that is a virtual machine."""

from mempage_lab import compute
from mempage_lab import errors
from mempage_lab.machines import environment
from mempage_lab.machines import image
from mempage_lab.machines import node
from mempage_lab.machines import qemu
from mempage_lab.machines import snapshot

#: Prints how many pages are in use of each pool that is named.
COUNT_USED = """for pool; do
    read -r all < "$pool/nr_hugepages"
    read -r free < "$pool/free_hugepages"
    echo $((all - free))
done"""


class MachineCompute(compute.Compute):
    """One of them.

    Its guests are always emulated: it is not known to have KVM for them.
    """

    # Debian's kernel has it.
    datapath = 'system'
    guests_under_kvm = False

    def _make_node(self):
        return node.MachineNode(
            self.host.name, 10 + self.host.index,
            self.topology.address(self.host),
            self.topology.installation(self.host), self.host.machine.disks)

    @property
    def snapshot(self):
        """What it is started from."""
        installation = self.node.installation
        return snapshot.Snapshot(
            image.Image(installation.system),
            qemu.Hardware(self.host.machine.numa, self.kvm),
            environment.Environment(installation))

    def start(self, hosts):
        """Start the host with everything but nova-compute.

        :param hosts: dict of all nodes' names to their addresses
        """
        if self.node.has_begun:
            self.node.wait_for_supervisor()
            return
        self._write_configuration(hosts)
        # Debian's ends if nobody asks it anything for two minutes.
        self.node.write('/etc/default/libvirtd', 'LIBVIRTD_ARGS=\n')
        made = self.snapshot
        sizes = sorted({pool.size_kib for pool in self.host.policy.pools})
        self.node.start(made, made.environment.extension(), hosts,
                        self._setup('machine-setup.sh', sizes))

    def reboot(self, hard):
        """Boot it again, and wait until it is up.

        :param hard: whether its power is cut before
        """
        self.node.reboot(self.snapshot, hard)

    def used_pages(self, pids):
        """Return how many pages of each of its pools its guests have mapped.

        :returns: list of numbers, in the order of its pools; all are 0 if
            it does not answer
        """
        pools = self.host.policy.pools
        try:
            counts = self.node.run('sh', '-euc', COUNT_USED, 'sh',
                                   *map(_kernels_pool, pools))
        except errors.LabError:
            return [0] * len(pools)
        return list(map(int, counts.split()))

    def reserved_huge_pages(self):
        """Return what it must not hand out.

        :returns: list of (NUMA node, page size in KiB, pages)
        """
        return [(pool.node or 0, pool.size_kib, pool.reserved)
                for pool in self.host.policy.pools if pool.reserved]

    def pools_mib(self):
        """Return what all pools of its kernel take."""
        return sum((pool.pages + pool.reserved) * pool.size_kib
                   for pool in self.host.policy.pools) // 1024


def _kernels_pool(pool):
    """Return the kernel's directory of a pool."""
    where = ('/sys/kernel/mm' if pool.node is None
             else '/sys/devices/system/node/node%d' % pool.node)
    return '%s/hugepages/hugepages-%dkB' % (where, pool.size_kib)
