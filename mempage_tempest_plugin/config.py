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

"""The options of the plugin, group ``[mempage]``."""

from oslo_config import cfg

mempage_group = cfg.OptGroup(
    name='mempage',
    title='Where compute nodes take the memory of their guests from')

MempageGroup = [
    cfg.StrOpt('host_inventory',
               help='Path of the host inventory: a YAML file that declares '
                    'for each compute host how to reach it and where its '
                    'guests\' memory has to come from. "mempage-inventory '
                    'discover" drafts one from a living cloud. Without it '
                    'all tests of this plugin are skipped.'),
    cfg.ListOpt('hosts',
                default=[],
                help='Which hosts of the inventory this run is about, by '
                     'their names; all if it is empty. Tests choose the '
                     'hosts that they need among these.'),
    cfg.ListOpt('peers',
                default=[],
                help='Hosts of the inventory that servers may be moved to, '
                     'beside those in [mempage] hosts, which begin with it.'),
    cfg.IntOpt('parallel_hosts',
               default=16,
               min=1,
               help='How many hosts each worker may ask, or request servers '
                    'on, at the same time.'),
    cfg.IntOpt('host_timeout',
               default=120,
               min=1,
               help='Seconds that a command on a compute host may stay '
                    'silent before the host counts as unreachable.'),
    cfg.BoolOpt('allowed_memory_pagesize',
                default=False,
                help='Whether all compute hosts run the driver of '
                     'nova_mempage, which knows [libvirt] '
                     'allowed_memory_pagesize. Where this says so and it is '
                     'not true, tests fail: Nova itself ignores unknown '
                     'options.'),
    cfg.BoolOpt('aggregate_memory_backing_filter',
                default=False,
                help='Whether the scheduler uses '
                     'AggregateMemoryBackingFilter of nova_mempage, and the '
                     'aggregates of the hosts say what the inventory says. '
                     'Where this says so and it is not true, tests fail.'),
    cfg.BoolOpt('isolated_aggregates',
                default=False,
                help='Whether the scheduler heeds traits that the metadata '
                     'of aggregates requires: [scheduler] '
                     'enable_isolated_aggregate_filtering of nova. Where '
                     'this says so and it is not true, tests fail.'),
    cfg.BoolOpt('resize_to_same_host',
                default=False,
                help='Whether servers can be resized on the host that they '
                     'are on: [DEFAULT] allow_resize_to_same_host of '
                     'nova-api. Where this says so and it is not true, tests '
                     'fail.'),
    cfg.BoolOpt('vhost_user',
                default=False,
                help='Whether the ports of servers are vhost-user ports on '
                     'all hosts of the inventory that have services.switch: '
                     'a switch in user space (Open vSwitch with DPDK, VPP), '
                     'which maps the memory of guests. Only guests whose '
                     'memory is shared have a network there: those in files '
                     'and those in large pages. Tests send packets between '
                     'such guests. Where this says so and it is not true, '
                     'tests fail. The guest image needs nc and awk.'),
    cfg.BoolOpt('shares',
                default=False,
                help='Whether servers can have shares of Manila attached '
                     '(virtiofs), on file-backed hosts, and in large pages. '
                     'Tests create shares of 1 GiB of Manila\'s default '
                     'share type, write to them on both sides, and delete '
                     'them. Where this says so and it is not true, tests '
                     'fail. Needs version 2.97 of the compute API (Nova 31), '
                     'in the guest image the file system virtiofs, and '
                     'virtiofsd among file_backed.mappers of the inventory.'),
    cfg.StrOpt('share_protocol',
               default='NFS',
               choices=['NFS', 'CEPHFS'],
               help='The protocol of the shares that tests create: one that '
                    'Manila\'s default share type has.'),
    cfg.BoolOpt('reconfigure_hosts',
                default=False,
                help='Whether tests may change the configuration of '
                     'nova-compute and restart it, and have Nova take it for '
                     'down, to evacuate servers from hosts without guests of '
                     'others. They put back what was there. The hosts need '
                     'services.nova-compute.config and .restart in the '
                     'inventory.'),
    cfg.BoolOpt('fill_stores',
                default=False,
                help='Whether tests may fill the backing stores of '
                     'file-backed hosts to the brim, with guests and with '
                     'foreign files, which they delete. They take as long '
                     'as it takes to write a whole store. Hosts on which '
                     'guests of others run are left out, and those whose '
                     'store is in memory (tmpfs) and could take more than '
                     'the machine has available.'),
    cfg.BoolOpt('fill_pools',
                default=False,
                help='Whether tests may take all large pages that hosts have '
                     'for guests, with guests, which they delete. For some '
                     'minutes, servers of others that ask for large pages '
                     'find no valid host, and other processes, such as '
                     'switches that start, only pages that '
                     'reserved_huge_pages keeps for them. Hosts on which '
                     'guests of others run are left out.'),
    cfg.StrOpt('mixed_live_migration',
               default='refused-late',
               choices=[
                   ('allowed', 'the guest moves with all of its memory'),
                   ('refused-late', 'libvirt refuses and the server ends in '
                    'ERROR, though its guest runs on: Nova itself. Nova 30 '
                    'and 31 take the migration back, and it stays ACTIVE'),
                   ('refused-early', 'nova-compute refuses and the server '
                    'stays ACTIVE: nova_mempage')],
               help='What a live migration from a file-backed host to one '
                    'that is not, or the other way, has to end in. Any other '
                    'end is a failure.'),
    cfg.BoolOpt('live_migrate_running_guests',
                default=True,
                help='Whether guests run while tests migrate them live, and '
                     'go on writing to their memory. Where it is false, they '
                     'are paused for the time of the migration, which is '
                     'less of a test. Where QEMU 7.2 emulated the CPU '
                     '(virt_type = qemu), guests that run were seen to '
                     'crash after it, whatever their memory consists of.'),
    cfg.BoolOpt('fault_injection',
                default=False,
                help='Whether tests may break things on purpose: kill the '
                     'QEMU of their own guests, restart libvirt and '
                     'nova-compute, and the switch of guests (where the '
                     'inventory has services.switch.restart), have Nova take '
                     'nova-compute for down, replace the backing store by one '
                     'that fails, take large pages that are for guests, '
                     'reboot hosts and cut their power (where the inventory '
                     'has power.reboot and .cut). They put back what was '
                     'there. Hosts on which guests of others run are left '
                     'out.'),
    cfg.IntOpt('measure',
               default=0,
               min=0,
               max=1000,
               help='How many pairs of samples tests measure for each figure '
                    'of a backing store: one with a guest whose memory is in '
                    'it, and one with a guest in anonymous memory of the '
                    'same host, in turns. A verdict needs 5 or more. With 0, '
                    'nothing is measured. Needs [mempage] run; on the hosts '
                    'fio, and in the guest image ioping and mbw. Hosts on '
                    'which guests of others run are left out. The other '
                    'guest takes memory of the host of which Nova knows '
                    'nothing, as much as the RAM of a flavor.'),
    cfg.StrOpt('run',
               regex='^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
               help='UUID of this run, new for each. What hosts are made of, '
                    'and figures that were measured, are kept with it, so '
                    'that those of another run are not taken for them. '
                    'Several calls of "tempest run" are one run if they have '
                    'it in common: set it in the environment, as '
                    'OS_MEMPAGE__RUN.'),
    cfg.BoolOpt('runs_alone',
                default=False,
                help='Whether only tests of this plugin run in the cloud at '
                     'the same time. They share hosts by leases, of which '
                     'others know nothing. Where it is false, tests that '
                     'reconfigure, fill or break hosts run while no others '
                     'do, by Tempest\'s own lock. Where this says so and it '
                     'is not true, tests of others fail.'),
]


def list_opts():
    """List the options for the configuration generator and the docs.

    :returns: list of (group, options) pairs
    """
    return [(mempage_group, MempageGroup)]
