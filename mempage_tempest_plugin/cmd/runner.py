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

"""The tests of this plugin, run by stestr for other commands."""

import os
import re
import subprocess
import sys

from stestr.repository import util

from mempage_tempest_plugin.cmd import suite
from mempage_tempest_plugin import exceptions

#: The command that tells what a run had to show. Each needs a process of its
#: own: Tempest reads one configuration only.
EXPECT = (sys.executable, '-m', 'mempage_tempest_plugin.cmd.mempage_tempest',
          'expect')

# Tests stay with those of their class.
_STESTR_CONF = """[DEFAULT]
test_path=%s
top_dir=%s
group_regex=([^\\.]*\\.)*
"""


class Runner:
    """Runs tests, several at a time.

    :param directory: a private pathlib.Path
    :param lanes: the lanes.Lanes that its processes belong to
    """

    def __init__(self, directory, lanes):
        self._directory = directory
        self._lanes = lanes
        self._stestr_conf = directory / 'stestr.conf'
        self._stestr_conf.write_text(_STESTR_CONF % tuple(suite.PLACE))

    def _stestr(self, *arguments):
        return [sys.executable, '-m', 'stestr', '--config',
                str(self._stestr_conf), *map(str, arguments)]

    def find(self, regex=''):
        """Find tests.

        :param regex: what has to be found in their names
        :returns: list of the tests' names
        :raises RunError: if they cannot be listed
        """
        repository = self._directory / 'list'
        repository.mkdir()
        # Only a run makes one where there is none.
        util.get_repo_initialise(repo_url=str(repository))
        listed = subprocess.run(
            self._stestr('--repo-url', repository, 'list'), text=True,
            capture_output=True)
        if listed.returncode:
            raise exceptions.RunError('the tests cannot be listed:\n%s%s' % (
                listed.stdout, listed.stderr))
        return [name for name in listed.stdout.splitlines()
                if re.search(regex, name)]

    def run(self, repository, tests, workers, **kwargs):
        """Run tests, and wait for their end.

        :param repository: pathlib.Path of a directory for stestr's own files
        :param tests: pathlib.Path of a list of their names
        :param workers: how many at a time
        :param kwargs: passed on to :class:`subprocess.Popen`; what becomes of
            the tests goes to ``stdout`` in the subunit format, version 2
        :returns: exit status; None if nothing began, as all was stopped
            before
        """
        return self._lanes.call(
            self._stestr('--repo-url', repository, 'run', '--subunit',
                         '--concurrency', workers, '--load-list', tests),
            **kwargs)


def expect(env, *arguments):
    """Ask what a run has to show.

    :param env: dict, the environment of the process
    :param arguments: of ``mempage-tempest expect``
    :returns: a subprocess.CompletedProcess
    """
    return subprocess.run([*EXPECT, *map(str, arguments)], env=env,
                          capture_output=True, text=True)


def environment(configuration, **options):
    """Tell Tempest its configuration.

    :param configuration: pathlib.Path of tempest.conf
    :param options: of ``[mempage]``, instead of those there
    :returns: a dict, the environment of a process
    """
    return {**os.environ, 'TEMPEST_CONFIG_DIR': str(configuration.parent),
            'TEMPEST_CONFIG': configuration.name,
            **{'OS_MEMPAGE__' + name.upper(): str(value)
               for name, value in options.items()}}


def last(text):
    """Get the last line of a text that is not empty.

    :param text: what a process has said
    """
    lines = [line.strip() for line in text.split('\n') if line.strip()]
    return lines[-1] if lines else ''
