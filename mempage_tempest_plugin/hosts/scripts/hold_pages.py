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


# Maps large pages, prints the PID of the process that holds them, and lets
# that sleep.
#
# Arguments: the path of the file that has them, or nothing; how many bytes;
# the binary logarithm of the page size; the distance at which pages are
# touched, 0 if none is; for how many seconds.

import mmap
import os
import sys
import time

MAP_HUGETLB = 0x40000
MAP_HUGE_SHIFT = 26


def take(path, size, shift, step):
    """Map pages, and touch one in each step bytes of them."""
    if path:
        memory = mmap.mmap(os.open(path, os.O_RDWR), size)
    else:
        memory = mmap.mmap(-1, size, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
                           | MAP_HUGETLB | shift << MAP_HUGE_SHIFT)
    for place in range(0, size, step) if step else ():
        memory[place] = memory[place]
    return memory


def hold(limit):
    """Leave a process that has what this one has, for some seconds."""
    child = os.fork()
    if child:
        print(child)
        return
    # Whoever waits for the end of the output need not wait for the child.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in 0, 1, 2:
        os.dup2(nothing, stream)
    os.setsid()
    time.sleep(limit)


if __name__ == '__main__':
    where, *numbers = sys.argv[1:]
    in_bytes, page_shift, distance, seconds = map(int, numbers)
    taken = take(where, in_bytes, page_shift, distance)
    hold(seconds)
