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

"""The command mempage-tempest: what is not part of a run of the tests."""

import argparse
import sys

from mempage_tempest_plugin.cmd import classes
from mempage_tempest_plugin.cmd import cleanup
from mempage_tempest_plugin.cmd import each
from mempage_tempest_plugin.cmd import ending
from mempage_tempest_plugin.cmd import expect
from mempage_tempest_plugin.cmd import facts
from mempage_tempest_plugin.cmd import report
from mempage_tempest_plugin.cmd import tempest_conf

# The modules of the commands. Each has a function add_parser, which is told
# the subparsers; the parser of its command sets the function that runs it.
_COMMANDS = (classes, cleanup, each, expect, facts, report)


def main(argv=None):
    """Run the command.

    :param argv: arguments; those of the process by default
    :returns: exit status: 0, or 1 if something could not be done, or as of
        ending.call
    """
    return ending.call('mempage-tempest', _run, _parser().parse_args(argv))


def _run(arguments):
    if 'config_file' in arguments:
        tempest_conf.use(arguments.config_file)
    return arguments.function(arguments)


def _parser():
    parser = argparse.ArgumentParser(
        prog='mempage-tempest',
        description='What is needed beside "tempest run".')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


if __name__ == '__main__':
    sys.exit(main())
