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

"""Files for output that would take the place of something."""

import os

from mempage_tempest_plugin import exceptions


def refuse_sources(path, sources):
    """Refuse a file for output that the command reads as well.

    :param path: of the file for output; None if there is none
    :param sources: paths of what it reads; those that are empty are left out
    :raises RunError: if it is one of these
    """
    if path and os.path.isfile(path) and any(
            os.path.samefile(path, source) for source in sources
            if source and os.path.exists(source)):
        raise exceptions.RunError(
            '%s: is what this command reads; name another file for what it '
            'writes' % path)
