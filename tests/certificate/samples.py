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

"""Runs as the contract of the stream describes them, made by hand.

All figures here are made up, to see what becomes of them.
"""

import copy
import dataclasses
import datetime
import json

from mempage_certificate import bundles
from mempage_certificate import masking
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import measurements
from tests.plugin import samples

RUN = '6ec5d6a5-5a25-4d0c-9c1c-0f9f0a1d2b33'
BEGIN = datetime.datetime(2026, 11, 30, 6, tzinfo=datetime.timezone.utc)
PRODUCT = {'vendor': 'Vendor', 'product': 'Store X', 'version': '1',
           'contact': 'the product team', 'devices': [
               {'model': 'MODEL X', 'firmware': ['1.0'],
                'rated_endurance_tbw': 7300}]}
PAIRS = 6
_SECONDS = 60
_KNOWN = {}
_CASE = {'mempage_tempest_plugin.tests.api.test_file_backed_operations.'
         'TestFileBackedOperations.test_after': 'test_after_%d_x',
         'mempage_tempest_plugin.tests.api.test_file_backed_start.'
         'TestFileBackedGuards.test_refused': 'test_refused_%d_x'}


def at(seconds):
    return BEGIN + datetime.timedelta(seconds=seconds)


def moment(seconds):
    return measurements.moment(at(seconds))


def product(**changes):
    return json.dumps(dict(PRODUCT, **changes)).encode()


def wanted(profile, test):
    """List the facts that checks want a test to tell.

    :param profile: the profiles.Profile
    :param test: its name, without the package
    """
    return list(dict.fromkeys(
        fact for check in profile.checks.values()
        if test in check.get('tests', ())
        for fact in (*check['facts'],
                     *check['tests'][test].get('facts', ()))))


class Sample:
    """A run in which all is well, until somebody changes it.

    Its tests ran one after the other, a minute each.
    """

    def __init__(self, profile='nvme-endurance', hosts=('fbm1',), only=('',)):
        """Make a run.

        :param profile: name of the profile of which it has all
        :param hosts: their names
        :param only: words, one of which the names of tests and figures have
        """
        self.profile = profiles.find(profile)
        self.hosts = hosts
        key = profile, hosts, only
        if key not in _KNOWN:
            self.records = []
            self._record(only)
            _KNOWN[key] = self.records
        # Records are never changed, only replaced.
        self.records = list(_KNOWN[key])

    def _record(self, only):
        before, after = self.profile.catalogue['environment'].items()
        self._add_environments(before, 'before')
        checks = self.profile.checks.values()
        proving = {profiles.PACKAGE + name for check in checks
                   for name in check.get('tests', ())}
        for name, test in self.profile.tests().items():
            if name in proving and any(words in name for words in only):
                self._add_test(name, test)
        measuring = {}
        for check in checks:
            for identity, rule in check.get('measurements', {}).items():
                if any(words in identity for words in only):
                    if 'follows_from' in rule:
                        continue
                    [test] = rule['tests'].items()
                    measuring.setdefault((test[0], test[1]['id']), {})[
                        identity] = rule
        for (name, identity), rules in measuring.items():
            self._add_measurements(name, identity, rules)
        self._add_environments(after, 'after')

    def _add_environments(self, test, phase):
        when = at(self._now() + 1)
        self._add(test[0], [
            document for host in self.hosts for document in (
                samples.environment(host, run=RUN, phase=phase, when=when),
                _passed(host))], 'id-%s,per-host' % test[1]['id'])

    def _now(self):
        return len(self.records) * _SECONDS

    def _add(self, name, documents, attributes='per-host'):
        now = self._now()
        counts = {}
        details = []
        for document in documents:
            number = counts[document['kind']] = counts.get(
                document['kind'], -1) + 1
            details.append(stream.Detail(
                '%s-%d' % (document['kind'], number) if number
                else document['kind'], stream.JSON,
                json.dumps(document, separators=(',', ':')).encode()))
        self.records.append(stream.Record(
            '%s%s[%s]' % ('' if name.startswith('mempage') else
                          profiles.PACKAGE, name, attributes),
            'success', at(now), at(now + _SECONDS - 1), 'worker-0', details))

    def _add_test(self, name, test):
        documents = [document for host in self.hosts
                     for document in self._of_host(name, host)]
        for case in range(1, test['cases'] + 1):
            named = name
            if test['cases'] > 1:
                named = '%s.%s' % (name.rpartition('.')[0],
                                   _CASE[name] % case)
            self._add(named, [self._dated(document)
                              for document in documents],
                      'id-%s,per-host' % test['id'])

    def _of_host(self, name, host):
        short = name.removeprefix(profiles.PACKAGE)
        facts = wanted(self.profile, short)
        yield {'kind': 'facts', 'version': 1, 'subject': 'host %s' % host,
               'host': host, 'server': samples.SERVER, 'when': '',
               'facts': [dict(zip(('witness', 'name'), fact.split(': ', 1)),
                              expected=True, observed=True, agrees=True,
                              exact=True)
                         for fact in facts]}
        yield _passed(host)

    def _dated(self, document):
        return dict(document, **({'when': moment(self._now() + 1)}
                                 if 'when' in document else {}))

    def _add_measurements(self, name, identity, rules):
        self._add(name, [self._measured(figure, rule, host)
                         for host in self.hosts
                         for figure, rule in rules.items()],
                  'id-%s,measurement,per-host' % identity)

    def _measured(self, identity, rule, host):
        now = self._now()
        base = 1.0 if rule['unit'] == 'bytes/byte' else 100.0
        state = rule.get('cache', 'mixed')
        made = measurements.Measurement(
            identity, rule['unit'], rule['direction'], host, RUN, 7,
            ('tool', '1.0'))
        made.cache(state, {'cold': 1, 'cached': 100, 'mixed': 50}[state],
                   'cachestat', rule.get('footprint_over_dram', 0.5))
        made.limit(base, ('fio', '3.33'), at(now), at(now + 1))
        for pair in range(PAIRS):
            value = base * (1 + 0.001 * (pair % 3))
            made.sample('store', value, at(now + 4 * pair + 2),
                        at(now + 4 * pair + 3))
            made.sample('control', base, at(now + 4 * pair + 4),
                        at(now + 4 * pair + 5))
        return made.document()

    def find(self, words):
        """Find the number of the record whose name has some words."""
        [number] = [number for number, record in enumerate(self.records)
                    if words in record.name]
        return number

    def change(self, words, **changes):
        """Change parts of a record."""
        number = self.find(words)
        self.records[number] = dataclasses.replace(
            self.records[number], **changes)

    def edit(self, words, kind, change, host=None):
        """Change a document of a record.

        :param words: those of the record's name
        :param kind: of the document
        :param change: function that is told the document
        :param host: whose document it is; the first one if not given
        """
        self._edit(words, change, lambda document: (
            document['kind'] == kind and host in (None, document['host'])))

    def _edit(self, words, change, is_meant):
        number = self.find(words)
        details = list(self.records[number].details)
        for place, detail in enumerate(details):
            document = json.loads(detail.data)
            if is_meant(document):
                document = copy.deepcopy(document)
                change(document)
                details[place] = dataclasses.replace(
                    detail, data=json.dumps(document).encode())
                break
        self.change(words, details=details)

    def measure(self, identity, change, host=None):
        """Change a measurement."""
        wanted = b'"id":"%s"' % identity.encode()
        [record] = [record for record in self.records
                    if any(wanted in detail.data.replace(b' ', b'')
                           for detail in record.details)]
        self._edit(record.name, change, lambda document: (
            document.get('id') == identity
            and host in (None, document['host'])))

    def environment(self, change, phases=('before', 'after'), host=None):
        """Change what a host is made of."""
        for phase in phases:
            self.edit('TestStoreEnvironment.test_' + phase, 'environment',
                      change, host)

    def fail(self, words, error='no valid host', host=None):
        """Have a test fail, on a host."""
        self.edit(words, 'outcome', lambda document: document.update(
            passed=False, error=error), host)
        number = self.find(words)
        self.change(words, status='fail', details=[
            *self.records[number].details,
            stream.Detail('traceback', stream.TEXT, error.encode())])

    def skip(self, words, reason='not here'):
        """Have a test skip."""
        self.change(words, status='skip', details=[
            stream.Detail('reason', stream.TEXT, reason.encode())])

    def remove(self, words):
        """Remove a record."""
        del self.records[self.find(words)]

    def data(self):
        """Write the stream, as it was recorded."""
        return stream.write(stream.in_order(self.records))

    def bundle(self, key=None, **changes):
        """Make the files of a bundle."""
        return bundles.make(self.data(), self.profile, product(**changes),
                            key)[0]

    def run(self):
        """Read the run, as it is in a bundle."""
        return runs.read(masking.mask(self.data())[0])


def _passed(host):
    return {'kind': 'outcome', 'version': 1, 'host': host, 'passed': True,
            'error': None}


def values(store, control=None, limit=None):
    """Return a change of a measurement's values.

    :param store: list of values of the store, one for each pair
    :param control: list of those of the control; 100 if not given
    :param limit: of the store
    """
    control = control or [100.0] * len(store)

    def change(document):
        first = document['samples'][0]
        begin = datetime.datetime.fromisoformat(first['started'])
        taken = []
        for pair, both in enumerate(zip(store, control)):
            for arm, value in zip(('store', 'control'), both):
                begin += datetime.timedelta(milliseconds=10)
                taken.append({
                    'number': len(taken) + 1, 'pair': pair + 1, 'arm': arm,
                    'started': measurements.moment(begin),
                    'ended': measurements.moment(begin), 'value': value})
        document['samples'] = taken
        if limit:
            document['limit']['value'] = limit
    return change
