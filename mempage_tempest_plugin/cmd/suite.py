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

"""The tests of the plugin, and no others."""

import logging
import pathlib
import unittest

import testtools

from mempage_tempest_plugin import exceptions

_PACKAGE = pathlib.Path(__file__).parent.parent
#: Directory of the tests, and that of the package that they are in. What
#: Tempest finds besides would take each run several times as long to find.
PLACE = (_PACKAGE / 'tests', _PACKAGE.parent)


def load():
    """Load all tests of the plugin.

    :returns: list of them
    :raises RunError: if a module of them cannot be loaded
    """
    loader = unittest.TestLoader()
    directory, top = PLACE
    # Tempest tells stdout which configuration it reads.
    logging.disable(logging.INFO)
    try:
        tests = loader.discover(str(directory), top_level_dir=str(top))
    finally:
        logging.disable(logging.NOTSET)
    if loader.errors:
        raise exceptions.RunError(loader.errors[0])
    return list(testtools.iterate_tests(tests))
