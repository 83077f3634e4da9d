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

import collections
import os
import random
import unittest
import zlib

from tempest.test_discover import test_discover
import testtools

from mempage_lab import durations

#: Environment variable; the same seed gives the same random order.
SEED = 'MEMPAGE_LAB_SEED'


def load_tests(loader, tests, pattern):
    """Find all tests of Tempest and of its plugins.

    All workers wait while a serial test runs, so that only the durations of
    the others tell how much a worker has to do. Of the serial classes, all
    workers have to have equally many: who has none left goes on with others,
    and who has some waits for that.

    :param loader: a unittest.TestLoader
    :param tests: what this module has; ignored
    :param pattern: of the names of files
    :returns: a flat unittest.TestSuite
    """
    found = test_discover.load_tests(loader, tests, pattern)
    durations.forget(test.id() for test in testtools.iterate_tests(found)
                     if _is_serial(test))
    seed = os.environ.get(SEED)
    return serial_first(found) if seed is None else shuffle(found, seed)


def serial_first(suite):
    """Let serial classes run before all others.

    At the start of one, all workers but one would otherwise wait for the end
    of what another one is doing. The others are mixed: modules differ in how
    much work they are, and all workers would have the same ones at the same
    time.

    :param suite: a unittest.TestSuite
    :returns: a flat unittest.TestSuite, always in the same order
    """
    return _flat(sorted(_classes(suite), key=_rank))


def _rank(group):
    return not _is_serial(group[0]) and 1 + zlib.crc32(
        type(group[0]).__qualname__.encode())


def _is_serial(test):
    # Not all tests are Tempest's.
    return (hasattr(test, 'is_serial_execution_requested')
            and test.is_serial_execution_requested())


def shuffle(suite, seed):
    """Shuffle classes, and tests within classes.

    The tests of a class stay together: what they share is set up once.

    :param suite: a unittest.TestSuite
    :param seed: text
    :returns: a flat unittest.TestSuite
    """
    generator = random.Random(seed)
    groups = _classes(suite)
    generator.shuffle(groups)
    for group in groups:
        generator.shuffle(group)
    return _flat(groups)


def _classes(suite):
    classes = collections.defaultdict(list)
    for test in testtools.iterate_tests(suite):
        classes[type(test).__module__, type(test).__qualname__].append(test)
    return list(classes.values())


def _flat(groups):
    return unittest.TestSuite(test for group in groups for test in group)
