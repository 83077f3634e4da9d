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

Classes of this project's tests lease hosts. Which of them want the same host
at the same time is by chance.
"""

import unittest

from mempage_lab.discovery import shares


class Suite(unittest.TestSuite):
    """A flat suite of tests; those of a class stay together."""

    def __init__(self, tests=()):
        super().__init__(tests)
        self._shares = None

    def filter_by_ids(self, ids):
        """Keep the tests that a worker was given, and those of the others.

        testtools calls this in the place of its own function.

        :param ids: set of the ids of the tests
        :returns: the suite
        """
        self._shares = shares.of_this_run()
        if self._shares:
            self._shares.tell(ids)
        else:
            self._tests = [test for test in self if test.id() in ids]
        return self

    def run(self, result, debug=False):
        """Run all tests, class by class.

        :param result: a unittest.TestResult
        :param debug: as of unittest.TestSuite.run
        :returns: the result
        """
        classes = by_class(self)
        while not result.shouldStop:
            wanted = self._wanted(classes)
            if not wanted:
                break
            name = _first_free(wanted)
            del classes[name]
            if not self._shares or self._shares.take(name):
                _run_class(wanted[name], result, debug)
        return result

    def _wanted(self, classes):
        """Keep to the tests that this run is about.

        :param classes: what :func:`by_class` has returned
        :returns: such a dict
        """
        if not self._shares:
            return dict(classes)
        ids = self._shares.tests()
        wanted = {name: [test for test in tests if test.id() in ids]
                  for name, tests in classes.items()
                  if not self._shares.is_taken(name)}
        return {name: tests for name, tests in wanted.items() if tests}


def by_class(suite):
    """Group tests by their classes.

    :param suite: iterable of tests
    :returns: dict of lists by the full name of the class
    """
    classes = {}
    for test in suite:
        name = '%s.%s' % (type(test).__module__, type(test).__qualname__)
        classes.setdefault(name, []).append(test)
    return classes


def _first_free(classes):
    """Choose the first class that need not wait, or else the first one.

    :returns: its name
    """
    return next((name for name, tests in classes.items()
                 if not _would_wait(type(tests[0]))), next(iter(classes)))


def _would_wait(cls):
    # Not all tests are this project's.
    return hasattr(cls, 'would_wait') and cls.would_wait()


def _run_class(tests, result, debug):
    """Run the tests of a class, and clean it up.

    A suite that is run within another one leaves the last class to that: it
    would keep its leases while the next one is chosen.
    """
    entered = getattr(result, '_testRunEntered', False)
    result._testRunEntered = False
    result._previousTestClass = None
    try:
        unittest.TestSuite(tests).run(result, debug)
    finally:
        result._testRunEntered = entered
        result._previousTestClass = None
