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

"""Pages that nova-compute takes for a guest's that is gone."""

import functools

from oslo_log import log as logging
from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin.declared import page_sizes

LOG = logging.getLogger(__name__)

# Seconds between two looks.
_INTERVAL = 2


def wait_for_pages(test, timeout):
    """Wait until hosts give others the pages of guests that were moved there.

    Placement forgets a guest at once when it is deleted. nova-compute counts
    one that came by a move until it looks again at what it has, and until
    then the scheduler has no host for its pages. Nothing fails if it never
    does: whether guests get pages is the test's to say.

    :param test: a base.BaseMemoryTest
    :param timeout: seconds for each host, if it is not declared to be slow
    """
    for host in test.hosts:
        if page_sizes.large(host.declared) and not test_utils.call_until_true(
                functools.partial(_has_forgotten, test, host),
                host.declared.limit(timeout), _INTERVAL):
            LOG.warning('nova-compute on %s still takes more memory for used '
                        'than placement has handed out', host.name)


def _has_forgotten(test, host):
    due, used = memory(test, host)
    return used <= due


def memory(test, host):
    """Look up how much memory of a host placement and nova-compute count.

    :param test: a base.BaseMemoryTest
    :param host: the compute_host.ComputeHost
    :returns: MiB that are reserved, or that placement has handed out, and
        MiB that nova-compute takes for used
    """
    due = (test.cloud.provider(host.name).memory_reserved
           + test.cloud.used_memory(host.name))
    return due, test.services.used_memory(host.name)
