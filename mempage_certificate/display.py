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

"""Results for people, on a terminal."""

import prettytable

from mempage_certificate import verdict

#: What each status means.
SAYS = {
    verdict.CERTIFIED: 'Every check that must pass has passed.',
    verdict.PASSED: 'Every check that must pass has passed. Smoke certifies '
                    'nothing of a product.',
    verdict.FAILED: 'A check that must pass has failed.',
    verdict.INCONCLUSIVE: 'Figures do not tell on which side of a goal they '
                          'are: more pairs have to be measured.',
    verdict.NOT_ELIGIBLE: 'This is not what the profile is for.',
    verdict.ERROR: 'The run cannot be judged: something was lost on the way, '
                   'or contradicts itself.',
    verdict.INCOMPLETE: 'A check that must pass was skipped, or did not '
                        'run.'}
#: What no verdict says.
SAYS_NOT = (
    'Says nothing of other models, firmware or versions, of other workloads, '
    'nor of the time after the run.')


def text(result):
    """Show a result.

    :param result: what result.json says
    :returns: text of several lines
    """
    parts = [heading(result), SAYS[result['verdict']['status']], SAYS_NOT,
             '', *_run(result)]
    if result['verdict']['reasons']:
        parts += ['', 'Why it is no better:',
                  *('- %s' % plain(reason)
                    for reason in result['verdict']['reasons'])]
    parts += ['', _hosts(result), '', _checks(result)]
    if any(host['figures'] for host in result['hosts']):
        parts += ['', _figures(result)]
    parts += [plain('%s: far from the others in %s' % (
        ', '.join(hosts), figure))
        for figure, hosts in result['outliers'].items()]
    return '\n'.join(parts) + '\n'


def heading(result):
    """Tell the verdict in a line.

    :param result: what result.json says
    """
    return plain('%s: level %s reached, profile %s-%d (%s), %s %s %s' % (
        result['verdict']['status'].upper(),
        result['verdict']['level'] or 'none', result['profile']['name'],
        result['profile']['version'], result['profile']['target'],
        *(result['product'][key]
          for key in ('vendor', 'product', 'version'))))


def _run(result):
    run = result['run']
    return [plain(
        'Run %s, %s to %s: %d tests passed, %d failed, %d were skipped, %d '
        'did not end' % (
            ', '.join(run['ids']) or 'without a UUID', run['started'],
            run['ended'], run['passed'], run['failed'], run['skipped'],
            run['unfinished']))]


def table(columns, rows):
    """Lay out rows for a terminal.

    :param columns: list of headings
    :param rows: list of lists of values
    :returns: text of several lines
    """
    shown = prettytable.PrettyTable(columns, align='l', border=False,
                                    left_padding_width=0)
    for row in rows:
        shown.add_row([plain(value) for value in row])
    return '\n'.join(line.rstrip() for line in shown.get_string().splitlines())


def plain(value):
    """Make a text of what a stranger wrote, which may not steer a terminal.

    :param value: any value
    """
    return ''.join(letter if letter.isprintable() else '?'
                   for letter in str(value))


def _hosts(result):
    return table(['host', 'status', 'level', 'can reach'], [
        [host['host'], host['verdict']['status'],
         host['verdict']['level'] or 'none',
         host['eligibility'] and host['eligibility']['best'] or 'none']
        for host in result['hosts']])


def _checks(result):
    rows = {}
    for host in result['hosts']:
        for check in host['checks']:
            row = rows.setdefault(check['id'], [
                check['id'], check['level'], check['requirement'], {},
                check['title']])
            row[3].setdefault(check['status'], []).append(host['host'])
    return table(['check', 'level', 'asked for', 'status', 'what'], [
        [*row[:3], _statuses(row[3]), row[4]] for row in rows.values()])


def _statuses(found):
    if len(found) == 1:
        return next(iter(found))
    return ', '.join('%s %d' % (status, len(hosts))
                     for status, hosts in sorted(found.items()))


def _figures(result):
    return table(
        ['host', 'figure', 'store', 'control', 'limit', 'unit', 'ratio',
         'status'],
        [[host['host'], figure['id'], _number(figure['store']),
          _number(figure['control']), '%.4g' % figure['limit']['value'],
          figure['unit'], _interval(figure['figures'].get('ratio')),
          figure['status']]
         for host in result['hosts'] for figure in host['figures']])


def _number(summary):
    return '%.4g' % summary['median'] if summary else 'none'


def _interval(found):
    return ('%(median).3g (%(low).3g to %(high).3g)' % found if found
            else 'none')
