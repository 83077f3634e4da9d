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

# A backing store on a mapped device: ext4 in a file on a ramdisk, behind the
# device mapper, mounted over the real store while no guest is there. What the
# device does is changed while it is used. Read by sh on its standard input, as
# root. mapped_store.py puts the assignments of action, directory and size
# (MiB) in front.

set -e
LC_ALL=C
export LC_ALL
base=/run/mempage-mapped-store
image=$base/image
name=mempage-store

loop() {
    losetup -j "$image" | cut -d: -f1
}

# Put another target in place of what the device does.
become() {
    sectors=$(blockdev --getsz "/dev/mapper/$name")
    dmsetup suspend --noflush "$name"
    dmsetup load "$name" --table "0 $sectors $1"
    dmsetup resume "$name"
}

# What an earlier run may have left goes first.
down() {
    mountpoint -q "$base" || return 0
    if dmsetup info "$name" >/dev/null 2>&1; then
        # Whatever is still to be written can be written.
        become "linear $(loop) 0"
        for mounted in $(awk -v d="/dev/mapper/$name" '$1 == d { print $2 }' \
                /proc/mounts | sort -r); do
            umount -l "$mounted"
        done
        dmsetup remove --retry "$name"
    fi
    for device in $(loop); do
        losetup -d "$device"
    done
    umount -l "$base"
    rmdir "$base"
}

case $action in
    targets)
        modprobe -a loop dm-flakey dm-delay 2>/dev/null || true
        dmsetup targets 2>/dev/null | cut -d ' ' -f 1
        ;;
    up)
        down
        found=$(find "$directory" -type f | head -n 1)
        if [ -n "$found" ]; then
            echo "somebody has memory here: $found" >&2
            exit 1
        fi
        mkdir -p "$base"
        mount -t tmpfs -o "size=$((size + 1))m,mode=700" mempage "$base"
        truncate -s "${size}M" "$image"
        losetup --find "$image"
        dmsetup create "$name" --table "0 $((size * 2048)) linear $(loop) 0"
        mkfs.ext4 -q -F -m 0 -O ^has_journal -E nodiscard "/dev/mapper/$name"
        mkdir "$base/store"
        mount -o errors=continue "/dev/mapper/$name" "$base/store"
        rm -rf "$base/store/lost+found"
        (cd "$directory" && tar -c --exclude=./lost+found .) |
            tar -x -C "$base/store"
        umount "$base/store"
        mount -o errors=continue "/dev/mapper/$name" "$directory"
        cut -d ' ' -f 1 /proc/uptime
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
        device=$(basename "$(readlink -f "/dev/mapper/$name")")
        dmesg | grep -E "\($device\)|dev $device,|on dev(ice)? $device" || true
        ;;
    is-left)
        ! mountpoint -q "$base" || echo yes
        ;;
    down)
        down
        ;;
esac
