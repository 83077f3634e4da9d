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
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import operations
from mempage_tempest_plugin.tests.bases import steps
from mempage_tempest_plugin.tests.bases import survival


# A page size that no guest has here: none is so large.
NOBODYS_KIB = 1 << 24


@ddt.ddt
class TestPageSizeOperations(operations.BaseReusedServersTest):
    """A host with large pages for guests: all have the same code."""

    about = which.large_pages
    take = which.first
    pools = leased.TAKES
    request = page_sizes.LARGE
    needs_system = False

    def setUp(self):
        super().setUp()
        self.survival = survival.Survival(self)
        self.on_each_host(self.survival.mark)

    @decorators.idempotent_id('a2c1a6d8-5ae3-4d6a-8b34-13f0a8a7a9a5')
    @ddt.data(*steps.OPERATIONS)
    def test_after(self, name):
        """The guest has its large pages again

        After pause and suspend, they have what they had, after all others
        nothing.
        """
        steps.OPERATIONS[name].skip_unless_enabled(self)
        self._operate(steps.OPERATIONS[name].steps)

    @decorators.idempotent_id('5b44e4d0-7e8e-4e39-b4f7-9b0f5d3d2b62')
    def test_after_rebuild(self):
        """The guest has its large pages again"""
        self._operate(steps.rebuild(self.image))

    @decorators.idempotent_id('1a8d9dac-0042-4192-8e6c-ad5ec3763263')
    def test_rebuild_with_another_size(self):
        """An image that asks for another size is refused; nothing happens"""
        image = self.create_image(hw_mem_page_size=str(NOBODYS_KIB))
        self.on_each_host(self._check_not_rebuilt(image), self.check_evidence,
                          self.survival.check('a rebuild that was refused',
                                              fates.KEPT))

    def _check_not_rebuilt(self, image):
        [words] = move_refusals.OTHER_TOPOLOGY

        def rebuild(host):
            server = self.server_on(host).uuid
            try:
                self.nova.client.rebuild_server(server, image_ref=image)
            except lib_exc.BadRequest as refused:
                self.assertIn(words, str(refused))
            else:
                self.fail('Nova had to refuse to rebuild server %s from image '
                          '%s, which asks for pages of %d KiB, and took it'
                          % (server, image, NOBODYS_KIB))

        return rebuild

    def _operate(self, taken):
        for step in taken:
            self.on_each_host(*step.calls(self), *self.survival.checks(step))
        self.on_each_host(self.check_evidence)


class TestPageSizeShelve(operations.BaseShelveTest):
    """A host with large pages for guests: Nova has one way for all."""

    about = which.large_pages
    take = which.first
    pools = leased.TAKES
    request = page_sizes.LARGE
    needs_system = False

    @decorators.idempotent_id('e6d34a0a-02c7-4b51-a18d-7a1f60f6f3a4')
    def test_after_unshelve(self):
        """The guest has its large pages again, and none while it is away"""
        memory = survival.Survival(self)
        self.on_each_host(self.boot, self.wait_until_active, memory.mark,
                          self.shelve, self.check_absent, self.unshelve,
                          self.check_evidence,
                          memory.check('unshelving', fates.NEW))


class TestPageSizeSoftReboot(operations.BaseBootedTest):
    """A host with large pages for guests: Nova has one way for all."""

    about = which.large_pages
    take = which.first
    pools = leased.TAKES
    request = page_sizes.LARGE

    @decorators.idempotent_id('c5c7b0f1-2f47-4d0b-a8f3-5a0a4f1b6e0c')
    @utils.services('compute', 'network')
    def test_after_soft_reboot(self):
        """The guest has its large pages again"""
        memory = survival.Survival(self)
        self.on_each_host(self.boot_reachable, self.wait_until_active,
                          self.wait_until_booted, memory.note,
                          *self.reboot_softly(), self.check_evidence,
                          *memory.checks(steps.SOFT_REBOOT),
                          self.check_obeyed)


class TestPoolCounts(base.BaseMemoryTest):
    """A host with large pages for guests.

    Hosts may be parts of one machine, whose pool all of them see.
    """

    about = which.large_pages
    take = which.first
    alone_on = which.each
    # Not so, but those that come and go would be counted.
    harmful = True
    pools = leased.COUNTS
    request = page_sizes.LARGE
    needs_system = False

    # Seconds that the kernel and libvirt may need after nova is done.
    RELEASE_TIMEOUT = 10

    def setUp(self):
        super().setUp()
        self._free = {}

    @decorators.idempotent_id('0d3cf1d2-6b8a-4b58-9a57-8ac7f1b1d7c9')
    def test_operations(self):
        """The pool has all pages of a guest back whenever it is off"""
        self.on_each_host(self._note_free, self.boot, self.wait_until_active,
                          self._check_taken)
        for operation in steps.of_those_enabled(
                self, steps.OPERATIONS).values():
            for step in operation.steps:
                self.on_each_host(
                    *step.calls(self),
                    self._check_taken if step.runs else self._check_back)
        self.on_each_host(self.delete, self.wait_until_deleted,
                          self._check_back)

    def _count_free(self, host):
        size = page_sizes.granted(host.declared, self.request,
                                  self.flavor['ram'])
        return size, pools.free_pages(host.survey().pools, size)

    def _note_free(self, host):
        _, self._free[host.name] = self._count_free(host)

    def _check_taken(self, host):
        self.assert_soon_agrees(host, self._compare_taken,
                                self.RELEASE_TIMEOUT)

    def _compare_taken(self, host):
        return self._compare_free(host, self.flavor['ram'])

    def _check_back(self, host):
        self.assert_soon_agrees(host, self._compare_back,
                                self.RELEASE_TIMEOUT)

    def _compare_back(self, host):
        return self._compare_free(host, 0)

    def _compare_free(self, host, taken_mib):
        size, free = self._count_free(host)
        comparison = facts.Comparison('host %s, pool' % host.name,
                                      host.name)
        comparison.equal('kernel', 'free pages of %d KiB' % size,
                         self._free[host.name] - taken_mib * 1024 // size,
                         free)
        return comparison
