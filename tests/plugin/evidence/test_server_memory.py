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

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import host_state
from mempage_tempest_plugin.evidence import remains
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.evidence import store_counts
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import pools
from tests.plugin import samples


def _without(path):
    return {name: found for name, found in samples.known_files().items()
            if name != path}


def _with(**changes):
    files = samples.known_files()
    files[samples.PATH] = dataclasses.replace(files[samples.PATH], **changes)
    return files


def _mapped(**changes):
    return {'survey': samples.host_survey([samples.mapping(**changes)])}


ELSEWHERE = '/var/lib/libvirt/qemu/ram/1-instance-00000001/pc.ram'

# What is spoiled, and the facts that must then disagree.
REFUSALS = 'traits of what the host refuses'
PARTS = 'parts of memoryBacking'
FILE_BACKED = (
    ({'xml': samples.backing(source=None)}, {'source', PARTS}),
    ({'xml': samples.backing(access='private')}, {'access'}),
    ({'xml': samples.backing(allocation='ondemand')}, {'allocation'}),
    ({'xml': samples.backing(discard=False)}, {'discard', PARTS}),
    ({'xml': samples.backing(hugepages=(2048,))}, {'hugepages', PARTS}),
    ({'xml': samples.backing(children=(
        'access', 'allocation', 'discard', 'locked', 'source'))}, {PARTS}),
    ({'next_xml': samples.backing(source=None)},
     {'changes at the next start'}),
    ({'next_xml': None}, {'changes at the next start'}),
    ({'xml': samples.backing(memory_kib=1024)}, {'memory, MiB'}),
    ({'allocated': {'other': 192}}, {'MEMORY_MB allocated'}),
    ({'provider': None}, {'MEMORY_MB allocated'}),
    ({'backends': []}, {'memory, MiB', 'memory backends'}),
    ({'backends': [samples.backend(type='memory-backend-memfd',
                                   mem_path=None)]},
     {'pc.ram: type', 'pc.ram: mem-path'}),
    ({'backends': [samples.backend(share=False)]}, {'pc.ram: share'}),
    ({'backends': [samples.backend(prealloc=False)]}, {'pc.ram: prealloc'}),
    ({'backends': [samples.backend(discard=False)]}, {'pc.ram: discard'}),
    ({'survey': samples.host_survey(processes={})},
     {'QEMU processes', 'pc.ram: owner', 'pc.ram: mapped, bytes',
      'pc.ram: mapped shared', 'pc.ram: mapped on device',
      'pc.ram: mapped inode'}),
    ({'survey': samples.host_survey(files=_without(samples.PATH))},
     {'pc.ram: kind', 'pc.ram: mapped inode'}),
    ({'survey': samples.host_survey(files=_with(size=samples.MIB))},
     {'pc.ram: size, bytes'}),
    ({'survey': samples.host_survey(files=_with(allocated=4096))},
     {'pc.ram: allocated, bytes'}),
    ({'survey': samples.host_survey(files=_with(uid=0))}, {'pc.ram: owner'}),
    ({'survey': samples.host_survey(files=dict(
        samples.known_files(), **{samples.GUEST_DIRECTORY: samples.file(
            samples.GUEST_DIRECTORY, mode=0o711)}))},
     {'pc.ram: open to others'}),
    ({'survey': samples.host_survey(files=dict(
        _with(mode=0o660), **{samples.GUEST_DIRECTORY: dataclasses.replace(
            samples.file(samples.GUEST_DIRECTORY, mode=0o710), gid=27)}))},
     set()),
    ({'survey': samples.host_survey(files=dict(
        _with(mode=0o660, gid=27), **{
            samples.GUEST_DIRECTORY: dataclasses.replace(samples.file(
                samples.GUEST_DIRECTORY, mode=0o710), gid=27)}))},
     {'pc.ram: open to groups'}),
    ({'survey': samples.host_survey(files=_with(acl=True))},
     {'pc.ram: ACLs'}),
    ({'survey': samples.host_survey(mounts=samples.host_survey().mounts[:1])},
     {'pc.ram: mount', 'pc.ram: on the root file system',
      'pc.ram: file system type', 'pc.ram: mapped on device'}),
    (_mapped(shared=False), {'pc.ram: mapped shared'}),
    (_mapped(inode=6), {'pc.ram: mapped inode'}),
    (_mapped(size_kib=4), {'pc.ram: mapped, bytes'}),
    (_mapped(device='8:1'), {'pc.ram: mapped on device', 'pc.ram: mapped by'}),
    ({'survey': samples.host_survey(mappers={samples.PATH: [
        (12, '0:40'), (samples.PID, '0:40')]})}, {'pc.ram: mapped by'}),
)

PLAIN = (
    ({'xml': samples.backing()}, {'source', 'access', PARTS}),
    ({'next_xml': samples.backing()}, {'changes at the next start'}),
    ({'backends': [samples.backend()]}, {'mem-path'}),
    ({'survey': samples.host_survey([samples.mapping()])},
     {'anonymous private mapping of the RAM', 'backing files',
      'files mapped that could hold the RAM'}),
    ({'survey': samples.host_survey([samples.LIBRARY], files={})},
     {'anonymous private mapping of the RAM', 'page size, KiB'}),
    ({'survey': samples.host_survey([
        samples.LIBRARY, dataclasses.replace(samples.ANONYMOUS,
                                             page_kib=2048)], files={})},
     {'page size, KiB'}),
    # All of the process, so that none of it tells what is small.
    ({'survey': samples.host_survey([
        dataclasses.replace(samples.ANONYMOUS, page_kib=64)], files={})},
     {'page size, KiB'}),
    # Empty directories are no memory.
    ({'survey': samples.host_survey(
        [samples.LIBRARY, samples.ANONYMOUS],
        files=_without(samples.PATH))}, set()),
)

# Spoiled evidence of a large-page server, and the facts that must notice.
LARGE_PAGE = [
    ({'server': cloud.Server(samples.SERVER, 'ACTIVE', 'huge1', 'i', 4)},
     {'page size, KiB'}),
    ({'xml': samples.backing(source=None, access=None, allocation=None,
                             discard=False)}, {'hugepages, KiB', PARTS}),
    ({'xml': samples.backing(hugepages=(2048,))}, {'source', PARTS}),
    ({'survey': dataclasses.replace(samples.large_page_survey(),
                                    files=samples.known_files())},
     {'backing files'}),
    ({'backends': []}, {'memory, MiB', 'memory backends'}),
    ({'backends': [samples.backend(name='ram-node0',
                                   mem_path='/srv/memory/x')]},
     {'ram-node0: file system type of /srv/memory/x',
      'ram-node0: mapped from hugetlbfs', 'ram-node0: mapped shared',
      'ram-node0: page size, KiB', 'ram-node0: resident, KiB'}),
    ({'backends': [samples.backend(name='ram-node0', share=False,
                                   mem_path='/dev/hugepages/qemu')]},
     {'ram-node0: share'}),
    ({'survey': samples.large_page_survey(shared=False)},
     {'ram-node0: mapped shared'}),
    ({'backends': [samples.backend(name='ram-node0', prealloc=False,
                                   mem_path='/dev/hugepages/qemu')]},
     {'ram-node0: prealloc'}),
    ({'survey': samples.large_page_survey(page_kib=4)},
     {'ram-node0: page size, KiB'}),
    ({'survey': samples.large_page_survey(resident_kib=2048)},
     {'ram-node0: resident, KiB'}),
    ({'survey': samples.large_page_survey(device='8:1')},
     {'ram-node0: mapped from hugetlbfs', 'ram-node0: mapped shared',
      'ram-node0: page size, KiB', 'ram-node0: resident, KiB'}),
]


def _wrong(comparison):
    return {fact.name for fact in comparison.disagreements}


@ddt.ddt
class CompareServerTest(base.BaseTestCase):

    def test_file_backed_agrees(self):
        comparison = server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence())
        self.assertEqual([], comparison.disagreements, str(comparison))

    @ddt.data(*FILE_BACKED)
    @ddt.unpack
    def test_file_backed_disagrees(self, changes, wrong):
        self.assertEqual(wrong, _wrong(server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence(**changes))))

    def test_changes_at_the_next_start(self):
        comparison = server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence(
                next_xml=samples.backing(source=None)))
        self.assertEqual(
            [['source: None',
              "children: ('access', 'allocation', 'discard')"]],
            [fact.observed for fact in comparison.disagreements])

    def test_file_elsewhere(self):
        found = samples.host_survey(
            files=_without(samples.PATH), mappers={ELSEWHERE: []})
        wrong = _wrong(server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence(
                backends=[samples.backend(mem_path=ELSEWHERE)],
                survey=found)))
        self.assertIn('pc.ram: mem-path', wrong)

    def test_file_of_same_inode_on_other_device_is_no_second_mapping(self):
        found = samples.host_survey(mappers={samples.PATH: [
            (12, '8:1'), (samples.PID, '0:40')]})
        self.assertEqual(set(), _wrong(server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence(survey=found))))

    def test_strangers_are_named(self):
        found = samples.host_survey(
            mappers={samples.PATH: [(12, '0:40'), (samples.PID, '0:40'),
                                    (9, '0:40')]},
            programs={12: 'less', samples.PID: 'qemu-system-x86'})
        [wrong] = server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence(survey=found)
        ).disagreements
        self.assertEqual([samples.PID, '9 (has ended)', '12 (less)'],
                         wrong.observed)

    @ddt.data(((), {'pc.ram: mapped by'}), (('virtiofsd',), set()),
              (('ovs-vswitchd',), {'pc.ram: mapped by'}))
    @ddt.unpack
    def test_file_that_a_declared_program_maps(self, mappers, wrong):
        declared = dataclasses.replace(
            samples.FILE_BACKED, file_backed=dataclasses.replace(
                samples.FILE_BACKED.file_backed, mappers=mappers))
        found = samples.host_survey(
            mappers={samples.PATH: [(12, '0:40'), (samples.PID, '0:40')]},
            programs={12: 'virtiofsd', samples.PID: 'qemu-system-x86'})
        self.assertEqual(wrong, _wrong(server_memory.compare(
            declared, samples.file_backed_evidence(survey=found))))

    @ddt.data(('ovs-vswitchd', set()), ('vpp_main', {'pc.ram: mapped by'}))
    @ddt.unpack
    def test_file_that_the_declared_switch_maps(self, program, wrong):
        declared = dataclasses.replace(
            samples.FILE_BACKED, switch=inventory.Switch(program))
        found = samples.host_survey(
            mappers={samples.PATH: [(12, '0:40'), (samples.PID, '0:40')]},
            programs={12: 'ovs-vswitchd', samples.PID: 'qemu-system-x86'})
        self.assertEqual(wrong, _wrong(server_memory.compare(
            declared, samples.file_backed_evidence(survey=found))))

    @ddt.data((1, set()), (0, {'pc.ram: allocated, bytes'}))
    @ddt.unpack
    def test_file_of_a_guest_that_gives_memory_back(self, allocated, wrong):
        known = samples.known_files()
        known[samples.PATH] = dataclasses.replace(
            known[samples.PATH], allocated=allocated)
        self.assertEqual(wrong, _wrong(server_memory.compare(
            samples.FILE_BACKED, samples.file_backed_evidence(
                xml=samples.backing(free_page_reporting=True),
                survey=samples.host_survey(files=known)))))

    def test_guest_that_can_give_nothing_back(self):
        known = samples.known_files()
        known[samples.PATH] = dataclasses.replace(
            known[samples.PATH], allocated=samples.RAM - 4096)
        xml = samples.backing(free_page_reporting=True)
        self.assertEqual(
            {'pc.ram: allocated, bytes'}, _wrong(server_memory.compare(
                samples.FILE_BACKED, samples.file_backed_evidence(
                    xml=xml, survey=samples.host_survey(files=known)),
                system=False)))
        xml = dataclasses.replace(
            samples.large_page_evidence().xml, free_page_reporting=True)
        self.assertEqual(
            {'ram-node0: resident, KiB'}, _wrong(server_memory.compare(
                samples.LARGE_PAGE, samples.large_page_evidence(
                    xml=xml,
                    survey=samples.large_page_survey(resident_kib=2048)),
                2048, system=False)))

    def test_plain_agrees(self):
        comparison = server_memory.compare(
            samples.PLAIN, samples.plain_evidence())
        self.assertEqual([], comparison.disagreements, str(comparison))

    @ddt.data(*PLAIN)
    @ddt.unpack
    def test_plain_disagrees(self, changes, wrong):
        self.assertEqual(wrong, _wrong(server_memory.compare(
            samples.PLAIN, samples.plain_evidence(**changes))))

    def test_large_page_agrees(self):
        comparison = server_memory.compare(
            samples.LARGE_PAGE, samples.large_page_evidence(), 2048)
        self.assertEqual([], comparison.disagreements, str(comparison))

    @ddt.data(*LARGE_PAGE)
    @ddt.unpack
    def test_large_page_disagrees(self, changes, wrong):
        self.assertEqual(wrong, _wrong(server_memory.compare(
            samples.LARGE_PAGE, samples.large_page_evidence(**changes), 2048)))

    def test_large_pages_of_several_cells(self):
        self.assertEqual(set(), _wrong(server_memory.compare(
            samples.LARGE_PAGE, samples.large_page_evidence(
                xml=samples.backing(
                    source=None, access=None, allocation=None, discard=False,
                    hugepages=(2048, 2048))), 2048)))

    def test_large_pages_are_none_that_were_not_asked_for(self):
        self.assertIn('hugepages', _wrong(server_memory.compare(
            samples.LARGE_PAGE, samples.large_page_evidence())))


@ddt.ddt
class CompareHostTest(base.BaseTestCase):

    def _wrong(self, host=samples.FILE_BACKED, name='fbm1',
               guests=('1-instance-00000001',), **changes):
        return _wrong(host_state.compare(
            host, samples.host_survey(**changes), guests, name))

    @ddt.data((), ('1-instance-00000002',),
              # It runs, but with what it has made since: so it is after a
              # power cut.
              ('2-instance-00000001',))
    def test_file_of_a_guest_that_is_gone(self, guests):
        self.assertEqual({'files of guests that are gone'},
                         self._wrong(guests=guests))

    def test_empty_directories_take_no_space(self):
        self.assertEqual(set(), self._wrong(
            guests=(), files=_without(samples.PATH)))

    def test_agrees(self):
        self.assertEqual(set(), self._wrong())

    @ddt.data((None, set()), (samples.PATH, {'files of guests'}),
              # As libvirt does if memory_backing_dir is not set.
              (samples.DIRECTORY + '/7-instance-00000001/pc.ram',
               {'files of guests'}),
              # Others are not where libvirt makes them.
              ('/srv/memory/other', set()))
    @ddt.unpack
    def test_host_without_a_store(self, path, wrong):
        """Whoever's it is"""
        files = {each.path: each for each in (
            samples.file(samples.GUEST_DIRECTORY),
            samples.file(path or '/', 'f' if path else 'd'))}
        self.assertEqual(wrong, self._wrong(
            samples.PLAIN, samples.PLAIN.name, hostname='plain1',
            files=files))

    def test_other_host(self):
        self.assertEqual({'name', 'name, without its domain'},
                         self._wrong(name='fbm2', hostname='fbm2'))

    def test_store_not_mounted(self):
        self.assertEqual(
            {'store: mount', 'store: on the root file system',
             'store: file system type', 'store: space, MiB',
             'store: room for guests, MiB'},
            self._wrong(mounts=samples.host_survey().mounts[:1], store=None))

    def test_root_file_system_mounted_again(self):
        root = samples.host_survey().mounts[0]
        again = mounts.Mount(2, 1, samples.DIRECTORY, root.device, 'tmpfs',
                             'x')
        self.assertEqual({'store: on the root file system'},
                         self._wrong(mounts=[root, again]))

    def test_small_pages(self):
        self.assertEqual({'small page size, KiB'},
                         self._wrong(small_page_kib=64))
        self.assertEqual(set(), self._wrong(small_page_kib=None))

    @ddt.data(
        ([(0, 256, 0)], []),
        ([(0, 256, 1)], ['pages of 2048 KiB']),
        ([(0, 128, 0), (1, 128, 0)], []),
        ([(0, 256, 0), (1, 0, 0)], []),
        ([(0, 129, 0), (1, 127, 0)], ['fewest pages of 2048 KiB on a node']))
    @ddt.unpack
    def test_pools(self, found, wrong):
        self.assertEqual(set(wrong), self._wrong(
            samples.LARGE_PAGE, samples.LARGE_PAGE.name,
            hostname=samples.LARGE_PAGE.name, files={}, pools=[
                pools.NodePool(node, 2048, total, total, surplus)
                for node, total, surplus in found]))

    def test_no_directory(self):
        self.assertEqual({'kind of /srv/memory'}, self._wrong(files={}))

    def test_store_smaller_than_capacity(self):
        small = samples.store(samples.MIB, samples.MIB, 0)
        self.assertEqual({'store: space, MiB', 'store: room for guests, MiB'},
                         self._wrong(store=small))

    @ddt.data(
        # Somebody else's files; what is kept for root.
        {'free': 0, 'available': 0, 'in_guests': samples.RAM},
        {'available': 780 * samples.MIB})
    def test_store_without_room(self, changes):
        store = dataclasses.replace(samples.host_survey().store, **changes)
        self.assertEqual({'store: room for guests, MiB'},
                         self._wrong(store=store))

    def test_store_that_is_full_of_guests(self):
        store = samples.store(1024 * samples.MIB, 0, 1024 * samples.MIB)
        self.assertEqual(set(), self._wrong(store=store))

    @ddt.data((256, set()), (257, {'pages of 2048 KiB'}))
    @ddt.unpack
    def test_pool(self, pages, wrong):
        host = dataclasses.replace(
            samples.FILE_BACKED, pools=(inventory.DeclaredPool(2048, pages),))
        self.assertEqual(wrong, self._wrong(host))

    @ddt.data((64, set()), (65, {'pages of 2048 KiB on node 1'}))
    @ddt.unpack
    def test_pool_of_a_node(self, reserved, wrong):
        host = dataclasses.replace(samples.LARGE_PAGE, name='fbm1', pools=(
            inventory.DeclaredPool(2048, 256, node=0),
            inventory.DeclaredPool(2048, 36, node=1, reserved=reserved)))
        self.assertEqual(wrong, self._wrong(host, files={}, pools=[
            pools.NodePool(0, 2048, 256, 256, 0),
            pools.NodePool(1, 2048, 100, 100, 0)]))

    def test_pools_of_one_size_add_up(self):
        host = dataclasses.replace(samples.LARGE_PAGE, name='fbm1', pools=(
            inventory.DeclaredPool(2048, 200),
            inventory.DeclaredPool(2048, 57)))
        self.assertEqual({'pages of 2048 KiB'}, self._wrong(host, files={}))


@ddt.ddt
class CompareCapacityTest(base.BaseTestCase):

    @ddt.data(
        ({}, set()),
        ({'memory_total': 1023}, {'MEMORY_MB total'}),
        ({'memory_max_unit': 512}, {'MEMORY_MB of one server, at most'}),
        ({'memory_reserved': 512}, {'MEMORY_MB reserved'}),
        ({'allocation_ratio': 1.5}, {'MEMORY_MB allocation ratio'}),
        ({'traits': frozenset()}, {'COMPUTE_MEM_BACKING_FILE'}),
        ({'traits': frozenset(['COMPUTE_MEM_BACKING_FILE',
                               'COMPUTE_STATUS_DISABLED'])},
         {'COMPUTE_STATUS_DISABLED'}))
    @ddt.unpack
    def test_file_backed(self, changes, wrong):
        self.assertEqual(wrong, _wrong(host_state.compare_capacity(
            samples.FILE_BACKED, samples.provider(**changes),
            samples.host_survey(), 192, False)))

    def test_nova_30_reports_no_trait_of_file_backed_hosts(self):
        for traits in (), ('COMPUTE_MEM_BACKING_FILE',):
            self.assertEqual(
                {'COMPUTE_MEM_BACKING_FILE'} if traits else set(),
                _wrong(host_state.compare_capacity(
                    samples.FILE_BACKED,
                    samples.provider(traits=frozenset(traits)),
                    samples.host_survey(), 192, False,
                    file_trait=False)))

    @ddt.data(
        ({}, set()),
        ({'memory_total': 7200, 'memory_max_unit': 7200}, set()),
        ({'memory_reserved': 512, 'allocation_ratio': 1.5}, set()),
        ({'traits': frozenset(['COMPUTE_MEM_BACKING_FILE'])},
         {'COMPUTE_MEM_BACKING_FILE'}),
        ({'memory_total': 8001, 'memory_max_unit': 8001},
         {'MEMORY_MB total'}),
        # As on a host of Nova 30 with a file_backed_memory that is not
        # declared.
        ({'memory_total': 512, 'memory_max_unit': 512}, {'MEMORY_MB total'}),
        ({'memory_max_unit': 1}, {'MEMORY_MB of one server, at most'}),
        ({'memory_reserved': 7808}, set()),
        ({'memory_reserved': 7809}, {'MEMORY_MB less reserved, by its ratio'}),
        ({'allocation_ratio': 0.02},
         {'MEMORY_MB less reserved, by its ratio'}),
        ({'memory_total': None, 'memory_max_unit': None},
         {'MEMORY_MB total', 'MEMORY_MB of one server, at most',
          'MEMORY_MB less reserved, by its ratio'}))
    @ddt.unpack
    def test_plain(self, changes, wrong):
        values = dict(memory_total=8000, memory_max_unit=8000,
                      traits=frozenset())
        values.update(changes)
        self.assertEqual(wrong, _wrong(host_state.compare_capacity(
            samples.PLAIN, samples.provider(**values),
            samples.host_survey(), 192, False)))

    @ddt.data((4000, set()), (8000, {'MEMORY_MB total'}), (None, {
        'MEMORY_MB total'}))
    @ddt.unpack
    def test_plain_while_ram_is_plugged_in(self, nodes_mib, wrong):
        provider = samples.provider(memory_total=3700, memory_max_unit=3700,
                                    traits=frozenset())
        self.assertEqual(wrong, _wrong(host_state.compare_capacity(
            samples.PLAIN, provider,
            samples.host_survey(nodes_mib=nodes_mib), 192, False)))

    @ddt.data(
        (samples.LARGE_PAGE, ['2048', 'REQUIRED'], set()),
        (samples.LARGE_PAGE, ['REQUIRED'], {'page sizes in traits, KiB'}),
        (samples.LARGE_PAGE, ['4', '2048', 'REQUIRED'],
         {'page sizes in traits, KiB'}),
        (samples.LARGE_PAGE, ['2048'], {REFUSALS}),
        (samples.LARGE_PAGE, ['2048', 'REQUIRED', 'REFUSED'], {REFUSALS}),
        (samples.PLAIN, ['4'], set()),
        (samples.PLAIN, ['4', 'REQUIRED'], {REFUSALS}))
    @ddt.unpack
    def test_page_sizes(self, host, sizes, wrong):
        provider = samples.provider(
            memory_total=8000, memory_max_unit=8000, traits=frozenset(
                'CUSTOM_MEMORY_PAGE_SIZE_' + size for size in sizes))
        self.assertEqual(wrong, _wrong(host_state.compare_capacity(
            host, provider, samples.host_survey(), 192, True)))

    def test_no_provider(self):
        self.assertEqual({'provider'}, _wrong(host_state.compare_capacity(
            samples.PLAIN, None, samples.host_survey(), 192, True)))


class CompareRemainsTest(base.BaseTestCase):

    def _wrong(self, **changes):
        values = dict(files={}, processes={},
                      store=samples.store(1024, 1000, 24))
        values.update(changes)
        return _wrong(remains.compare(
            samples.FILE_BACKED, samples.host_survey(**values),
            samples.SERVER, [samples.PATH], 0, 192))

    def test_nothing(self):
        self.assertEqual(set(), self._wrong())

    def test_file(self):
        self.assertEqual({'files and directories left'},
                         self._wrong(files=samples.known_files()))

    def test_directory(self):
        self.assertEqual({'files and directories left'},
                         self._wrong(files=_without(samples.PATH)))

    def test_process(self):
        self.assertEqual({'QEMU processes'}, self._wrong(
            processes=samples.host_survey().processes))

    def test_space(self):
        held = samples.store(1024 * samples.MIB,
                             1024 * samples.MIB - samples.RAM, 0)
        self.assertEqual({'space kept by deleted files, MiB'},
                         self._wrong(store=held))

    def test_space_of_other_servers(self):
        others = samples.store(1024 * samples.MIB, 0, 1024 * samples.MIB)
        self.assertEqual(set(), self._wrong(store=others))


class LinkTest(base.BaseTestCase):
    """A link is declared; the kernel and find name what it leads to."""

    def setUp(self):
        super().setUp()
        self.declared = dataclasses.replace(
            samples.FILE_BACKED, file_backed=inventory.FileBacked(
                1024, '/link/', filesystem='tmpfs'))
        self.survey = samples.host_survey(
            real_paths={'/link': samples.DIRECTORY})

    def test_host(self):
        self.assertEqual(set(), _wrong(host_state.compare(
            self.declared, self.survey, {'1-instance-00000001'}, 'fbm1')))

    def test_file_of_a_guest_that_is_gone(self):
        self.assertEqual({'files of guests that are gone'}, _wrong(
            host_state.compare(self.declared, self.survey, set(), 'fbm1')))

    def test_server(self):
        self.assertEqual(set(), _wrong(server_memory.compare(
            self.declared, samples.file_backed_evidence(survey=self.survey))))

    def test_store(self):
        before = dataclasses.replace(
            self.survey, files={}, store=samples.store(
                1024 * samples.MIB, 1024 * samples.MIB, 0))
        self.assertEqual(set(), _wrong(store_counts.compare(
            self.declared, store_counts.Count(before, 0),
            store_counts.Count(self.survey, 192), [192])))

    def test_remains(self):
        """What guests have in common is no remains of one of them"""
        found = dataclasses.replace(self.survey, processes={}, files={
            samples.DIRECTORY: samples.file(samples.DIRECTORY)})
        self.assertEqual(set(), _wrong(remains.compare(
            self.declared, found, samples.SERVER,
            [samples.DIRECTORY + '/pc.ram'], 0, 192)))
