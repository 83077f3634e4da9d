#!/bin/bash
#
# Prepares a host through the functions of devstack/lib, and remembers what it
# did, to take back that and nothing else.
#
#   host.sh pages SIZE_KIB PAGES [NODE]   adds PAGES hugepages to what is there
#   host.sh ramdisk DIRECTORY SIZE_MIB    mounts a ramdisk
#   host.sh restore                       takes all of it back
#
# Prints "changed" if there was anything to do. The memory lies in /run beside
# this script: a reboot takes it away together with the pages and the ramdisk.
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

set -euo pipefail

HERE=$(dirname "$(readlink -f "$0")")
# What was mounted, and the directories made for it, the deepest first.
RAMDISK=$HERE/ramdisk

# shellcheck source=devstack/lib/backing-store
source "$HERE/lib/backing-store"
# shellcheck source=devstack/lib/hugepages
source "$HERE/lib/hugepages"

# record SIZE_KIB [NODE] - prints the file that tells how many pages of a pool
# are ours.
function record {
    echo "$HERE/pages:$1:${2:-}"
}

function add_pages {
    local size_kib=$1 wanted=$2 node=${3:-}
    local pool ours=0 file

    file=$(record "$size_kib" "$node")
    [[ ! -f $file ]] || ours=$(<"$file")
    mempage_check_number "number of pages" "$wanted"
    [[ $wanted -ne $ours ]] || return 0
    pool=$(get_hugepage_pool "$size_kib" "$node")
    if [[ $wanted -gt $ours ]]; then
        build_hugepage_pool "$size_kib" $((pool - ours + wanted)) "$node"
    else
        restore_hugepage_pool "$size_kib" $((pool - ours + wanted)) "$node"
    fi
    echo "$wanted" >"$file"
    echo changed
}

# take_pages_back FILE - of the pool that the name of the record tells.
function take_pages_back {
    local size_kib node

    IFS=: read -r _ size_kib node <<<"${1##*/}"
    restore_hugepage_pool "$size_kib" \
        $(($(get_hugepage_pool "$size_kib" "$node") - $(<"$1"))) "$node"
    rm "$1"
}

# missing DIRECTORY - prints the directories that mkdir -p would make.
function missing {
    local directory=$1
    while [[ ! -e $directory ]]; do
        echo "$directory"
        directory=$(dirname "$directory")
    done
}

function mount_ramdisk {
    local directory=${1%/} size_mib=$2
    local mounted made

    mounted=$(mempage_mounted "$directory") || true
    made=$(missing "$directory")
    # refuses what is mounted there but is not as wanted
    build_backing_store "$directory" tmpfs "$size_mib"
    [[ -z $mounted ]] || return 0
    printf '%s\n' "$directory" ${made:+"$made"} >"$RAMDISK"
    echo changed
}

function take_ramdisk_back {
    local directories directory

    mapfile -t directories <"$RAMDISK"
    remove_backing_store "${directories[0]}"
    for directory in "${directories[@]:1}"; do
        rmdir "$directory"
    done
    rm "$RAMDISK"
}

function restore {
    local file did=''

    if [[ -f $RAMDISK ]]; then
        take_ramdisk_back
        did=changed
    fi
    for file in "$HERE"/pages:*; do
        [[ -f $file ]] || continue
        take_pages_back "$file"
        did=changed
    done
    echo "$did"
}

case $1 in
    pages) add_pages "${@:2}" ;;
    ramdisk) mount_ramdisk "${@:2}" ;;
    restore) restore ;;
esac
