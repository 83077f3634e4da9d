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

# Print, in sections, which block devices are below a file system, what has
# been written to each, and what the NVMe disks at the bottom count themselves.
# Read by sh on its standard input, as root. block_devices.py puts the
# assignments of number (MAJOR:MINOR of the file system) and source (of its
# mount) in front.

LC_ALL=C
export LC_ALL

section() {
    printf '\n=== %s\n' "$*"
}

# A subshell: what is below has a path of its own.
describe() (
    path=$(readlink -e "/sys/class/block/$1") || exit 0
    section "device $1"
    cat "$path/dev" "$path/stat"
    if [ -e "$path/partition" ]; then
        describe "$(basename "$(dirname "$path")")"
        exit 0
    fi
    bottom=yes
    for below in "$path"/slaves/*; do
        [ -e "$below" ] || continue
        bottom=
        describe "$(basename "$below")"
    done
    [ "$bottom" ] || exit 0
    section "disk $1"
    case $1 in
        nvme*) command -v nvme >/dev/null || exit 0 ;;
        *) exit 0 ;;
    esac
    section "smart $1"
    nvme smart-log --output-format=json "/dev/$1" 2>&1
)

# What guests have dirtied, and what the file system has not made up its mind
# about.
# Some file systems have a number that is no device's.
path=$(readlink -e "/sys/dev/block/$number" || readlink -e -- "$source")
[ -z "$path" ] || describe "$(basename "$path")"
exit 0
