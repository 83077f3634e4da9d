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

# Print, in sections, where a backing directory is. Read by sh on its standard
# input, as root, with libvirt's root directory.

LC_ALL=C
export LC_ALL
exec 2>/dev/null

section() {
    printf '\n=== %s\n' "$*"
}

# libvirt makes its own default directory only with the first guest.
while [ ! -d "$directory" ] && [ "$directory" != / ]; do
    directory=$(dirname -- "$directory")
done

section directory
printf '%s\n' "$directory"

section real
readlink -f -- "$directory"

section mounts
cat /proc/self/mountinfo
exit 0
