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

"""Reading, copying and changing files."""

import json
import os
import pathlib
import shutil

from mempage_lab import errors
from mempage_lab import shell


def tail(path, lines=15):
    """Return the last lines of a text file; nothing if it is not there."""
    try:
        return '\n'.join(path.read_text(errors='replace')
                         .splitlines()[-lines:])
    except FileNotFoundError:
        return ''


def copy_tree(source, target):
    """Copy a directory unless the target exists; never half of it.

    :param source: path of the directory, with its owners and modes
    :param target: :class:`pathlib.Path` of the copy
    """
    if target.exists():
        return
    temporary = pathlib.Path(str(target) + '.new')
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    shell.run('cp', '-a', '--reflink=auto', source, temporary)
    temporary.rename(target)


def only(directory, *patterns):
    """Return the one path that there is.

    :param directory: a :class:`pathlib.Path`
    :param patterns: of paths in it, any of which will do
    :raises LabError: if there is none, or there are several
    """
    found = [path for pattern in patterns for path in directory.glob(pattern)]
    if len(found) != 1:
        raise errors.LabError('%s: one %s was expected, there are %d: %s' % (
            directory, ' or '.join(patterns), len(found),
            ', '.join(path.name for path in sorted(found)) or 'none'))
    return found[0]


def check_place(path):
    """Refuse a path that no file may take the place of, as /dev/stdout.

    :param path: a :class:`pathlib.Path`
    :raises LabError: if what is there is no plain file
    """
    if path.exists() and not path.is_file():
        raise errors.LabError(
            '%s: cannot be written: it is no plain file' % path)


def write_json(path, content):
    """Write a file, in a directory that is made; never half of it.

    :param path: its :class:`pathlib.Path`
    :param content: what can be written as JSON
    :raises LabError: if it cannot be written, or as of :func:`check_place`
    """
    check_place(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What a link is to, and not the link.
        target = pathlib.Path(os.path.realpath(path))
        part = target.with_name(target.name + '.new')
        part.write_text(json.dumps(content, indent=2) + '\n')
        part.rename(target)
    except OSError as error:
        raise errors.LabError('%s: cannot be written: %s' % (
            path, error.strerror)) from error


def replaced(path, old, new):
    """Return what a file would be with another text in one place.

    :param path: :class:`pathlib.Path` of the file, which is not changed
    :param old: what stands in that place, and nowhere else
    :param new: what is to stand there
    :raises LabError: if there is not one such place
    """
    text = path.read_text()
    if text.count(old) != 1:
        raise errors.LabError(
            '%s has not one, but %d places with %r: look whether what is to '
            'stand there is right for this release'
            % (path, text.count(old), old))
    return text.replace(old, new)
