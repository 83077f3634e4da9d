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

"""``mempage-nova``: what an operator asks of the extension."""

import argparse
import sys

from nova import conf
from nova import config
from nova.db.api import api as api_db_api
from nova.db.main import api as main_db_api
from nova import exception
from nova import objects
from nova import rpc
from oslo_config import cfg
from oslo_db import exception as db_exception

from nova_mempage.cmd import check
from nova_mempage.cmd import errors
from nova_mempage.cmd import guests
from nova_mempage.cmd import plan
from nova_mempage.cmd import withdraw
from nova_mempage import conf as mempage_conf
from nova_mempage import placement

CONF = conf.CONF
COMMANDS = (check, guests, plan, withdraw)
FAILURES = (cfg.Error, db_exception.DBError, errors.CommandError,
            exception.NovaException, placement.PlacementError)


def _add_config_arguments(parser):
    parser.add_argument(
        '--config-file', action='append', metavar='PATH',
        help='a configuration file of Nova, in the order in which the service '
        'reads them; can be repeated (default: where the service itself '
        'looks)')
    parser.add_argument(
        '--config-dir', action='append', metavar='PATH',
        help='a directory with more of them, as the service reads it; can be '
        'repeated')


def _parse_args(argv):
    parser = argparse.ArgumentParser(
        prog='mempage-nova', description='The page-size extension of Nova.')
    subparsers = parser.add_subparsers(required=True, metavar='COMMAND')
    for command in COMMANDS:
        name = command.__name__.rpartition('.')[2]
        subparser = subparsers.add_parser(
            name, help=command.HELP, description=command.DESCRIPTION)
        command.add_arguments(subparser)
        _add_config_arguments(subparser)
        subparser.set_defaults(
            run=command.run, uses_databases=command.USES_DATABASES,
            service='compute')
    return parser.parse_args(argv)


def _configure(args):
    """Read Nova's configuration as a service does."""
    mempage_conf.register_opts(CONF)
    # Where osprofiler is installed, Nova's database code expects its options.
    if config.profiler:
        config.profiler.set_defaults(CONF)
    CONF([], project='nova', prog='nova-%s' % args.service,
         default_config_files=args.config_file,
         default_config_dirs=args.config_dir)
    objects.register_all()
    if args.uses_databases:
        # To turn to a cell, Nova wants to know its message queue as well.
        rpc.init(CONF)
        main_db_api.configure(CONF)
        api_db_api.configure(CONF)


def main(argv=None):
    """Run the command.

    :param argv: the arguments (default: those of the process)
    :returns: the exit status: 0, 1 if something is found, 2 if the command
        could not do its work
    """
    args = _parse_args(argv)
    try:
        _configure(args)
        return args.run(args)
    except FAILURES as error:
        print('mempage-nova: %s' % error, file=sys.stderr)
        return 2


if __name__ == '__main__':
    sys.exit(main())
