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

# Print, in sections, what a compute host is and has. Read by sh on its
# standard input, as root. $nova is the PID of its nova-compute, if that runs.

LC_ALL=C
export LC_ALL
exec 2>/dev/null

section() {
    printf '\n=== %s\n' "$*"
}

# The units that nova-compute may be: the one that it runs in, whatever its
# name, and the usual ones.
units() {
    sed -n 's!.*/\([^/]*\(nova\|n-cpu\)[^/]*\)\.service$!\1!p' \
        "/proc/$nova/cgroup"
    printf '%s\n' nova-compute openstack-nova-compute devstack@n-cpu
}

section page
getconf PAGESIZE

section pools
grep . /sys/devices/system/node/node*/hugepages/hugepages-*/*_hugepages ||
    grep . /sys/kernel/mm/hugepages/hugepages-*/*_hugepages

section journal
units | while read -r unit; do
    systemctl is-active --quiet "$unit" && printf '%s\n' "$unit"
done

# A switch of DPDK has vhost-user ports for guests.
section switch
[ "$(ovs-vsctl get Open_vSwitch . dpdk_initialized)" = true ] &&
    cat "/proc/$(cat /run/openvswitch/ovs-vswitchd.pid)/comm"

# That of a package, or of kolla: the one that was written last.
section log
ls -t /var/log/nova/nova-compute.log /var/log/kolla/nova/nova-compute.log
exit 0
