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

"""Reboots hosts that are machines, in order or by cutting their power."""

import datetime
import functools

from mempage_lab import errors
from mempage_lab import health
from mempage_lab import lab
from mempage_lab import wait

#: Seconds until nova-compute must have reported again. It has to be imported
#: anew, which an emulated CPU takes half a minute for.
REPORT_LIMIT = 300


def run(current, name, hard, shown):
    """Reboot a host, and wait until it takes servers again.

    :param current: the :class:`mempage_lab.lab.Lab`
    :param name: the host's name
    :param hard: whether its power is cut, not asked
    :param shown: a :class:`mempage_lab.progress.Progress`
    :raises LabError: if it cannot be rebooted, or does not come up again
    """
    hosts = {host.node.name: host for host in current.computes
             if host.host.machine}
    if name not in hosts:
        raise errors.LabError('%s is no machine, and only those reboot: %s' % (
            name, ', '.join(hosts) or 'there is none in this lab'))
    with lab.exclusive_host(name):
        _reboot(current, hosts[name], hard, shown)


def _reboot(current, host, hard, shown):
    name = host.node.name
    current.choose_accelerator()
    with shown.step('%s/%s' % (name, 'power cut' if hard else 'reboot')):
        host.reboot(hard)
    # Before, what goes down may have reported once more.
    booted = datetime.datetime.now(datetime.timezone.utc)
    with shown.step(name + '/nova-compute'):
        _wait_for_report(current, host, booted)


def _wait_for_report(current, host, since):
    if not wait.until(functools.partial(
            health.works_since, current, host.node.name, 'nova-compute',
            since), REPORT_LIMIT, 1):
        raise errors.LabError(host.node.explain('nova-compute'))
