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

"""The command mempage-inventory: draft and check a host inventory."""

import argparse
import contextlib
import sys
import textwrap

from oslo_utils import netutils

from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.cmd import discovery
from mempage_tempest_plugin.cmd import ending
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import consumers
from mempage_tempest_plugin.evidence import host_state
from mempage_tempest_plugin.evidence import ordinary_memory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import memory_holders
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import redact

TIMEOUT = 60


def main(argv=None):
    """Run the command.

    :param argv: arguments; those of the process by default
    :returns: exit status: 0, or 1 if something is wrong with a host or
        with the inventory, or as of ending.call
    """
    arguments = _parser().parse_args(argv)
    return ending.call('mempage-inventory', arguments.function, arguments)


def discover(arguments):
    """Draft an inventory of all hosts that nova knows.

    A host that cannot be looked at, or understood, is left out, with a
    message. What was guessed is said above each host.

    :param arguments: the parsed command line
    :returns: exit status
    """
    ssh = inventory.Ssh(arguments.ssh_user, arguments.ssh_key,
                        arguments.ssh_port, arguments.known_hosts)
    drafts = []
    left_out = []
    for name, address in discovery.addresses(arguments.config_file).items():
        uri = arguments.libvirt_uri.format(
            address=netutils.escape_ipv6(address), user=arguments.ssh_user)
        try:
            drafts.append(discovery.draft(
                inventory.Host(name, address, ssh, uri), TIMEOUT))
        except exceptions.HostError as error:
            # It may name a line of a configuration file.
            left_out.append('left out: %s' % redact.mask(str(error)))
            print(left_out[-1], file=sys.stderr)
    with _output(arguments.output) as stream:
        stream.write(
            '# A draft of what is there. The tests expect what stands here:\n'
            '# compare it with what has to be there. They refuse hosts with\n'
            '# the key "drafted": remove from it what you have compared.\n')
        stream.write(_document(drafts, left_out))
    return 1 if left_out else 0


def _document(drafts, left_out):
    """Write an inventory with remarks.

    :param drafts: list of discovery.Draft
    :param left_out: list of sentences on hosts that are not in it
    """
    remarks = ''.join(map(_remark, left_out))
    if not drafts:
        return remarks + inventory.dump(inventory.Inventory('', {}))
    hosts = ''.join(
        ''.join(_remark(note, '  # ') for note in draft.notes)
        # Without the key that all hosts are below.
        + inventory.dump(inventory.Inventory('', {
            draft.host.name: draft.host})).partition('\n')[2]
        for draft in drafts)
    return remarks + 'hosts:\n' + hosts


def _remark(text, begin='# '):
    return textwrap.fill(text, 79, initial_indent=begin,
                         subsequent_indent=begin + '  ') + '\n'


def check(arguments):
    """Look at every host and show what is not as declared.

    :param arguments: the parsed command line
    :returns: exit status
    """
    status = 0
    for declared in inventory.load(arguments.inventory).hosts.values():
        host = compute_host.get(declared, TIMEOUT)
        try:
            survey, guests = host.survey_and_guests()
            comparisons = [host_state.compare(
                declared, survey, guests, host.libvirt.hostname())]
            if ordinary_memory.is_at_stake(declared):
                # Nova has the same RAM from libvirt.
                comparisons.append(ordinary_memory.compare(
                    declared, survey, survey.memory_mib, nova_config.read(
                        host.ssh, host.name, nova_config.processes(host.ssh)
                    ).reserved_mib))
            if declared.switch:
                comparisons.append(consumers.compare_switch(
                    declared, memory_holders.is_running(
                        host, declared.switch.program)))
        except exceptions.HostError as error:
            print(redact.mask(str(error)))
            status = 1
            continue
        for comparison in comparisons:
            print(comparison)
            status |= bool(comparison.disagreements)
        if declared.drafted:
            print('host %s: nobody has confirmed what was drafted: %s' % (
                declared.name, ', '.join(declared.drafted)))
    return status


@contextlib.contextmanager
def _output(path):
    if path == '-':
        yield sys.stdout
    else:
        with open(path, 'w', encoding='utf-8') as stream:
            yield stream


def _uri(text):
    """Refuse a URI that does not take what discover fills in."""
    try:
        text.format(address='', user='')
    except (ValueError, LookupError, AttributeError) as error:
        raise argparse.ArgumentTypeError(
            '%r has more than {user} and {address} in braces: %r' % (
                text, error)) from error
    return text


def _parser():
    parser = argparse.ArgumentParser(
        prog='mempage-inventory',
        description='Draft and check the host inventory: the file that '
                    'declares where guests\' memory has to come from.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    command = commands.add_parser(
        'discover', help='draft an inventory from a living cloud',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    command.set_defaults(function=discover)
    # What is required has no default that could be told.
    required = {'required': True, 'default': argparse.SUPPRESS}
    command.add_argument(
        '--config-file', **required, metavar='FILE',
        help='tempest.conf with administrator credentials')
    command.add_argument('--ssh-user', **required, metavar='USER',
                         help='user on the hosts; root, or one with sudo')
    command.add_argument('--ssh-key', **required, metavar='FILE',
                         help='private key of that user')
    command.add_argument(
        '--ssh-port', type=argument_types.port, default=22, metavar='PORT',
        help='port of the hosts\' sshd')
    command.add_argument('--known-hosts', default='~/.ssh/known_hosts',
                         metavar='FILE', help='host keys to trust')
    command.add_argument(
        '--libvirt-uri', type=_uri, metavar='URI',
        default='qemu+ssh://{user}@{address}/system',
        help='how to reach libvirt on a host')
    command.add_argument(
        '--output', type=argument_types.new_output, default='-',
        metavar='FILE',
        help='where to write the draft: a new file, as one that is there may '
             'have been corrected; - is stdout')
    command = commands.add_parser(
        'check', help='compare an inventory with the hosts')
    command.set_defaults(function=check)
    command.add_argument('inventory', metavar='FILE',
                         help='the host inventory')
    return parser


if __name__ == '__main__':
    sys.exit(main())
