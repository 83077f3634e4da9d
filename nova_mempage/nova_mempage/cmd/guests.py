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

"""``mempage-nova guests``: who violates the page sizes of hosts?"""

import dataclasses
import json
import sys

from nova_mempage.cmd import cloud
from nova_mempage import guests

HELP = 'list the guests that must not come to their host any more'
DESCRIPTION = (
    'Lists guests, running and stopped, that the driver on their host would '
    'refuse if they came today. Looks into the databases, so it runs where '
    'nova-conductor does. The exit status is 1 if there are some.')
USES_DATABASES = True


def add_arguments(parser):
    """Say what the command takes."""
    parser.add_argument('--host', help='only guests of this compute host')
    parser.add_argument('--json', action='store_true',
                        help='print a JSON document: a list of objects')


def violations(host):
    """Get the guests of a host that violate what it allows.

    :param host: cloud.Host
    :returns: list of nova_mempage.guests.Violation
    """
    if not host.allowed:
        return []
    return guests.violating(host.instances, host.cells, host.allowed,
                            host.policy)


def _warn_of_unknown(hosts):
    names = sorted(host.name for host in hosts if not host.allowed)
    if names:
        print('%d hosts say nothing of page sizes; they do not run the '
              'driver: %s' % (len(names), ', '.join(names)), file=sys.stderr)


def run(args):
    """Run the command."""
    hosts = sorted(cloud.hosts(args.host), key=lambda host: host.name)
    found = [(host.name, violation)
             for host in hosts for violation in violations(host)]
    _warn_of_unknown(hosts)
    if args.json:
        print(json.dumps([
            {'host': name, **dataclasses.asdict(violation)}
            for name, violation in found], indent=2))
    else:
        for name, violation in found:
            print('%s: %s' % (name, violation))
        print('%d guests on %d hosts violate the page sizes of their host.' % (
            len(found), len(hosts)))
    return 1 if found else 0
