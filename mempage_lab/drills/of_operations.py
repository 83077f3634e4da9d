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

"""Drills of operations: what becomes of memory when servers are acted on."""

from mempage_lab import controller
from mempage_lab.drills import drill
from mempage_lab.drills import faults

DRILLS = {
    'reboot-left-out': drill.Drill(
        tests=r'TestFileBackedOperations\.test_after_1_hard_reboot'
              r'|TestPageSizeOperations\.test_after_1_hard_reboot',
        what='a hard reboot leaves the guest as it is, and reports success',
        where=drill.ON_RAMDISK,
        fault=faults.Source(
            drill.DRIVER,
            '        # NOTE(sbauza): Since we undefine the guest XML when '
            'destroying, we\n',
            '        return\n'
            '        # NOTE(sbauza): Since we undefine the guest XML when '
            'destroying, we\n'),
        words='QEMU processes: expected some, but none of'),
    'soft-reboot-made-hard': drill.Drill(
        tests=r'TestFileBackedSoftReboot\.',
        what='a soft reboot is a hard one, and nobody says so',
        where=drill.ON_RAMDISK,
        fault=faults.Source(drill.DRIVER, "if reboot_type == 'SOFT':",
                            'if False:'),
        words='what it logged of a guest that did: expected Instance soft '
              'rebooted successfully'),
    'resume-boots-anew': drill.Drill(
        tests=r'TestFileBackedOperations\.test_after_4_suspend_resume',
        what='a guest that was suspended is booted anew',
        where=drill.ON_RAMDISK,
        fault=faults.Source(
            drill.DRIVER,
            '        # NOTE(efried): The instance should already have a '
            'vtpm_secret_uuid\n        # registered if appropriate.\n'
            '        guest = self._create_guest_with_network(\n'
            '            context, xml, instance, network_info, '
            'block_device_info,\n            vifs_already_plugged=True)\n'
            '        self._attach_pci_devices(',
            '        self._host.get_guest(instance)._domain.'
            'managedSaveRemove(0)\n'
            '        guest = self._create_guest_with_network(\n'
            '            context, xml, instance, network_info, '
            'block_device_info,\n            vifs_already_plugged=True)\n'
            '        self._attach_pci_devices('),
        words='what was written into the memory: expected MARK'),
    'memory-kept-beside': drill.Drill(
        tests=r'TestFileBackedOperations\.test_after_rebuild',
        what='what a guest had in its memory stays in the store',
        where=drill.ON_RAMDISK,
        fault=faults.Hook(
            faults.in_background(
                'for i in {1..60}; do grep -aoh "MARK-[0-9a-f]*" '
                '%(store)s/libvirt/qemu/*-"$1"/* >> %(store)s/kept; '
                'sleep 0.5; done' % {'store': drill.STORE}),
            'rm -f %s/kept' % drill.STORE),
        words='what was written into the memory is found in: .*/kept'),
    'image-may-change-pages': drill.Drill(
        tests=r'TestPageSizeOperations\.test_rebuild_with_another_size',
        what='an image may ask for other pages in a rebuild',
        where=controller.NAME,
        fault=faults.Source(
            'nova/compute/api.py',
            '        old_image_meta = instance.image_meta\n'
            '        new_image_meta = objects.ImageMeta.from_dict(image)\n'
            '        old_constraints',
            '        return\n        old_image_meta = instance.image_meta\n'
            '        new_image_meta = objects.ImageMeta.from_dict(image)\n'
            '        old_constraints', ('nova-api',)),
        words='had to refuse to rebuild server'),
    'moved-pages-kept': drill.Drill(
        tests=r'TestPagesOfMoved\.',
        what='pages of a guest that has moved are not handed out at once',
        where=drill.LARGE_ONLY,
        fault=faults.Source(
            'nova/compute/resource_tracker.py',
            '            self._update_usage(usage, nodename, sign=-1)\n\n'
            '            ctxt = context.elevated()\n',
            '            ctxt = context.elevated()\n'),
        words='had to take .*No valid host'),
    'pools-counted-for-nodes': drill.Drill(
        tests=r'TestNodeBesidePool\.',
        what='the scheduler takes pages of pools for small ones',
        where=controller.NAME,
        fault=faults.Source(
            'nova/virt/hardware.py',
            '            if not host_cell.can_fit_pagesize(\n'
            '                pagesize, instance_cell.memory',
            '            if False and not host_cell.can_fit_pagesize(\n'
            '                pagesize, instance_cell.memory',
            ('nova-scheduler',)),
        words='check_refused: .*Exceeded maximum number of retries'),
}
