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
# directory, size (of the store, MiB) and room (that it really has, MiB) in
# front.

set -e
LC_ALL=C
export LC_ALL
base=/run/mempage-faulty-store
image=$base/image

device() {
    losetup -j "$image" | cut -d: -f1
}

# What an earlier run may have left goes first.
down() {
    mountpoint -q "$base" || return 0
    for mounted in $(awk -v d="$(device)" 'd != "" && $1 == d { print $2 }' \
            /proc/mounts | sort -r); do
        umount -l "$mounted"
    done
    for loop in $(device); do
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
        mkfs.ext4 -q -F -m 0 -O ^has_journal -E nodiscard "$image"
        mkdir "$base/store"
        mount -o loop,errors=continue "$image" "$base/store"
        rm -rf "$base/store/lost+found"
        (cd "$directory" && tar -c --exclude=./lost+found .) |
            tar -x -C "$base/store"
        umount "$base/store"
        mount -o loop,errors=continue "$image" "$directory"
        cut -d ' ' -f 1 /proc/uptime
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
    log)
        name=$(basename "$(device)")
        dmesg | grep -E "\($name\)|dev $name,|on dev(ice)? $name" || true
        ;;
    is-left)
        ! mountpoint -q "$base" || echo yes
        ;;
    down)
        down
        ;;
esac
