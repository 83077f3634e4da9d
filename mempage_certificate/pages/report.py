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

"""The page of a certificate: report.html."""

import dataclasses

from mempage_certificate import archive
from mempage_certificate import display
from mempage_certificate.pages import capabilities
from mempage_certificate.pages import drawing
from mempage_certificate.pages import footprint
from mempage_certificate.pages import hazards
from mempage_certificate.pages import lanes
from mempage_certificate.pages import made_of
from mempage_certificate.pages import measured
from mempage_certificate.pages import rounds
from mempage_certificate.pages import steps
from mempage_certificate.pages import timelines
from mempage_certificate import stream
from mempage_certificate import verdict
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import failures
from mempage_tempest_plugin.pages import page
from mempage_tempest_plugin.pages import report
from mempage_tempest_plugin.pages import runs as runs_of
from mempage_tempest_plugin.pages import times

#: Of so many hosts figures and plots are shown: of the worst ones.
HOSTS = 10
_TRACEBACK = 'traceback'


@dataclasses.dataclass(frozen=True)
class Alike:
    """Hosts of which the same is said.

    :ivar hosts: list of what they are called
    :ivar verdict: what result.json says of each
    :ivar eligibility: what it says of that, or None
    """

    hosts: list
    verdict: dict
    eligibility: dict | None


@dataclasses.dataclass(frozen=True)
class Host:
    """A host, in full.

    :ivar name: what it is called
    :ivar measured: list of measured.Measured
    :ivar hidden: dict of reasons by the ID of figures that are not shown
    :ivar reckoned: list of measured.Measured that follow from others
    :ivar plots: list of plot.Plot
    :ivar rounds: list of those of rounds, one for each of measured
    """

    name: str
    measured: list
    hidden: dict
    reckoned: list
    plots: list
    rounds: list


@dataclasses.dataclass(frozen=True)
class Failed:
    """A test that failed.

    :ivar failure: the failures.Failure
    :ivar proves: list of pairs of ID and title of checks
    :ivar hazards: list of titles of hazards that it looks at
    :ivar again: what runs it once more; empty if nothing does
    """

    failure: failures.Failure
    proves: list
    hazards: list
    again: str


def html(run, profile, product, result):
    """Make the page.

    Numbers are those of the result, as it is told: what another release of
    numpy makes of samples may differ in the last digit.

    :param run: a runs.Run, of the masked stream
    :param profile: the profiles.Profile
    :param product: what PRODUCT.yaml says
    :param result: what result.json says
    :returns: text of HTML that needs nothing beside it
    """
    levels = capabilities.levels(profile, result['hosts'])
    hosts = [of_host(run, profile, host) for host in _worst(result)]
    changes, silent = made_of.changes(run)
    return page.render(
        'certificate.html.j2', __package__, result=result, profile=profile,
        product=product, says=display.SAYS[result['verdict']['status']],
        says_not=_says_not(result), reasons=_reasons(result),
        alike=_alike(result), levels=levels, hosts=hosts, lines=measured.lines,
        fleet=measured.of_fleet(result), number=drawing.number,
        steps=steps.of_checks(levels, result['hosts']),
        failed=_failed(run, profile), hazards=hazards.of(run, profile),
        hazards_page=report.HAZARDS, made_of=made_of.alike(run),
        devices=made_of.devices(run), changes=changes, silent=silent,
        files=archive, width=drawing.WIDTH, text=facts.text,
        duration=times.duration, first_lines=failures.first_lines)


def _says_not(result):
    """Tell what the page does not say.

    :returns: list of texts
    """
    skipped, unfinished = (result['run'][key]
                           for key in ('skipped', 'unfinished'))
    return [text for text in (
        'Nothing of other models, firmware, kernels or releases than those '
        'below, of other workloads than those measured, or of the time after '
        'the run.',
        'Not that the results are true: whoever can write a whole bundle can '
        'make results up. Who has signed it vouches for it; see below how to '
        'find out who that is.',
        'Not that no other run had another end: this is one run.',
        'Not that a known hazard is gone whose check passes: see below.',
        skipped and 'Nothing of what was skipped, tests or whole classes: %d.'
        % skipped,
        unfinished and 'Nothing of tests that never ended: %d.' % unfinished
    ) if text]


def _reasons(result):
    """List reasons that are not those of hosts."""
    known = {'%s: %s' % (host['host'], reason) for host in result['hosts']
             for reason in host['verdict']['reasons']}
    return [reason for reason in result['verdict']['reasons']
            if reason not in known]


def _alike(result):
    groups = {}
    for host in result['hosts']:
        groups.setdefault(repr((host['verdict'], host['eligibility'])),
                          []).append(host)
    return [Alike([host['host'] for host in group], group[0]['verdict'],
                  group[0]['eligibility']) for group in groups.values()]


def _worst(result):
    far = {host for hosts in result['outliers'].values() for host in hosts}
    ranked = sorted(result['hosts'], key=lambda host: (
        verdict.WORST.index(host['verdict']['status']),
        host['host'] not in far))
    chosen = [host['host'] for host in ranked[:HOSTS]]
    return [host for host in result['hosts'] if host['host'] in chosen]


def of_host(run, profile, host):
    """Take figures and plots of a host.

    :param run: a runs.Run
    :param profile: the profiles.Profile
    :param host: what result.json says of the host
    :returns: a :class:`Host`
    """
    shown, hidden = measured.of_host(run, host)
    return Host(host['host'], shown, hidden, measured.reckoned(run, host),
                [*lanes.latencies(shown), *footprint.of(shown),
                 *timelines.dirtying(shown), *timelines.writes(shown),
                 *lanes.bars(shown),
                 *timelines.space(run, host['host'])],
                [rounds.of(profile, figure) for figure in shown])


def _failed(run, profile):
    """Collect tests that failed, with what hangs on them.

    :returns: list of :class:`Failed`
    """
    entries = {entry.record.name: entry for entry in run.entries}
    tests = [_with_texts(entry) for entry in run.entries]
    return [Failed(failure, *steps.of_test(
        profile, entries[failure.test.name]), _again(failure.test.name))
        for failure in failures.of([runs_of.Run('', tests)])]


def _with_texts(entry):
    record = entry.record
    return dataclasses.replace(
        entry.test, began=record.started, ended=record.ended,
        tags=frozenset(record.worker.split()),
        texts={detail.name: detail.data.decode(errors='replace')
               for detail in record.details
               if detail.mime_type == stream.TEXT
               and detail.name.startswith(_TRACEBACK)})


def _again(name):
    """Tell what runs a test, or all tests of a class, once more."""
    if name == streams.UNREADABLE:
        return ''
    found = name.partition('[')[0].rpartition('(')[2].rstrip(')')
    return "tempest run --regex '%s'" % found.replace('.', r'\.')
