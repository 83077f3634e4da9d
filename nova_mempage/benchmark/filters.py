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

"""Time the filters against one of Nova's own, and the page-size report.

Run it in an environment with Nova and the extension:

    python benchmark/filters.py
"""

import random
import statistics
import sys
import time
import tracemalloc

from nova import objects
from nova.scheduler.filters import aggregate_instance_extra_specs
from nova.virt import hardware

from nova_mempage import filters
from nova_mempage import pages
from nova_mempage import policy
from nova_mempage import report

HOSTS = 10000
AGGREGATES = 100
AGGREGATES_OF_A_HOST = 2
ROUNDS = 15
MAX_RATIOS = {'MemoryPageSizeFilter': 1.0,
              'AggregateMemoryBackingFilter': 1.5}
MAX_REPORT_MS = 1.0
BACKINGS = ('small', 'large', '2048', '2048,1048576', 'small,large', '4')
REQUESTS = {
    'none': None,
    'large': hardware.MEMPAGES_LARGE,
    'any': hardware.MEMPAGES_ANY,
    '2048': 2048,
}


class HostState:
    def __init__(self, number, aggregates, topology):
        self.host = self.nodename = 'host%d' % number
        self.aggregates = aggregates
        self.numa_topology = topology
        self.stats = report.stats(
            policy.Policy(no_page_size=number % 2 == 0), ['any'])


def numa_cell(number):
    mempages = [
        objects.NUMAPagesTopology(
            size_kb=size, total=total, used=0, reserved=0)
        for size, total in ((4, 8388608), (2048, 8192), (1048576, 16))]
    return objects.NUMACell(
        id=number, cpuset=set(range(16)), pcpuset=set(), memory=65536,
        cpu_usage=0, memory_usage=0, pinned_cpus=set(), siblings=[],
        mempages=mempages)


def numa_topology(cells=2):
    return objects.NUMATopology(
        cells=[numa_cell(number) for number in range(cells)])


def aggregates():
    return [objects.Aggregate(name='agg%d' % number, metadata={
        'MemoryBacking': random.choice(BACKINGS), 'ssd': 'true',
        'availability_zone': 'az%d' % (number % 3)})
        for number in range(AGGREGATES)]


def request(page_size):
    flavor = objects.Flavor(name='flavor', extra_specs={'ssd': 'true'})
    topology = None
    if page_size:
        topology = objects.InstanceNUMATopology(
            cells=[objects.InstanceNUMACell(
                id=0, cpuset={0}, pcpuset=set(), memory=512,
                pagesize=page_size)])
    return objects.RequestSpec(
        flavor=flavor, numa_topology=topology, scheduler_hints={})


def milliseconds(function):
    """Get the time of a call."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000


def grown_kib(function):
    """Get how much memory five calls keep."""
    function()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        function()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / 1024


def compare_filters():
    """Print the times of the filters.

    :returns: whether the limits are kept
    """
    everyone = aggregates()
    hosts = [HostState(number, random.sample(everyone, AGGREGATES_OF_A_HOST),
                       numa_topology()) for number in range(HOSTS)]
    nova = aggregate_instance_extra_specs.AggregateInstanceExtraSpecsFilter()
    return all([
        compare_filter(nova, cls(), hosts, *each)
        for cls in filters.all_filters() for each in REQUESTS.items()])


def compare_filter(nova, ours, hosts, name, page_size):
    """Print the times of a filter and of Nova's for a request.

    :returns: whether the limit is kept
    """
    spec = request(page_size)
    # In turns, so that whatever else the machine does hits both.
    times = [(milliseconds(lambda: list(nova.filter_all(hosts, spec))),
              milliseconds(lambda: list(ours.filter_all(hosts, spec))))
             for _ in range(ROUNDS)]
    nova_ms, ours_ms = map(statistics.median, zip(*times))
    ratio = statistics.median(mine / theirs for theirs, mine in times)
    ours_name = type(ours).__name__
    print('%s, %d hosts, page size %-5s: %6.1f ms, Nova\'s filter %6.1f ms, '
          'ratio %.2f, memory %+.1f KiB' % (
              ours_name, HOSTS, name, ours_ms, nova_ms, ratio,
              grown_kib(lambda: list(ours.filter_all(hosts, spec)))))
    return ratio <= MAX_RATIOS[ours_name]


def time_report():
    """Print what withholding page sizes adds to a report of eight cells.

    :returns: whether the limit is kept
    """
    topology = numa_topology(cells=8)
    allowed = pages.parse(['large'])
    report_ms = statistics.median(
        milliseconds(lambda: pages.withhold(topology.cells, allowed))
        for _ in range(ROUNDS))
    print('withholding page sizes of 8 NUMA nodes: %.3f ms' % report_ms)
    return report_ms < MAX_REPORT_MS


def main():
    random.seed(1)
    objects.register_all()
    good = [compare_filters(), time_report()]
    print('limits kept' if all(good) else 'LIMITS EXCEEDED')
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
