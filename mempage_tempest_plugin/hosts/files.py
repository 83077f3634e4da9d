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

"""Files on a host, as find and stat print them."""

import dataclasses
import posixpath

# For find -printf; %b counts blocks of 512 bytes whatever the file system.
FIND_FORMAT = r'%y %m %U %G %D %i %s %b %p\n'
#: Where libvirt makes a directory for each guest, below the backing directory.
GUESTS = 'libvirt/qemu'
_BLOCK = 512

_OTHERS_SEARCH = 0o001
_OTHERS_READ_WRITE = 0o006


@dataclasses.dataclass(frozen=True)
class File:
    """A file or directory; ``mode`` without its type, sizes in bytes."""

    kind: str
    mode: int
    uid: int
    gid: int
    device: int
    inode: int
    size: int
    allocated: int
    path: str


def parse(listing):
    """Read a listing made by find with :data:`FIND_FORMAT`.

    :param listing: the lines
    :returns: dict of :class:`File` by path
    """
    found = {}
    for line in listing.splitlines():
        if not line:
            continue
        kind, mode, uid, gid, device, inode, size, blocks, path = (
            line.split(' ', 8))
        found[path] = File(
            kind, int(mode, 8), int(uid), int(gid), int(device), int(inode),
            int(size), int(blocks) * _BLOCK, path)
    return found


def open_to_others(path, known):
    """Tell whether a user who is nobody special can reach a file.

    The file's own mode does not decide: libvirt keeps its files in a
    directory that only the QEMU user may enter.

    :param path: path of the file
    :param known: dict of :class:`File` by path; it has the file and all
        directories above it
    :returns: True if others may search every directory above the file and
        read or write the file itself
    :raises KeyError: if a directory is not known
    """
    if not known[path].mode & _OTHERS_READ_WRITE:
        return False
    while path != '/':
        path = posixpath.dirname(path)
        if not known[path].mode & _OTHERS_SEARCH:
            return False
    return True
