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

# Fill the file system of directory with a file. foreign_data.py puts the
# assignments of directory and file in front.

free() {
    echo "$(($(stat -f -c '%S * %a' -- "$directory")))"
}

# Most of it quickly. Then write on until there is no space.
fallocate -l "$(($(free) / 10 * 9))" -- "$file"
dd if=/dev/zero of="$file" bs=1M oflag=append conv=notrunc,fsync
test "$(free)" -lt 1048576
