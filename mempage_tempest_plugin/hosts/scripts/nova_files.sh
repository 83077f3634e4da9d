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

# Print, in sections, those of the files named as arguments that are there, and
# the files of options in those of the directories: in base64, as somebody may
# have written anything there. Read by sh on its standard input, as root, with
# the root directory of who reads them.

LC_ALL=C
export LC_ALL

print_file() {
    printf '\n=== file %s\n' "$1"
    base64 -- "$1"
}

for path; do
    if [ -d "$path" ]; then
        printf '\n=== directory %s\n' "$path"
        for file in "$path"/*.conf; do
            [ ! -f "$file" ] || print_file "$file"
        done
    elif [ -e "$path" ]; then
        print_file "$path"
    fi
done
exit 0
