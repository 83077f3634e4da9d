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

"""Files that tell which process is meant, though numbers are used again."""

import psutil


class PidFile:
    """Holds the number of a process, and when it began.

    :param path: of the file; a :class:`pathlib.Path`
    """

    def __init__(self, path):
        self._path = path

    def write(self, pid):
        """Note a process.

        :param pid: the machine's number for it
        :raises NoSuchProcess: if there is none, of psutil
        """
        self._path.write_text('%d %s' % (
            pid, psutil.Process(pid).create_time()))

    @property
    def pid(self):
        """The process's number; None if it is not running."""
        try:
            pid, born = self._path.read_text().split()
            process = psutil.Process(int(pid))
            # Whoever started it may not have noticed its end.
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return process.pid if str(process.create_time()) == born else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def remove(self):
        """Forget the process."""
        self._path.unlink(missing_ok=True)
