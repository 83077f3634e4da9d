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

"""The lab's two networks: bridges in a network namespace of their own.

Bridges that lie in no one's way: the machine's firewall and bridge settings
do not reach them, and the machine itself only gets one end of a veth pair
on each network.
"""

import errno
import ipaddress
import os
import socket

import pyroute2
from pyroute2 import netns

from mempage_lab import shell

PREFIX = 'mempage-'
FABRIC = PREFIX + 'fabric'
MANAGEMENT = 'mempage-mgmt'
EXTERNAL = 'mempage-ext'
BRIDGES = (MANAGEMENT, EXTERNAL)


def used_networks():
    """Return the IPv4 networks that the machine has routes to.

    :returns: list of :class:`ipaddress.IPv4Network`, without default routes
        and without the lab's own networks
    """
    networks = []
    with pyroute2.IPRoute() as routes:
        own = {link['index'] for link in routes.get_links()
               if link.get_attr('IFLA_IFNAME') in BRIDGES}
        for route in routes.get_routes(family=socket.AF_INET):
            destination = route.get_attr('RTA_DST')
            if destination and route.get_attr('RTA_OIF') not in own:
                networks.append(ipaddress.ip_network(
                    (destination, route['dst_len']), strict=False))
    return networks


def namespaces():
    """Return the names of the lab's network namespaces on this machine."""
    return [name for name in netns.listnetns() if name.startswith(PREFIX)]


def build_fabric(topology):
    """Make both networks and the machine's own ends of them.

    :param topology: a :class:`mempage_lab.topology.Topology`
    """
    netns.create(FABRIC)
    with pyroute2.NetNS(FABRIC) as fabric:
        _up(fabric, 'lo')
        for bridge in BRIDGES:
            fabric.link('add', ifname=bridge, kind='bridge')
            _up(fabric, bridge)
            _plug(fabric, bridge, _machine_port(bridge), bridge,
                  {'net_ns_pid': os.getpid()})
    with pyroute2.IPRoute() as machine:
        _configure(machine, MANAGEMENT, str(topology.management[1]))
        _configure(machine, EXTERNAL, str(topology.external[1]))
    _leave_checksums(FABRIC, map(_machine_port, BRIDGES))
    for bridge in BRIDGES:
        shell.run('ethtool', '-K', bridge, 'tx', 'off')


def _machine_port(bridge):
    return bridge.replace(PREFIX, 'machine-')


def plug_host(namespace, number, address):
    """Make a host's network namespace, plugged into both networks.

    :param namespace: the name of the network namespace
    :param number: one of the host's own, for the names of its ports
    :param address: its address on the management network
    """
    if not _plug_namespace(namespace, number):
        return
    with pyroute2.NetNS(namespace) as host:
        _up(host, 'lo')
        _up(host, 'eth1')
        _configure(host, 'eth0', address)


def plug_machine(namespace, number):
    """Make the network namespace in which a virtual machine has its taps.

    :param namespace: the name of the network namespace
    :param number: one of the host's own, for the names of its ports
    :returns: a tap's name and the address of the card behind it, for the
        management network and for the external one
    """
    fresh = _plug_namespace(namespace, number)
    taps = {'eth0': 'tap0', 'eth1': 'tap1'}
    if fresh:
        with pyroute2.NetNS(namespace) as host:
            for interface, tap in taps.items():
                _bridge_tap(host, interface, tap)
        _leave_checksums(namespace, taps.values())
    # The cards are not those of the namespace, which only passes on.
    return [(tap, hardware_address(0x10 + place, number))
            for place, tap in enumerate(taps.values())]


def _bridge_tap(host, interface, tap):
    bridge = 'br-' + interface
    host.link('add', ifname=bridge, kind='bridge')
    host.link('add', ifname=tap, kind='tuntap', mode='tap')
    for name in (interface, tap):
        host.link('set', index=host.link_lookup(ifname=name)[0],
                  master=host.link_lookup(ifname=bridge)[0], state='up')
    _up(host, bridge)


def _plug_namespace(namespace, number):
    """Make a namespace with an end on both networks.

    :returns: whether it is new
    """
    if namespace in netns.listnetns():
        return False
    netns.create(namespace)
    ports = {'eth0': ('m%d' % number, MANAGEMENT),
             'eth1': ('e%d' % number, EXTERNAL)}
    with pyroute2.NetNS(FABRIC) as fabric:
        for interface, (port, bridge) in ports.items():
            # Neighbours remember the address of a node that is made anew.
            _plug(fabric, bridge, port, interface, {
                'net_ns_fd': namespace, 'address': hardware_address(
                    BRIDGES.index(bridge), number)})
    _leave_checksums(FABRIC, [port for port, _ in ports.values()])
    _leave_checksums(namespace, ports)
    return True


def hardware_address(kind, number):
    """Return the address of a node's card that no other card has.

    :param kind: which of its cards: its network's place in BRIDGES, and 0x10
        more in a virtual machine
    :param number: one of the node's own
    """
    return '02:00:00:00:%02x:%02x' % (kind, number)


def remove(namespace):
    """Remove a network namespace, and its interfaces with it."""
    if namespace in netns.listnetns():
        netns.remove(namespace)
    if namespace == FABRIC:
        with pyroute2.IPRoute() as machine:
            for bridge in BRIDGES:
                for link in machine.link_lookup(ifname=bridge):
                    _remove_link(machine, link)


def _remove_link(machine, link):
    """Remove an interface that may go with its peer at the same moment."""
    try:
        machine.link('del', index=link)
    except pyroute2.NetlinkError as error:
        if error.code != errno.ENODEV:
            raise


def _plug(fabric, bridge, port, interface, where):
    """Make a veth pair from a bridge to an interface somewhere else."""
    fabric.link('add', ifname=port, kind='veth',
                peer=dict(where, ifname=interface))
    fabric.link('set', index=fabric.link_lookup(ifname=port)[0],
                master=fabric.link_lookup(ifname=bridge)[0], state='up')


def _configure(stack, interface, address):
    stack.addr('add', index=stack.link_lookup(ifname=interface)[0],
               address=address, prefixlen=24)
    _up(stack, interface)


def _up(stack, interface):
    stack.link('set', index=stack.link_lookup(ifname=interface)[0],
               state='up')


def _leave_checksums(namespace, interfaces):
    """Make the kernel compute TCP's checksums itself.

    They are left to hardware otherwise, and there is none: through a
    userspace datapath ping works then, and TCP never connects.
    """
    for interface in interfaces:
        shell.run('ip', 'netns', 'exec', namespace,
                  'ethtool', '-K', interface, 'tx', 'off')
