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

"""What tests do that give nova-compute other options."""

import collections

from tempest import config

from mempage_tempest_plugin.changes import reconfiguration

CONF = config.CONF


def begin(cls):
    """Let a class reconfigure its hosts; they are put back after it.

    The class needs ``promises = ('reconfigure_hosts',)``, hosts that are
    ``which.reconfigurable``, and to be alone on them.

    :param cls: a base.BaseMemoryTest, whose clients are set up
    :returns: a reconfiguration.Reconfiguration
    """
    begun = reconfiguration.Reconfiguration(cls.services,
                                            CONF.compute.build_timeout)
    cls.addClassResourceCleanup(begun.restore)
    return begun


def try_all_refused(begun, refusals, hosts, until_down=False):
    """Try options with which nova-compute must not start.

    nova-compute takes its time, so that several hosts are tried at the same
    time. Each hears all words, each case is tried by one host at least. They
    are put back then.

    :param begun: the reconfiguration.Reconfiguration
    :param refusals: dict by name of a case of pairs: options, as of ini.edit,
        and what nova-compute has to write to its log
    :param hosts: list of compute_host.ComputeHost
    :param until_down: whether to wait, in the first case, until nova knows
        that nova-compute is down: that takes a minute
    :returns: dict by case of what disagrees: a HostError, or None if each
        host that tried it refused to start and said that
    """
    outcome = dict.fromkeys(refusals)
    # The first case is the last one that its host tries.
    for batch in reversed(_batches(refusals, hosts)):
        errors = begun.apply_refused({
            host: refusals[case] for host, case in batch.items()})
        for host, case in batch.items():
            outcome[case] = outcome[case] or errors[host]
    if until_down:
        first, others = hosts[0], hosts[1:]
        if others:
            begun.restore(others)
        case = next(iter(refusals))
        outcome[case] = outcome[case] or begun.wait_until_down(first)
        hosts = [first]
    begun.restore(hosts)
    return outcome


def _batches(refusals, hosts):
    """Choose which cases are tried at the same time.

    Where a service manager tries again and again, nova-compute may say the
    words of the case before once more: those of the next one are others, if
    there are any.

    :param refusals: as of :func:`try_all_refused`
    :param hosts: list of hosts
    :returns: list of dicts of cases by host
    """
    alike = collections.defaultdict(list)
    for case, (_, words) in refusals.items():
        alike[words].append(case)
    batches = []
    for start in range(0, max(map(len, alike.values())), len(hosts)):
        batches += [{host: cases[(start + number) % len(cases)]
                     for number, host in enumerate(hosts)}
                    for cases in alike.values() if start < len(cases)]
    return batches
