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

"""Guests that ask for large pages get them from the pool."""

from tempest.lib import decorators

from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import base


class TestLargePage(base.BaseMemoryTest):
    """Hosts with a pool of large pages that guests may have."""

    extra_specs = {'hw:mem_page_size': 'large'}

    @classmethod
    def is_about(cls, host):
        return max(page_sizes.available(host),
                   default=0) > host.small_page_kib

    def page_kib(self, host):
        return page_sizes.granted(host.declared, page_sizes.LARGE,
                                  self.flavor['ram'])

    @decorators.idempotent_id('9e5f6a4c-6d4a-4a34-8d58-6a1e5f4d8f0b')
    @decorators.attr(type='smoke')
    def test_memory_is_in_large_pages(self):
        """The server's RAM consists of large pages, all of them taken"""
        self.on_each_host(self.check_host, self.check_capacity, self.boot,
                          self.wait_until_active, self.check_evidence)
