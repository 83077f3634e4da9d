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

"""Hosts that turn out not to be what tests need, though declared so far."""

from oslo_log import log as logging
from tempest import config

from mempage_tempest_plugin.hosts import several

CONF = config.CONF
LOG = logging.getLogger(__name__)


def leave_out(cls, reason):
    """Leave out hosts of a class for what only the hosts themselves tell.

    :param cls: a base.BaseMemoryTest, whose hosts are known
    :param reason: function of a compute_host.ComputeHost that returns why it
        is left out; None if it is not
    :raises SkipException: if no host is left, with all reasons
    """
    reasons = several.ask(cls.hosts, reason, CONF.mempage.parallel_hosts)
    cls.hosts = [host for host, found in reasons if found is None]
    texts = ['host %s: %s' % (host.name, found) for host, found in reasons
             if found is not None]
    if not cls.hosts:
        raise cls.skipException('; '.join(texts))
    for text in texts:
        LOG.warning('%s leaves out %s', cls.__name__, text)
