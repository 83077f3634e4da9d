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

"""What Nova makes of the page sizes in a flavor and in an image."""

import itertools

import ddt
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.declared import page_size_requests
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import page_size_outcomes

RAM_MIB = 64
VALID = [text for text, spelling in page_size_requests.SPELLINGS.items()
         if spelling.valid]
NOT_VALID = [text for text, spelling in page_size_requests.SPELLINGS.items()
             if not spelling.valid]


class _BaseApiTest(base.BaseMemoryTest):
    """The API of a cloud, with servers that no host has room for.

    What it understood is seen in the topology of the server, which shows the
    request as long as no host has served it.
    """

    scope = base.PER_CLOUD
    needs_hosts = False
    needs_system = False
    # That the values of extra specs are validated.
    min_microversion = '2.86'

    # The largest that Nova takes.
    DISK_GIB = 2 ** 31 - 1

    @classmethod
    def create_huge_flavor(cls, value):
        return cls.create_flavor({}, RAM_MIB, cls.DISK_GIB, request=value)

    def check_request(self, expected, flavor, image=None):
        """Assert that a request is understood, or refused, as expected.

        :param expected: as page_size_requests.Spelling.request
        :param flavor: its page size, and the flavor
        :param image: its page size, and the id of the image; the empty one if
            there is none
        """
        value, flavor = flavor
        image_value, image = image or (None, None)
        comparison = facts.Comparison('page size %s in the flavor, %s in the '
                                      'image' % (_text(value),
                                                 _text(image_value)))
        _compare_request(comparison, expected,
                         self._seen(flavor, image))
        self.assert_agrees(comparison)

    def _seen(self, flavor, image):
        """Request a server, and tell what Nova made of it.

        :returns: the page size, or the words with which it was refused
        """
        try:
            return self.cloud.page_size(self._request(flavor, image).uuid)
        except lib_exc.BadRequest as error:
            return str(error)

    def _request(self, flavor, image):
        server = self.request_server(flavor=flavor, image=image)
        # It is on no host, and gone at once.
        self.addCleanup(test_utils.call_and_ignore_notfound_exc,
                        self.nova.client.delete_server, server.uuid)
        return server


def _text(value):
    return 'not set' if value is None else repr(value)


def _compare_request(comparison, expected, seen):
    if isinstance(expected, page_size_requests.BadRequest):
        comparison.holds('nova', 'refused', expected.words, seen,
                         expected.words in str(seen))
    else:
        comparison.equal(
            'nova', 'understood as KiB, or as the number of a word',
            page_size_requests.NUMBERS.get(expected, expected), seen)


class _BaseSpellingTest(_BaseApiTest):

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.flavor = cls.create_huge_flavor(None)

    def set_value(self, value):
        self.os_admin.flavors_client.set_flavor_extra_spec(
            self.flavor['id'], **{page_sizes.EXTRA_SPEC: value})


@ddt.ddt
class TestPageSizeSpelling(_BaseSpellingTest):
    """Values in a flavor, validated as they are set."""

    @decorators.idempotent_id('354f844a-1979-4d91-8871-46fb21986ac5')
    @ddt.data(*VALID)
    def test_valid(self, value):
        """A value that may be set is understood, or refused at boot"""
        self.set_value(value)
        self.check_request(page_size_requests.SPELLINGS[value].request,
                           (value, self.flavor))

    @decorators.idempotent_id('a3e91516-bf4b-4c05-8504-2bc6d2ad2b1c')
    @ddt.data(*NOT_VALID)
    def test_not_valid(self, value):
        """A value that makes no sense cannot be set"""
        comparison = facts.Comparison('page size %r in a flavor' % value)
        try:
            self.set_value(value)
            seen = 'set'
        except lib_exc.BadRequest as error:
            seen = str(error)
        _compare_request(comparison, page_size_requests.BadRequest(
            page_size_requests.NOT_VALIDATED % value), seen)
        self.assert_agrees(comparison)


@ddt.ddt
class TestPageSizeUnvalidated(_BaseSpellingTest):
    """Values in a flavor, set with an API that does not validate them."""

    min_microversion = '2.78'
    max_microversion = '2.85'

    @decorators.idempotent_id('2c20d787-6044-4f9b-ac9f-c31dcb5a6985')
    @ddt.data(*NOT_VALID)
    def test_not_valid(self, value):
        """A value that makes no sense is refused at boot, or understood"""
        self.set_value(value)
        self.check_request(page_size_requests.SPELLINGS[value].request,
                           (value, self.flavor))


@ddt.ddt
class TestPageSizeOfImage(_BaseApiTest):
    """Values in a flavor and in an image."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.flavors = {value: cls.create_huge_flavor(value)
                       for value in page_size_requests.FLAVORS}
        cls.images = {value: cls.create_image(hw_mem_page_size=value)
                      for value in page_size_requests.IMAGES if value}

    @decorators.idempotent_id('fd6716e1-065b-4cfa-a882-14fb51208c07')
    @ddt.data(*itertools.product(page_size_requests.FLAVORS,
                                 page_size_requests.IMAGES))
    @ddt.unpack
    def test_combination(self, flavor, image):
        """An image may say more exactly what a flavor leaves open"""
        self.check_request(page_size_requests.effective(flavor, image),
                           (flavor, self.flavors[flavor]),
                           (image, self.images.get(image)))


@ddt.ddt
class TestPageSizeGranted(page_size_outcomes.BaseAnywhereTest):
    """All hosts together, with requests that can be misunderstood."""

    cases = (('0', None), ('2MB', None), ('16Mb', None), ('large', 'small'),
             ('any', '2048'))

    @decorators.idempotent_id('c887cba4-cba8-4b6d-9c28-4c3ca2b953fb')
    @ddt.data(*cases)
    @ddt.unpack
    def test_size(self, flavor, image):
        """The server has the page size that flavor and image ask for"""
        self.check_case(flavor, image)
