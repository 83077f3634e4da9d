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
from nova import exception
from nova.virt.libvirt import driver
from oslo_log import log as logging

from nova_mempage import backing
from nova_mempage import claims
from nova_mempage import conf as mempage_conf
from nova_mempage import pages

CONF = conf.CONF
mempage_conf.register_opts(CONF)
LOG = logging.getLogger(__name__)

TRAIT_PREFIX = 'CUSTOM_MEM_PAGE_SIZE_'


def _configured_sizes():
    try:
        return pages.parse(CONF.libvirt.allowed_memory_pagesize)
    except ValueError as error:
        raise exception.InvalidConfiguration(
            '[libvirt] allowed_memory_pagesize: %s' % error) from error


def _join(sizes):
    return ', '.join(str(size) for size in sorted(sizes))


def _wants_page_size(numa_topology):
    return bool(numa_topology
                and any(cell.pagesize for cell in numa_topology.cells))


class LibvirtDriver(driver.LibvirtDriver):
    """Gives guests only the page sizes that the host allows."""

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self._allowed = _configured_sizes()
        self._option = '[libvirt] allowed_memory_pagesize = %s' % (
            ','.join(CONF.libvirt.allowed_memory_pagesize))
        self._hostname = CONF.host
        self._refuses_small = False

    def init_host(self, host):
        super().init_host(host)
        self._hostname = host
        if self._allowed.everything:
            return
        topology = super()._get_host_numa_topology()
        cells = topology.cells if topology else []
        self._check_allowed_sizes(cells)
        self._refuses_small = not pages.allows_small(cells, self._allowed)
        if self._refuses_small:
            claims.install()
            self._warn_of_missing_pages()
        self._warn_of_unallowed_guests(cells)

    def _check_allowed_sizes(self, cells):
        """Refuse to start with sizes which could serve no guest.

        :param cells: list of nova.objects.NUMACell, as the host has them
        :raises: InvalidConfiguration
        """
        known = pages.known_sizes(cells)
        large = known - {pages.smallest(cell) for cell in cells}
        reason = None
        if self._allowed.sizes - known:
            reason = 'no NUMA node of this host knows pages of %s KiB' % (
                _join(self._allowed.sizes - known))
        elif self._allowed.large and not large:
            reason = 'this host knows no large pages'
        elif (CONF.libvirt.file_backed_memory
              and not pages.allows_small(cells, self._allowed)):
            reason = ('no guest could run here: [libvirt] file_backed_memory '
                      'is set, with which Nova refuses all guests that ask '
                      'for a page size, and the others need the smallest '
                      'size to be allowed')
        if reason:
            raise exception.InvalidConfiguration(
                '%s: %s. The sizes that this host knows, in KiB: %s.' % (
                    self._option, reason, _join(known) or 'none'))

    def _warn_of_missing_pages(self):
        # No reason not to start: servers that are here must be manageable.
        if not pages.usable_sizes(self._get_host_numa_topology().cells):
            LOG.warning(
                'No guest can start here: %s, and this host has no such '
                'pages. Add some and restart nova-compute, which looks for '
                'them only when it starts.', self._option)

    def _warn_of_unallowed_guests(self, cells):
        """List the guests that run on pages which are not allowed."""
        small = min(pages.known_sizes(cells), default=None)
        unallowed = []
        for guest in self._host.list_guests():
            try:
                sizes = backing.page_sizes(guest.get_xml_desc()) or {small}
            except driver.libvirt.libvirtError as error:
                # It may just have ended, which is no reason not to start.
                LOG.info('Cannot tell the memory pages of guest %s: %s',
                         guest.uuid, error)
                continue
            if not all(self._allowed.allows(size, small) for size in sizes):
                unallowed.append('%s (%s)' % (guest.uuid, guest.name))
        if unallowed:
            LOG.warning(
                'These guests run on memory pages that %s does not allow. '
                'They are left alone; move or resize them to get rid of '
                'them: %s', self._option, ', '.join(unallowed))

    def _get_host_numa_topology(self):
        topology = super()._get_host_numa_topology()
        if topology and not self._allowed.everything:
            pages.withhold(topology.cells, self._allowed)
        return topology

    @property
    def static_traits(self):
        """Nova's own traits, and one for each page size that guests can get.

        Sizes that guests cannot get are named as well, with False, so that
        Nova removes what an earlier configuration reported.
        """
        first_time = self._static_traits is None
        traits = super().static_traits
        if first_time:
            traits.update(self._page_size_traits())
        return traits

    def _page_size_traits(self):
        topology = self._get_host_numa_topology()
        cells = topology.cells if topology else []
        usable = pages.usable_sizes(cells)
        if CONF.libvirt.file_backed_memory:
            usable = set()
        return {TRAIT_PREFIX + str(size): size in usable
                for size in pages.known_sizes(cells)}

    def page_size_refusal(self, numa_topology):
        """Tell why a guest that is not here yet must not come.

        :param numa_topology: nova.objects.InstanceNUMATopology that the guest
            asks for, or None
        :returns: the reason, or None if this host does not mind
        """
        if not self._refuses_small or _wants_page_size(numa_topology):
            return None
        return ('guests that ask for no memory page size are not allowed on '
                'this host (%s); set hw:mem_page_size' % self._option)

    def check_can_live_migrate_destination(self, context, instance, *args,
                                           **kwargs):
        reason = self.page_size_refusal(instance.numa_topology)
        if (CONF.libvirt.file_backed_memory
                and _wants_page_size(instance.numa_topology)):
            reason = ('guests with a memory page size cannot run on '
                      'file-backed hosts; choose a host without [libvirt] '
                      'file_backed_memory')
        if reason:
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
        # Nova's destination puts the names of both hosts before this text,
        # and users see the first 255 characters of all.
        raise exception.MigrationPreCheckError(
            reason="choose a host %s file-backed memory or migrate cold; "
            "libvirt refuses memory source '%s' here, '%s' there" % (
                'with' if here == 'file' else 'without',
                here or 'none', there or 'none'))
