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

"""What all tests of the plugin share."""

import concurrent.futures
import functools
import io

import fixtures
from oslo_concurrency import lockutils
from oslo_log import log as logging
from tempest.common import compute
from tempest.common import waiters
from tempest import config
from tempest.lib.common import api_version_utils
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc
import tempest.test

from mempage_tempest_plugin import cloud
from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import details
from mempage_tempest_plugin import evidence
from mempage_tempest_plugin import facts
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import inventory
from mempage_tempest_plugin import names
from mempage_tempest_plugin import policy
from mempage_tempest_plugin import reconfiguration

CONF = config.CONF
LOG = logging.getLogger(__name__)

# Seconds between looks at a server. Each costs a twentieth of a second of CPU
# time, which other tests may need; Tempest's option knows whole seconds only.
INTERVAL = 0.5
# The same in serial classes: others wait, too.
SERIAL_INTERVAL = 0.2
# The disk of a flavor whose servers need none: Nova looks at a disk that it
# has to enlarge again and again, with a new process each time.
AS_THE_IMAGE = 0


class BaseMemoryTest(api_version_utils.BaseMicroversionTest,
                     tempest.test.BaseTestCase):
    """Tests that boot a server on every declared host of some kind.

    Only an administrator may choose the host of a server.
    """

    credentials = ['admin']
    # Booting on a named host, the page size that a server was granted;
    # traits of resource providers.
    min_microversion = '2.78'
    placement_min_microversion = '1.6'

    # Options of [mempage] that the tests need, and what lacks without them.
    promises = {}
    # The kind of host that a test class is about.
    kind = None
    # Extra specs of the flavor of its servers.
    extra_specs = {}
    # Its RAM in MiB, if not that of the configured flavor.
    flavor_ram_mib = None
    # Seconds that Nova may take to write down why a server failed.
    FAULT_TIMEOUT = 30
    # Whether the tests need a network on which to reach guests.
    needs_network = False
    # Whether the servers need an operating system. Without one, QEMU starts,
    # finds nothing to boot, and leaves the CPUs to others.
    needs_system = True

    @classmethod
    def setUpClass(cls):  # noqa: T105
        # Tempest's lock is not fair: a serial class would wait until no other
        # class is left. At this gate, the others wait behind it.
        with lockutils.lock('mempage-gate', external=True,
                            lock_path=lockutils.get_lock_path(CONF)):
            if cls.is_serial_execution_requested():
                super().setUpClass()
                return
        super().setUpClass()

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.service_available.nova:
            raise cls.skipException('Nova is not available')
        if not CONF.mempage.host_inventory:
            raise cls.skipException(
                '[mempage] host_inventory is not set: it declares the '
                'compute hosts to test')
        lacks = ['[mempage] %s %s' % (option, lack)
                 for option, lack in cls.promises.items()
                 if not CONF.mempage[option]]
        if lacks:
            raise cls.skipException('; '.join(lacks))
        api_version_utils.check_skip_with_microversion(
            cls.min_microversion, cls.max_microversion,
            CONF.compute.min_microversion, CONF.compute.max_microversion)
        api_version_utils.check_skip_with_microversion(
            cls.placement_min_microversion, cls.placement_max_microversion,
            CONF.placement.min_microversion, CONF.placement.max_microversion)
        cls.inventory = inventory.load(CONF.mempage.host_inventory)
        cls.declared = [host for host in cls.inventory.hosts.values()
                        if cls.is_about(host)]
        if not cls.declared:
            raise cls.skipException('%s declares no host for %s' % (
                cls.inventory.path, cls.__doc__.splitlines()[0]))

    @classmethod
    def is_about(cls, host):
        """Tell whether the tests are about a host.

        :param host: the host's declaration (inventory.Host)
        """
        return host.kind is cls.kind

    @classmethod
    def setup_credentials(cls):
        cls.set_network_resources(
            network=cls.needs_network, subnet=cls.needs_network,
            router=cls.needs_network, dhcp=cls.needs_network)
        super().setup_credentials()

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.cloud = cloud.Cloud(cls.os_admin)
        cls.servers_client = cls.os_admin.servers_client
        cls.servers_client.build_interval = (
            SERIAL_INTERVAL if cls.is_serial_execution_requested()
            else INTERVAL)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.setup_api_microversion_fixture(
            compute_microversion=api_version_utils.
            select_request_microversion(cls.min_microversion,
                                        CONF.compute.min_microversion),
            placement_microversion=api_version_utils.
            select_request_microversion(cls.placement_min_microversion,
                                        CONF.placement.min_microversion))
        cls.hosts = [
            compute_host.get(declared, CONF.mempage.host_timeout)
            for declared in cls.declared]
        if CONF.mempage.reconfigure_hosts:
            cls._put_back_left()
        cls.flavor = cls.create_flavor(cls.extra_specs,
                                       cls.flavor_ram_mib)
        cls.image = (CONF.compute.image_ref if cls.needs_system
                     else cls.create_image())

    @classmethod
    def create_flavor(cls, extra_specs, ram_mib=None, disk_gib=None):
        """Copy the configured flavor, with other extra specs.

        :param extra_specs: dict
        :param ram_mib: another RAM than the configured flavor's
        :param disk_gib: another disk than the configured flavor's, or than
            that of the empty image
        :returns: the flavor; it is deleted after the class
        """
        client = cls.os_admin.flavors_client
        model = client.show_flavor(CONF.compute.flavor_ref)['flavor']
        if disk_gib is None:
            disk_gib = model['disk'] if cls.needs_system else AS_THE_IMAGE
        flavor = client.create_flavor(
            name=cls._rand_name('flavor'), ram=ram_mib or model['ram'],
            vcpus=model['vcpus'], disk=disk_gib)['flavor']
        cls.addClassResourceCleanup(client.delete_flavor, flavor['id'])
        if extra_specs:
            client.set_flavor_extra_spec(flavor['id'], **extra_specs)
        return flavor

    @classmethod
    def create_image(cls, **properties):
        """Create an empty image.

        Nobody in its guests obeys when they are asked to shut down, so Nova
        does not ask.

        :param properties: its properties
        :returns: its id; it is deleted after the class
        """
        client = cls.os_admin.image_client_v2
        image = client.create_image(
            name=cls._rand_name('image'), container_format='bare',
            disk_format='raw', visibility='private', os_shutdown_timeout='0',
            **properties)['id']
        cls.addClassResourceCleanup(client.delete_image, image)
        client.store_image_file(image, io.BytesIO(bytes(512)))
        return image

    @classmethod
    def _rand_name(cls, what):
        return names.new('%s-%s' % (cls.__name__, what))

    @classmethod
    def _put_back_left(cls):
        """Put back what a killed run has changed on the hosts.

        Nobody who shares Tempest's locks is changing it now: only serial
        classes do, and no other class is set up at the same time.
        """
        with lockutils.lock('mempage-put-back', external=True,
                            lock_path=lockutils.get_lock_path(CONF)):
            failures = reconfiguration.put_back(reconfiguration.left(
                cls.hosts, compute_services.ComputeServices(cls.os_admin),
                CONF.compute.build_timeout))
        for error in failures.values():
            raise error

    def setUp(self):
        super().setUp()
        self.servers = {}
        self._booted = []
        self._comparisons = {}
        self._details_attached = False
        self.addOnException(self._attach_details)

    def on_each_host(self, *steps):
        """Take the same steps on every host, and report every failing one.

        A step is taken on all hosts before the next one begins, so that
        what takes long goes on on all hosts at the same time. A host that
        fails takes no further steps.

        :param steps: functions of a compute_host.ComputeHost
        """
        failures = {}
        for step in steps:
            for host in self.hosts:
                if host.name not in failures:
                    error = self._failure_of(step, host)
                    if error:
                        failures[host.name] = error
        if failures:
            raise self.failureException('%d of %d hosts failed\n%s' % (
                len(failures), len(self.hosts), '\n'.join(
                    '%s: %s' % item for item in failures.items())))

    def _failure_of(self, step, host):
        try:
            step(host)
        except (self.skipException, fixtures.TimeoutException):
            raise
        except self.failureException as error:
            return '%s: %s' % (step.__name__.strip('_'), error)
        except Exception as error:
            LOG.debug('%s on host %s', step.__name__, host.name,
                      exc_info=True)
            return '%s: %s: %s' % (step.__name__.strip('_'),
                                   type(error).__name__, error)

    def check_host(self, host):
        """Assert that the host itself is as declared, before it is used."""
        self.assert_agrees(host, policy.compare_host(
            host.declared, host.survey(), host.libvirt.hostname()))

    def boot(self, host, **kwargs):
        """Request a server on a host; it is deleted after the test.

        :param host: the compute_host.ComputeHost
        :param kwargs: further arguments of compute.create_test_server;
            without a network the server gets none
        """
        server = self.request_on(host, **kwargs)
        self.servers[host.name] = server
        self.delete_later(server)

    def delete_later(self, server):
        """Delete a server after the test.

        :param server: its UUID
        """
        self._booted.append(server)
        # The last one is called first, and deletes all: before anything that
        # some of them use.
        self.addCleanup(self.delete_booted)

    @classmethod
    def request_on(cls, host, **kwargs):
        """Request a server on a host; the caller deletes it.

        :param host: the compute_host.ComputeHost
        :param kwargs: as of :meth:`boot`
        :returns: its UUID
        """
        if not kwargs.get('tenant_network'):
            kwargs.setdefault('networks', 'none')
        kwargs.setdefault('flavor', cls.flavor['id'])
        kwargs.setdefault('image_id', cls.image)
        server, _ = compute.create_test_server(
            cls.os_admin, name=cls._rand_name('server'),
            hypervisor_hostname=host.name, **kwargs)
        return server['id']

    def wait_until_active(self, host):
        """Wait for the host's server.

        :param host: the compute_host.ComputeHost
        :returns: the server as the API shows it
        """
        server = self.servers[host.name]
        # To look at a server itself is several times the work.
        self.wait_until_built([server])
        return waiters.wait_for_server_status(self.servers_client, server,
                                              'ACTIVE')

    @staticmethod
    def at_once(function, *arguments):
        """Call a function several times at the same moment.

        :param function: what to call, as :func:`map` would
        :param arguments: lists, each with one argument for every call
        :returns: list of what it returned
        """
        with concurrent.futures.ThreadPoolExecutor(
                len(arguments[0]) or 1) as threads:
            return list(threads.map(function, *arguments))

    @classmethod
    def request_deletion(cls, servers):
        """Request the deletion of servers; those that are gone are ignored.

        :param servers: list of UUIDs
        """
        cls.at_once(functools.partial(
            test_utils.call_and_ignore_notfound_exc,
            cls.servers_client.delete_server), servers)

    @classmethod
    def delete_servers(cls, servers):
        """Delete servers at the same time, and wait until they are gone.

        :param servers: iterable of UUIDs
        """
        servers = list(servers)
        cls.request_deletion(servers)
        cls.wait_until_gone(servers)

    @classmethod
    def wait_until_gone(cls, servers):
        """Wait for the end of servers that are being deleted.

        :param servers: iterable of UUIDs
        :raises TimeoutException: naming those that are not
        """
        cls._wait_while_listed(servers, 'Servers that are not gone')

    @classmethod
    def wait_until_built(cls, servers):
        """Wait until servers run or have failed.

        :param servers: iterable of UUIDs
        :raises TimeoutException: naming those that do neither
        """
        cls._wait_while_listed(servers, 'Servers neither ACTIVE nor in ERROR',
                               status='BUILD')

    @classmethod
    def _wait_while_listed(cls, servers, what, **conditions):
        """Wait while the API lists any of some servers.

        One request for all of them, without their details, is a small part
        of the work that one for each would be.
        """
        servers = set(servers)

        def listed():
            found = cls.servers_client.list_servers(**conditions)['servers']
            return {server['id'] for server in found} & servers

        timeout = CONF.compute.build_timeout
        if not test_utils.call_until_true(
                lambda: not listed(), timeout,
                cls.servers_client.build_interval):
            raise lib_exc.TimeoutException('%s within %d s: %s' % (
                what, timeout, ', '.join(sorted(listed()))))

    def delete_booted(self):
        """Delete all servers that the test has booted."""
        servers, self._booted = self._booted, []
        self.delete_servers(servers)

    def delete(self, host):
        """Request the deletion of the host's server."""
        self.servers_client.delete_server(self.servers[host.name])

    def wait_until_deleted(self, host):
        """Wait until the host's server is gone."""
        self.wait_until_gone([self.servers[host.name]])

    def page_kib(self, host):
        """The page size in KiB that the server on a host must be granted.

        :param host: the compute_host.ComputeHost
        :returns: None if servers ask for none
        """
        return None

    def check_evidence(self, host, status='ACTIVE'):
        """Assert that all witnesses agree with what is declared.

        :param host: the compute_host.ComputeHost
        :param status: the status that its server must have
        """
        self.assert_agrees(host, self._compare(host, status))

    def check_capacity(self, host):
        """Assert that placement hands out what is declared."""
        self.assert_agrees(host, policy.compare_capacity(
            host.declared, self.cloud.provider(host.name),
            host.survey().memory_mib, CONF.mempage.allowed_memory_pagesize))

    def assert_agrees(self, host, comparison):
        """Assert that there is no disagreement, and keep the table."""
        self._comparisons[host.name] = comparison
        self.assertThat(comparison, facts.Agrees())

    def assert_soon_agrees(self, host, compare, timeout):
        """Assert that disagreements end within a time.

        :param host: the compute_host.ComputeHost
        :param compare: function of it that returns a facts.Comparison
        :param timeout: seconds
        """
        comparisons = []

        def agrees():
            comparisons.append(compare(host))
            return not comparisons[-1].disagreements

        test_utils.call_until_true(agrees, timeout, 0.5)
        self.assert_agrees(host, comparisons[-1])

    def _compare(self, host, status='ACTIVE'):
        return policy.compare_server(evidence.collect(
            host, self.servers[host.name], self.flavor['ram'], self.cloud),
            self.page_kib(host), status)

    def _evidence_table(self, host):
        """The table that failed, or else one of this moment."""
        comparison = self._comparisons.get(host.name)
        if comparison and comparison.disagreements:
            return str(comparison)
        if host.name in self.servers:
            return str(self._compare(host))
        return 'No server was requested on this host.'

    def _attach_details(self, exc_info):
        if self._details_attached or issubclass(exc_info[0],
                                                self.skipException):
            return
        self._details_attached = True
        details.attach(self, self.hosts, self.servers, self._evidence_table)
