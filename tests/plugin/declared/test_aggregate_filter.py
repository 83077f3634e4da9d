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

from mempage_tempest_plugin.declared import aggregate_filter
from mempage_tempest_plugin.declared import inventory
from tests.plugin import samples

SMALL = (None, 'small', 4)
LARGE = ('large', 2048)
REQUESTS = (*SMALL, *LARGE, 'any', 1048576)
HOST = inventory.Host(
    name='huge2', address='198.51.100.12', ssh=samples.PLAIN.ssh,
    libvirt_uri='x', pools=(inventory.DeclaredPool(2048, 256),))
TWO_SIZES = inventory.Host(
    name='huge3', address='198.51.100.13', ssh=samples.PLAIN.ssh,
    libvirt_uri='x', pools=(inventory.DeclaredPool(2048, 256),
                            inventory.DeclaredPool(1048576, 2)))


@ddt.ddt
class PassesTest(base.BaseTestCase):

    @ddt.data(
        (('any',), REQUESTS),
        (('small',), SMALL),
        (('large',), (*LARGE, 1048576)),
        ((4,), SMALL),
        ((2048,), LARGE),
        ((4, 2048), (*SMALL, *LARGE, 'any')),
        (('small', 'large'), REQUESTS),
        ((), ()))
    @ddt.unpack
    def test_host_with_small_and_large_pages(self, allowed, passing):
        self.assertEqual(
            list(passing), [request for request in REQUESTS
                            if aggregate_filter.passes(HOST, request,
                                                       allowed)])

    @ddt.data(((2048,), False), ((2048, 1048576), True), (('large',), True))
    @ddt.unpack
    def test_large_may_be_any_of_several(self, allowed, passes):
        self.assertEqual(passes, aggregate_filter.passes(
            TWO_SIZES, 'large', allowed))

    def test_any_on_a_host_that_has_allowed_pages_only(self):
        self.assertTrue(aggregate_filter.passes(
            samples.LARGE_PAGE, 'any', ('large',)))
