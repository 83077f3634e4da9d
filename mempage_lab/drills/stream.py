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

"""What failed, from a stream of results."""

import subunit
import testtools


def failures(path):
    """Read what failed.

    :param path: a file in the subunit format, version 2
    :returns: dict of the name of each test, class or module that failed to
        the text of its traceback
    """
    failed = {}

    def note(test):
        if test['status'] in ('fail', 'uxsuccess'):
            failed[test['id']] = ''.join(
                detail.as_text() for name, detail in test['details'].items()
                if 'traceback' in name or name == 'reason')

    with open(path, 'rb') as source:
        result = testtools.StreamToDict(note)
        result.startTestRun()
        subunit.ByteStreamToStreamResult(source).run(result)
        result.stopTestRun()
    return failed
