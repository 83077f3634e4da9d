#!/bin/bash
#
# Prints where the host's guests have their memory from. What a host does not
# have is left out.
#
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

# section COMMAND... - prints what COMMAND prints, below itself.
function section {
    printf '\n# %s\n' "$*"
    "$@" 2>&1
}

section grep -E '^(Mem|Swap|Shmem:|AnonPages:|Huge|Hugetlb|DirectMap)' \
    /proc/meminfo
section grep -r . /sys/kernel/mm/hugepages
section grep -r . /sys/devices/system/node --include '*hugepages'
section findmnt --raw --types tmpfs,hugetlbfs,ext4,xfs \
    --output TARGET,FSTYPE,SOURCE,SIZE,USED,OPTIONS
# consoles may have passwords
section sed -E -e '/^[[:space:]]*(#|$)/d' \
    -e 's/^([^=]*(password|secret)[^=]*=).*/\1 ***/' /etc/libvirt/qemu.conf

# libvirt takes the first of several lines, and knows quotes of two kinds
directory=$(sed -nE -e 's/^[[:space:]]*memory_backing_dir[[:space:]]*=//' \
    -e "T; s/^[[:space:]]*(\"([^\"]*)\"|'([^']*)').*/\2\3/p; q" \
    /etc/libvirt/qemu.conf)
section find "${directory:-/var/lib/libvirt/qemu/ram}" \
    -printf '%M %u %g %s %b %p\n'

for guest in $(virsh --readonly list --all --uuid); do
    section virsh --readonly dumpxml "$guest"
done
section dmesg --ctime --level err,warn
exit 0
