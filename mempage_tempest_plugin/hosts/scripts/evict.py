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

Sent to python3 there, as root, by cache.py: it needs nothing else. Arguments:
the file, and whether to push it out or only to look ("evict" or "look"), and
the PIDs that map it. It prints JSON.
"""

import ctypes
import json
import mmap
import os
import sys
import time

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


def mappings(pid, inode, device):
    """Find where a process has mapped a file."""
    with open('/proc/%d/maps' % pid) as stream:
        for line in stream:
            bounds, _, _, where, number = line.split()[:5]
            major, minor = (int(part, 16) for part in where.split(':'))
            if int(number) == inode and os.makedev(major, minor) == device:
                start, end = (int(part, 16) for part in bounds.split('-'))
                yield start, end - start


def page_out(pid, spans):
    """Take the pages from the process; the page cache keeps them."""
    handle = os.pidfd_open(pid)
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


def push_out(handle, status, pids):
    """Take the file's pages from the processes, and from the page cache."""
    for pid in pids:
        page_out(int(pid), mappings(int(pid), status.st_ino, status.st_dev))
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def main(path, action, *pids):
    """Do it, and print what is in the page cache then."""
    handle = os.open(path, os.O_RDWR)
    status = os.fstat(handle)
    problem = None
    if action == 'evict':
        try:
            os.fsync(handle)
        except OSError as error:
            problem = os.strerror(error.errno)
    for left in reversed(range(TRIES if action == 'evict' else 1)):
        if action == 'evict':
            push_out(handle, status, pids)
        cached, method = count(handle, status.st_size)
        if not (cached and left):
            break
        time.sleep(PAUSE)
    print(json.dumps({
        'pages': -(-status.st_size // mmap.PAGESIZE), 'cached': cached,
        'method': method, 'fsync': problem}))


if __name__ == '__main__':
    main(*sys.argv[1:])
