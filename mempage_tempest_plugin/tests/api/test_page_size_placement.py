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

"""Servers that ask for a page size land on a host that has it, or nowhere."""

import ddt
from tempest.lib import decorators

from mempage_tempest_plugin.declared import page_size_requests
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import page_size_outcomes

# Of hw:mem_page_size.
VALUES = (None, 'small', 'large', 'any', '4', '2048', '1048576')


class _OnOneHost(page_size_outcomes.BasePageSizeTest):
    """One host of each policy in the inventory."""

    take = which.one_of_each_policy
    way = None

    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.begin_to_delete(self.servers))

    def expect(self, value):
        """Note what must become of a flavor with the value on each host."""
        self.asked = page_size_requests.effective(value, None)
        # A host that lacks the size refuses guests that are small as well:
        # large ones would leave no memory for tests at the same time.
        self.ram_mib_on = {
            host.name: self.ram_mib(self.asked, [host.declared])
            for host in self.hosts}
        self.expected = {host.name: page_sizes.outcome(
            [host.declared], self.asked, self.ram_mib_on[host.name],
            self.way, self.enforcement()) for host in self.hosts}

    def send_each(self, hosts):
        """Request servers on hosts, and assert what becomes of them.

        :param hosts: list of compute_host.ComputeHost
        """
        self.flavors = {host.name: self.flavor_for(self.asked,
                                                   [host.declared])
                        for host in hosts}
        self.on_each_host(self.send_to, self.check_outcome, hosts=hosts)

    def send_to(self, host):
        """Request the server on a host, in the way of the class."""
        self.servers.append(self.send(self.flavors[host.name], host,
                                      self.way))

    def check_outcome(self, host):
        """Assert that it has."""
        self.assert_outcome(self.server_on(host), self.expected[host.name])


@ddt.ddt
class TestPageSizeOnHost(_OnOneHost):
    """Hosts that a server names: the scheduler has a say."""

    way = page_sizes.Way.HOST

    @decorators.idempotent_id('ed59fffb-0635-40f9-87ae-a5df6bf1ea38')
    @ddt.data(*VALUES)
    def test_request(self, value):
        """The host gives the page size, or the server has no valid host"""
        self.expect(value)
        self.send_each(self.hosts)


@ddt.ddt
class TestPageSizeInZone(_OnOneHost):
    """Hosts that a server is forced on: the scheduler has no say."""

    way = page_sizes.Way.ZONE

    @decorators.idempotent_id('c7c365ce-bb86-4c43-acae-512e89a4be3f')
    @ddt.data(*VALUES)
    def test_refusal(self, value):
        """The host refuses in its own words what it cannot give"""
        self.expect(value)
        # What a host accepts from the scheduler it accepts here as well.
        refusing = [host for host in self.hosts
                    if self.expected[host.name].faults]
        if not refusing:
            joined.skip(self, 'host that refuses page size %s' % value)
        self.send_each(refusing)


@ddt.ddt
class TestPageSizeAnywhere(page_size_outcomes.BaseAnywhereTest):
    """All hosts together: the scheduler chooses."""

    cases = tuple((value, None) for value in VALUES)

    @decorators.idempotent_id('3aebdd42-e465-4363-a388-bae7317588ea')
    @ddt.data(*VALUES)
    def test_request(self, value):
        """The server goes to a host that has the page size, if any has"""
        self.check_case(value, None)
