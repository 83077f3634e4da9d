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

"""``mempage-nova check``: is the extension in effect with a configuration?

Stock Nova ignores the options of the extension silently.
"""

import argparse
import importlib.metadata
import pathlib
import sys

from nova import conf
from nova.scheduler import filters as nova_filters
from nova import virt
from oslo_utils import importutils

from nova_mempage import conf as mempage_conf
from nova_mempage import driver
from nova_mempage import filters
from nova_mempage import pages

CONF = conf.CONF
SERIES = range(30, 35)
FILTER = filters.AggregateMemoryBackingFilter


def check_nova():
    """Say whether the extension is known to work with the installed Nova.

    :returns: (whether it is, text)
    """
    version = importlib.metadata.version('nova')
    if int(version.split('.')[0]) in SERIES:
        return True, 'nova %s is a release that this is tested with' % version
    return False, 'nova %s is not one of the tested releases, %d to %d' % (
        version, SERIES[0], SERIES[-1])


def check_driver():
    """Say whether nova-compute loads the driver.

    :returns: (whether it does, text)
    """
    name = CONF.compute_driver
    if not name:
        return False, (
            '[DEFAULT] compute_driver is not set; set it to '
            'mempage.LibvirtDriver')
    try:
        loaded = importutils.import_class('nova.virt.%s' % name)
    except ImportError:
        return False, (
            '[DEFAULT] compute_driver = %s cannot be loaded from below %s. '
            'If this extension lies elsewhere (%s), see "Loading the driver" '
            'in its documentation' % (
                name, *virt.__path__,
                pathlib.Path(driver.__file__).parents[1]))
    if issubclass(loaded, driver.LibvirtDriver):
        return True, '[DEFAULT] compute_driver = %s is the extension' % name
    return False, (
        '[DEFAULT] compute_driver = %s is not the extension; set it to '
        'mempage.LibvirtDriver' % name)


def check_option():
    """Say whether nova-compute understands the allowed page sizes.

    :returns: (whether it does, text)
    """
    values = CONF.libvirt.allowed_memory_pagesize
    text = '[libvirt] allowed_memory_pagesize = %s' % ','.join(values)
    try:
        pages.parse(values)
    except ValueError as error:
        return False, '%s: %s' % (text, error)
    return True, text


def check_filter():
    """Say whether nova-scheduler uses the filter.

    :returns: (whether it does, text)
    """
    handler = nova_filters.HostFilterHandler()
    try:
        available = handler.get_matching_classes(
            CONF.filter_scheduler.available_filters)
    except ImportError as error:
        return False, (
            '[filter_scheduler] available_filters cannot be loaded: %s'
            % error)
    if FILTER not in available:
        return False, (
            '[filter_scheduler] available_filters lacks %s.%s' % (
                FILTER.__module__, FILTER.__name__))
    if FILTER.__name__ not in CONF.filter_scheduler.enabled_filters:
        return False, '[filter_scheduler] enabled_filters lacks %s' % (
            FILTER.__name__)
    return True, '[filter_scheduler] enabled_filters has %s' % FILTER.__name__


CHECKS = {
    'compute': (check_nova, check_driver, check_option),
    'scheduler': (check_nova, check_filter),
}


def _parse_args(argv):
    parser = argparse.ArgumentParser(
        prog='mempage-nova', description='The page-size extension of Nova.')
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser(
        'check', help='tell whether the extension is in effect',
        description='Tells whether a service that is configured like this '
        'uses the extension. The exit status is 0 if it does.')
    check.add_argument('service', choices=sorted(CHECKS))
    check.add_argument(
        '--config-file', action='append', metavar='PATH',
        help='a configuration file of the service; can be repeated '
        '(default: where the service itself looks)')
    return parser.parse_args(argv)


def main(argv=None):
    """Run the command.

    :param argv: the arguments (default: those of the process)
    :returns: the exit status
    """
    args = _parse_args(argv)
    mempage_conf.register_opts(CONF)
    CONF([], project='nova', prog='nova-%s' % args.service,
         default_config_files=args.config_file)
    good = True
    for check in CHECKS[args.service]:
        passed, text = check()
        good = good and passed
        print('%-4s %s' % ('ok' if passed else 'BAD', text))
    print('The extension is %sin effect in nova-%s.' % (
        '' if good else 'NOT ', args.service))
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
