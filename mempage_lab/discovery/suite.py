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

"""A suite that goes on with another class while the next one had to wait.

Classes of this project's tests lease hosts. Which worker gets which classes
is by chance, and so is which of them want the same host at the same time.
"""

import collections
import unittest


class Suite(unittest.TestSuite):
    """A flat suite of tests; those of a class stay together."""

    def run(self, result, debug=False):
        """Run all tests, class by class.

        :param result: a unittest.TestResult
        :param debug: as of unittest.TestSuite.run
        :returns: the result
        """
        groups = by_class(self)
        while groups and not result.shouldStop:
            _run_group(groups.pop(_first_free(groups)), result, debug)
        return result


def by_class(suite):
    """Group tests by their classes.

    :param suite: iterable of tests
    :returns: list of lists
    """
    groups = collections.defaultdict(list)
    for test in suite:
        groups[type(test).__module__, type(test).__qualname__].append(test)
    return list(groups.values())


def _first_free(groups):
    """Choose the first group that need not wait, or else the first one.

    :returns: its index
    """
    return next((index for index, group in enumerate(groups)
                 if not _would_wait(type(group[0]))), 0)


def _would_wait(cls):
    # Not all tests are this project's.
    return hasattr(cls, 'would_wait') and cls.would_wait()


def _run_group(group, result, debug):
    """Run the tests of a class, and clean it up.

    A suite that is run within another one leaves the last class to that: it
    would keep its leases while the next one is chosen.
    """
    entered = getattr(result, '_testRunEntered', False)
    result._testRunEntered = False
    result._previousTestClass = None
    try:
        unittest.TestSuite(group).run(result, debug)
    finally:
        result._testRunEntered = entered
        result._previousTestClass = None
