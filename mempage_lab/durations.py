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

"""How long tests took, for the order of those of the next run.

stestr would share them out among its workers by their durations, as though
serial ones ran beside others. It takes them by turns if it knows none.
"""

import json

from mempage_lab import paths


def load():
    """Return what is known.

    :returns: dict of seconds by id of a test
    """
    if not paths.DURATIONS.exists():
        return {}
    return json.loads(paths.DURATIONS.read_text())


def note(seconds):
    """Remember how long tests took this time.

    :param seconds: dict of seconds by id of a test
    """
    known = {**load(), **{test: round(taken, 1)
                          for test, taken in seconds.items()}}
    new = paths.DURATIONS.with_suffix('.new')
    new.write_text(json.dumps(known, indent=1, sort_keys=True))
    new.replace(paths.DURATIONS)


def forget_those_of_stestr():
    """Remove what stestr has noted in the workspace itself."""
    for file in (paths.TEMPEST_WORKSPACE / '.stestr').glob('times.dbm*'):
        file.unlink()
