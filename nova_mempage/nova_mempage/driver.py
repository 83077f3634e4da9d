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

"""Nova's libvirt driver, with a say in the page sizes of guests."""

from nova import conf
from nova import context as nova_context
from nova import exception
from nova import objects
from nova.virt.libvirt import driver
from oslo_log import log as logging

from nova_mempage import backing
from nova_mempage import claims
from nova_mempage import conf as mempage_conf
from nova_mempage import guests
from nova_mempage import pages
from nova_mempage import placement
from nova_mempage import policy
from nova_mempage import report
from nova_mempage import series

CONF = conf.CONF
mempage_conf.register_opts(CONF)
LOG = logging.getLogger(__name__)

# Nova has reported it since 31. The os-traits of Nova 30 does not know the
# name, but placement's may.
FILE_BACKED = 'COMPUTE_MEM_BACKING_FILE'


def _configured_sizes():
    try:
        return pages.parse(CONF.libvirt.allowed_memory_pagesize)
    except ValueError as error:
        raise exception.InvalidConfiguration(
            '[libvirt] allowed_memory_pagesize: %s' % error) from error


def _join(sizes):
    return ', '.join(str(size) for size in sorted(sizes)) or 'none'


class LibvirtDriver(driver.LibvirtDriver):
    """Gives guests only the page sizes that the host allows.

    Options are read once, when nova-compute starts.
    """

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self._values = list(CONF.libvirt.allowed_memory_pagesize)
        self._allowed = _configured_sizes()
        self._option = '[libvirt] allowed_memory_pagesize = %s' % (
            ','.join(self._values))
        self._hostname = CONF.host
        self._policy = policy.Policy()
        self._placement_knows_file_backed = None

    def init_host(self, host):
        super().init_host(host)
        series.warn_of_untested()
        self._hostname = host
        topology = super()._get_host_numa_topology()
        cells = topology.cells if topology else []
        self._policy = policy.Policy(
            no_page_size=not pages.allows_small(cells, self._allowed),
            page_size=CONF.libvirt.file_backed_memory > 0)
        self._check_allowed_sizes(cells)
        reported = self._get_host_numa_topology()
        reported_cells = reported.cells if reported else []
        self._say_what_is_in_effect(cells, reported_cells)
        if self._allowed.everything and not self._policy:
            return
        claims.install()
        if not pages.usable_sizes(reported_cells):
            # No reason not to start: servers here must be manageable.
            LOG.warning(
                'No guest can start here: %s, and this host has no such '
                'pages. Add some and restart nova-compute, which looks for '
                'them only when it starts.', self._option)
        self._warn_of_violating_guests(cells)

    def _check_allowed_sizes(self, cells):
        """Refuse to start if what is allowed could serve no guest, ever.

        One value can serve a whole fleet, so sizes which only other hosts know
        are no reason.

        :param cells: list of nova.objects.NUMACell, as the host has them
        :raises: InvalidConfiguration
        """
        known = pages.known_sizes(cells)
        unknown = self._allowed.sizes - known
        if cells and not pages.allowed_sizes(cells, self._allowed):
            raise exception.InvalidConfiguration(
                '%s: this host knows no such pages. The sizes that it knows, '
                'in KiB: %s.' % (self._option, _join(known)))
        if self._policy.no_page_size and self._policy.page_size:
            raise exception.InvalidConfiguration(
                '%s: no guest could run here: [libvirt] file_backed_memory is '
                'set, with which Nova refuses all guests that ask for a page '
                'size, and the others need the smallest size to be allowed. '
                'The sizes that this host knows, in KiB: %s.' % (
                    self._option, _join(known)))
        if unknown:
            LOG.warning(
                '%s: this host knows no pages of %s KiB, only of %s KiB.',
                self._option, _join(unknown), _join(known))

    def _say_what_is_in_effect(self, cells, reported_cells):
        LOG.info(
            'nova-mempage %(version)s is in effect: %(option)s. Memory in '
            'pages that guests do not get: %(withheld)d MiB. Guests that ask '
            'for no page size: %(no_page_size)s. Guests that ask for one: '
            '%(page_size)s.',
            {'version': series.version('nova-mempage') or '',
             'option': self._option,
             'withheld': pages.withheld_mib(cells, reported_cells),
             'no_page_size': ('refused' if self._policy.no_page_size
                              else 'accepted'),
             'page_size': ('refused, for file_backed_memory is set'
                           if self._policy.page_size else 'accepted')})

    def _warn_of_violating_guests(self, cells):
        """Name the guests that are here, running or not, and must not come."""
        instances = objects.InstanceList.get_by_host(
            nova_context.get_admin_context(), self._hostname,
            expected_attrs=['numa_topology'])
        # A warning for each: syslog cuts long lines.
        for violation in guests.violating(
                instances, cells, self._allowed, self._policy):
            LOG.warning(
                'Guest %s could not come to this host any more (%s). It is '
                'left alone; move or resize it to get rid of it.',
                violation, self._option)

    def _get_host_numa_topology(self):
        topology = super()._get_host_numa_topology()
        if topology:
            pages.withhold(topology.cells, self._allowed)
            if self._policy.page_size:
                # Nova starts no guest with a page size here.
                pages.withhold(topology.cells, pages.SMALL_ONLY)
        return topology

    def get_available_resource(self, nodename):
        resources = super().get_available_resource(nodename)
        resources['stats'] = {**(resources.get('stats') or {}),
                              **report.stats(self._policy, self._values)}
        return resources

    def update_provider_tree(self, provider_tree, nodename, *args, **kwargs):
        super().update_provider_tree(provider_tree, nodename, *args, **kwargs)
        topology = self._get_host_numa_topology()
        wanted = report.traits(topology.cells if topology else [],
                               self._policy)
        found = provider_tree.data(nodename).traits
        # Sizes that the host does not even know any more go as well.
        provider_tree.remove_traits(nodename, *(
            trait for trait in found
            if report.is_ours(trait) and trait not in wanted))
        provider_tree.add_traits(nodename, *wanted)
        self._update_file_backed_trait(provider_tree, nodename)

    def _update_file_backed_trait(self, provider_tree, nodename):
        """Report file-backed memory, as Nova itself does since 31."""
        if not self._policy.page_size:
            provider_tree.remove_traits(nodename, FILE_BACKED)
            return
        if provider_tree.has_traits(nodename, [FILE_BACKED]):
            return
        if self._placement_knows_file_backed is None:
            with placement.unreachable_is_logged(
                    '%s is not reported' % FILE_BACKED):
                self._placement_knows_file_backed = placement.knows(
                    FILE_BACKED)
        if self._placement_knows_file_backed:
            provider_tree.add_traits(nodename, FILE_BACKED)

    def page_size_refusal(self, numa_topology):
        """Tell why a guest that is not here yet must not come.

        :param numa_topology: nova.objects.InstanceNUMATopology that the guest
            asks for, or None
        :returns: the reason, or None if this host does not mind
        """
        return self._policy.refusal(numa_topology)

    def check_can_live_migrate_destination(self, context, instance, *args,
                                           **kwargs):
        reason = self.page_size_refusal(instance.numa_topology)
        if reason:
            LOG.info('Live migration is refused: %s', reason,
                     instance=instance)
            raise exception.MigrationPreCheckError(
                reason='Cannot live-migrate from %s to %s: %s' % (
                    instance.host, self._hostname, reason))
        return super().check_can_live_migrate_destination(
            context, instance, *args, **kwargs)

    def check_can_live_migrate_source(self, context, instance,
                                      dest_check_data, *args, **kwargs):
        if CONF.libvirt.refuse_mixed_live_migration:
            self._check_memory_source(instance, dest_check_data)
        return super().check_can_live_migrate_source(
            context, instance, dest_check_data, *args, **kwargs)

    def _check_memory_source(self, instance, dest_check_data):
        """Refuse what libvirt would refuse after the migration has begun.

        libvirt compares only the source of the memory in the guest's XML with
        that in the XML which Nova writes for the destination (libvirt 7.0 to
        11.3; nova.virt.libvirt.migration).

        :raises: MigrationPreCheckError
        """
        here = backing.source(self._host.get_guest(instance).get_xml_desc())
        there = None
        if ('dst_wants_file_backed_memory' in dest_check_data
                and dest_check_data.dst_wants_file_backed_memory):
            there = 'file'
        if here == there:
            return
        reason = (
            "choose a host %s file-backed memory or migrate cold; libvirt "
            "refuses memory source '%s' here, '%s' there" % (
                'with' if here == 'file' else 'without',
                here or 'none', there or 'none'))
        LOG.info('Live migration is refused: %s', reason, instance=instance)
        # Nova's destination puts the names of both hosts before this text,
        # and users see the first 255 characters of all.
        raise exception.MigrationPreCheckError(reason=reason)
