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


"""Measures how fast the lab is, and how much memory it takes."""

import contextlib
import dataclasses
import functools
import socket
import statistics
import time
import uuid

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import health
from mempage_lab import lab
from mempage_lab import progress
from mempage_lab import status
from mempage_lab import tables
from mempage_lab import wait

#: Seconds that a server may take for any one thing.
LIMIT = 120


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured number beside what it should be.

    :ivar target: the most that it should be; None if nobody said
    """
    name: str
    value: float
    unit: str
    target: float = None

    @property
    def met(self):
        """Whether the target is met; None without one."""
        return None if self.target is None else self.value <= self.target


@dataclasses.dataclass(frozen=True)
class Server:
    """Seconds from the request until a server was what the names say."""
    active: float
    reachable: float
    deleted: float


def run(servers):
    """Take the lab down, bring a new one up, and take that down again.

    :param servers: how many servers to boot, one after the other
    :returns: dict that can be written as JSON
    """
    with progress.Progress() as shown:
        lab.down(shown)
    with progress.Progress() as shown:
        current = lab.choose(lab.Wish(), shown)
        up = _seconds(current.up, shown)
        steps = shown.costs
    memory = status.collect()
    with progress.Progress() as shown:
        host = next(host.name for host in current.topology.hosts
                    if host.policy.file_backed)
        measured = []
        for number in range(1, servers + 1):
            with shown.step('server %d of %d' % (number, servers)):
                measured.append(measure_server(current.cloud, host))
        down = _seconds(lab.down, shown)
    return _result(up, steps, memory, measured, down)


def _seconds(function, *arguments):
    begin = time.monotonic()
    function(*arguments)
    return time.monotonic() - begin


def _result(up, steps, memory, servers, down):
    idle = sum(memory[key] for key in (
        'memory_mib', 'shared_memory_mib', 'pools_mib'))
    figures = [Figure('up', up, 's', 75),
               Figure('idle memory', idle, 'MiB', 6144)]
    for name, target in (('active', 8), ('reachable', 15),
                         ('deleted', None)):
        figures.append(Figure(
            'server ' + name, statistics.median(
                getattr(server, name) for server in servers), 's', target))
    figures.append(Figure('down', down, 's', 10))
    return {
        'figures': [dict(dataclasses.asdict(figure), met=figure.met,
                         value=round(figure.value, 2))
                    for figure in figures],
        'servers': [{name: round(value, 2) for name, value in
                     dataclasses.asdict(server).items()}
                    for server in servers],
        'memory_mib': {host['name']: host['memory_mib']
                       for host in memory['hosts']},
        'shared_memory_mib': memory['shared_memory_mib'],
        'pools_mib': memory['pools_mib'],
        'steps': [{'name': name, 'seconds': cost} for name, cost in
                  sorted(steps.items(), key=lambda step: -step[1])]}


def measure_server(cloud, host):
    """Boot a server that the machine can reach, and delete it.

    :param cloud: an :class:`openstack.connection.Connection`
    :param host: name of the compute host to boot it on
    :returns: a :class:`Server`
    :raises LabError: if it does not come up, or cannot be reached
    """
    with health.cloud_errors():
        return _measure_server(cloud, host)


def _measure_server(cloud, host):
    name = 'mempage-bench-' + uuid.uuid4().hex[:8]
    with contextlib.ExitStack() as cleanups:
        port = cloud.network.create_port(
            name=name, is_port_security_enabled=False,
            network_id=cloud.network.find_network('public').id)
        cleanups.callback(cloud.network.delete_port, port)
        values = dict(
            name=name, host=host, networks=[{'port': port.id}],
            flavor_id=cloud.compute.find_flavor('m1.mempage').id,
            image_id=cloud.image.find_image('mempage').id)
        begin = time.monotonic()
        server = cloud.compute.create_server(**values)
        deletion = cleanups.enter_context(contextlib.ExitStack())
        deletion.callback(_delete, cloud, server)
        cloud.compute.wait_for_server(server, interval=0.2, wait=LIMIT)
        active = time.monotonic() - begin
        _wait_for_ssh(port.fixed_ips[0]['ip_address'])
        reachable = time.monotonic() - begin
        deleted = _seconds(deletion.close)
    return Server(active, reachable, deleted)


def _delete(cloud, server):
    cloud.compute.delete_server(server)
    cloud.compute.wait_for_delete(server, interval=0.2, wait=LIMIT)


def _wait_for_ssh(address):
    """Wait until a guest's ssh server greets."""
    if not wait.until(functools.partial(_greets, address), LIMIT, 0.1):
        raise errors.LabError('no ssh server answers at %s within %d s'
                              % (address, LIMIT))


def _greets(address):
    with contextlib.suppress(OSError):
        with socket.create_connection((address, 22), 1) as stream:
            return stream.recv(4) == b'SSH-'


def show(result):
    """Print what :func:`run` returned as tables.

    :param result: its result
    """
    tables.show('Figures', ('FIGURE', '>MEASURED', '>TARGET', 'MET'), [
        (figure['name'], _amount(figure['value'], figure['unit']),
         _amount(figure['target'], figure['unit']),
         {True: 'yes', False: 'no', None: ''}[figure['met']])
        for figure in result['figures']])
    print()
    tables.show('Idle memory', ('NODE', '>MEMORY'), [
        (name, _amount(value, 'MiB')) for name, value in [
            *result['memory_mib'].items(),
            ('shared', result['shared_memory_mib']),
            ('pools', result['pools_mib'])]])
    print()
    tables.show('Steps of up, several at a time', ('STEP', '>COST'), [
        (step['name'], _amount(step['seconds'], 's'))
        for step in result['steps']])


def _amount(value, unit):
    if value is None:
        return None
    return ('%d %s' if unit == 'MiB' else '%.1f %s') % (value, unit)


def save(result, path):
    """Write what :func:`run` returned to a file.

    :param path: a :class:`pathlib.Path`
    """
    files.write_json(path, result)
