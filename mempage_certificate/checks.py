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

"""What became of each check on a host."""

import dataclasses

from mempage_certificate import figures
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams

PASS = figures.PASS
FAIL = figures.FAIL
SKIP = 'skip'
ERROR = figures.ERROR
MISSING = figures.MISSING
INCONCLUSIVE = figures.INCONCLUSIVE
#: The worst first: of several, it counts.
WORST = (ERROR, FAIL, SKIP, MISSING, INCONCLUSIVE, PASS)

# What a device counts for ever, whatever a check is about; and its word that
# something is wrong with it now.
_GROWING = ('bytes_written', 'bytes_read', 'power_on_hours')
_WARNING = 'critical_warning'
_OF_HOST = {streams.PASSED: PASS, streams.FAILED: FAIL,
            streams.SKIPPED: SKIP, streams.UNKNOWN: FAIL}


@dataclasses.dataclass(frozen=True)
class Check:
    """What became of a check on a host.

    :ivar id: of the catalogue
    :ivar title: what it is about
    :ivar level: the level that it belongs to
    :ivar requirement: must, should or info
    :ivar status: one of the words above
    :ivar reasons: why it did not pass; list of texts
    :ivar evidence: names of tests and figures that it is judged by
    """

    id: str
    title: str
    level: str
    requirement: str
    status: str
    reasons: list
    evidence: list


def judge(run, profile, host, found):
    """Judge all checks that a profile asks for.

    :param run: a runs.Run
    :param profile: a profiles.Profile
    :param host: what the host is called
    :param found: dict of figures.Figure of the host, by ID
    :returns: list of :class:`Check`
    """
    return [_judge(run, profile, host, found, wanted)
            for wanted in profile.wanted()]


def _judge(run, profile, host, found, wanted):
    level, requirement, identity = wanted
    check = profile.checks[identity]
    if 'tests' in check:
        judged = _by_tests(run, check, host)
        evidence = sorted(check['tests'])
    elif 'measurements' in check:
        judged = _by_figures(check, found)
        evidence = sorted(check['measurements'])
    else:
        judged = _by_smart(check, run.environments[host])
        evidence = list(check['smart'])
    status = min((status for status, _ in judged), key=WORST.index,
                 default=PASS)
    reasons = [reason for other, reason in judged
               if other != PASS and reason]
    return Check(identity, check['title'], level, requirement, status,
                 list(dict.fromkeys(reasons)), evidence)


def _by_tests(run, check, host):
    judged = []
    passed = {}
    for name, test in check['tests'].items():
        entries = run.of(profiles.PACKAGE + name, host)
        found = [_of_entry(run, entry, host) for entry in entries]
        passed[name] = [entry for entry, (status, _) in zip(entries, found)
                        if status == PASS]
        found += _of_class(run, name, host, test.get('cases', 1),
                           len(entries))
        judged += [(status, '%s: %s' % (name, reason))
                   for status, reason in found]
    if all(status == PASS for status, _ in judged):
        judged += _without_facts(check, passed, host)
    return judged


def _of_class(run, name, host, cases, found):
    entry = run.of_class(profiles.PACKAGE + name.rpartition('.')[0], host)
    if entry and entry.test.status == streams.FAILED:
        return [(FAIL, 'its class could not be set up, or not put back what '
                       'it had changed')]
    if found >= cases:
        return []
    if entry and entry.test.status == streams.SKIPPED:
        return [(SKIP, 'skipped: %s' % entry.test.reason)]
    return [(MISSING, 'ran %d times, not %d' % (found, cases))]


def _of_entry(run, entry, host):
    if entry.record.status == stream.HUNG:
        return ERROR, 'never ended: the run was cut off, or a host was lost'
    if host in entry.results:
        result = entry.results[host]
        return _OF_HOST[result.outcome], _why(result)
    if entry.test.status == streams.SKIPPED:
        return SKIP, 'skipped: %s' % entry.test.reason
    told = entry.results.keys() - {None}
    if entry.test.status == streams.FAILED:
        return (MISSING, 'failed elsewhere, and tells nothing of this host'
                ) if told else (FAIL, 'failed, and did not tell where')
    if told:
        return MISSING, 'was not run on this host'
    if not run.has_own_lane(host):
        return MISSING, 'does not tell on which host it was run'
    return PASS, ''


def _why(result):
    if result.outcome == streams.SKIPPED:
        return 'skipped: %s' % result.reason
    if result.outcome == streams.UNKNOWN:
        return 'failed, and did not tell where'
    first = (result.error or '').strip().partition('\n')[0]
    return 'failed: %s' % (first or 'see the facts that disagree')


def _without_facts(check, passed, host):
    told = {name: [_facts_of(entry, host) for entry in entries]
            for name, entries in passed.items()}
    known = set().union(*(found for each in told.values() for found in each))
    missing = [(MISSING, 'nobody asked for the fact "%s"' % fact)
               for fact in check['facts'] if fact not in known]
    return missing + [
        (MISSING, '%s: did not ask for the fact "%s"' % (name, fact))
        for name, test in check['tests'].items() for found in told[name]
        for fact in test.get('facts', ()) if fact not in found]


def _facts_of(entry, host):
    return {'%s: %s' % (fact['witness'], fact['name'])
            for document in entry.kept(facts.FACTS)
            if document['host'] in (host, None)
            for fact in document['facts']}


def _by_figures(check, found):
    return [(MISSING, _unknown(identity, rule)) if identity not in found
            else (found[identity].status, '%s: %s' % (
                identity, '; '.join(found[identity].reasons)))
            for identity, rule in check['measurements'].items()]


def _unknown(identity, rule):
    if 'follows_from' in rule:
        return ('%s cannot be reckoned: it takes %s, and the '
                'rated_endurance_tbw of the one device of the store in '
                'PRODUCT.yaml' % (identity, rule['follows_from']))
    return '%s was not measured' % identity


def _by_smart(check, phases):
    first, last = runs.before(phases), runs.after(phases)
    if not (first and last and first['store'] and last['store']):
        return [(MISSING, 'nobody asked the devices before and after')]
    devices = list(zip(first['store']['devices'], last['store']['devices']))
    judged = [judgement for both in devices
              for judgement in _of_device(check, *both)]
    return judged or [(MISSING, 'the store is on no device')]


def _of_device(check, first, last):
    if not (first['smart'] and last['smart']):
        return [(MISSING, 'device %s does not tell' % first['model'])]
    told = [(count, first['smart'][count], last['smart'][count])
            for count in dict.fromkeys([*check['smart'], *_GROWING])]
    return [(FAIL, 'device %s: %s was %d, and is %d' % (
        first['model'], count, before, after))
        if _is_wrong(check, count, before, after) else (PASS, '')
        for count, before, after in told]


def _is_wrong(check, count, before, after):
    if count == _WARNING and before:
        return True
    if count in check['smart']:
        return before != after
    # Who counts backwards is another device, or tells nothing of errors.
    return after < before
