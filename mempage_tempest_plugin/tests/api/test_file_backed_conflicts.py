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

"""What a file-backed host cannot give is refused, and leaves nothing.

The hosts declare more than their stores have, more than their machines have,
and large pages: so the scheduler takes them for able, and prefers them.
"""

from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import conditions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import guests
from mempage_tempest_plugin.tests import moving
from mempage_tempest_plugin.tests import reconfiguring
from mempage_tempest_plugin.tests import store_base

CONF = guests.CONF
Refusal = page_sizes.Refusal


@decorators.serial
class TestFileBackedConflicts(reconfiguring.ReconfiguringTest,
                              store_base.BaseStoreTest):
    """File-backed hosts that can be reconfigured, one of each file system."""

    promises = {**reconfiguring.ReconfiguringTest.promises,
                **store_base.BaseStoreTest.promises}

    @classmethod
    def is_about(cls, host):
        return (reconfiguring.ReconfiguringTest.is_about(host)
                and host.file_backed is not None)

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        cls.declared = list({host.file_backed.filesystem: host
                             for host in reversed(cls.declared)}.values())

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.surveys = {host.name: host.survey() for host in cls.hosts}
        cls.reconfigure({host: cls._too_much(host) for host in cls.hosts})

    @classmethod
    def _too_much(cls, host):
        survey = cls.surveys[host.name]
        capacity = 2 * max(survey.memory_mib,
                           survey.store.total // store_base.MIB)
        return {('libvirt', 'file_backed_memory'): str(capacity),
                ('DEFAULT', 'reserved_huge_pages'): None}

    def setUp(self):
        super().setUp()
        self.on_each_host(self.note_store)

    def check_forced(self, fault, **extra_specs):
        """Assert that hosts refuse a server at the last moment.

        :param fault: words of its fault
        :param extra_specs: of its flavor
        """
        self.check_refused([
            self.request_forced(self._ram_mib(host, extra_specs), host,
                                **extra_specs)
            for host in self.hosts], [fault])

    @decorators.idempotent_id('2e1b4d6f-8c75-4a2f-8b66-4a1e7d3c9f01')
    def test_store_too_small(self):
        """Who does not fit leaves no file, and the host goes on"""
        self.check_active(self._request_little())
        self.on_each_host(self.note_processes)
        self.check_refused([
            self.request_forced(self._more_than_store(host), host)
            for host in self.hosts], [store_base.NO_SPACE])
        self.on_each_host(self.check_untouched)
        self.check_active(self._request_little())

    def _request_little(self):
        return self.request_on_each(lambda host: self.RAM_MIB)

    def _more_than_store(self, host):
        return self.surveys[host.name].store.total // store_base.MIB + 1
