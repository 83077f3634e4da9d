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
# been written to each, what they are, and what the disks at the bottom count
# themselves. Read by sh on its standard input, as root. block_devices.py puts the
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
    if [ -e "$path/dm" ] && command -v dmsetup >/dev/null; then
        section "target $1"
        dmsetup table "/dev/$1" 2>/dev/null | cut -d ' ' -f 3
    fi
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
    # With several paths to it, the device is a subsystem of controllers.
    cat "$path/device/transport" "$path"/device/nvme*/transport 2>/dev/null
    section "firmware $1"
    cat "$path/device/firmware_rev" "$path/device/rev" 2>/dev/null
    describe_smart "$1"
)

describe_smart() {
    case $1 in
        nvme*)
            if command -v nvme >/dev/null; then
                section "smart $1"
                nvme smart-log --output-format=json "/dev/$1" 2>&1
                return
            fi ;;
        sd*) ;;
        *) return ;;
    esac
    if command -v smartctl >/dev/null; then
        section "smartctl $1"
        smartctl --json --xall "/dev/$1" 2>&1
    fi
}

# What guests have dirtied, and what the file system has not made up its mind
# about.
# Some file systems have a number that is no device's.
path=$(readlink -e "/sys/dev/block/$number" || readlink -e -- "$source")
[ -n "$path" ] || exit 0
describe "$(basename "$path")"
section lsblk
lsblk --json --bytes --inverse --all --output \
    KNAME,TYPE,TRAN,MODEL,SERIAL,SIZE,LOG-SEC,RA,SCHED 2>/dev/null
exit 0
