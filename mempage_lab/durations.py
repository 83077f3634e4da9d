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

"""How long tests took: stestr shares them out among its workers by that.

It keeps that in its repository, which goes with the lab. Without it, it is by
chance which worker gets how much to do.
"""

import shutil

from mempage_lab import paths

NAMES = 'times.dbm*'


def keep():
    """Keep what stestr knows now for the labs to come."""
    _copy(_repository(), paths.DURATIONS)


def restore():
    """Tell stestr what was kept, unless it knows something itself."""
    if not any(_repository().glob(NAMES)):
        _copy(paths.DURATIONS, _repository())


def _repository():
    return paths.TEMPEST_WORKSPACE / '.stestr'


def _copy(source, target):
    if not source.exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob(NAMES):
        shutil.copy2(file, target)
