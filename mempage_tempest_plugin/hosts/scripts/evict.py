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

"""Push a guest's backing file out of the page cache; runs on the host.

Sent to python3 there, as root, by cache.py: it needs nothing else, and no
newer one than 3.6. Arguments: the file, and whether to push it out or only to
look ("evict" or "look"), and the PIDs that map it. It prints JSON. Without any
argument it says what the kernel lacks, if anything.
"""

import ctypes
import json
import mmap
import os
import sys
import time

PIDFD_OPEN = 434
PROCESS_MADVISE = 440
CACHESTAT = 451
MADV_PAGEOUT = 21
# The kernel leaves a page where somebody else looks at it in that moment.
TRIES = 5
PAUSE = 0.2  # seconds

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]


def call(number, *arguments):
    """Make a system call for which Python has no function."""
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def lines(pid):
    """List what a process has mapped: start, end, device and inode number."""
    with open('/proc/%s/maps' % pid) as stream:
        for line in stream:
            bounds, _, _, device, inode = line.split()[:5]
            start, end = (int(part, 16) for part in bounds.split('-'))
            yield start, end, (device, inode)


def identity(handle):
    """Tell how maps name a file; stat says otherwise on btrfs and overlays."""
    with mmap.mmap(handle, mmap.PAGESIZE) as mapped:
        view = ctypes.c_char.from_buffer(mapped)
        address = ctypes.addressof(view)
        found = [file for start, end, file in lines('self')
                 if start <= address < end]
        del view
    return found[0]


def mappings(pid, file):
    """Find where a process has mapped a file."""
    for start, end, found in lines(pid):
        if found == file:
            yield start, end - start


def open_process(pid):
    """Open a process; os.pidfd_open came with Python 3.9."""
    return call(PIDFD_OPEN, ctypes.c_int(pid), ctypes.c_uint(0))


def page_out(pid, spans):
    """Take the pages from the process; the page cache keeps them."""
    handle = open_process(pid)
    try:
        for start, length in spans:
            while length > 0:
                vector = Vector(start, length)
                done = call(PROCESS_MADVISE, ctypes.c_int(handle),
                            ctypes.byref(vector), ctypes.c_ulong(1),
                            ctypes.c_int(MADV_PAGEOUT), ctypes.c_uint(0))
                if not done:
                    break
                start, length = start + done, length - done
    finally:
        os.close(handle)


def count(handle, size):
    """Count the pages of the file that are in the page cache."""
    span = (ctypes.c_uint64 * 2)(0, size)
    found = (ctypes.c_uint64 * 5)()
    try:
        call(CACHESTAT, ctypes.c_uint(handle), ctypes.byref(span),
             ctypes.byref(found), ctypes.c_uint(0))
        return found[0], 'cachestat'
    except OSError:
        # Older than Linux 6.5.
        return resident(handle, size), 'mincore'


def resident(handle, size):
    """Count them as Linux before 6.5 can."""
    pages = -(-size // mmap.PAGESIZE)
    vector = (ctypes.c_ubyte * pages)()
    with mmap.mmap(handle, size) as mapped:
        view = (ctypes.c_char * size).from_buffer(mapped)
        failed = libc.mincore(ctypes.byref(view), ctypes.c_size_t(size),
                              ctypes.byref(vector))
        error = ctypes.get_errno()
        del view
    if failed:
        raise OSError(error, os.strerror(error))
    return sum(page & 1 for page in vector)


def push_out(handle, file, pids):
    """Take the file's pages from the processes, and from the page cache."""
    for pid in pids:
        page_out(int(pid), mappings(pid, file))
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def lacking():
    """Name the system calls that the kernel has not; Linux 5.10 has all."""
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE)
        view = ctypes.c_char.from_buffer(page)
        start = ctypes.addressof(view)
        del view
        page_out(os.getpid(), [(start, mmap.PAGESIZE)])
    except OSError as error:
        return 'pidfd_open or process_madvise: %s' % error
    return ''


def main(path=None, action=None, *pids):
    """Do it, and print what is in the page cache then."""
    if path is None:
        print(json.dumps(lacking()))
        return
    handle = os.open(path, os.O_RDWR)
    size = os.fstat(handle).st_size
    problem = None
    if action == 'evict':
        file = identity(handle)
        try:
            os.fsync(handle)
        except OSError as error:
            problem = os.strerror(error.errno)
    for left in reversed(range(TRIES if action == 'evict' else 1)):
        if action == 'evict':
            push_out(handle, file, pids)
        cached, method = count(handle, size)
        if not (cached and left):
            break
        time.sleep(PAUSE)
    print(json.dumps({
        'pages': -(-size // mmap.PAGESIZE), 'cached': cached,
        'method': method, 'fsync': problem, 'page': mmap.PAGESIZE}))


if __name__ == '__main__':
    main(*sys.argv[1:])
