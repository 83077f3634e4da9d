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

"""Mounts, as /proc/PID/mountinfo tells them."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Mount:
    """One mount; ``device`` is MAJOR:MINOR in decimal.

    :ivar options: of the mount, and then those of the file system
    """

    identity: int
    parent: int
    point: str
    device: str
    filesystem: str
    source: str
    options: tuple[str, ...] = ()


def parse(mountinfo):
    """Read a mountinfo file.

    :param mountinfo: the text of /proc/PID/mountinfo
    :returns: list of :class:`Mount`
    """
    mounts = []
    for line in mountinfo.splitlines():
        if not line.strip():
            continue
        fields, _, tail = line.partition(' - ')
        identity, parent, device, _root, point, own = fields.split()[:6]
        filesystem, source, *options = tail.split()[:3]
        mounts.append(Mount(int(identity), int(parent), _unescape(point),
                            device, filesystem, _unescape(source),
                            _options(own, *options)))
    return mounts


def holding(mounts, path):
    """Find the mount that a path lies on.

    This goes down the tree of mounts as the kernel does: a mount point
    says nothing about a mount that is hidden by another one above it.

    :param mounts: list of :class:`Mount`
    :param path: an absolute path without symbolic links
    :returns: the :class:`Mount`, or None if there is none
    """
    known = {mount.identity for mount in mounts}
    found = None
    candidates = [mount for mount in mounts if mount.parent not in known or
                  mount.parent == mount.identity]
    while True:
        candidates = [mount for mount in candidates
                      if is_below(path, mount.point)]
        if not candidates:
            return found
        found = min(candidates, key=lambda mount: len(mount.point))
        candidates = [mount for mount in mounts
                      if mount.parent == found.identity and mount != found]


def is_below(path, directory):
    """Tell whether a path is a directory or lies somewhere below it.

    :param path: an absolute, normalised path
    :param directory: an absolute, normalised path
    :returns: True or False
    """
    return (path + '/').startswith(directory.rstrip('/') + '/')


def _options(*texts):
    return tuple(dict.fromkeys(
        option for text in texts for option in text.split(',')))


def _unescape(text):
    return re.sub(r'\\([0-7]{3})', lambda match: chr(int(match[1], 8)), text)
