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

# The PID of nova-compute, which Python runs.
nova=$(for process in /proc/[0-9]*; do
    tr '\000' '\n' < "$process/cmdline" | head -n 2 | grep -q '/nova-compute$' &&
        printf '%s\n' "${process#/proc/}" && break
done)

# In a container, it has a root directory of its own.
as_nova() {
    if [ -n "$nova" ]; then
        nsenter --target "$nova" --mount --root -- "$@"
    else
        "$@"
    fi
}

# The files that it was started with, or else the usual ones, as Nova reads
# them: what comes later wins.
nova_configuration() {
    files=$(tr '\000' '\n' < "/proc/$nova/cmdline" |
        sed -n -e 's/^--config-file=//p' -e '/^--config-file$/ { n; p; }')
    if [ -n "$files" ]; then
        printf '%s\n' "$files"
    else
        as_nova sh -c 'ls -dU /etc/nova/nova.conf \
            /etc/nova/nova-compute.conf /etc/nova/nova-cpu.conf \
            /etc/nova/nova.conf.d/*.conf /etc/nova/nova-compute.conf.d/*.conf'
    fi
}

section capacity
nova_configuration | while read -r file; do
    as_nova sed -n 's/^ *file_backed_memory *= *\([0-9]*\).*/\1/p' "$file"
done | tail -n 1

section reserved
nova_configuration | while read -r file; do
    as_nova sed -n 's/^ *reserved_huge_pages *= *//p' "$file"
done

section pools
grep . /sys/devices/system/node/node*/hugepages/hugepages-*/*_hugepages

section journal
for unit in nova-compute openstack-nova-compute devstack@n-cpu; do
    systemctl is-active --quiet "$unit" && printf '%s\n' "$unit"
done

section log
ls /var/log/nova/nova-compute.log
exit 0
