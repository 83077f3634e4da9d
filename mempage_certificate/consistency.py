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

"""Contradictions in a run: it is not one run, or not all of it is there."""

import collections
import datetime
import re

from mempage_certificate import eligibility
from mempage_certificate import figures
from mempage_certificate import masking
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.evidence import streams

# Documents have milliseconds, rounded down; streams have microseconds.
_ROUNDED = datetime.timedelta(milliseconds=1)
_HOST = re.compile(r'host-\d{1,6}$')
_KEPT = ('reason', 'traceback')


def problems(run, profile, product):
    """Tell what contradicts itself in a run.

    :param run: a runs.Run
    :param profile: a profiles.Profile
    :param product: what PRODUCT.yaml says
    :returns: list of texts, each of which names a test or a host
    """
    return [problem for look in (
        _of_times, _of_names, _of_cases, _of_repeated, _of_statuses,
        _of_facts, _of_hosts, _of_environments, _of_measurements,
        _of_companions, _of_parts)
        for problem in look(run, profile)] + [
            problem for look in (_of_batches, _of_devices)
            for problem in look(run, profile, product)]


def _short(entry):
    return entry.record.name.removeprefix('mempage_tempest_plugin.tests.')


def _of_parts(run, _profile):
    """Look for parts that nobody could read, and that do not belong there."""
    for entry in run.entries:
        if entry.record.name == streams.UNREADABLE:
            yield 'parts of the stream could not be read: it was cut off'
        elif not masking.TEST.match(entry.record.name):
            yield '%.100r: is in no masked stream: no test is called so' % (
                entry.record.name)
        for detail in entry.record.details:
            if _kind(detail) not in (*_KEPT, *facts.KINDS):
                yield '%s: kept %r, which is in no masked stream' % (
                    _short(entry), detail.name)
        yield from _removed(entry)


def _kind(detail):
    return re.sub(r'-\d+$', '', detail.name)


def _removed(entry):
    """Look for numbers that are missing in the names of details."""
    seen = collections.Counter()
    for detail in entry.record.details:
        kind = _kind(detail)
        wanted = '%s-%d' % (kind, seen[kind]) if seen[kind] else kind
        seen[kind] += 1
        if detail.name != wanted:
            yield '%s: kept %s, and %s is not there: it was removed' % (
                _short(entry), detail.name, wanted)
            return


def _of_times(run, _profile):
    last = {}
    for entry in run.entries:
        record = entry.record
        if record.name == streams.UNREADABLE:
            continue
        if not record.started or not (record.ended
                                      or record.status == stream.HUNG):
            yield '%s: nobody knows when it ran' % _short(entry)
            continue
        if record.ended and record.ended < record.started:
            yield '%s: ended before it began: the clock went backwards' % (
                _short(entry))
        # Those that never ended have no place in the order.
        before = record.ended and last.get(record.worker)
        if before and record.started < before.record.ended:
            yield ('%s: began before %s had ended, which the same worker ran '
                   'before it: the clock went backwards, or two runs are '
                   'mixed' % (_short(entry), _short(before)))
        if record.ended:
            last[record.worker] = entry


def _of_names(run, profile):
    known = profile.tests()
    by_id = {}
    for name, test in known.items():
        by_id.setdefault(test['id'], name)
    for entry in run.entries:
        yield from _of_name(entry, known, by_id)


def _of_repeated(run, _profile):
    """Look for tests that are there several times.

    A test may run once, in each lane. If it never ended, it may run again;
    if it measures and has passed, it may measure more. Of a class, tests may
    run at several times.
    """
    seen = collections.defaultdict(list)
    for entry in run.entries:
        if id(entry) in run.cut_off:
            if entry.record.details:
                yield ('%s: never ended, has kept %s all the same, and ran '
                       'again' % (_short(entry), entry.record.details[0].name))
        elif not (entry.is_whole_class
                  or entry.record.name == streams.UNREADABLE):
            seen[entry.lane, entry.name].append(entry)
    for entries in seen.values():
        *earlier, last = entries
        if any(entry.hung or entry.test.status != streams.PASSED
               or not entry.measures for entry in earlier):
            yield '%s: is there %d times: two runs are mixed' % (
                last.record.name, len(entries))


def _of_cases(run, profile):
    """Look for cases of a matrix that are there by several names."""
    for name, test in profile.tests().items():
        seen = {}
        for entry in run.of_all(name) if test['cases'] > 1 else ():
            case = entry.lane, entry.case_of(name)
            other = seen.setdefault(case, entry)
            if other.name != entry.name:
                yield '%s: is case %d, and so is %s: two runs are mixed' % (
                    _short(entry), case[1], _short(other))


def _of_name(entry, known, by_id):
    named = [(name, test) for name, test in known.items()
             if entry.case_of(name) is not None]
    for name, test in named:
        if entry.identity != test['id']:
            yield '%s: has the ID %s, and the catalogue knows it by %s' % (
                _short(entry), entry.identity, test['id'])
        case = entry.case_of(name)
        if case > test['cases'] or not case and test['cases'] > 1:
            yield '%s: the test has %d cases' % (_short(entry), test['cases'])
    if not named and entry.identity in by_id:
        yield '%s: has the ID of %s' % (_short(entry), by_id[entry.identity])


def _of_statuses(run, profile):
    known = profile.tests()
    for entry in run.entries:
        if entry.record.name == streams.UNREADABLE:
            continue
        of_catalogue = any(entry.case_of(name) is not None for name in known)
        yield from _of_status(entry, of_catalogue)


def _of_status(entry, of_catalogue):
    test = entry.test
    texts = {name: bool(entry.record.texts(name)) for name in _KEPT}
    if test.status == streams.PASSED:
        if texts['traceback']:
            yield '%s: passed, and has a traceback' % _short(entry)
        if any(not document['passed']
               for document in entry.kept(facts.OUTCOME)):
            yield '%s: passed, and failed on a host' % _short(entry)
        if of_catalogue and any(map(streams.disagrees,
                                    entry.kept(facts.FACTS))):
            yield '%s: passed, and has a fact that disagrees' % _short(entry)
    if test.status != streams.SKIPPED and texts['reason']:
        yield '%s: was not skipped, and has a reason to be' % _short(entry)
    if test.status == streams.SKIPPED and not texts['reason']:
        yield '%s: was skipped, and does not say why' % _short(entry)
    if entry.record.status == 'fail' and not texts['traceback']:
        yield '%s: failed, and does not say why' % _short(entry)


def _of_facts(run, _profile):
    for entry, document in run.kept(facts.FACTS):
        when = _time(document['when'])
        if not _within(entry, when, when):
            yield ('%s: has facts of another time, %s: they are of another '
                   'test or run' % (_short(entry), document['when']))
        for fact in document['facts']:
            if _is_unequal(fact):
                yield ('%s: the fact "%s: %s" says that it agrees, and %.100r '
                       'is not %.100r' % (
                           _short(entry), fact['witness'], fact['name'],
                           fact['observed'], fact['expected']))


def _is_unequal(fact):
    # What was cut or masked may be equal, and did not agree.
    return (fact.get('exact') and fact['agrees']
            and fact['expected'] != fact['observed'])


def _within(entry, begin, end):
    started, ended = entry.record.started, entry.record.ended
    return (not started or begin >= started - _ROUNDED) and (
        not ended or end <= ended + _ROUNDED)


def _of_hosts(run, _profile):
    names = {document['host'] for entry in run.entries
             for document in entry.test.documents} - {None}
    for name in sorted(names):
        if not _HOST.match(name):
            yield 'a host is called by its name: the stream was not masked'
    for number in range(1, len(names) + 1):
        if 'host-%d' % number not in names:
            yield ('host-%d: is not there, and hosts have all numbers from 1 '
                   'on: it was removed' % number)
            return


def _of_environments(run, profile):
    if len(run.ids) > 1:
        yield 'documents are of %d runs: %s' % (
            len(run.ids), ', '.join(run.ids))
    seen = collections.Counter(
        (document['host'], document['phase'])
        for _, document in run.kept(facts.ENVIRONMENT))
    for (host, phase), times in seen.items():
        if times > 1:
            yield '%s: tells %d times what it was %s the run' % (
                host, times, phase)
    for entry, document in run.kept(facts.ENVIRONMENT):
        when = _time(document['when'])
        if not _may(entry, profile.catalogue.get('environment')):
            yield '%s: %s is no test that tells what it is made of' % (
                document['host'], _short(entry))
        if not _within(entry, when, when):
            yield '%s: what it is made of is from another time than %s' % (
                document['host'], _short(entry))
    for host, phases in run.environments.items():
        yield from _of_phases(host, phases)
    for entry in run.entries:
        # Who tells what a host is made of has begun before, or ends after.
        telling = {document['host']
                   for document in entry.kept(facts.ENVIRONMENT)}
        hosts = dict.fromkeys(document['host']
                              for document in entry.test.documents
                              if document['host'] not in telling)
        for host in hosts:
            yield from _outside(entry, host, run.environments.get(host, {}))


def _of_devices(run, profile, product):
    """Look for devices that are in two hosts.

    Hosts that reach smoke at most may be parts of one machine.
    """
    seen = {}
    for host, phases in run.environments.items():
        found = eligibility.of_host(profile, phases, product)
        if not found or found.best in (None, profiles.LEVELS[0]):
            continue
        for device in runs.before(phases)['store']['devices']:
            identity = device['serial_hash']
            # Some devices tell no serial number.
            if identity == environments.serial_hash(device['model'], ''):
                continue
            other = seen.setdefault(identity, host)
            if other != host:
                yield ('%s: its device %s has the serial number of one of %s: '
                       'a device is in one host. Certify hosts that share '
                       'one in runs of their own' % (
                           host, device['model'], other))


def _of_phases(host, phases):
    first, last = runs.before(phases), runs.after(phases)
    if not first:
        yield '%s: does not tell what it was before the run' % host
    if not (first and last):
        return
    if last['when'] < first['when']:
        yield '%s: the run ended before it began' % host
    for name in changed(first, last):
        yield '%s: %s changed during the run' % (host, name)


def changed(first, last):
    """List what a host was made of, and is not any more.

    :param first: its environment before the run
    :param last: that after it
    :returns: list of names of keys
    """
    return [key for key in first
            if key not in ('phase', 'when')
            and _still(first[key]) != _still(last[key])]


def _still(value):
    """Leave out what counts on: what devices have written and so on."""
    if not isinstance(value, dict) or 'devices' not in value:
        return value
    return dict(value, devices=[dict(device, smart=device['smart'] is None)
                                for device in value['devices']])


def _outside(entry, host, phases):
    """Look whether a test of a host ran before or after the run."""
    first, last = runs.before(phases), runs.after(phases)
    started = entry.record.started
    if started and first and started + _ROUNDED < _time(first['when']):
        yield ('%s: ran before the run began on %s: it is of another run' % (
            _short(entry), host))
    if started and last and started > _time(last['when']) + _ROUNDED:
        yield ('%s: ran after the run had ended on %s: it is of another run'
               % (_short(entry), host))


def _time(text):
    return datetime.datetime.fromisoformat(text)


def _of_measurements(run, profile):
    for (host, identity), batches in run.batches.items():
        if len({(entry.lane, entry.record.name)
                for entry, _ in batches}) > 1:
            yield '%s: %s was measured %d times: one may not choose' % (
                host, identity, len(batches))
        yield from _of_pairs(host, run.measurements[host, identity], profile)
    for entry, document in run.kept(facts.MEASUREMENT):
        phases = run.environments.get(document['host'], {})
        for problem in (*_of_measurement(entry, document, profile),
                        *_of_limit(document['limit'], phases)):
            yield '%s: %s: %s' % (document['host'], document['id'], problem)


def _of_measurement(entry, document, profile):
    problem = measurements.meaningless(document)
    if problem:
        yield problem
    if not entry.measures:
        yield '%s is no test that measures' % _short(entry)
    samples = document['samples']
    if not _within(entry, _time(samples[0]['started']),
                   _time(samples[-1]['ended'])):
        yield 'its samples are from another time than %s' % _short(entry)
    yield from _of_time(entry, document)
    limit = document['limit']
    if (limit['started'] < samples[-1]['ended']
            and limit['ended'] > samples[0]['started']):
        yield 'the limit of the store was measured while samples were taken'
    rule = profile.rule(document['id'])
    if rule is None:
        yield 'is not in the catalogue'
        return
    if 'follows_from' in rule:
        yield 'follows from %s, and nobody measures it' % rule['follows_from']
    if not _may(entry, rule.get('tests')):
        yield '%s does not measure it' % _short(entry)
    yield from _of_rule(document, rule)


def _of_time(entry, document):
    """Look whether measuring took as long as the moments say."""
    took = document.get('took')
    if not took:
        return
    for name, seconds in measurements.spent(document).items():
        if abs(took[name] - seconds) >= _ROUNDED.total_seconds():
            yield 'took %g s for %s, and %g s passed by its moments' % (
                took[name], name, seconds)
    samples = document['samples']
    least = _time(samples[-1]['ended']) - _time(samples[0]['started'])
    started, ended = entry.record.started, entry.record.ended
    most = ended - started if started and ended else datetime.timedelta.max
    if not ((least - _ROUNDED).total_seconds() <= took['seconds']
            <= most.total_seconds()):
        yield ('took %g s, which is less than its samples or more than %s '
               'took' % (took['seconds'], _short(entry)))


def _of_companions(run, _profile):
    """Look for figures of a test that lack what others of it have.

    A test takes samples of all its figures at the same moments, and has all
    of them each time that it measures.
    """
    identities = {}
    for entry in run.entries:
        by_host = collections.defaultdict(list)
        for document in entry.kept(facts.MEASUREMENT):
            by_host[document['host']].append(document)
        for host, found in by_host.items():
            yield from _of_moments(host, found)
            here = {document['id'] for document in found}
            before = identities.setdefault((host, entry.name), here)
            for identity in sorted(before ^ here):
                yield ('%s: %s: %s measured it in some of the times that it '
                       'ran: the others were removed' % (
                           host, identity, _short(entry)))


def _of_moments(host, found):
    seen = {}
    for document in found:
        moments = frozenset(sample['started']
                            for sample in document['samples'])
        for other, those in seen.items():
            if moments & those and moments != those:
                yield ('%s: %s: has not the samples of the moments that %s of '
                       'the same test has: some were removed or added' % (
                           host, document['id'], other))
        seen[document['id']] = moments


def _of_pairs(host, document, profile):
    pairs = len(document['samples']) // 2
    most = profile.document['pairs']['max']
    if pairs > most:
        yield ('%s: %s: has %d pairs, more than %d: one may not go on until '
               'it suits' % (host, document['id'], pairs, most))


def _of_batches(run, profile, product):
    """Look for tests that measured more though nothing needed more."""
    of_tests = collections.defaultdict(dict)
    for (host, identity), batches in run.batches.items():
        of_tests[host, batches[0][0].record.name][identity] = [
            document for _, document in batches]
    for (host, name), found in of_tests.items():
        first = runs.before(run.environments.get(host, {}))
        for number in range(1, max(map(len, found.values()))):
            before = [figure for documents in found.values()
                      for figure in figures.with_following(
                          profile, product, first,
                          runs.joined(documents[:number]))]
            if not any(figure.status in figures.MAY_NEED_MORE
                       for figure in before):
                yield ('%s: %s measured %d times, though its figures were '
                       'told: one may not go on until it suits' % (
                           host, name.removeprefix(profiles.PACKAGE),
                           number + 1))


def _of_limit(limit, phases):
    first, last = runs.before(phases), runs.after(phases)
    if (first and limit['started'] < first['when']
            or last and limit['ended'] > last['when']):
        yield 'the limit of the store was not measured in this run'


def _may(entry, tests):
    """Tell whether a test is one of those that a catalogue names, if any."""
    return tests is None or any(
        entry.case_of(profiles.PACKAGE + name) is not None for name in tests)


def _of_rule(document, rule):
    told = {'unit': document['unit'], 'direction': document['direction'],
            'cache': document['cache']['state'],
            'footprint_over_dram': document['footprint_over_dram']}
    for key, wanted in rule.items():
        if key in told and told[key] != wanted and not (
                key == 'footprint_over_dram'
                and abs(told[key] / wanted - 1) <= 0.05):
            yield '%s is %s, and the catalogue says %s' % (
                key, told[key], wanted)
