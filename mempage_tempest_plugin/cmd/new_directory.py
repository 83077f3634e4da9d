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

"""Directories for what comes of runs."""

from mempage_tempest_plugin import exceptions


def make(path, otherwise=''):
    """Make the directory of a new run.

    :param path: its pathlib.Path; it may be there, and has to be empty
    :param otherwise: what else to do about an earlier run that is there
    :returns: its absolute pathlib.Path
    :raises RunError: if it cannot be made, or is not empty
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise exceptions.RunError(
                'results %s: those of an earlier run are there; name a new '
                'directory%s' % (path, otherwise))
    except OSError as error:
        raise exceptions.RunError('results %s: %s' % (
            path, error.strerror)) from error
    return path.resolve()
