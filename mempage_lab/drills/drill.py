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

"""What a drill is, and what most of them have in common."""

import dataclasses

from mempage_lab.drills import faults
from mempage_lab import topology
from mempage_tempest_plugin.declared import which

#: Nova's modules, and those of the extension, below site-packages.
DRIVER = 'nova/virt/libvirt/driver.py'
MANAGER = 'nova/compute/manager.py'
OUR_DRIVER = 'nova_mempage/driver.py'
#: The backing store of the lab's hosts, and a directory that is none.
STORE = '/var/lib/libvirt/memory'
ELSEWHERE = '/var/lib/libvirt/elsewhere'

ON_RAMDISK = which.file_backed & ~which.on_a_device
LARGE_ONLY = which.allowing('large')
SMALL_ONLY = which.allowing('small')

# Several drills run the same tests.
CAPACITY_TEST = r'TestFileBacked\.test_capacity'
MEMORY_TEST = r'TestFileBacked\.test_memory_is_in_file'
DELETION_TEST = r'TestFileBacked\.test_delete_frees_store'
PLAIN_CAPACITY_TEST = r'TestPlain\.test_capacity'
PLAIN_MEMORY_TEST = r'TestPlain\.test_memory_is_anonymous'
LARGE_PAGE_TEST = r'TestLargePage\.'
ALLOWED_TESTS = r'TestAllowedPageSizes\.'
FILL_TEST = r'TestPoolExhaustion\.test_fill'
COLD_TEST = r'TestFileBackedColdMigration\.test_to_file_backed'
ROUND_TRIP_TEST = r'TestFileBackedLiveMigration\.test_round_trip'
EVACUATION_TEST = r'TestFileBackedEvacuation\.test_evacuate_to_ordinary'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drill:
    """One fault, and what must come of it.

    :ivar what: the fault in a few words
    :ivar where: a function of a host's policy that tells whether the fault
        belongs there, or the name of a node
    :ivar fault: a :class:`mempage_lab.drills.faults.Fault`
    :ivar tests: which tests run: a regular expression
    :ivar caught_by: the tests of which one has to fail; empty for any of them
    :ivar words: what it has to say: a regular expression
    :ivar unsaid: what no test may say, as it would be another fault: a regular
        expression; empty for nothing
    :ivar everywhere: whether all hosts that suit get the fault, not only the
        first
    :ivar topology: the name of the one that has what the drill is about, if
        the default one has not
    """

    what: str
    where: object
    fault: faults.Fault
    tests: str
    words: str
    caught_by: str = ''
    unsaid: str = ''
    everywhere: bool = False
    topology: str = ''

    def lacks(self, current):
        """Tell what a topology has not that the drill is about.

        :param current: a :class:`mempage_lab.topology.Topology`
        :returns: as words; empty for nothing
        """
        if not self.topology:
            return ''
        wanted = topology.load(topology.find(self.topology), [])
        lacking = [word for word, there, here in (
            ('vhost-user ports', wanted.switched, current.switched),
            ('shares', wanted.shares, current.shares)) if there and not here]
        return lacking and 'it takes the topology %s: this one has no %s' % (
            self.topology, ' and no '.join(lacking))

    def hosts(self, topology):
        """Choose the nodes that get the fault.

        :param topology: a :class:`mempage_lab.topology.Topology`
        :returns: tuple of names, empty if the topology has no such host; those
            that are machines have no files that can be changed from here
        """
        if isinstance(self.where, str):
            return (self.where,)
        found = tuple(host.name for host in topology.hosts
                      if not host.machine and self.where(host.policy))
        return found if self.everywhere else found[:1]


def file_backed(tests=MEMORY_TEST, where=ON_RAMDISK, **kwargs):
    """Make a drill of a file-backed host."""
    return Drill(tests=tests, where=where, **kwargs)


def large_page(tests=LARGE_PAGE_TEST, where=LARGE_ONLY, **kwargs):
    """Make a drill of a host with nothing but large pages for guests."""
    return Drill(tests=tests, where=where, **kwargs)


def plain(tests=PLAIN_MEMORY_TEST, where=which.plain, **kwargs):
    """Make a drill of a host with ordinary memory."""
    return Drill(tests=tests, where=where, **kwargs)


def first(text):
    """Tell what the first thing is that is wrong with a server's memory.

    What else is wrong may come of it, or be another fault's first.

    :param text: a regular expression
    :returns: another one
    """
    return r'check_evidence: [^:]*: ' + text


def nova(option, value, group='libvirt', **kwargs):
    """Set an option of the node's nova-compute; None removes it."""
    return faults.Options({(group, option): value}, **kwargs)
