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
# Prints, in sections, what there is of a share. shared_directory.py puts the
# assignment of directory in front.

LC_ALL=C
export LC_ALL

section() {
    printf '\n=== %s\n' "$*"
}

section mounts
awk -v directory="$directory" '$5 == directory {
    for (i = 7; $i != "-"; i++); print $(i + 1), $(i + 2) }' \
    /proc/self/mountinfo
section processes
# virtiofsd is told of it, and so is who mounts in user space. This shell is
# told of it on its standard input.
for cmdline in $(grep -lF -- "$directory" /proc/[0-9]*/cmdline 2>/dev/null); do
    process=${cmdline%/cmdline}
    case ${process#/proc/} in $$) continue ;; esac
    read -r program 2>/dev/null < "$process/comm" || continue
    case $program in grep|sh|sudo|sshd|nsenter|chroot) continue ;; esac
    printf '%s %s\n' "${process#/proc/}" "$program"
done
section there
[ ! -e "$directory" ] || echo yes
exit 0
