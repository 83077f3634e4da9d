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


"""Restarts programs of the nodes, and waits until they work again."""

import datetime
import functools

from mempage_lab import controller
from mempage_lab import errors
from mempage_lab import health
from mempage_lab import lab
from mempage_lab import shares
from mempage_lab import tasks
from mempage_lab import wait

#: Seconds until the supervisor has either started a program or given up.
START_LIMIT = 30
#: Who tells nova-api every few seconds that it works, by the names there.
REPORTING = ('nova-compute', 'nova-conductor', 'nova-scheduler')


def find(current, target):
    """Return the programs that a target names.

    :param current: the :class:`mempage_lab.lab.Lab`
    :param target: a host, a service, or HOST/SERVICE
    :returns: dict of a name to show to (controller or compute host, names
        of programs in the order in which they start)
    :raises LabError: if there is none, naming those that there are
    """
    found = {}
    known = {}
    for part in current.parts:
        host = part.node.name
        programs = [program.name for program in part.programs()]
        known.update(dict.fromkeys([host, *programs]))
        if target == host:
            return {host: (part, programs)}
        for program in programs:
            name = '%s/%s' % (host, program)
            if target in (program, name):
                found[name] = part, [program]
    if not found:
        raise errors.LabError('no host or service %s; there are %s'
                              % (target, ', '.join(known)))
    return found


def run(current, targets, shown):
    """Restart what targets name, several nodes at a time.

    :param current: the :class:`mempage_lab.lab.Lab`
    :param targets: list of hosts, services, or HOST/SERVICE
    :param shown: a :class:`mempage_lab.progress.Progress`
    :raises LabError: with all that failed
    """
    tasks.run({name: (functools.partial(_restart, current, *what), ())
               for target in targets
               for name, what in find(current, target).items()}, shown)


def _restart(current, part, programs):
    """Restart programs of one node, and wait until they work."""
    node = part.node
    if not node.pid:
        raise errors.LabError('%s is not running: mempage-lab up'
                              % node.name)
    for program in reversed(programs):
        node.stop_program(program)
    stopped = datetime.datetime.now(datetime.timezone.utc)
    logged = {program: _log_size(node, program) for program in programs}
    ready = _ready(part)
    for program in programs:
        node.start_program(program)
        ready.get(program, lambda: None)()
    for program in programs:
        node.wait_for(program, functools.partial(_runs, node, program),
                      START_LIMIT)
    for program in programs:
        if _service(program) in REPORTING:
            _wait_for_report(current, node, program, stopped,
                             logged[program])
    if isinstance(part, shares.Shares):
        with health.cloud_errors():
            part.wait_until_usable(current.cloud)


def _service(program):
    """Return what nova calls a program, whatever its supervisor does."""
    return program.replace('_', '-')


def _ready(part):
    """Return what else to wait for, as functions by program."""
    if isinstance(part, controller.Controller):
        return {'mariadb': part.start_database,
                'rabbitmq': part.start_broker,
                **{api: functools.partial(part.start_api, api)
                   for api in controller.APIS}}
    if isinstance(part, shares.Shares):
        return {shares.API: part.start_api}
    return {part.libvirt.program: part.wait_for_libvirt}


def _runs(node, program):
    return node.state(program).runs


def _log_size(node, program):
    log = node.log(program)
    return log.stat().st_size if log.exists() else 0


def _wait_for_report(current, node, program, since, logged):
    """Wait until a service of nova has told that it works.

    Nova takes a service that was stopped for up for a while. One that ends
    again and again is running whenever it is looked at, though never for
    long: its number tells. One that dies of an error may not even end, as
    its other threads go on: its log tells.
    """
    # The suite asks nova-compute for an answer, and may take an old report.
    # The other services give no answers, and neutron's agent is one of them.
    service = _service(program)
    pid = node.state(program).pid

    def has_reported():
        if node.state(program).pid != pid or _died(node.log(program), logged):
            raise errors.LabError(node.explain(program))
        return health.works_since(current, node.name, service, since)
    limit = lab.REGISTRATION_LIMIT * node.slowness
    if not wait.until(has_reported, limit, 0.5):
        raise errors.LabError(node.explain(program))


def _died(log, logged):
    """Whether oslo.log has caught an error that nobody handled."""
    return log.exists() and b' CRITICAL ' in log.read_bytes()[logged:]
