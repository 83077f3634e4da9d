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


"""What there is of a lab, and whether it works."""

from mempage_lab import containers
from mempage_lab import errors
from mempage_lab import health
from mempage_lab import lab
from mempage_lab import memory
from mempage_lab import network
from mempage_lab import paths
from mempage_lab import program
from mempage_lab import switch
from mempage_lab import tables
from mempage_lab import versions


def collect():
    """Find out the state of the lab, changing nothing.

    :returns: dict that can be written as JSON; the documentation of the lab
        says what is in it
    """
    if not paths.TOPOLOGY.exists():
        remains = network.namespaces()
        return _result(['%s is a remains of a lab: mempage-lab down' % name
                        for name in remains])
    current = lab.load()
    pids = memory.processes([*current.nodes])
    usage = memory.measure(pids)
    apis = health.apis(current)
    hosts_up, problems = _hosts_up(current, apis)
    hosts = []
    for part in current.parts:
        name = part.node.name
        host = _host(part, pids[name], usage[name])
        host['up'] = name in hosts_up if part in current.computes else None
        hosts.append(host)
        problems += _problems(host)
    return _result(problems, str(current.topology.network), hosts, apis,
                   versions.collect(current))


def _result(problems, used_network=None, hosts=(), apis=None, found=None):
    if problems:
        state = 'partial'
    else:
        state = 'up' if hosts else 'down'
    return {'state': state, 'network': used_network, 'hosts': list(hosts),
            'apis': apis or {}, 'problems': problems, 'versions': found,
            'memory_mib': sum(host['memory_mib'] for host in hosts),
            'shared_memory_mib': sum(host['shared_memory_mib']
                                     for host in hosts),
            'pools_mib': sum(host['switch_mib'] + sum(
                pool['pages'] * pool['size_kib'] // 1024
                for pool in host['pools']) for host in hosts)}


def _hosts_up(current, apis):
    problems = ['%s does not answer' % name
                for name, answers in apis.items() if not answers]
    if problems:
        return set(), problems
    try:
        return health.hosts_up(current), health.of_shares(current)
    except errors.LabError as error:
        return set(), [str(error)]


def _host(part, pids, usage):
    host = getattr(part, 'host', None)
    policy = host and host.policy
    return {'name': part.node.name,
            'address': part.node.address,
            'kind': policy.kind.value if policy else part.node.name,
            'running': bool(part.node.pid),
            'backing_store': policy and _store(part.node, host),
            'pools': _pools(part, pids) if policy else [],
            'switch_mib': switch.mebibytes(host.shape.switch) if host else 0,
            'services': _services(part),
            'memory_mib': usage.own // 1024,
            'shared_memory_mib': usage.shared // 1024}


def _store(node, host):
    store = host.policy.file_backed
    if not store:
        return None
    used = _used_mib(node, containers.outside(host, store.mount))
    return {'directory': store.directory, 'mount': store.mount,
            'filesystem': store.filesystem,
            'capacity_mib': store.capacity_mib, 'size_mib': store.size_mib,
            'mounted': used is not None, 'used_mib': used}


def _used_mib(node, mount):
    """Return what is used of a file system; None if nothing is mounted."""
    try:
        return int(node.run('findmnt', '--bytes', '--noheadings', '--output',
                            'USED', '--mountpoint', mount)) // 2 ** 20
    except errors.LabError:
        return None


def _pools(part, pids):
    pools = part.host.policy.pools
    if not pools:
        return []
    return [{'size_kib': pool.size_kib, 'pages': pool.pages,
             'free': pool.pages - used}
            for pool, used in zip(pools, part.used_pages(pids))]


def _services(part):
    names = [each.name for each in part.programs()]
    known = part.node.states(names)
    return [_service(name, known.get(name, program.State('UNKNOWN')))
            for name in names]


def _service(name, state):
    return {'name': name, 'state': state.word, 'pid': state.pid,
            'uptime_seconds': state.uptime_seconds}


def _problems(host):
    name = host['name']
    if not host['running']:
        return ['%s is not running' % name]
    problems = ['%s on %s is %s' % (service['name'], name, service['state'])
                for service in host['services']
                if service['state'] != 'RUNNING']
    store = host['backing_store']
    if store and not store['mounted']:
        problems.append('%s: nothing is mounted at %s'
                        % (name, store['mount']))
    if host['up'] is False:
        problems.append('%s takes no servers: nova-compute or '
                        'ovn-controller is not up' % name)
    return problems


def show(result):
    """Print what :func:`collect` returned as tables.

    :param result: its result
    """
    if result['hosts']:
        tables.show(None, ('HOST', 'ADDRESS', 'KIND', 'STATE',
                           'BACKING STORE', 'POOLS', '>MEMORY', '>SHARED'),
                    [_row(host) for host in result['hosts']])
        print()
        tables.show(None, ('SERVICE', 'STATE', '>PID', '>UPTIME'), [
            ('%s/%s' % (host['name'], service['name']), service['state'],
             service['pid'], _duration(service['uptime_seconds']))
            for host in result['hosts'] for service in host['services']])
        print()
        print(versions.describe(result['versions']))
        print('memory: %(memory_mib)d MiB; %(shared_memory_mib)d MiB more '
              'are shared, as guests in files on a ramdisk are; %(pools_mib)d '
              'MiB are in pools of large pages' % result)
    print('\n'.join(result['problems']
                    or [{'up': 'the lab is up', 'down':
                         'there is no lab: mempage-lab up'}[result['state']]]))


def _row(host):
    state = 'running' if host['running'] else 'not running'
    if host['up'] is not None:
        state = 'up' if host['up'] else state + ', takes no servers'
    return (host['name'], host['address'], host['kind'], state,
            _store_cell(host['backing_store']),
            ', '.join('%(free)d of %(pages)d x %(size_kib)d KiB free' % pool
                      for pool in host['pools']),
            '%d MiB' % host['memory_mib'],
            '%d MiB' % host['shared_memory_mib'])


def _store_cell(store):
    if not store:
        return ''
    if not store['mounted']:
        return 'not mounted'
    return '%(used_mib)d of %(capacity_mib)d MiB %(filesystem)s' % store


def _duration(seconds):
    if seconds is None:
        return ''
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return '%d:%02d:%02d' % (hours, minutes, seconds)
