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


"""Evacuations: a host that Nova takes for down, and that comes back."""

import functools

from tempest import config

from mempage_tempest_plugin.changes import forced_down
from mempage_tempest_plugin.changes import nova_compute

CONF = config.CONF

# Seconds until Nova tells where a server is that it says is ACTIVE.
HOST_TIMEOUT = 30


def forced_down_source(test):
    """Make the fixture that has Nova take a test's first host for down.

    Nova does not take it for up again if servers were evacuated, until
    nova-compute is restarted there: then the fixture does that.

    :param test: a base.BaseMoveTest, alone on that host, which may restart
        nova-compute there
    :returns: a forced_down.ForcedDown
    """
    return forced_down.ForcedDown(
        test.os_admin, test.services, test.source.name,
        test.source.declared.limit(CONF.compute.build_timeout),
        functools.partial(_restart, test))


def _restart(test):
    nova_compute.restart(test.source, test.services,
                         CONF.compute.build_timeout)


def evacuate(test, destination):
    """Evacuate all of a test's servers from its first host to another one.

    nova-compute is restarted there: it removes them, and Nova does not take
    it for up before.

    :param test: a base.BaseMoveTest, alone on that host, which may restart
        nova-compute there
    :param destination: the compute_host.ComputeHost
    """
    with forced_down_source(test):
        try:
            for server in test.servers:
                test.nova.act(server.uuid, 'evacuate_server', 'ACTIVE',
                              **test.nova.to(destination.name))
                server.host = destination.name
                # Nova says ACTIVE, and then where.
                test.assert_soon_agrees(destination, test.compare_evidence,
                                        HOST_TIMEOUT)
        finally:
            _restart(test)
