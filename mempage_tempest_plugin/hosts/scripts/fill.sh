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

# Fill the file system of directory with a file, but for leave MiB.
# foreign_data.py puts the assignments of directory, file and leave in front.

set -e

mib=1048576
# libvirt makes directories before QEMU finds that there is no space.
spare=$((mib / 2))
# As much as any file system gives out before whoever waits has had enough.
step=$((16 * 1024 * mib))

free() {
    echo "$(($(stat -f -c '%S * %a' -- "$directory") - leave * mib - spare))"
}

size() {
    stat -L -c %s /proc/self/fd/3
}

# Whoever waits is told. If nobody does any more, this ends here, or because
# the file was removed: there is never another one.
tell() {
    printf '%d MiB left\n' "$((left / mib))"
    [ -e "$file" ]
}

# Where nothing can be allocated without being written.
write() {
    before=$(size)
    dd if=/dev/zero of=/proc/self/fd/3 bs=1M count=256 oflag=append \
        conv=notrunc,fsync 2>/dev/null || true
    [ "$(size)" -gt "$before" ] || {
        echo "$left bytes are free on $directory, and cannot be had" >&2
        exit 1
    }
}

exec 3<>"$file"
while left=$(free) && [ "$left" -ge "$mib" ]; do
    tell
    [ "$step" -le "$left" ] || step=$left
    if [ "$step" -lt "$mib" ]; then
        write
    elif ! fallocate --offset "$(size)" --length "$step" /proc/self/fd/3 \
            2>/dev/null; then
        step=$((step / 2))
    fi
done
