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

"""``mempage-nova check``: is the extension in effect?

Stock Nova ignores the options of the extension silently. What files say is
half of the answer; the other half is what the running service reports.
"""

import enum
import itertools
import pathlib

from nova import conf
from nova.scheduler import filters as nova_filters
from nova import virt
from oslo_utils import importutils

from nova_mempage.cmd import machine
from nova_mempage.cmd import strays
from nova_mempage import driver
from nova_mempage import filters
from nova_mempage import pages
from nova_mempage import placement
from nova_mempage import report
from nova_mempage import series

CONF = conf.CONF

HELP = 'tell whether the extension is in effect'
DESCRIPTION = (
    'Tells whether a service that is configured like this uses the extension. '
    'Run it on the machine of the service. The exit status is 0 if the '
    'service uses it, and nothing is wrong (BAD); what could not be found out '
    'or is only unusual (??) does not count.')
USES_DATABASES = False


class Verdict(enum.Enum):
    """What is known of one thing; the values are what is printed."""

    OK = 'ok'
    BAD = 'BAD'
    UNKNOWN = '??'


def add_arguments(parser):
    """Say what the command takes."""
    parser.add_argument('service', choices=sorted(CHECKS))


def _location(group, option):
    """Say where the value of an option comes from."""
    found = CONF.get_location(option, group)
    if found is None or not found.location.is_user_controlled:
        return 'by default'
    return 'in %s' % found.detail


def check_nova():
    """Say whether the extension is tested with the installed Nova."""
    tested = 'nova-mempage is tested with %d to %d' % (
        series.TESTED[0], series.TESTED[-1])
    version = series.version()
    if series.is_tested():
        yield Verdict.OK, 'tested: nova %s; %s' % (version, tested)
    else:
        yield Verdict.UNKNOWN, 'not tested: nova %s; %s' % (
            version or 'of an unknown release', tested)


def check_driver():
    """Say whether nova-compute loads the driver."""
    name = CONF.compute_driver
    where = _location(None, 'compute_driver')
    text = '[DEFAULT] compute_driver = %s, %s' % (name, where)
    try:
        loaded = importutils.import_class('nova.virt.%s' % name)
    except ImportError:
        yield Verdict.BAD, (
            'not loaded: %s, cannot be loaded from below %s. If this '
            'extension lies elsewhere (%s), see "Loading the driver" in its '
            'documentation' % (
                text, ', '.join(virt.__path__),
                pathlib.Path(driver.__file__).parents[1]))
        return
    if issubclass(loaded, driver.LibvirtDriver):
        yield Verdict.OK, 'loaded: %s' % text
    else:
        yield Verdict.BAD, (
            'not loaded: %s, is not the extension; set it to '
            'mempage.LibvirtDriver there, or in a file that is read later'
            % text)


def check_option():
    """Say what the allowed page sizes do on this machine."""
    values = CONF.libvirt.allowed_memory_pagesize
    text = '[libvirt] allowed_memory_pagesize = %s, %s' % (
        ','.join(values), _location('libvirt', 'allowed_memory_pagesize'))
    try:
        allowed = pages.parse(values)
    except ValueError as error:
        yield Verdict.BAD, '%s: %s; nova-compute does not start' % (
            text, error)
        return
    if allowed.everything:
        yield Verdict.UNKNOWN, 'restricts nothing: %s' % text
        return
    cells = machine.cells()
    if not cells:
        yield Verdict.UNKNOWN, (
            'restricts: %s; whether this machine knows such pages cannot be '
            'read from %s' % (text, machine.NODES))
        return
    known = pages.known_sizes(cells)
    if not pages.allowed_sizes(cells, allowed):
        yield Verdict.BAD, (
            '%s: this machine knows only pages of %s KiB; nova-compute does '
            'not start' % (text, sorted(known)))
        return
    if (CONF.libvirt.file_backed_memory
            and not pages.allows_small(cells, allowed)):
        yield Verdict.BAD, (
            '%s: with file_backed_memory the smallest size must be allowed; '
            'nova-compute does not start' % text)
        return
    yield Verdict.OK, 'restricts: %s' % text
    if allowed.sizes - known:
        yield Verdict.UNKNOWN, (
            'this machine knows no pages of %s KiB, only of %s KiB' % (
                sorted(allowed.sizes - known), sorted(known)))


def check_strays():
    """Say which options are where nobody looks for them."""
    for text in strays.find(strays.files(CONF)):
        yield Verdict.BAD, text


def check_running_service():
    """Say what the running nova-compute has told placement."""
    try:
        found = placement.providers('name=%s' % CONF.host)
        if not found:
            yield Verdict.UNKNOWN, (
                "running: placement knows no resource provider '%s'; it has "
                "the name of libvirt's host" % CONF.host)
            return
        ours = placement.ours_of(found[0]['uuid'])
    except placement.PlacementError as error:
        yield Verdict.UNKNOWN, 'running: %s' % error
        return
    yield _judge_service(ours)


def _judge_service(ours):
    if not ours:
        return Verdict.BAD, (
            'not running: %s reports no traits of the driver; was '
            'nova-compute restarted?' % CONF.host)
    try:
        allowed = pages.parse(CONF.libvirt.allowed_memory_pagesize)
    except ValueError:
        return Verdict.UNKNOWN, 'running: reports %s' % ', '.join(ours)
    expected = {report.REFUSED: bool(CONF.libvirt.file_backed_memory)}
    cells = machine.cells()
    if cells:
        expected[report.REQUIRED] = not pages.allows_small(cells, allowed)
    for trait, wanted in expected.items():
        if (trait in ours) != wanted:
            return Verdict.BAD, (
                'the running service has read another configuration: it '
                'reports %s, and that is %s%s. Restart nova-compute' % (
                    ', '.join(ours), '' if wanted else 'not ', trait))
    return Verdict.OK, 'running: reports %s' % ', '.join(ours)


def check_filters():
    """Say which of the filters nova-scheduler uses."""
    try:
        available = nova_filters.HostFilterHandler().get_matching_classes(
            CONF.filter_scheduler.available_filters)
    except ImportError as error:
        yield Verdict.BAD, (
            '[filter_scheduler] available_filters, %s, cannot be loaded: %s' %
            (_location('filter_scheduler', 'available_filters'), error))
        return
    enabled = CONF.filter_scheduler.enabled_filters
    used = [cls.__name__ for cls in filters.all_filters()
            if cls.__name__ in enabled]
    for cls in filters.all_filters():
        if cls.__name__ in enabled and cls not in available:
            yield Verdict.BAD, (
                '[filter_scheduler] available_filters lacks %s.%s, %s' % (
                    cls.__module__, cls.__name__,
                    _location('filter_scheduler', 'available_filters')))
    where = _location('filter_scheduler', 'enabled_filters')
    if used:
        yield Verdict.OK, (
            'loaded: [filter_scheduler] enabled_filters has %s, %s' % (
                ' and '.join(used), where))
    else:
        yield Verdict.BAD, (
            'not loaded: [filter_scheduler] enabled_filters, %s, has neither '
            'MemoryPageSizeFilter nor AggregateMemoryBackingFilter' % where)


CHECKS = {
    'compute': (check_nova, check_driver, check_option, check_strays,
                check_running_service),
    'scheduler': (check_nova, check_filters, check_strays),
}


def run(args):
    """Run the command."""
    found = {check: list(check()) for check in CHECKS[args.service]}
    verdicts = {check: {verdict for verdict, _ in lines}
                for check, lines in found.items()}
    for verdict, text in itertools.chain.from_iterable(found.values()):
        print('%-4s %s' % (verdict.value, text))
    good = Verdict.BAD not in set().union(*verdicts.values())
    if not good:
        conclusion = 'is NOT in effect'
    elif verdicts.get(check_running_service) == {Verdict.OK}:
        conclusion = 'is in effect'
    else:
        conclusion = 'is configured, and in effect after a restart,'
    print('The extension %s in nova-%s.' % (conclusion, args.service))
    return 0 if good else 1
