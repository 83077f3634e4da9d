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

#
# Prints the PID and the name of each process that has mapped the memory of a
# guest, QEMU among them. memory_holders.py puts the assignment of guest (a
# UUID) in front.

LC_ALL=C
export LC_ALL

# What is smaller than this is no guest's RAM.
least=$((16 * 1024 * 1024))

# Prints device and inode of each large file that a process can write to.
# Files of large pages have no name any more, and private ones a mode of p.
large_files() {
    while read -r range mode _ device inode path; do
        case $inode$mode$path in 0*) continue ;; *rw*/*) ;; *) continue ;; esac
        [ $((0x${range#*-} - 0x${range%-*})) -ge $least ] &&
            printf '%s %s\n' "$device" "$inode"
    done < "$1" | sort -u
}

for cmdline in $(grep -lzx -- "$guest" /proc/[0-9]*/cmdline 2>/dev/null); do
    process=${cmdline%/cmdline}
    case $(readlink "$process/exe") in
        *qemu*) large_files "$process/maps" ;;
    esac
done | sort -u | while read -r file; do
    grep -lE "^([^ ]+ ){3}$file " /proc/[0-9]*/maps 2>/dev/null
done | sort -u | while read -r maps; do
    process=${maps%/maps}
    read -r program 2>/dev/null < "$process/comm" &&
        printf '%s %s\n' "${process#/proc/}" "$program"
done
exit 0
