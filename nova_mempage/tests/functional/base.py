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

"""Compute services with the extension, on Nova's fake libvirt."""

import os
import sys

import fixtures
from lxml import etree
from nova.compute import claims
from nova import context
from nova import objects
from nova.scheduler import request_filter
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base

from nova_mempage import driver  # noqa: F401 registers the options
from nova_mempage import report

MIB_4K = 256


class MemoryBackingFixture(fixtures.Fixture):
    """Makes the fake libvirt remember a guest's <memoryBacking>."""

    def setUp(self):
        super().setUp()
        parse = fakelibvirt.Domain._parse_definition
        describe = fakelibvirt.Domain.XMLDesc

        def _parse_definition(domain, xml):
            element = etree.fromstring(xml).find('./memoryBacking')
            domain.memory_backing = (
                '' if element is None else etree.tostring(element).decode())
            return parse(domain, xml)

        def _describe(domain, flags):
            return describe(domain, flags).replace(
                '</domain>', domain.memory_backing + '</domain>')

        self.useFixture(fixtures.MonkeyPatch(
            'nova.tests.fixtures.libvirt.Domain._parse_definition',
            _parse_definition))
        self.useFixture(fixtures.MonkeyPatch(
            'nova.tests.fixtures.libvirt.Domain.XMLDesc', _describe))


class TestCase(base.LibvirtMigrationMixin, base.ServersTestBase):
    """Two hosts with 4 KiB, 2 MiB and 1 GiB pages; 'first' is tried first."""

    ADMIN_API = True
    CAST_AS_CALL = False
    microversion = 'latest'
    ADDITIONAL_FILTERS = ['NUMATopologyFilter', 'MemoryPageSizeFilter']
    WEIGHTS = {'first': 100, 'second': 50, 'third': 25}
    compute_driver = 'mempage.LibvirtDriver'

    def setUp(self):
        self.useFixture(nova_fixtures.HostNameWeigherFixture(
            weights=self.WEIGHTS))
        # What one test installs must not outlive it.
        self.useFixture(fixtures.MonkeyPatch(
            'nova.compute.claims.Claim._claim_test',
            claims.Claim._claim_test))
        self.useFixture(fixtures.MonkeyPatch(
            'nova.scheduler.request_filter.ALL_REQUEST_FILTERS',
            list(request_filter.ALL_REQUEST_FILTERS)))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mempage.prefilter._known', set()))
        super().setUp()
        self.useFixture(MemoryBackingFixture())
        self.useFixture(fixtures.MockPatch(
            'nova.virt.libvirt.LibvirtDriver.migrate_disk_and_power_off',
            return_value='{}'))

    def _setup_services(self):
        # Nova's tests expect a source tree, and its wheel has this elsewhere.
        self.flags(
            api_paste_config=os.path.join(
                sys.prefix, 'etc', 'nova', 'api-paste.ini'), group='wsgi')
        super()._setup_services()

    def _setup_scheduler_service(self):
        self.flags(available_filters=[
            'nova.scheduler.filters.all_filters',
            'nova_mempage.filters.all_filters'], group='filter_scheduler')
        # Nova's default; its tests have 0.
        self.flags(build_failure_weight_multiplier=1000000.0,
                   group='filter_scheduler')
        return super()._setup_scheduler_service()

    def _setup_compute_service(self):
        self.flags(compute_driver=self.compute_driver)

    def allow(self, *sizes):
        """Set the option for hosts that are started from now on."""
        self.flags(allowed_memory_pagesize=list(sizes), group='libvirt')

    def host_info(self, cells=1, small_mib=1024,
                  huge=((2048, 1024), (1048576, 2))):
        info = fakelibvirt.HostInfo(
            cpu_nodes=cells, cpu_sockets=1, cpu_cores=4, cpu_threads=1,
            kB_mem=16 * 1024 * 1024)
        for cell in info.numa_topology.cells:
            cell.mempages = fakelibvirt.create_mempages(
                [(4, small_mib * MIB_4K), *huge])
        return info

    def start_host(self, name, *sizes, **kwargs):
        self.allow(*sizes or ['any'])
        self.start_compute(hostname=name, host_info=self.host_info(**kwargs))

    def start_large_only_host(self, name='first'):
        self.start_host(name, 'large')

    def set_file_backed(self, file_backed):
        """Set the option for hosts that are started from now on."""
        self.flags(file_backed_memory=16384 if file_backed else 0,
                   group='libvirt')

    def stats_of(self, host):
        return objects.ComputeNode.get_by_nodename(
            context.get_admin_context(), host).stats

    def traits_of(self, host):
        """Get the traits of a host that are the extension's."""
        return set(filter(report.is_ours, self._get_provider_traits(
            self.compute_rp_uuids[host])))

    def allocations_of(self, server):
        """Get the names of the hosts on which a server has allocations."""
        held = self._get_allocations_by_server_uuid(server['id'])
        return {name for name, uuid in self.compute_rp_uuids.items()
                if uuid in held}

    def log(self):
        return self.stdlog.logger.output

    def take_down(self, host):
        self.computes[host].stop()
        service = self.api.get_services('nova-compute', host)[0]
        self.api.put_service(service['id'], {'forced_down': True})

    def flavor(self, page_size=None, **extra_specs):
        if page_size:
            extra_specs['hw:mem_page_size'] = page_size
        return self._create_flavor(
            memory_mb=1024, vcpu=1, disk=1, extra_spec=extra_specs)

    def boot(self, page_size=None, host=None, expected_state='ACTIVE'):
        """Boot a server, on a host of choice past all filters."""
        return self._create_server(
            flavor_id=self.flavor(page_size), networks='none',
            az='nova:' + host if host else None,
            expected_state=expected_state)

    def host_of(self, server):
        return self.api.get_server(server['id'])['OS-EXT-SRV-ATTR:host']

    def fault_of(self, server):
        return self.api.get_server(server['id'])['fault']['message']

    def details(self, server):
        """Get all that the events of a server's actions say of failures."""
        texts = []
        for action in self.api.get_instance_actions(server['id']):
            events = self.api.api_get('/servers/%s/os-instance-actions/%s' % (
                server['id'], action['request_id'])).body['instanceAction']
            texts.extend(event['details'] or ''
                         for event in events['events'])
        return ' '.join(texts)

    def granted(self, server):
        """Get the page size in KiB that a server was given, or None."""
        instance = objects.Instance.get_by_uuid(
            context.get_admin_context(), server['id'])
        topology = instance.numa_topology
        return topology.cells[0].pagesize if topology else None

    def reported(self, host):
        """Get what a host reports: {cell: {size in KiB: (total, reserved)}}"""
        node = objects.ComputeNode.get_by_nodename(
            context.get_admin_context(), host)
        topology = objects.NUMATopology.obj_from_db_obj(node.numa_topology)
        return {cell.id: {page.size_kb: (page.total, page.reserved)
                          for page in cell.mempages}
                for cell in topology.cells}
