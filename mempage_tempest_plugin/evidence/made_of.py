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

"""What a host says that it is made of, as a document."""

import dataclasses
import datetime
import re

from oslo_utils import units

from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import disks
from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import sections

# What is below file systems that have no device.
_WITHOUT_DEVICE = {'tmpfs': 'memory', 'ramfs': 'memory', 'nfs': 'network',
                   'nfs4': 'network', 'ceph': 'network',
                   'fuse.glusterfs': 'network'}
_DAX = {'dax', 'dax=always'}
# What a label may not have, see facts_schema.yaml, and what it may not begin
# with; how long it may be.
_FOREIGN = re.compile(r'[^A-Za-z0-9 .,:;+~=_()@/-]|^[^A-Za-z0-9]+')
_LONGEST = 120
_UNKNOWN = 'unknown'


def look(host, run, phase):
    """Look what a file-backed host is made of.

    :param host: the compute_host.ComputeHost
    :param run: UUID of the run
    :param phase: environments.BEFORE or AFTER
    :returns: as of environments.document
    :raises StoreNotMounted: if it has no store
    :raises ConfigurationUnclear: if nobody could read nova-compute's
        configuration
    :raises HostError: if the host cannot be reached or asked
    """
    survey = host.survey_store()
    made = machine.look(host)
    libvirt, qemu = host.libvirt.versions()
    return environments.document(
        host.name, run, phase, datetime.datetime.now(datetime.timezone.utc),
        accelerator=made.accelerator, nested=made.nested,
        versions={'kernel': label(made.kernel), 'qemu': label(qemu),
                  'libvirt': label(libvirt), 'nova': label(made.nova)},
        cpu=label(made.cpu), memory_mib=survey.memory_mib,
        numa_nodes=made.numa_nodes,
        transparent_hugepages=made.transparent_hugepages, dirty=made.dirty,
        store=_store(host, survey))


def _store(host, survey):
    declared = host.declared.file_backed
    mount = mounts.holding(survey.mounts, host.real(declared.directory))
    stack = disks.parse(sections.split(block_devices.describe(host, mount)))
    return {
        'file_system': label(mount.filesystem),
        'mount_options': [label(option) for option in mount.options],
        'dax': not _DAX.isdisjoint(mount.options),
        'usable_mib': survey.store.room // units.Mi,
        'declared_mib': declared.capacity_mib,
        'stack': stack.kinds or [
            _WITHOUT_DEVICE.get(mount.filesystem, 'other')],
        'devices': [_disk(disk) for disk in stack.disks]}


def _disk(disk):
    told = dataclasses.asdict(disk)
    told['serial_hash'] = environments.serial_hash(disk.model,
                                                   told.pop('serial'))
    return {**told, **{name: label(told[name]) for name in (
        'model', 'firmware', 'scheduler')}}


def label(text):
    """Make a label of what a device or a program calls itself.

    :param text: as it was told
    :returns: text without what labels do not have; "unknown" if nothing is
        left
    """
    return _FOREIGN.sub('', text)[:_LONGEST].strip() or _UNKNOWN
