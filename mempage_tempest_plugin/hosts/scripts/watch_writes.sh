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

# Print a line a second: nanoseconds of the clock, KiB that are still to be
# written, and sectors that a device was given. Read by sh on its standard
# input. write_watch.py puts the assignments of seconds and of device (its name) in
# front.

LC_ALL=C
export LC_ALL

while [ "$seconds" -ge 0 ]; do
    read -r _ _ _ _ _ _ sectors _ <"/sys/class/block/$device/stat" || exit
    echo "$(date +%s%N) $(sed -n 's/^Dirty: *\([0-9]*\) kB$/\1/p' /proc/meminfo)" \
        "$sectors"
    sleep 1
    seconds=$((seconds - 1))
done
