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


import ddt
from oslotest import base

from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.declared import page_sizes
from tests.plugin import samples

FILE, PLAIN = samples.FILE_BACKED, samples.PLAIN


@ddt.ddt
class BeforeLiveTest(base.BaseTestCase):

    @ddt.data(
        (FILE, PLAIN, None, True, 'a host with file-backed memory'),
        (PLAIN, FILE, None, True, 'a host without file-backed memory'),
        (samples.LARGE_PAGE, FILE, page_sizes.LARGE, True, 'ask for none'),
        (samples.LARGE_PAGE, FILE, page_sizes.LARGE, False, 'cannot fit'))
    @ddt.unpack
    def test_words(self, start, host, request, driver, words):
        [text] = move_refusals.before_live(start, host, request, driver)
        self.assertIn(words, text)
