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

"""``mempage-nova withdraw``: takes the extension's traits out of placement."""

from nova_mempage.cmd import errors
from nova_mempage import placement

HELP = "take the extension's traits off hosts"
DESCRIPTION = (
    "Takes the extension's traits, and no others, off the hosts in placement. "
    'Nova never removes traits that it does not know. Run it after '
    'nova-compute has been started without the driver; a driver that runs '
    'would report them again.')
USES_DATABASES = False


def add_arguments(parser):
    """Say what the command takes."""
    parser.add_argument(
        '--host', help='only this one, as placement names its resource '
        'provider; the names of traits stay known')
    parser.add_argument('--dry-run', action='store_true',
                        help='only say what would be done')


def _providers(host):
    """Get the resource providers that may have our traits, by uuid."""
    if host:
        found = placement.providers('name=%s' % host)
        if not found:
            raise errors.CommandError(
                "placement knows no resource provider '%s'; `openstack "
                "resource provider list` names them" % host)
    else:
        found = [provider for trait in placement.our_traits()
                 for provider in placement.providers('required=%s' % trait)]
    return {provider['uuid']: provider['name'] for provider in found}


def run(args):
    """Run the command."""
    for uuid, name in sorted(_providers(args.host).items(),
                             key=lambda item: item[1]):
        if args.dry_run:
            traits = placement.ours_of(uuid)
        else:
            traits = placement.withdraw(uuid)
        print('%s: %s' % (name, ', '.join(traits) or 'none'))
    if args.host or args.dry_run:
        return 0
    kept = [trait for trait in placement.our_traits()
            if not placement.forget(trait)]
    if kept:
        raise errors.CommandError(
            'still in use, so not deleted: %s; does a nova-compute run with '
            'the driver?' % ', '.join(kept))
    return 0
