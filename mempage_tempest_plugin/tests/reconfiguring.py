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

"""The base of tests that run nova-compute with other options."""

from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import reconfiguration
from mempage_tempest_plugin.tests import base

CONF = config.CONF


@decorators.serial
class ReconfiguringTest(base.BaseMemoryTest):
    """Tests that reconfigure hosts, while no other tests run.

    Classes below this are serial without saying so.
    """

    promises = {
        'reconfigure_hosts': 'does not allow to restart nova-compute with '
                             'other options'}

    @classmethod
    def is_about(cls, host):
        """Tell whether the inventory says how to reconfigure a host."""
        return host.compute_service is not None

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._reconfiguration = reconfiguration.Reconfiguration(
            compute_services.ComputeServices(cls.os_admin),
            CONF.compute.build_timeout)
        cls.addClassResourceCleanup(cls._reconfiguration.restore)

    @classmethod
    def reconfigure(cls, changes):
        """Let some hosts run with other options, all others as they were.

        A call describes all hosts: what an earlier one has changed and this
        one does not name is put back. Hosts that run with the same options
        already are not restarted. The class puts back everything at its end.

        :param changes: dict by compute_host.ComputeHost of dicts by (group,
            option) of the value, of a list of values of an option that may
            appear several times, or of None to remove it
        :raises ServiceNotUp: if nova-compute does not start
        """
        cls._reconfiguration.apply(changes)

    @classmethod
    def try_all_refused(cls, refusals, hosts, until_down=False):
        """Try options with which nova-compute must not start.

        nova-compute takes its time, so that several hosts are tried at the
        same time. They are put back then.

        :param refusals: dict by name of a case of pairs: a dict as in
            :meth:`reconfigure`, and what nova-compute has to write to its
            log
        :param hosts: list of compute_host.ComputeHost
        :param until_down: whether to wait, in the first case, until nova
            knows that nova-compute is down: that takes a minute, in which
            other hosts try the other cases
        :returns: dict by case of what disagrees: a HostError, or None if it
            refused to start and said that
        """
        cases = list(refusals)
        if not until_down:
            return cls._try_refused(refusals, cases, hosts)
        first, others = hosts[0], hosts[1:]
        outcome = cls._try_refused(refusals, cases[:1], [first], stay=True)
        if others:
            outcome.update(cls._try_refused(refusals, cases[1:], others))
        outcome[cases[0]] = (outcome[cases[0]]
                             or cls._reconfiguration.wait_until_down(first))
        cls._reconfiguration.restore([first])
        if not others:
            outcome.update(cls._try_refused(refusals, cases[1:], [first]))
        return outcome

    @classmethod
    def _try_refused(cls, refusals, cases, hosts, stay=False):
        outcome = {}
        for start in range(0, len(cases), len(hosts)):
            now = dict(zip(cases[start:], hosts))
            errors = cls._reconfiguration.apply_refused({
                host: refusals[case] for case, host in now.items()})
            outcome.update({case: errors[host]
                            for case, host in now.items()})
        if not stay:
            cls._reconfiguration.restore(hosts)
        return outcome

    @classmethod
    def log_of(cls, host):
        """Get the log of nova-compute since it was reconfigured.

        :param host: the compute_host.ComputeHost
        :returns: text
        """
        return cls._reconfiguration.log_of(host)
