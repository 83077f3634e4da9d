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

"""The machine's pools of large pages, which all hosts share."""

import json
import pathlib

from mempage_lab import boot
from mempage_lab import errors
from mempage_lab import paths
from mempage_lab import shell

BEFORE = paths.STATE / 'hugepages.json'
_POOLS = pathlib.Path('/sys/kernel/mm/hugepages')


def kernel_sizes():
    """Return the sizes in KiB of the large pages that the kernel knows."""
    return sorted(int(entry.name.split('-')[1].removesuffix('kB'))
                  for entry in _POOLS.glob('hugepages-*'))


def before(sizes):
    """Return how many pages the machine had before the lab.

    :param sizes: page sizes in KiB
    :returns: dict of size to pages
    """
    recorded = _recorded()
    return {size: recorded.get(size, _pages(size)) for size in sizes}


def build(topology):
    """Add the pools of all hosts to the machine's own.

    :raises CommandFailed: saying what the kernel gave, if it gives less;
        the pools are as before then
    """
    for size, pages in _record(topology.page_sizes).items():
        _call('build_hugepage_pool', size, pages + topology.pages(size))


def try_build(topology, size_kib):
    """Build the pools of one page size, or leave them as they are.

    :returns: None, or why the kernel does not give the pages
    """
    if size_kib not in kernel_sizes():
        return 'this kernel has no such pages'
    pages = _record([size_kib])[size_kib] + topology.pages(size_kib)
    try:
        _call('build_hugepage_pool', size_kib, pages)
    except errors.CommandFailed as error:
        return error.output.strip()
    return None


def restore():
    """Give back what the lab added."""
    for size, pages in _recorded().items():
        _call('restore_hugepage_pool', size, pages)
    BEFORE.unlink(missing_ok=True)


def _record(sizes):
    """Write down what :func:`before` says, for :func:`restore`."""
    machine = before(sizes)
    if machine:
        BEFORE.parent.mkdir(parents=True, exist_ok=True)
        BEFORE.write_text(json.dumps({'boot': boot.identity(),
                                      'pages': _recorded() | machine}))
    return machine


def _recorded():
    if not BEFORE.exists():
        return {}
    record = json.loads(BEFORE.read_text())
    if record['boot'] != boot.identity():
        return {}
    return {int(size): pages for size, pages in record['pages'].items()}


def _pages(size):
    return int((_POOLS / ('hugepages-%dkB' % size) / 'nr_hugepages')
               .read_text())


def _call(function, *arguments):
    shell.run('bash', '-c', 'source "$0/hugepages"; "$@"',
              paths.DEVSTACK_LIB, function, *arguments)
