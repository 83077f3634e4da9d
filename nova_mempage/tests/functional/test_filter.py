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

"""AggregateMemoryBackingFilter in the real scheduler."""

import ddt

from tests.functional import base


@ddt.ddt
class AggregateMemoryBackingFilterTest(base.TestCase):
    """Stock compute hosts: the filter needs no driver."""

    compute_driver = 'libvirt.LibvirtDriver'
    ADDITIONAL_FILTERS = [
        'NUMATopologyFilter', 'AggregateMemoryBackingFilter']

    def start_aggregate(self, metadata):
        """Put 'first' into an aggregate; 'second' is in none."""
        self.start_host('first')
        self.start_host('second')
        aggregate = self.api.post_aggregate({'aggregate': {'name': 'agg'}})
        self.api.add_host_to_aggregate(aggregate['id'], 'first')
        if metadata is not None:
            self.api.post_aggregate_action(aggregate['id'], {
                'set_metadata': {'metadata': {'MemoryBacking': metadata}}})

    @ddt.unpack
    @ddt.named_data(
        ('no_metadata_passes_all', None, None, 'first'),
        ('small_passes_plain', 'small', None, 'first'),
        ('small_refuses_large', 'small', 'large', 'second'),
        ('large_passes_2048', 'large', '2048', 'first'),
        ('large_passes_large', 'large', 'large', 'first'),
        ('large_refuses_plain', 'large', None, 'second'),
        ('large_refuses_any', 'large', 'any', 'second'),
        ('2048_refuses_large', '2048', 'large', 'second'),
        ('list_passes_large', '2048,1048576', 'large', 'first'),
        ('any_passes_plain', 'any', None, 'first'),
        ('unknown_refuses_all', 'huge', None, 'second'))
    def test_scheduled(self, metadata, page_size, host):
        self.start_aggregate(metadata)
        self.assertEqual(host, self.host_of(self.boot(page_size)))

    def test_image_property_counts(self):
        """Image and flavor together make the request."""
        self.start_aggregate('small')
        image = self._create_image({'hw_mem_page_size': '2048'})
        server = self._create_server(
            image_uuid=image['id'], flavor_id=self.flavor('any'),
            networks='none')
        self.assertEqual('second', self.host_of(server))

    def test_several_servers_at_once(self):
        self.start_aggregate('2048')
        body = self._build_server(
            flavor_id=self.flavor('large'), networks='none')
        body['min_count'] = body['max_count'] = 2
        self.api.post_server({'server': body})
        for server in self.api.get_servers():
            server = self._wait_for_state_change(server, 'ACTIVE')
            self.assertEqual('second', self.host_of(server))

    def test_rebuild_in_place_is_not_filtered(self):
        self.start_host('first')
        server = self.boot()
        aggregate = self.api.post_aggregate({'aggregate': {'name': 'agg'}})
        self.api.add_host_to_aggregate(aggregate['id'], 'first')
        self.api.post_aggregate_action(aggregate['id'], {
            'set_metadata': {'metadata': {'MemoryBacking': 'large'}}})
        self._rebuild_server(server, self.glance.image2['id'])
