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

"""Finds the tests that Tempest finds, and tells in which order they run.

``--random`` of stestr does not change the order: its workers take the order of
the discovery, which is this.
"""

import os
import random
import zlib

from tempest.test_discover import test_discover
import testtools

from mempage_lab.discovery import suite

#: Environment variable; the same seed gives the same random order.
SEED = 'MEMPAGE_LAB_SEED'


def load_tests(loader, tests, pattern):
    """Find all tests of Tempest and of its plugins.

    :param loader: a unittest.TestLoader
    :param tests: what this module has; ignored
    :param pattern: of the names of files
    :returns: a suite.Suite
    """
    found = test_discover.load_tests(loader, tests, pattern)
    seed = os.environ.get(SEED)
    return mixed(found) if seed is None else shuffle(found, seed)


def mixed(found):
    """Mix classes, always in the same way.

    Modules differ in which hosts they need and how much work they are: all
    workers would otherwise want the same at the same time. Classes that are
    alone on hosts come first: in the end they would wait for each other. Then
    those come that boot an operating system: they take longest.

    :param found: a unittest.TestSuite
    :returns: a suite.Suite
    """
    return _flat(sorted(_classes(found), key=_rank))


def _rank(group):
    cls = type(group[0])
    return (getattr(cls, 'alone_on', None) is None,
            not getattr(cls, 'needs_system', False),
            zlib.crc32(cls.__qualname__.encode()))


def shuffle(found, seed):
    """Shuffle classes, and tests within classes.

    The tests of a class stay together: what they share is set up once.

    :param found: a unittest.TestSuite
    :param seed: text
    :returns: a suite.Suite
    """
    generator = random.Random(seed)
    groups = _classes(found)
    generator.shuffle(groups)
    for group in groups:
        generator.shuffle(group)
    return _flat(groups)


def _classes(found):
    return list(suite.by_class(testtools.iterate_tests(found)).values())


def _flat(groups):
    return suite.Suite(test for group in groups for test in group)
