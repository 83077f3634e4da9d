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

# Count texts in files. $0 are the texts, one on a line; the arguments are the
# files. They are read past the page cache, where what was there or not is
# another test's business; a file system without a device below may not offer
# that. grep takes NUL for the end of a line: lines of guest memory could else
# be as long as it. For bash.

# Who waits is told what takes so long. Nobody waits for the end of a sleep
# that has his pipes.
tell() {
    while sleep 10 >/dev/null 2>&1; do
        printf '... %s (%d of %d) for %d s\n' \
            "$file" "$number" "$1" "$((SECONDS - begun))"
    done
}

number=0
for file; do
    number=$((number + 1))
    begun=$SECONDS
    tell $# &
    printf '=== %s\n' "$file"
    direct=
    dd if="$file" iflag=direct count=0 2>/dev/null && direct=iflag=direct
    dd if="$file" $direct bs=1M status=none |
        LC_ALL=C grep -zaoF -e "$0" | tr '\000' '\n' |
        awk '{ n[$0]++ } END { for (p in n) print n[p], p }'
    status=${PIPESTATUS[0]}
    kill $!
    [ "$status" = 0 ] || [ ! -e "$file" ] || echo '!!!'
done
