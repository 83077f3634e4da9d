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

# Print, in sections, which nova-compute run on a host, in whatever container:
# when each was started, and its PID. Read by sh on its standard input, as
# root.

LC_ALL=C
export LC_ALL
exec 2>/dev/null

# is_nova PID - tells whether that is one, alone or run by Python.
is_nova() {
    tr '\000' '\n' <"/proc/$1/cmdline" | head -n 7 | awk -F/ '
        NR == 1 { python = $NF ~ /^python/ }
        (NR == 1 || python) && $NF == "nova-compute" { found = 1 }
        END { exit !found }'
}

# lines KEY - writes a key before each line.
lines() {
    sed "s/^/$1 /"
}

# Others may be secrets.
options='COMPUTE_DRIVER|FILE_BACKED_MEMORY|RESERVED_HUGE_PAGES'
options="$options|ALLOWED_MEMORY_PAGESIZE|REFUSE_MIXED_LIVE_MIGRATION"
options="$options|RAM_ALLOCATION_RATIO|RESERVED_HOST_MEMORY_MB|VIRT_TYPE"

for cmdline in $(grep -lzE '(^|/)nova-compute$' /proc/[0-9]*/cmdline); do
    process=${cmdline%/cmdline}
    pid=${process#/proc/}
    is_nova "$pid" || continue
    # The name of the program before it may have blanks in it.
    started=$(sed 's/.*) //' "$process/stat" | cut -d ' ' -f 20)
    user=$(awk '$1 == "Uid:" { print $3 }' "$process/status")
    [ -n "$started" ] || continue
    printf '\n=== %s %s\n' "$started" "$pid"
    tr '\000' '\n' <"$cmdline" | lines argument
    tr '\000' '\n' <"$process/environ" |
        grep -E "^(HOME|SNAP|SNAP_COMMON|OS_[A-Z]+__($options))=" |
        lines environment
    readlink "$process/cwd" | lines directory
    awk -F: -v user="$user" '$3 == user { print $6 }' \
        "$process/root/etc/passwd" | lines home
done
exit 0
