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

# A backing store that can be broken: ext4 in a file on a small ramdisk,
# mounted over the real store while no guest is there. Read by sh on its
# standard input, as root. faulty_store.py puts the assignments of action,
# directory, size (of the store, MiB), room (that it really has, MiB) and
# mapped (linear or thin if it is to be behind the device mapper) in front.

set -e
LC_ALL=C
export LC_ALL
base=/run/mempage-faulty-store
image=$base/image
map=mempage-faulty-store
pool=$map-pool
# What a thin pool notes its blocks in, MiB
metadata_mib=4

loop() {
    losetup -j "$base/${1:-image}" | cut -d: -f1
}

is_mapped() {
    dmsetup info "${1:-$map}" >/dev/null 2>&1
}

# A thin device that claims to have all of its size, in a pool that has not.
# Others would wait for a minute, in the hope that somebody enlarges the pool.
thin() {
    truncate -s "${metadata_mib}M" "$base/metadata"
    losetup --find "$base/metadata"
    dmsetup create "$pool" --table "0 $(((room - metadata_mib) * 2048)) \
        thin-pool $(loop metadata) $(loop) 128 0 1 error_if_no_space"
    dmsetup message "$pool" 0 create_thin 0
    dmsetup create "$map" --table "0 $1 thin /dev/mapper/$pool 0"
}

map() {
    case $mapped in
        linear) dmsetup create "$map" --table "0 $1 linear $(loop) 0" ;;
        thin) thin "$1" ;;
    esac
}

# What the file system is on.
device() {
    if is_mapped; then
        echo "/dev/mapper/$map"
    else
        loop
    fi
}

# Put another target in place of what the mapped device does.
become() {
    sectors=$(blockdev --getsz "/dev/mapper/$map")
    dmsetup suspend --noflush "$map"
    dmsetup load "$map" --table "0 $sectors $1"
    dmsetup resume "$map"
}

# What an earlier run may have left goes first.
down() {
    mountpoint -q "$base" || return 0
    # Whatever is still to be written can be written, or fails at once.
    ! is_mapped || is_mapped "$pool" || become "linear $(loop) 0"
    for mounted in $(awk -v d="$(device)" 'd != "" && $1 == d { print $2 }' \
            /proc/mounts | sort -r); do
        umount -l "$mounted"
    done
    for made in "$map" "$pool"; do
        ! is_mapped "$made" || dmsetup remove --retry "$made"
    done
    for loop in $(loop) $(loop metadata); do
        losetup -d "$loop"
    done
    umount -l "$base"
    rmdir "$base"
}

case $action in
    up)
        down
        found=$(find "$directory" -type f | head -n 1)
        if [ -n "$found" ]; then
            echo "somebody has memory here: $found" >&2
            exit 1
        fi
        mkdir -p "$base"
        mount -t tmpfs -o "size=${room}m,mode=700" mempage "$base"
        truncate -s "${size}M" "$image"
        source=$image
        options=loop,errors=continue
        if [ -n "$mapped" ]; then
            losetup --find "$image"
            map $((size * 2048))
            source=/dev/mapper/$map
            options=errors=continue
        fi
        mkfs.ext4 -q -F -m 0 -O ^has_journal -E nodiscard "$source"
        mkdir "$base/store"
        mount -o "$options" "$source" "$base/store"
        # With security labels, without which QEMU may not enter.
        cp -a -- "$directory/." "$base/store/"
        rm -rf "$base/store/lost+found"
        umount "$base/store"
        mount -o "$options" "$source" "$directory"
        cut -d ' ' -f 1 /proc/uptime
        ;;
    targets)
        modprobe -a loop dm-flakey dm-delay dm-thin-pool 2>/dev/null || true
        dmsetup targets 2>/dev/null | cut -d ' ' -f 1
        ;;
    read-errors)
        # The device is there and cannot read any more what is behind its end.
        # A write would put the end back, with holes before it that read well:
        # leave no room for any.
        sync -f "$directory"
        truncate -s 64K "$image"
        cat /dev/zero >"$base/filler" 2>/dev/null || true
        ;;
    read-only)
        mount -o remount,ro "$directory"
        ;;
    write-errors)
        become "flakey $(loop) 0 0 86400 1 error_writes"
        ;;
    errors)
        become error
        ;;
    delay)
        become "delay $(loop) 0 0 $(loop) 0 $delay"
        ;;
    log)
        name=$(basename "$(readlink -f "$(device)")")
        dmesg | grep -E "\($name\)|dev $name,|on dev(ice)? $name" || true
        ;;
    is-left)
        ! mountpoint -q "$base" || echo yes
        ;;
    down)
        down
        ;;
esac
