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

"""Guests keep their pages, whatever is done with their servers."""

import ddt
from tempest.common import utils
from tempest import config
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators

from mempage_tempest_plugin import operations
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import operating

CONF = config.CONF


class OperationsTest(operating.BaseOperationsTest):
    """Hosts with a pool of large pages that guests may have."""

    extra_specs = {'hw:mem_page_size': page_sizes.LARGE}
    needs_system = False

    @classmethod
    def is_about(cls, host):
        return bool(page_sizes.large(host))

    def page_kib(self, host):
        return page_sizes.granted(host.declared, page_sizes.LARGE,
                                  self.flavor['ram'])


@ddt.ddt
class TestPageSizeOperations(operating.BaseKeptServersTest, OperationsTest):
    """Hosts with a pool of large pages that guests may have."""

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        # All have the same code.
        cls.declared = cls.declared[:1]

    @decorators.idempotent_id('a2c1a6d8-5ae3-4d6a-8b34-13f0a8a7a9a5')
    @ddt.data(*operations.OPERATIONS)
    def test_after(self, name):
        """The guest has its large pages again"""
        operation = operations.OPERATIONS[name]
        self.skip_unless_enabled(operation)
        self._operate(operation.steps)

    @decorators.idempotent_id('5b44e4d0-7e8e-4e39-b4f7-9b0f5d3d2b62')
    def test_after_rebuild(self):
        """The guest has its large pages again"""
        self._operate(operations.rebuild(self.image))

    def _operate(self, steps):
        for step in steps:
            self.on_each_host(*self.calls(step))
        self.on_each_host(self.check_evidence)


class TestPageSizeShelve(operating.BaseShelveTest, OperationsTest):
    """Hosts with a pool of large pages that guests may have."""

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        # It takes long, and Nova has one way for all hosts.
        cls.declared = cls.declared[:1]

    @decorators.idempotent_id('e6d34a0a-02c7-4b51-a18d-7a1f60f6f3a4')
    def test_after_unshelve(self):
        """The guest has its large pages again, and none while it is away"""
        self.on_each_host(self.boot, self.wait_until_active, self.shelve,
                          self.check_absent, self.unshelve,
                          self.wait_until_active, self.check_evidence)


class TestPageSizeSoftReboot(operating.BaseObedientTest, OperationsTest):
    """Hosts with a pool of large pages that guests may have."""

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        # It takes long, and Nova has one way for all hosts.
        cls.declared = cls.declared[:1]

    @decorators.idempotent_id('c5c7b0f1-2f47-4d0b-a8f3-5a0a4f1b6e0c')
    @utils.services('compute', 'network')
    def test_after_soft_reboot(self):
        """The guest has its large pages again"""
        self.on_each_host(self.boot_reachable, self.wait_until_active,
                          self.wait_until_obedient,
                          *self.calls(operations.SOFT_REBOOT),
                          self.check_evidence)


@decorators.serial
class TestPoolCounts(OperationsTest):
    """Hosts with a pool of large pages that guests may have."""

    # Seconds that the kernel and libvirt may need after nova is done.
    RELEASE_TIMEOUT = 10

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        # Hosts may be parts of one machine, whose pool all of them see.
        cls.declared = cls.declared[:1]

    def setUp(self):
        super().setUp()
        self._free = {}

    @decorators.idempotent_id('0d3cf1d2-6b8a-4b58-9a57-8ac7f1b1d7c9')
    def test_operations(self):
        """The pool has all pages of a guest back whenever it is off"""
        self.on_each_host(self._note_free, self.boot, self.wait_until_active,
                          self._check_taken)
        for operation in operations.OPERATIONS.values():
            if operation.is_enabled(CONF.compute_feature_enabled):
                for step in operation.steps:
                    self.on_each_host(
                        *self.calls(step),
                        self._check_taken if step.runs else self._check_back)
        self.on_each_host(self.delete, self.wait_until_deleted,
                          self._check_back)

    def _count_free(self, host):
        return sum(pool.free for pool in host.survey().pools
                   if pool.size_kib == self.page_kib(host))

    def _note_free(self, host):
        self._free[host.name] = self._count_free(host)

    def _check_taken(self, host):
        self._check_free(host, self.flavor['ram'] * 1024
                         // self.page_kib(host))

    def _check_back(self, host):
        self._check_free(host, 0)

    def _check_free(self, host, taken):
        expected = self._free[host.name] - taken
        test_utils.call_until_true(
            lambda: self._count_free(host) == expected, self.RELEASE_TIMEOUT,
            1)
        self.assertEqual(expected, self._count_free(host),
                         'free pages of %d KiB, of which there were %d'
                         % (self.page_kib(host), self._free[host.name]))
