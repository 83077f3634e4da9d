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

"""Runs Tempest in the lab."""

import datetime
import os
import pathlib
import subprocess
import sys

from mempage_lab import accounts
from mempage_lab.discovery import test_discover
from mempage_lab import durations
from mempage_lab import paths
from mempage_lab import shell

#: What runs when the user names nothing: this project's suite.
SUITE = ('--regex', '^mempage_tempest_plugin', '--concurrency', '2')
BIN = pathlib.Path(sys.prefix, 'bin')
# Tests stay with those of their class.
STESTR_CONF = """[DEFAULT]
test_path=%s
top_dir=%s
group_regex=([^\\.]*\\.)*
""" % (paths.PACKAGE / 'discovery', paths.PACKAGE.parent)


def run(arguments, quiet=False, seed=None):
    """Run Tempest and keep its results.

    :param arguments: of ``tempest run``; none: this project's suite
    :param quiet: whether not to show what it prints
    :param seed: a number for a random order of the tests
    :returns: exit status of Tempest, and the directory of the results
    """
    _prepare_workspace()
    before = _number_of_runs()
    order = {} if seed is None else {test_discover.SEED: str(seed)}
    status = subprocess.call(
        [BIN / 'tempest', 'run', '--config-file', paths.TEMPEST_CONF,
         *(arguments or SUITE)], cwd=paths.TEMPEST_WORKSPACE,
        env={**os.environ, **order},
        stdout=subprocess.DEVNULL if quiet else None,
        stderr=subprocess.DEVNULL if quiet else None)
    return status, _keep_results(_number_of_runs() != before)


def _number_of_runs():
    """Return stestr's own count: Tempest may end before it runs any test."""
    count = paths.TEMPEST_WORKSPACE / '.stestr' / 'next-stream'
    return count.read_text() if count.exists() else ''


def _prepare_workspace():
    conf = paths.TEMPEST_WORKSPACE / '.stestr.conf'
    if not conf.exists():
        shell.run(BIN / 'tempest', 'init', '--workspace-path',
                  paths.STATE / 'workspaces.yaml', paths.TEMPEST_WORKSPACE)
    conf.write_text(STESTR_CONF)
    accounts.release()
    durations.restore()


def _keep_results(ran):
    """Copy the last run's stream of results out of the workspace."""
    now = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    results = paths.RESULTS / now
    results.mkdir(parents=True)
    with open(results / 'results.subunit', 'wb') as stream:
        if ran:
            subprocess.run([BIN / 'stestr', 'last', '--subunit'],
                           stdout=stream, cwd=paths.TEMPEST_WORKSPACE)
    durations.keep()
    if paths.TEMPEST_LOG.exists():
        paths.TEMPEST_LOG.rename(results / 'tempest.log')
    _point_latest_at(results)
    return results


def _point_latest_at(results):
    latest = paths.RESULTS / 'latest'
    latest.unlink(missing_ok=True)
    latest.symlink_to(results.name)
