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
from mempage_tempest_plugin.tests.bases import leased

CONF = config.CONF
LOG = logging.getLogger(__name__)


def leave_out(cls, reason):
    """Leave out hosts of a class for what only the hosts themselves tell.

    :param cls: a base.BaseMemoryTest, whose hosts are known
    :param reason: function of a compute_host.ComputeHost that returns why it
        is left out; None if it is not
    :raises SkipException: if no host is left, or one that is needed, with
        all reasons
    """
    reasons = several.ask(cls.hosts, reason, CONF.mempage.parallel_hosts)
    cls.hosts = [host for host, found in reasons if found is None]
    texts = ['host %s: %s' % (host.name, found) for host, found in reasons
             if found is not None]
    if texts and (cls.needs_all_hosts or not cls.hosts):
        raise cls.skipException('; '.join(texts))
    for text in texts:
        LOG.warning('%s leaves out %s', cls.__name__, text)


def leave_out_occupied(cls):
    """Leave out hosts on which guests run that would come to harm.

    The class has leased those that it harms: no other test has a guest there.

    :param cls: a base.BaseMemoryTest, whose hosts are known
    :raises SkipException: as of :func:`leave_out`
    """
    alone = leased.alone_on(cls)

    def reason(host):
        guests = host.libvirt.running() if host.declared in alone else ()
        if not guests:
            return None
        return ('guests run there that are no test\'s and would come to harm: '
                '%d' % len(guests))

    leave_out(cls, reason)
