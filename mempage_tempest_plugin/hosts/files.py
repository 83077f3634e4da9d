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
import re

# For find -printf; %b counts blocks of 512 bytes whatever the file system.
FIND_FORMAT = r'%y %m %U %G %D %i %s %b %p\n'
#: Where libvirt makes a directory for each guest, below memory_backing_dir; if
#: that is not set, these are in its own backing directory itself.
GUESTS = 'libvirt/qemu'
# What a guest's directory is called: 7-instance-0000002a.
_GUEST = re.compile(r'\d+-')
_BLOCK = 512

_OTHERS_SEARCH = 0o001
_OTHERS_READ_WRITE = 0o006


@dataclasses.dataclass(frozen=True)
class File:
    """A file or directory; ``mode`` without its type, sizes in bytes.

    :ivar acl: whether it has an ACL, by which the mode's bits for a group say
        less than who else may have it; known of files that are asked for, and
        directories above them
    """

    kind: str
    mode: int
    uid: int
    gid: int
    device: int
    inode: int
    size: int
    allocated: int
    path: str
    acl: bool = False


def parse(listing):
    """Read a listing made by find with :data:`FIND_FORMAT`.

    :param listing: the lines; those that say "acl" and a path follow that
        path
    :returns: dict of :class:`File` by path
    """
    found = {}
    for line in listing.splitlines():
        if not line:
            continue
        if line.startswith('acl '):
            path = line.partition(' ')[2]
            found[path] = dataclasses.replace(found[path], acl=True)
            continue
        kind, mode, uid, gid, device, inode, size, blocks, path = (
            line.split(' ', 8))
        found[path] = File(
            kind, int(mode, 8), int(uid), int(gid), int(device), int(inode),
            int(size), int(blocks) * _BLOCK, path)
    return found


def guest_of(path, directory):
    """Tell in which guest's directory a path is.

    :param path: the path
    :param directory: the backing directory
    :returns: the name of the guest's directory, as 7-instance-0000002a, or of
        whatever is in its place; None if it is in none
    """
    below = posixpath.relpath(path, directory)
    name, _, rest = below.removeprefix(GUESTS + '/').partition('/')
    if below.startswith(GUESTS + '/'):
        return name
    return name if rest and _GUEST.match(name) else None


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
    return _is_open(path, known, lambda found: found.mode)


def open_to_groups(path, known, own):
    """Tell which groups can reach a file that is closed to others.

    :param path: path of the file
    :param known: as of :func:`open_to_others`
    :param own: the group of the processes whose file it is
    :returns: sorted list of group IDs; empty if it is open to others
    :raises KeyError: if a directory is not known
    """
    if open_to_others(path, known):
        return []
    groups = {known[each].gid for each in _way(path)} - {own}
    return sorted(group for group in groups if _is_open(
        path, known, lambda found: found.mode >> 3 if found.gid == group
        else found.mode))


def acls(path, known):
    """List what has an ACL and may open a file to somebody by it.

    :param path: path of the file
    :param known: as of :func:`open_to_others`
    :returns: list of paths: the file, or directories above it
    :raises KeyError: if a directory is not known
    """
    file, *above = _way(path)
    if known[file].acl:
        return [file]
    # Whoever gets there could open it, or nobody but its owner.
    if not known[file].mode & (_OTHERS_READ_WRITE | _OTHERS_READ_WRITE << 3):
        return []
    return [each for each in above if known[each].acl]


def _is_open(path, known, bits):
    """Tell whether somebody can reach a file.

    :param bits: function of a :class:`File` that returns a mode whose last
        bits are his
    """
    file, *above = _way(path)
    return bool(bits(known[file]) & _OTHERS_READ_WRITE) and all(
        bits(known[each]) & _OTHERS_SEARCH for each in above)


def _way(path):
    """List a path, and all directories above it."""
    way = [path]
    while way[-1] != '/':
        way.append(posixpath.dirname(way[-1]))
    return way
