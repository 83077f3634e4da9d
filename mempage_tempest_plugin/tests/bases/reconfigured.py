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
    time. They are put back then.

    :param begun: the reconfiguration.Reconfiguration
    :param refusals: dict by name of a case of pairs: options, as of ini.edit,
        and what nova-compute has to write to its log
    :param hosts: list of compute_host.ComputeHost
    :param until_down: whether to wait, in the first case, until nova knows
        that nova-compute is down: that takes a minute, in which other hosts
        try the other cases
    :returns: dict by case of what disagrees: a HostError, or None if it
        refused to start and said that
    """
    cases = list(refusals)
    if not until_down:
        return _try(begun, refusals, cases, hosts)
    first, others = hosts[0], hosts[1:]
    outcome = _try(begun, refusals, cases[:1], [first], stay=True)
    if others:
        outcome.update(_try(begun, refusals, cases[1:], others))
    outcome[cases[0]] = outcome[cases[0]] or begun.wait_until_down(first)
    begun.restore([first])
    if not others:
        outcome.update(_try(begun, refusals, cases[1:], [first]))
    return outcome


def _try(begun, refusals, cases, hosts, stay=False):
    outcome = {}
    left = list(cases)
    said = {}
    while left:
        now = {}
        for host in hosts[:len(left)]:
            now[host] = _next(left, refusals, said.get(host))
            said[host] = refusals[now[host]][1]
        errors = begun.apply_refused({
            host: refusals[case] for host, case in now.items()})
        outcome.update({case: errors[host] for host, case in now.items()})
    if not stay:
        begun.restore(hosts)
    return outcome


def _next(left, refusals, said):
    """Take a case with other words than a host has just heard, if it can.

    Where a service manager tries again and again, nova-compute may say those
    of the case before once more.

    :param left: list of cases, which loses it
    :param refusals: as of :func:`try_all_refused`
    :param said: the words of the case before on that host
    """
    case = next((each for each in left if refusals[each][1] != said), left[0])
    left.remove(case)
    return case
