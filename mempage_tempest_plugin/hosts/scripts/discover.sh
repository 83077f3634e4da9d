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

# Print, in sections, how a compute host is configured. Read by sh on its
# standard input, as root.

LC_ALL=C
export LC_ALL
exec 2>/dev/null

section() {
    printf '\n=== %s\n' "$*"
}

# The files that a running nova-compute was started with, or the usual ones.
# A container has its own root directory.
nova_configuration() {
    for process in /proc/[0-9]*; do
        tr '\000' '\n' < "$process/cmdline" | grep -q '/nova-compute$' ||
            continue
        files=$(tr '\000' '\n' < "$process/cmdline" |
            sed -n -e 's/^--config-file=//p' \
                -e '/^--config-file$/ { n; p; }')
        [ -n "$files" ] || continue
        printf '%s\n' "$files" | sed "s#^#$process/root#"
        return
    done
    ls /etc/nova/nova.conf /etc/nova/nova-compute.conf /etc/nova/nova-cpu.conf
}

section capacity
nova_configuration | while read -r file; do
    sed -n 's/^ *file_backed_memory *= *\([0-9]*\).*/\1/p' "$file"
done | tail -n 1

section reserved
nova_configuration | while read -r file; do
    sed -n 's/^ *reserved_huge_pages *= *//p' "$file"
done

section directory
directory=$(sed -n 's/^ *memory_backing_dir *= *"\(.*\)".*/\1/p' \
    /etc/libvirt/qemu.conf | tail -n 1)
directory=${directory:-/var/lib/libvirt/qemu/ram}
# libvirt makes its own default directory only with the first guest.
while [ ! -d "$directory" ] && [ "$directory" != / ]; do
    directory=$(dirname -- "$directory")
done
printf '%s\n' "$directory"

section mount
findmnt -n -o TARGET,FSTYPE -T "$directory"

section pools
grep . /sys/devices/system/node/node*/hugepages/hugepages-*/*_hugepages

section journal
for unit in nova-compute openstack-nova-compute devstack@n-cpu; do
    systemctl is-active --quiet "$unit" && printf '%s\n' "$unit"
done

section log
ls /var/log/nova/nova-compute.log
exit 0
