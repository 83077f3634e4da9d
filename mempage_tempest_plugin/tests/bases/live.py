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

"""Live migrations of guests that may have to stand still meanwhile."""

from tempest import config
from testtools import content

from mempage_tempest_plugin.guests import reachability

CONF = config.CONF


def migrate(test, address, departed, host):
    """Take the running server of a test to another host.

    Guests are paused meanwhile by [mempage] live_migrate_running_guests. How
    long the guest stood still is attached to the test.

    :param test: a base.BaseMoveTest
    :param address: at which its guest answers pings
    :param departed: the compute_host.ComputeHost where it is
    :param host: the compute_host.ComputeHost where it has to go
    """
    runs = CONF.mempage.live_migrate_running_guests
    pings = reachability.Pings(address)
    with pings:
        if not runs:
            test.act('PAUSED', 'pause_server')
        test.act('ACTIVE' if runs else 'PAUSED', 'live_migrate_server',
                 **test.nova.to_live(host.name))
        if not runs:
            test.act('ACTIVE', 'unpause_server')
    took = host.libvirt.last_migration(test.server.uuid)
    test.addDetailUniqueName('live-migration', content.text_content(
        '%s to %s, %s: stopped for %s ms, says libvirt; silent for %s s, say '
        'pings\n' % (
            departed.name, host.name,
            'running' if runs else 'paused by [mempage] '
            'live_migrate_running_guests', took.downtime,
            'an unknown number of' if pings.silence is None
            else '%.1f' % pings.silence)))
