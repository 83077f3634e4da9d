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


"""Large pages that a process on a host holds, which is no guest."""

import math

import fixtures

from mempage_tempest_plugin.hosts import scripts

SCRIPT = 'hold_pages.py'
# Who is forgotten, as by a run that was killed, ends after these seconds.
LIMIT = 900


class HeldPages(fixtures.Fixture):
    """Have a process on a host that holds large pages, for a while.

    :param host: the compute_host.ComputeHost
    :param size_kib: the page size
    :param pages: how many
    :param path: a file on hugetlbfs that has them; None if nobody has them
    :param touched: whether the process takes the pages. Else it has the
        kernel reserve them only.
    """

    def __init__(self, host, size_kib, pages, path=None, touched=False):
        super().__init__()
        self._host = host
        self._words = [path or '', str(size_kib * pages * 1024),
                       str(int(math.log2(size_kib * 1024))),
                       str(size_kib * 1024 if touched else 0), str(LIMIT)]
        #: The process.
        self.pid = None

    def _setUp(self):
        self.pid = int(self._host.ssh.execute(
            ['python3', '-c', scripts.read(SCRIPT), *self._words],
            root=True).stdout)
        self.addCleanup(self._host.ssh.execute,
                        ['kill', '-9', str(self.pid)], root=True, check=False)
