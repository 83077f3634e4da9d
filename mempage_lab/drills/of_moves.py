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

"""Drills of what goes wrong when servers move from host to host."""

from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_lab.drills import told
from mempage_tempest_plugin.declared import which

MIGRATION = 'nova/virt/libvirt/migration.py'
AUTHORIZED = '/var/lib/nova/.ssh/authorized_keys'
KNOWN_HOSTS = '/etc/ssh/ssh_known_hosts'
# What follows where Nova gives back what a migration holds: it does so in
# other places, too.
UNLESS_DELETED = (
    '        except exception.AllocationDeleteFailed:\n'
    "            LOG.error('Deleting allocation in placement for migration "
    "'\n")

DRILLS = {
    'memory-backing-not-rewritten': drill.plain(
        what='guests keep the memory backing of the host that they leave',
        fault=faults.Source(
            MIGRATION,
            '    xml_doc = _update_memory_backing_xml(xml_doc, '
            'migrate_data)\n', ''),
        tests=r'TestLiveMigrationWithoutCheck\.test_to_file',
        words='ERROR and error or .* says ACTIVE and completed'),
    'migration-data-wrong': drill.file_backed(
        what='a host takes the destination for one of the other kind',
        fault=faults.Source(
            MIGRATION,
            'file_backed = migrate_data.dst_wants_file_backed_memory\n',
            'file_backed = (\n'
            '            not migrate_data.dst_wants_file_backed_memory)\n'),
        tests=drill.ROUND_TRIP_TEST,
        words="Live Migration failure: .*Target memoryBacking source 'none'"),
    'allocation-stays': drill.file_backed(
        what='what a live migration held stays held for a while',
        # Not for ever: nobody would give it back when the fault is gone.
        fault=faults.Source(
            drill.MANAGER,
            "            migrate_data.migration.status = 'completed'\n"
            '            migrate_data.migration.save()\n',
            "            migrate_data.migration.status = 'completed'\n"
            '            migrate_data.migration.save()\n'
            '            __import__("time").sleep(40)\n'),
        tests=drill.ROUND_TRIP_TEST,
        words='held by migrations of the server: expected {}, placement says '
              "{'"),
    'allocation-leaked': drill.file_backed(
        what='memory on the old host is held for a server that there is not',
        fault=told.Leak(
            drill.MANAGER,
            '            self.reportclient.delete_allocation_for_instance(\n'
            "                context, migration.uuid, "
            "consumer_type='migration',\n"
            '                force=False)\n' + UNLESS_DELETED,
            '            self.reportclient.move_allocations(\n'
            "                context, migration.uuid, '%s')\n" % told.NOBODY
            + UNLESS_DELETED),
        tests=drill.COLD_TEST,
        words='held beside the flavors of its servers: expected {}, placement '
              'says .*' + told.NOBODY),
    'evacuated-guest-stays': drill.file_backed(
        what='a host does not remove guests that were evacuated from it',
        fault=faults.Source(
            drill.MANAGER,
            '            self.driver.destroy(context, instance,\n'
            '                                network_info,\n'
            '                                bdi, destroy_disks)\n', ''),
        tests=drill.EVACUATION_TEST,
        words='where server .* must not be: domain: expected no, libvirt says '
              'yes'),
    'evacuation-fails': drill.plain(
        what='a host cannot take guests of a host that is down',
        fault=faults.Source(
            drill.MANAGER,
            'if not self.driver.capabilities.get("supports_evacuate", False):',
            'if True:'),
        tests=drill.EVACUATION_TEST,
        words='nstance evacuate is not supported'),
    'key-not-authorized': drill.file_backed(
        what="hosts do not know the key of each other's Nova any more",
        where=which.any_host, everywhere=True,
        fault=faults.Commands(
            'mv %s %s.kept' % (AUTHORIZED, AUTHORIZED),
            'test ! -e %s.kept || mv %s.kept %s' % (
                AUTHORIZED, AUTHORIZED, AUTHORIZED)),
        tests=drill.COLD_TEST,
        # Nova cuts off what ssh says behind that.
        words=r"compute_resize_instance: .* execute ssh .*Stderr: '\w+@"),
    'host-key-unknown': drill.file_backed(
        what='a host does not know the host keys of the others',
        fault=faults.Commands(
            'mv %s %s.kept' % (KNOWN_HOSTS, KNOWN_HOSTS),
            'test ! -e %s.kept || mv %s.kept %s' % (
                KNOWN_HOSTS, KNOWN_HOSTS, KNOWN_HOSTS)),
        tests=drill.COLD_TEST,
        words='compute_resize_instance: .* execute ssh .*Host key verif'),
}
