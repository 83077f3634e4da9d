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

"""What the workers of a run share out among themselves.

stestr gives each of them a part of the tests beforehand, when nobody knows how
long they take, and which of them wait for each other. So a worker tells the
others its part, and takes one class after the other from all parts.
"""

import os
import pathlib

#: Environment variable: an empty directory, one for each run.
DIRECTORY = 'MEMPAGE_LAB_SHARES'


class Shares:
    """The parts of all workers of a run.

    :param directory: a path that all of them know
    """

    def __init__(self, directory):
        self._directory = pathlib.Path(directory)

    def tell(self, ids):
        """Tell the others which tests this worker was given.

        :param ids: iterable of the tests' ids
        """
        unfinished = self._directory / ('%d.part' % os.getpid())
        unfinished.write_text('\n'.join(ids))
        unfinished.rename(unfinished.with_suffix('.tests'))

    def tests(self):
        """Collect which tests there are.

        :returns: set of the ids that workers have told by now
        """
        return {test for part in self._directory.glob('*.tests')
                for test in part.read_text().splitlines()}

    def is_taken(self, name):
        """Tell whether a worker has a class.

        :param name: its full name
        """
        return (self._directory / name).exists()

    def take(self, name):
        """Take a class, unless another worker has it.

        :param name: its full name
        :returns: whether it is this worker's now
        """
        try:
            (self._directory / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def of_this_run():
    """Find what the workers of this run share.

    :returns: a :class:`Shares`; None for a run that shares nothing
    """
    directory = os.environ.get(DIRECTORY)
    return Shares(directory) if directory else None
