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

import contextlib
import functools
import threading

import fixtures
from oslo_concurrency import lockutils
from oslo_log import log as logging
from tempest import config
from tempest import exceptions
from tempest.lib.common import api_version_utils
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc
import tempest.test

from mempage_tempest_plugin.changes import empty_image
from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.changes import quotas
from mempage_tempest_plugin.changes import reconfiguration
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.cloud import nova_services
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin.evidence import attachments
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import host_state
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import backing_trait
from mempage_tempest_plugin.tests.bases import counted
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import observed

CONF = config.CONF
LOG = logging.getLogger(__name__)

# Seconds between looks at a server. Each costs a twentieth of a second of CPU
# time, which other tests may need; Tempest's option knows whole seconds only.
INTERVAL = 0.5
# Seconds within which a store has to be seen without anything that changes.
STILL_TIMEOUT = 10
# Seconds until nova-compute has looked again at what its host has
# (update_resources_interval), by default.
RESOURCES_TIMEOUT = 90
# Seconds that Nova may need to give back what a move has held, or to clean up
# where a server no longer is.
HELD_TIMEOUT = 30
# What Nova says where it keeps servers from having disks on their hosts.
NO_LOCAL_DISKS = 'You specified more local devices than the limit allows'
# The disk of a flavor whose servers need none: Nova looks at a disk that it
# has to enlarge again and again, with a new process each time.
AS_THE_IMAGE = 0

#: Attributes of tests: whether they tell something of each host, or are the
#: same whatever hosts a run is about.
PER_HOST = 'per-host'
PER_CLOUD = 'per-cloud'


def in_turn(step):
    """Have a step taken on one host after the other.

    Whatever speaks another version of an API needs that: Tempest knows one
    version for all threads.

    :param step: a function of a compute_host.ComputeHost
    """
    step.in_turn = True
    return step


class BaseMemoryTest(api_version_utils.BaseMicroversionTest,
                     tempest.test.BaseTestCase):
    """Tests that boot a server on every declared host of some kind.

    Only an administrator may choose the host of a server. What ``about``,
    ``take``, ``promises`` and ``features`` of a class and its bases say
    counts together, see :mod:`joined`.
    """

    credentials = ['admin']
    # Booting on a named host, the page size that a server was granted;
    # traits of resource providers.
    min_microversion = '2.78'
    placement_min_microversion = '1.6'

    #: PER_HOST or PER_CLOUD.
    scope = PER_HOST
    #: Whether they use hosts at all.
    needs_hosts = True
    #: Which hosts the tests are about: a which.Condition.
    about = which.any_host
    #: Which of these they take: a which.Choice.
    take = which.each
    #: Which of these nobody else may use meanwhile, as they are changed,
    #: filled, broken or counted: a which.Choice.
    alone_on = None
    #: Whether others' guests would come to harm there: these are filled,
    #: broken, restarted or taken for down. Or would hide what is counted.
    #: Hosts that have some are left out.
    harmful = False
    #: Hosts that were left out for what only they themselves tell: dict of
    #: reasons by their names.
    left_out = {}
    #: Names of hosts that turned out to be occupied, where others suit as
    #: well: these are not chosen again.
    avoided = frozenset()
    #: Whether they can do without none of their hosts.
    needs_all_hosts = False
    #: Whether the scheduler may choose any host for their servers.
    anywhere = False
    #: How many servers they have on each host at the same time, at most.
    servers_on_host = 2
    #: For how many of them there has to be room: a leased.Room.
    room = leased.Room()
    #: What they do with pools of large pages: leased.TAKES, leased.COUNTS or
    #: leased.CHANGES.
    pools = None
    #: Options of [mempage] that they need.
    promises = ()
    #: Options of [compute-feature-enabled] that they need.
    features = ()
    #: Versions of the compute API that some requests need.
    speaks = ()
    #: Reasons to skip, of :mod:`observed`, that show in a run only. That
    #: guests of others would come to harm is one wherever it can be.
    may_skip = (observed.NO_LOCAL_DISKS,)
    #: What flavors ask for, as page_sizes.granted takes it; None for nothing.
    request = None
    #: Further extra specs of the flavor of their servers.
    extra_specs = {}
    #: The option of [compute] that names the configured flavor, which theirs
    #: are copies of.
    flavor_option = 'flavor_ref'
    #: Its RAM in MiB, if not that of the configured flavor.
    flavor_ram_mib = None
    #: Whether they need a network on which to reach guests.
    needs_network = False
    #: Whether servers need an operating system. Without one, QEMU starts,
    #: finds nothing to boot, and leaves the CPUs to others.
    needs_system = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, function in list(vars(cls).items()):
            if name.startswith('test_'):
                setattr(cls, name, decorators.attr(type=cls.scope)(function))

    @classmethod
    def setUpClass(cls):  # noqa: T105
        # Before Tempest's own lock, as whoever wants all leases does.
        cls._leases = leased.take(cls)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):  # noqa: T105
        try:
            super().tearDownClass()
        finally:
            cls._leases.release()

    @classmethod
    def would_wait(cls):
        """Tell whether the class had to wait for its leases now."""
        return leased.would_wait(cls)

    @classmethod
    def is_serial_execution_requested(cls):
        return leased.is_alone_in_the_cloud(cls)

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        joined.skip_unless_promised(cls)
        joined.skip_unless_reachable(cls)
        joined.choose_hosts(cls)

    @classmethod
    def choose(cls, hosts, peers):
        """Choose the hosts that the tests need.

        :param hosts: declarations (inventory.Host) of those that this run is
            about
        :param peers: declarations of those that servers may go to besides
        :returns: list of declarations
        :raises SkipException: if there is none
        """
        return joined.choose(cls, hosts)

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
        cls.services = nova_services.ComputeServices(cls.os_admin)
        cls.nova = servers.Servers(
            cls.os_admin, cls.services, CONF.compute.build_timeout, INTERVAL,
            cls.inventory.limit)
        if cls.harmful:
            # Before anything is made for the hosts that it has chosen.
            with nova_services.speaking(_compute_version(cls)):
                observed.take_unoccupied(cls)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.hosts = [compute_host.get(declared, CONF.mempage.host_timeout)
                     for declared in cls.declared]
        cls.setup_api_microversion_fixture(
            compute_microversion=_compute_version(cls),
            placement_microversion=api_version_utils.
            select_request_microversion(cls.placement_min_microversion,
                                        CONF.placement.min_microversion))
        if cls.harmful:
            observed.leave_out_occupied(cls)
        if cls.needs_hosts and CONF.mempage.reconfigure_hosts:
            # Nobody is changing any now: whoever does has leased it alone.
            reconfiguration.put_back_left(
                cls.hosts, cls.services, CONF.compute.build_timeout,
                lockutils.get_lock_path(CONF), CONF.mempage.parallel_hosts)
        cls.flavor = cls.create_flavor(cls.extra_specs, cls.flavor_ram_mib,
                                       request=cls.request)
        room = contextlib.ExitStack()
        cls.addClassResourceCleanup(room.close)
        room.enter_context(quotas.room(
            cls.os_admin, lockutils.get_lock_path(CONF),
            cls.servers_on_host * len(cls.hosts), cls.flavor,
            cls.needs_network and CONF.service_available.neutron))
        cls.image = (CONF.compute.image_ref if cls.needs_system
                     else empty_image.shared(cls.os_admin))

    @classmethod
    def create_flavor(cls, extra_specs, ram_mib=None, disk_gib=None,
                      request=None, vcpus=None):
        """Copy the configured flavor, with further extra specs.

        Of its own, it keeps what the cloud may need to find a host. What they
        say of memory is the test's to say.

        :param extra_specs: dict
        :param ram_mib: another RAM than the configured flavor's, rounded up
            where large pages are asked for
        :param disk_gib: another disk than the configured flavor's, or than
            that of the empty image
        :param request: the page size that it asks for; None for none
        :param vcpus: other VCPUs than the configured flavor's
        :returns: the flavor; it is deleted after the class
        """
        client = cls.os_admin.flavors_client
        model = client.show_flavor(CONF.compute[cls.flavor_option])['flavor']
        if ram_mib is None:
            ram_mib = (page_sizes.whole_ram(cls.declared, model['ram'])
                       if request == page_sizes.LARGE else model['ram'])
        if disk_gib is None:
            disk_gib = model['disk'] if cls.needs_system else AS_THE_IMAGE
        flavor = client.create_flavor(
            name=names.of(cls, 'flavor'), ram=ram_mib,
            vcpus=vcpus or model['vcpus'], disk=disk_gib)['flavor']
        cls.addClassResourceCleanup(client.delete_flavor, flavor['id'])
        kept = client.list_flavor_extra_specs(model['id'])['extra_specs']
        extra_specs = {**page_sizes.not_about_memory(kept), **extra_specs}
        if request:
            extra_specs[page_sizes.EXTRA_SPEC] = str(request)
        if extra_specs:
            client.set_flavor_extra_spec(flavor['id'], **extra_specs)
        return flavor

    @classmethod
    def create_image(cls, **properties):
        """Create an empty image with some properties.

        :param properties: its properties
        :returns: its id; it is deleted after the class
        """
        client = cls.os_admin.image_client_v2
        image = empty_image.create(client, names.of(cls, 'image'),
                                   **properties)
        cls.addClassResourceCleanup(client.delete_image, image)
        return image

    def setUp(self):
        # The first one is called last: when Tempest has added its log.
        self.addCleanup(attachments.shorten, self)
        super().setUp()
        #: What the test has requested: servers.RequestedServer.
        self.servers = []
        self._to_delete = []
        self._comparisons = {}
        #: Hosts on which a step has failed.
        self.failed = []
        self.details_attached = False
        # Hosts are asked at the same time.
        self._keeping = threading.Lock()
        for host, reason in self.left_out.items():
            facts.keep_left_out(self, host, reason)
        self.addOnException(functools.partial(_attach_details, self))
        # Who counts pages waits until all counts are right.
        if self.pools == leased.TAKES:
            counted.wait_for_pages(self, RESOURCES_TIMEOUT)

    def on_each_host(self, *steps, hosts=None):
        """Take the same steps on hosts, and report every failing one.

        A step is taken on all hosts at the same time, before the next one
        begins. A host that fails or skips takes no further steps.

        :param steps: functions of a compute_host.ComputeHost
        :param hosts: list of compute_host.ComputeHost, if not all
        :raises failureException: if any host fails, whoever skips
        :raises SkipException: if none fails, and any skips, with all reasons
        """
        hosts = self.hosts if hosts is None else hosts
        failures = {}
        skips = {}
        for step in steps:
            left = [host for host in hosts
                    if host.name not in failures.keys() | skips.keys()]
            errors = servers.at_once(
                functools.partial(_failure_of, self, step), left,
                limit=1 if getattr(step, 'in_turn', False)
                else CONF.mempage.parallel_hosts)
            for host, error in zip(left, errors):
                if isinstance(error, self.skipException):
                    skips[host.name] = str(error)
                elif error:
                    failures[host.name] = error
        for host in hosts:
            if host.name in skips:
                facts.keep_left_out(self, host.name, skips[host.name])
            else:
                facts.keep_outcome(self, host.name, failures.get(host.name))
        if failures:
            self.failed = [host for host in hosts if host.name in failures]
        _raise_any(self, len(hosts), failures, skips)

    def check_host(self, host):
        """Assert that the host itself is as declared, before it is used.

        Guests of other tests come and go meanwhile: of a file that grows,
        parts may be neither free nor in it yet.
        """
        self.assert_soon_agrees(host, _compare_host, STILL_TIMEOUT)

    def check_capacity(self, host, declared=None):
        """Assert that placement hands out what is declared.

        :param host: the compute_host.ComputeHost
        :param declared: another declaration than its own
        """
        declared = declared or host.declared

        def compare(host):
            return host_state.compare_capacity(
                declared, self.cloud.provider(host.name), host.survey(),
                self.flavor['ram'], CONF.mempage.allowed_memory_pagesize,
                backing_trait.is_reported(self))

        if declared.file_backed:
            self.assert_agrees(compare(host))
        else:
            # RAM that is plugged in is seen when Nova looks again.
            self.assert_soon_agrees(host, compare, RESOURCES_TIMEOUT)

    def boot(self, host=None, **kwargs):
        """Request a server; it is deleted after the test.

        :param host: the compute_host.ComputeHost; None if the scheduler
            chooses
        :param kwargs: further arguments of :meth:`request_server`
        :returns: the servers.RequestedServer
        """
        server = self.request_server(host, **kwargs)
        self.servers.append(server)
        self._to_delete.append(server.uuid)
        # The last one is called first, and deletes all: before anything that
        # some of them use.
        self.addCleanup(self.delete_requested)
        return server

    @classmethod
    def request_server(cls, host=None, flavor=None, image=None, **kwargs):
        """Request a server; the caller deletes it.

        :param host: the compute_host.ComputeHost; None if the scheduler
            chooses
        :param flavor: its flavor, if not that of the class
        :param image: id of its image, if not that of the class
        :param kwargs: further arguments of servers.Servers.request
        :returns: the servers.RequestedServer
        :raises SkipException: if servers must boot from volumes
        """
        try:
            return cls.nova.request(
                names.of(cls, 'server'), flavor or cls.flavor,
                image or cls.image, host and host.name, **kwargs)
        except lib_exc.BadRequest as error:
            if NO_LOCAL_DISKS not in str(error):
                raise
            observed.skip(cls, observed.NO_LOCAL_DISKS, (
                '[DEFAULT] max_local_block_devices is 0 in nova.conf: %s'
                % error))

    def server_on(self, host):
        """Get the latest of the test's servers that is, or was, on a host.

        :param host: the compute_host.ComputeHost
        :returns: the servers.RequestedServer; None if there is none
        """
        return next((server for server in reversed(self.servers)
                     if server.host == host.name), None)

    def delete_requested(self):
        """Delete all servers that the test has requested."""
        uuids, self._to_delete = self._to_delete, []
        self.nova.delete(uuids)

    def wait_until_active(self, host):
        """Wait for the host's server.

        :param host: the compute_host.ComputeHost
        :raises BuildErrorException: if it has failed, with what nova-compute
            has logged of it: Nova tells users that it tried in vain
        """
        server = self.server_on(host).uuid
        with _explained([host], server):
            self.nova.wait_until_active(server)

    def delete(self, host):
        """Request the deletion of the host's server."""
        self.nova.client.delete_server(self.server_on(host).uuid)

    def wait_until_deleted(self, host):
        """Wait until the host's server is gone."""
        self.nova.wait_until_gone([self.server_on(host).uuid])

    def page_kib(self, host):
        """The page size in KiB that the server on a host must be granted.

        :param host: the compute_host.ComputeHost
        :returns: None if servers ask for none
        """
        return self.request and page_sizes.granted(
            host.declared, self.request, self.server_on(host).ram_mib)

    def check_evidence(self, host, status='ACTIVE', declared=None):
        """Assert that all witnesses agree with what is declared.

        :param host: the compute_host.ComputeHost
        :param status: the status that its server must have
        :param declared: another declaration than the host's own
        """
        self.assert_agrees(self.compare_evidence(host, status,
                                                 declared))

    def compare_evidence(self, host, status='ACTIVE', declared=None):
        """Compare what all witnesses say with what is declared.

        :param host: the compute_host.ComputeHost
        :param status: the status that its server must have
        :param declared: another declaration than the host's own
        :returns: a facts.Comparison
        """
        return compare_memory(self, host, self.server_on(host),
                              self.page_kib(host), status, declared)

    def assert_agrees(self, comparison):
        """Assert that there is no disagreement, and keep all facts.

        :param comparison: a facts.Comparison
        """
        self.keep(comparison)
        self.assertThat(comparison, facts.Agrees())

    def keep(self, comparison):
        """Keep facts in the details of the test, whether they agree or not.

        :param comparison: a facts.Comparison
        """
        with self._keeping:
            facts.keep(self, comparison)
            self._comparisons[comparison.host] = comparison

    def assert_soon_agrees(self, host, compare, timeout):
        """Assert that disagreements end within a time.

        :param host: the compute_host.ComputeHost
        :param compare: function of it that returns a facts.Comparison
        :param timeout: seconds, on a host that is not declared to be slow
        """
        comparisons = []

        def agrees():
            comparisons.append(compare(host))
            return not comparisons[-1].disagreements

        test_utils.call_until_true(
            agrees, host.declared.limit(timeout), 0.5)
        self.assert_agrees(comparisons[-1])

    def evidence_table(self, host):
        """Tell people what is known about a host's servers.

        :param host: the compute_host.ComputeHost
        :returns: the table that failed, or else one of this moment
        """
        comparison = self._comparisons.get(host.name)
        if comparison and comparison.disagreements:
            return str(comparison)
        if self.server_on(host):
            return str(self.compare_evidence(host))
        return 'No server was requested on this host.'


class BaseMoveTest(BaseMemoryTest):
    """Tests with one server, which is on the first host that suits.

    A host suits if there are others to go to.
    """

    # What went wrong in an event of an action.
    min_microversion = '2.84'

    #: Where the server starts: a which.Condition, beside what guests with
    #: its request need.
    start_on = which.any_host
    #: Where it goes: a which.Condition.
    go_to = which.any_host
    #: Which of these it goes to: a which.Choice.
    take = which.one_of_each_policy
    needs_all_hosts = True
    servers_on_host = 1
    # A guest that runs reports free pages, and QEMU gives them back: holes
    # in its file, which nobody could tell from damage.
    needs_system = False

    @classmethod
    def choose(cls, hosts, peers):
        start = which.all_of([which.TAKES[cls.request],
                              *joined.values(cls, 'start_on')])
        go_to = which.all_of(joined.values(cls, 'go_to'))
        chosen = which.pair(hosts, peers, start, go_to, cls.take)
        if not chosen:
            joined.skip(cls, '%s beside which there is a %s' % (start, go_to))
        return chosen

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.migrations_client = cls.os_admin.migrations_client

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        if joined.moves_live(cls):
            observed.leave_out_other_qemu(cls)
        cls.source, *cls.destinations = cls.hosts
        # Old clouds have some of that: it is no test's.
        cls.held_before = dict(zip(
            [host.name for host in cls.hosts], servers.at_once(
                functools.partial(memory_of_nobody, cls), cls.hosts,
                limit=CONF.mempage.parallel_hosts)))
        for name, held in cls.held_before.items():
            if held:
                LOG.warning('placement holds memory of host %s for no server '
                            'that is there, MiB by consumer: %s', name, held)

    @property
    def server(self):
        """The server: a servers.RequestedServer."""
        return self.servers[-1]

    def start(self, **kwargs):
        """Boot the server, and look at its memory.

        :param kwargs: as of :meth:`boot`
        """
        self.boot(self.source, **kwargs)
        self.wait_until_active(self.source)
        self.check_evidence(self.source)

    def act(self, status, method, *arguments, **kwargs):
        """Request an action on the server, and wait for its end.

        :param status: the status that the server must have then
        :param method: name of a method of Tempest's servers client
        :param arguments: its arguments after the server's UUID
        :param kwargs: as of servers.Servers.act
        :returns: the ID of the request
        :raises BuildErrorException: if it has failed, with what nova-compute
            has logged of it on the hosts of the test
        """
        with _explained(self.hosts, self.server.uuid):
            return self.nova.act(self.server.uuid, method, status,
                                 *arguments, **kwargs)

    def migrate_live(self, host):
        """Take the running server to another host.

        :param host: the compute_host.ComputeHost
        """
        self.act('ACTIVE', 'live_migrate_server',
                 **self.nova.to_live(host.name))

    def check_moved(self, departed, host):
        """Assert that the server is on another host now.

        :param departed: the compute_host.ComputeHost where it was
        :param host: the compute_host.ComputeHost where it must be
        """
        self.server.host = host.name
        self.check_evidence(host)
        if departed.name != host.name:
            self.check_absent(departed)
        for each in (departed, host):
            # Nova says ACTIVE, and then gives back what the move has held.
            self.assert_soon_agrees(each, self._compare_held, HELD_TIMEOUT)

    def _compare_held(self, host):
        return absence.compare_held(
            host.name, self.server.uuid, actions.held_by_migrations(
                self.migrations_client, self.server.uuid, self.cloud),
            {consumer: mib for consumer, mib
             in memory_of_nobody(self, host).items()
             if consumer not in self.held_before[host.name]})

    def check_absent(self, host, server=None):
        """Assert that a host has nothing of a server.

        :param host: the compute_host.ComputeHost
        :param server: the servers.RequestedServer, if not the test's last one
        """
        check_absent(self, host, (server or self.server).uuid)

    def locate(self, able):
        """Find the host that the scheduler has chosen.

        :param able: a which.Condition on those that it could choose
        :returns: the compute_host.ComputeHost
        """
        hosts = {host.name: host for host in self.inventory.hosts.values()
                 if able(host)}
        name = self.cloud.server(self.server.uuid).host
        self.assertIn(name, hosts, 'hosts that can take server %s'
                      % self.server.uuid)
        return compute_host.get(hosts[name], CONF.mempage.host_timeout)

    def check_refused(self, destination, words, method, *arguments,
                      **kwargs):
        """Assert that an action is refused, and that nothing came of it.

        :param destination: the compute_host.ComputeHost that must not take
            the server
        :param words: texts, one of which the reason has to have
        :param method: name of a method of Tempest's servers client
        :param arguments: its arguments after the server's UUID
        :param kwargs: as of :meth:`act`
        :returns: why Nova refused it
        """
        pids = self.source.pids(self.server.uuid)
        not_refused = (
            'server %s: %s from host %s to %s was not refused before it began'
            % (self.server.uuid, method, self.source.name, destination.name))
        try:
            request_id = self.act('ACTIVE', method, *arguments, **kwargs)
        except exceptions.BuildErrorException as error:
            self.fail('%s, and failed: %s' % (not_refused, error))
        reason = self.reason(request_id, words, not_refused)
        self.check_unmoved(pids)
        self.check_absent(destination)
        return reason

    def check_live_migration_refused(self, destination, words, **kwargs):
        """Assert that a guest is refused before it is migrated live.

        :param destination: the compute_host.ComputeHost that must not take
            the server
        :param words: texts, one of which the reason has to have
        :param kwargs: as of :meth:`act`
        :returns: why Nova refused it
        """
        return self.check_refused(
            destination, words, 'live_migrate_server', **kwargs,
            **self.nova.to_live(destination.name))

    def check_forced_live_migration_refused(self, destination, words):
        """Assert that nova-compute refuses a guest that nobody else judged.

        :param destination: the compute_host.ComputeHost that must not take
            the server
        :param words: texts, one of which the reason has to have
        :returns: why Nova refused it
        """
        # The last version in which a request can keep the scheduler out.
        return self.check_live_migration_refused(
            destination, words, microversion='2.67', force=True)

    def check_unmoved(self, pids):
        """Assert that the server is on its host as it was.

        :param pids: the QEMU processes that it had
        """
        # Both comparisons are of one look, if nothing is held any more.
        looks = [self._look()]
        self.assert_agrees(server_memory.compare(
            self.source.declared, looks[0], self.page_kib(self.source),
            system=self.needs_system))

        def compare(host):
            return absence.compare_untouched(
                looks.pop() if looks else self._look(), pids,
                actions.held_by_migrations(
                    self.migrations_client, self.server.uuid, self.cloud))

        self.assert_soon_agrees(self.source, compare, HELD_TIMEOUT)

    def _look(self):
        return collect.collect(self.source, self.server.uuid,
                               self.server.ram_mib, self.cloud)

    def reason(self, request_id, words, not_refused):
        """Assert that a request was refused, and why.

        A host that is down, disabled or full refuses as well.

        :param request_id: the ID of the request
        :param words: texts, one of which the reason has to have
        :param not_refused: what a failure has to say
        :returns: why Nova refused it
        """
        reason = actions.refusal(self.nova.client, self.server.uuid,
                                 request_id, self.inventory.limit)
        if not reason:
            self.fail('%s; no event of request %s has failed' % (
                not_refused, request_id))
        comparison = facts.Comparison(
            'server %s, refused' % self.server.uuid, self.source.name,
            self.server.uuid)
        comparison.holds('nova', 'reason', ' or '.join(words), reason,
                         any(text in reason for text in words))
        self.assert_agrees(comparison)
        return reason


def _compute_version(cls):
    return api_version_utils.select_request_microversion(
        cls.min_microversion, CONF.compute.min_microversion)


def keep_to(cls, hosts):
    """Have the scheduler choose among some hosts only.

    Where Nova may resize a server on the host that it is on, it does so unless
    that is none of them.

    :param cls: a :class:`BaseMemoryTest`
    :param hosts: list of compute_host.ComputeHost
    :returns: an extra spec, which flavors need for that; it holds until the
        class ends
    """
    trait = host_traits.Trait(cls.os_admin, [
        cls.cloud.provider(host.name).uuid for host in hosts])
    trait.setUp()
    cls.addClassResourceCleanup(trait.cleanUp)
    return {'trait:%s' % trait.name: 'required'}


def compare_memory(test, host, server, page_kib, status='ACTIVE',
                   declared=None):
    """Compare what all witnesses say of a server with what is declared.

    :param test: a :class:`BaseMemoryTest`
    :param host: the compute_host.ComputeHost where the server is
    :param server: the servers.RequestedServer
    :param page_kib: the page size that it was granted; None for none
    :param status: the status that it must have
    :param declared: another declaration than the host's own
    :returns: a facts.Comparison
    """
    return server_memory.compare(
        declared or host.declared, collect.collect(
            host, server.uuid, server.ram_mib, test.cloud),
        page_kib, status, test.needs_system)


def check_absent(test, host, server):
    """Assert that a host has nothing of a server.

    :param test: a :class:`BaseMemoryTest`
    :param host: the compute_host.ComputeHost
    :param server: UUID of the server
    """
    # Nova says that it is away, or where, and then cleans up.
    test.assert_soon_agrees(
        host, lambda host: absence.compare_absent(host, server, test.cloud),
        HELD_TIMEOUT)


def memory_of_nobody(test, host):
    """Look up who holds memory of a host for no server that is there.

    :param test: a :class:`BaseMemoryTest`, or its class
    :param host: the compute_host.ComputeHost
    :returns: as of cloud.Cloud.memory_of_nobody
    """
    return test.cloud.memory_of_nobody(host.name,
                                       test.services.host_of(host.name))


@contextlib.contextmanager
def _explained(hosts, server):
    """Add to the failure of a server what nova-compute has logged of it.

    :param hosts: compute_host.ComputeHost of those that may know
    :param server: its UUID
    """
    try:
        yield
    except exceptions.BuildErrorException as error:
        raise exceptions.BuildErrorException('\n'.join([
            str(error).partition('Details: ')[2], *(
                '%s: %s' % (host.name, text) for host in hosts
                for text in host.errors_of(server))]),
            server_id=server) from error


def _compare_host(host):
    """Compare a host itself with its declaration."""
    return host_state.compare(host.declared, *host.survey_and_guests(),
                              host.libvirt.hostname())


def _failure_of(test, step, host):
    """Take a step on a host, and tell why it failed, if it did.

    :returns: text; the exception if it skips; None if it passed
    """
    name = getattr(step, '__name__', str(step)).strip('_')
    try:
        step(host)
    except fixtures.TimeoutException:
        raise
    except test.skipException as skipped:
        return skipped
    except test.failureException as error:
        return '%s: %s' % (name, error)
    except Exception as error:
        LOG.debug('%s on host %s', name, host.name, exc_info=True)
        return '%s: %s: %s' % (name, type(error).__name__, error)
    return None


def _raise_any(test, number, failures, skips):
    """Raise what failed on hosts, or else what was skipped there.

    :param test: the test
    :param number: how many hosts there are
    :param failures: dict of texts by the host's name
    :param skips: dict of reasons by the host's name
    """
    if failures:
        raise test.failureException('%d of %d hosts failed\n%s' % (
            len(failures), number, '\n'.join(
                '%s: %s' % item for item in failures.items())))
    if skips:
        # Each reason once, with its beginning in front: may_skip has it.
        raise test.skipException('; '.join(dict.fromkeys(skips.values())))


def _attach_details(test, exc_info):
    """Attach what is known about the hosts that a test has failed on."""
    if test.details_attached or issubclass(exc_info[0], test.skipException):
        return
    test.details_attached = True
    used = [host for host in test.hosts if test.server_on(host)]
    attachments.attach(
        test, test.failed or used or test.hosts[:1],
        {server.host: server.uuid for server in test.servers},
        test.evidence_table, CONF.mempage.parallel_hosts)
