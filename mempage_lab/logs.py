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


"""Shows what the programs of the nodes wrote."""

import collections
import re
import signal
import subprocess

from mempage_lab import errors
from mempage_lab import paths

# How tail(1) says which of several files the next lines come from.
_HEADER = re.compile(r'==> (.*) <==$')


def find(target):
    """Return the logs that a target names.

    The files decide, so that the logs of a lab that is down can be read.

    :param target: a host, a service, or HOST/SERVICE
    :returns: dict of the log's path to HOST/SERVICE, both as text
    :raises LabError: if there is none, naming those that there are
    """
    found = collections.defaultdict(dict)
    for path in sorted(paths.LOGS.glob('*/*.log')):
        host, service = path.parent.name, path.stem
        name = '%s/%s' % (host, service)
        for known in (host, service, name):
            found[known][str(path)] = name
    if target not in found:
        raise errors.LabError(
            'no host or service %s has a log in %s; there are %s' % (
                target, paths.LOGS, ', '.join(
                    sorted(name for name in found if '/' not in name))
                or 'none: mempage-lab up'))
    return found[target]


def show(target, lines, follow, write):
    """Write the last lines of logs, each after the name of its program.

    :param target: a host, a service, or HOST/SERVICE
    :param lines: how many lines of each log
    :param follow: whether to go on with what is written from now on, until
        interrupted
    :param write: function that is called with each line
    """
    logs = find(target)
    command = ['tail', '-v', '-n', str(lines), *(['-F'] if follow else ()),
               *logs]
    # tail(1) tells of rotated logs on its standard error.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL,
                          errors='replace') as process:
        try:
            for line in named(process.stdout, logs):
                write(line)
        except KeyboardInterrupt:
            pass
        finally:
            process.send_signal(signal.SIGTERM)


def named(lines, logs):
    """Put the name of its program before each line.

    :param lines: what ``tail -v`` prints
    :param logs: dict of path to the name to put
    :returns: iterator over lines
    """
    name = None
    blank = False
    for line in lines:
        line = line.rstrip('\n')
        header = _HEADER.match(line)
        if header and header[1] in logs:
            # The blank line before a header is not the log's own.
            name, blank = logs[header[1]], False
            continue
        if blank:
            yield '%s | ' % name
        blank = not line
        if line:
            yield '%s | %s' % (name, line)
