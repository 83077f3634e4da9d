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

"""Which versions of everything the lab consists of."""

import collections
import concurrent.futures
import importlib.metadata

from mempage_lab import errors

#: The parts of OpenStack whose versions are told.
PARTS = ('nova', 'nova-mempage', 'openstack-placement', 'neutron', 'glance',
         'keystone')
#: What prints each version, as the node's own shell runs it.
COMMANDS = {
    'system': '. /etc/os-release; echo "$PRETTY_NAME"',
    'kernel': 'uname -r',
    'python': '/usr/bin/python3 -c '
              '"import platform; print(platform.python_version())"',
    'libvirt': 'libvirtd --version | grep -o "[0-9][0-9.]*"',
    'qemu': 'qemu-system-x86_64 --version | grep -o "[0-9][0-9.]*" | '
            'head -n 1',
}
_SYSTEM = ('%(system)s, libvirt %(libvirt)s, QEMU %(qemu)s, kernel '
           '%(kernel)s, Python %(python)s')


def collect(current):
    """Return the versions of OpenStack and of what its hosts run.

    :param current: the :class:`mempage_lab.lab.Lab`
    :returns: dict that can be written as JSON: ``release``, ``stock``,
        ``openstack`` (dict of part to version), and ``hosts`` (dict of name
        to what :func:`of_node` returns)
    """
    chosen = current.topology.installation()
    nodes = [host.node for host in current.computes]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        hosts = dict(zip([node.name for node in nodes],
                         pool.map(of_node, nodes)))
    return {'release': chosen.release.name, 'stock': chosen.stock,
            'openstack': of_openstack(chosen), 'hosts': hosts}


def of_openstack(installation):
    """Return the versions of OpenStack's parts, by their names.

    :param installation: a :class:`mempage_lab.installation.Installation`
    """
    places = [str(path) for path in
              installation.venv.glob('lib/python3*/site-packages')]
    installed = {found.name.lower().replace('_', '-'): found.version
                 for found in importlib.metadata.distributions(path=places)}
    return {part: installed[part] for part in PARTS if part in installed}


def of_node(node):
    """Return the versions of what a host runs on.

    :param node: a :class:`mempage_lab.node.Node`
    :returns: dict with the keys of :data:`COMMANDS`; None if it does not run
    """
    # A line for each, whatever it prints.
    script = '\n'.join('printf "%%s\\n" "$(%s)"' % command
                       for command in COMMANDS.values())
    try:
        lines = node.run('sh', '-c', script).splitlines()
    except errors.LabError:
        return None
    return dict(zip(COMMANDS, lines))


def describe(found):
    """Say versions in words: one line for OpenStack, one for each system.

    :param found: what :func:`collect` returned
    """
    parts = ', '.join('%s %s' % part for part in found['openstack'].items())
    alike = collections.defaultdict(list)
    for host, known in found['hosts'].items():
        if known:
            alike[_SYSTEM % known].append(host)
    return '\n'.join([
        'OpenStack %s%s: %s' % (
            found['release'], ', stock Nova' if found['stock'] else '', parts),
        *('%s: %s' % (', '.join(hosts), system)
          for system, hosts in alike.items())])
