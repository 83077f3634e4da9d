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

# Print, in sections, what the kernel and the file systems of a host know of
# guest memory. Read by sh on its standard input, as root, because a script
# in the arguments would be found among the processes that it looks for.
# survey.py puts the assignments of find_format, below (files.GUESTS), directory,
# store, guests (UUIDs) and, as positional parameters, backing files in front.

LC_ALL=C
export LC_ALL
exec 2>/dev/null

section() {
    printf '\n=== %s\n' "$*"
}

# A path and all directories above it. Each process costs milliseconds.
describe_path() (
    path=$1
    case $path in /*) ;; *) return ;; esac
    set -- "$path"
    while [ -n "${path%/*}" ]; do
        path=${path%/*}
        set -- "$path" "$@"
    done
    find / "$@" -maxdepth 0 -printf "$find_format"
    # What is not there is the last, or all that follows.
    ls -dlnU -- "$@" | while read -r mode _; do
        case $mode in *+) printf 'acl %s\n' "$1" ;; esac
        shift
    done
)

describe_guest() {
    for cmdline in $(grep -lzx -- "$1" /proc/[0-9]*/cmdline); do
        process=${cmdline%/cmdline}
        case $(readlink "$process/exe") in
            *qemu*) ;;
            *) continue ;;
        esac
        section process "$1" "${process#/proc/}"
        awk '/^[UG]id:/ { print $3 }' "$process/status"
        section smaps "$1" "${process#/proc/}"
        grep -E '^[0-9a-f]+-|^(KernelPageSize|Rss|.*_Hugetlb):' \
            "$process/smaps"
        # The kernel looks at every page: only where there is a choice.
        [ "$nodes" -gt 1 ] && [ -r "$process/numa_maps" ] || continue
        section numa "$1" "${process#/proc/}"
        grep ' huge ' "$process/numa_maps"
    done
}

# Files that grow or go between looking at the file system and at its files
# would be space that nothing explains: look until the file system is still.
describe_store() {
    section store
    for _ in 1 2 3 4 5; do
        before=$(stat -f -c '%S %b %f %a' -- "$store")
        blocks=$(find "$store" -xdev -printf '%b %p\n' |
            awk -v guests=" $directory/$below/" -v others=" $directory/" '
                { n += $1 }
                index($0, guests) || index($0, others) && substr($0,
                    index($0, others) + length(others)) ~ /^[0-9]+-[^\/]*\// {
                    g += $1
                }
                END { print n + 0, g + 0 }')
        [ "$before" = "$(stat -f -c '%S %b %f %a' -- "$store")" ] && break
        sleep 0.2
    done
    printf '%s %s\n' "$before" "$blocks"
}

section hostname
uname -n
section boot
cat /proc/sys/kernel/random/boot_id
section memory
grep -E '^(MemTotal|MemAvailable):' /proc/meminfo
grep -h ' MemTotal:' /sys/devices/system/node/node*/meminfo
section mounts
cat /proc/self/mountinfo
section page
getconf PAGESIZE
section pools
grep . /sys/devices/system/node/node*/hugepages/hugepages-*/*_hugepages ||
    grep . /sys/kernel/mm/hugepages/hugepages-*/*_hugepages
section reserved
grep . /sys/kernel/mm/hugepages/hugepages-*/resv_hugepages

section files
describe_path "$directory"
find "$directory" -mindepth 1 -printf "$find_format"
# Where libvirt has a directory for each guest with large pages, too.
awk '$3 == "hugetlbfs" { print $2 }' /proc/self/mounts | while read -r mount; do
    find "$mount/$below" -mindepth 1 -printf "$find_format"
done
# Where the store is not mounted, this would read the root disk.
mountpoint -q "$store" && [ "$store" != / ] && describe_store

nodes=$(ls -d /sys/devices/system/node/node[0-9]* | wc -l)
for guest in $guests; do
    describe_guest "$guest"
done

for file in "$@"; do
    section path "$file"
    describe_path "$file"
    section maps "$file"
    inode=$(stat -c %i -- "$file") || continue
    mapped=$(grep -HE "^([^ ]+ ){4}$inode " /proc/[0-9]*/maps)
    printf '%s\n' "$mapped"
    section programs "$file"
    for process in $(printf '%s\n' "$mapped" |
            sed -n 's,^/proc/\([0-9]*\)/maps:.*,\1,p' | sort -u); do
        read -r program < "/proc/$process/comm" &&
            printf '%s %s\n' "$process" "$program"
    done
done
exit 0
