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

# Print, in sections, what a host is made of. Read by sh on its standard input,
# as root. machine.py puts the assignment of nova in front: the PID of its
# nova-compute, if that runs.

LC_ALL=C
export LC_ALL
exec 2>/dev/null

section() {
    printf '\n=== %s\n' "$*"
}

section kernel
uname -r
section cpu
sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1
# x86 tells guests so; other machines only by who made them.
section nested
grep -m 1 -ow hypervisor /proc/cpuinfo || grep -m 1 -iE \
    'QEMU|KVM|VMware|Xen|Google|Amazon EC2|Virtual' \
    /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name
section nodes
set -- /sys/devices/system/node/node[0-9]*
[ ! -e "$1" ] || echo $#
section huge
cat /sys/kernel/mm/transparent_hugepage/enabled
section dirty
for name in ratio background_ratio bytes background_bytes expire_centisecs \
        writeback_centisecs; do
    printf 'dirty_%s %s\n' "$name" "$(cat "/proc/sys/vm/dirty_$name")"
done
# What it runs on knows its version, and does not have to start for that.
section nova
if [ -n "$nova" ]; then
    python=$(tr '\000' '\n' <"/proc/$nova/cmdline" | head -n 1)
    nsenter --target "$nova" --mount --root -- "$python" -c \
        'import importlib.metadata as m; print(m.version("nova"))'
fi
exit 0
