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

#
# Prints the PID and the name of each process that has large pages mapped,
# from a mounted hugetlbfs or without a name.

LC_ALL=C
export LC_ALL

# As /proc/PID/maps writes them.
devices=$(awk '{ for (i = 7; $i != "-"; i++) if (i > NF) next }
    $(i + 1) == "hugetlbfs" {
        split($3, d, ":"); printf "|%02x:%02x", d[1], d[2] }' \
    /proc/self/mountinfo)
for maps in $(grep -lE "^([^ ]+ ){3}(none$devices) |/anon_hugepage" \
        /proc/[0-9]*/maps 2>/dev/null); do
    process=${maps%/maps}
    printf '%s %s\n' "${process#/proc/}" "$(cat "$process/comm" 2>/dev/null)"
done
