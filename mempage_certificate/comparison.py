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

"""Two bundles side by side."""

from mempage_certificate import display


def text(first, second):
    """Compare two results.

    :param first: what a result.json says
    :param second: what another one says
    :returns: text of several lines
    """
    both = (first, second)
    parts = ['A: ' + display.heading(first), 'B: ' + display.heading(second)]
    if first['profile'] != second['profile']:
        parts.append('The profiles differ: only what both ask for compares.')
    parts += ['', display.table(['check', 'A', 'B', ''], _rows(
        *map(_checks, both)))]
    figures = _rows(*map(_figures, both))
    if figures:
        parts += ['', display.table(['figure', 'A', 'B', ''], figures)]
    return '\n'.join(parts) + '\n'


def _rows(first, second):
    """Put what has the same name beside each other; '*' where they differ."""
    return [[name, first.get(name, '-'), second.get(name, '-'),
             '' if first.get(name) == second.get(name) else '*']
            for name in dict.fromkeys([*first, *second])]


def _checks(result):
    statuses = {}
    for host in result['hosts']:
        for check in host['checks']:
            statuses.setdefault(check['id'], []).append(check['status'])
    return {name: ', '.join(sorted(set(found)))
            for name, found in statuses.items()}


def _figures(result):
    found = {}
    for host in result['hosts']:
        for figure in host['figures']:
            value = figure['figures'].get('value')
            found.setdefault('%s, %s' % (figure['id'], figure['unit']),
                             []).append('%.4g' % value['median'] if value
                                        else figure['status'])
    return {name: ' '.join(values) for name, values in found.items()}
