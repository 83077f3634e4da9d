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

"""What becomes of tests while they run."""

import contextlib
import threading

import subunit
import testtools

from mempage_tempest_plugin.cmd import lanes
from mempage_tempest_plugin.evidence import streams

# Seconds between two looks at a stream that grows.
_INTERVAL = 0.5


def minutes(seconds):
    """Write how long something takes.

    :param seconds: a number
    """
    if seconds < 90:
        return '%d s' % round(seconds)
    return '%d min' % round(seconds / 60)


class Progress:
    """How far the tests of a host are.

    :param host: its name
    :param seconds: dict of how long tests have taken before, by their names
    """

    def __init__(self, host, seconds):
        self._host = host
        self._known = dict(seconds)
        self._seen = []
        self._ended = self._failed = 0
        self._left = set()
        self._what = ''

    def begin(self, what, tests, later=()):
        """Begin tests.

        :param what: what they are of
        :param tests: their names
        :param later: names of those that follow, as far as it is known
        """
        self._what = what
        self._ended = 0
        self._number = len(tests)
        self._left = {*tests, *later}
        lanes.say('%s: %s: %d tests' % (self._host, what, self._number))

    @contextlib.contextmanager
    def following(self, path):
        """Tell about each test that ends, while the context lasts.

        :param path: pathlib.Path of the stream that their process writes
        """
        over = threading.Event()
        thread = threading.Thread(target=self._follow, args=(path, over))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _follow(self, path, over):
        result = testtools.StreamToDict(self._end)
        result.startTestRun()
        with _Growing(path, over) as source:
            subunit.ByteStreamToStreamResult(
                source, non_subunit_name='output').run(result)

    def _end(self, test):
        status = streams.STATUSES.get(test['status'])
        names = {name for name in self._left if test['id'] in (
            name, 'setUpClass (%s)' % streams.class_of(name))}
        if not names or status is None:
            return
        began, ended = test['timestamps']
        if began and ended and status != streams.SKIPPED:
            self._seen.append((ended - began).total_seconds())
        self._left -= names
        self._ended += len(names)
        self._failed += status == streams.FAILED
        lanes.say('%s: %s: %d of %d, %d failed so far, %s: %s' % (
            self._host, self._what, self._ended, self._number, self._failed,
            self._estimate(), _short(test['id'], status)))

    def _estimate(self):
        usual = sum(self._seen) / len(self._seen) if self._seen else None
        known = [self._known.get(name, usual) for name in self._left]
        if None in known:
            return 'nobody knows how long the rest takes'
        return 'about %s are left' % minutes(sum(known))


def _short(name, status):
    return '%s %s' % (name.partition('[')[0].removeprefix(
        'mempage_tempest_plugin.tests.'), status)


class _Growing:
    """A file that is read until nobody writes to it any more."""

    def __init__(self, path, over):
        self._file = open(path, 'rb')
        self._over = over

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def read(self, size):
        """Read bytes; fewer than asked for only at the end."""
        data = b''
        while len(data) < size:
            over = self._over.is_set()
            part = self._file.read(size - len(data))
            data += part
            if not part and over:
                break
            if not part:
                self._over.wait(_INTERVAL)
        return data
