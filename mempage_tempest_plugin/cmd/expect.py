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

"""The command mempage-tempest expect: which tests run, and which skip."""

import argparse
import collections
import json
import sys

from stestr import selection

from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.cmd import outputs
from mempage_tempest_plugin.cmd import suite
from mempage_tempest_plugin.evidence import promised
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.tests.bases import foretold

_TESTS = 'mempage_tempest_plugin.tests.'
_ADVICE = (
    'What skips has a reason: give the cloud what it lacks, or let '
    'tempest.conf and the inventory promise what the cloud has. What is not '
    'in the results was left out, or whoever ran it was killed: compare with '
    'what was selected.')


def add_parser(commands):
    """Add the parser of the command.

    :param commands: the subparsers of mempage-tempest
    """
    parser = commands.add_parser(
        'expect', help='tell which tests have to run, and whether they did',
        description='Tell which tests have to run and which skip, and why, by '
        'tempest.conf and the inventory alone; with results, tell which of '
        'them did not.')
    parser.set_defaults(function=run)
    parser.add_argument(
        '--config-file', default='etc/tempest.conf', metavar='FILE',
        help='tempest.conf; %(default)s if not given')
    parser.add_argument(
        '--results', type=argument_types.not_empty, metavar='RESULTS',
        help='what "stestr last --subunit" writes after a run with this '
             'configuration; - is stdin')
    parser.add_argument(
        '--require', type=argument_types.regex, metavar='REGEX',
        help='tests in whose name this is found have to run: that they skip '
             'is a failure, whatever the reason')
    parser.add_argument(
        '--json', action='store_true', help='a document of JSON')
    parser.add_argument(
        '--json-file', type=argument_types.output, metavar='FILE',
        help='write that document there, beside what is printed; '
             '"mempage-tempest report" reads NAME.expected.json beside '
             'NAME.subunit')
    selected = parser.add_argument_group(
        'which tests, as for "tempest run"; all if none is given')
    selected.add_argument('--regex', type=argument_types.regexes,
                          metavar='REGEX')
    selected.add_argument('--exclude-regex', type=argument_types.regex,
                          metavar='REGEX')
    for option in ('--include-list', '--exclude-list', '--load-list'):
        selected.add_argument(option, type=argument_types.not_empty,
                              metavar='FILE')


def run(arguments):
    """Tell which tests have to run, and whether they did.

    :param arguments: of the command
    :returns: exit status: 0 if some have to run, and all of these did
    :raises RunError: if there are no such tests, one cannot be loaded, or
        the document would be written over what is read
    :raises InventoryError: if the inventory cannot be used
    :raises ResultsError: if there are no results
    """
    path = ('/dev/stdin' if arguments.results == '-' else arguments.results)
    outputs.refuse_sources(arguments.json_file, [
        path, arguments.config_file, arguments.include_list,
        arguments.exclude_list, arguments.load_list])
    results = path and streams.read(path)
    selected = _selected(suite.load(), arguments)
    if not selected and not results:
        raise exceptions.RunError('no test is called so')
    if not selected:
        print('no test of this plugin was selected')
        return 0
    tests = promised.compare(foretold.of(selected), results,
                             arguments.require)
    document = promised.document(tests, results, arguments.require)
    if arguments.json_file:
        _write(arguments.json_file, document)
    if arguments.json:
        print(json.dumps(document, indent=2))
    else:
        for line in (_expectation(tests) if results is None
                     else _comparison(tests)):
            print(line)
    for problem in document['problems']:
        print('mempage-tempest: %s' % problem, file=sys.stderr)
    return int(bool(document['problems']))


def _write(path, document):
    """Write the document of JSON.

    :raises RunError: if that cannot be
    """
    try:
        with open(path, 'w', encoding='utf-8') as stream:
            json.dump(document, stream, indent=2)
    except OSError as error:
        raise exceptions.RunError('%s: %s' % (
            path, error.strerror)) from error


def _selected(tests, arguments):
    """Select tests as stestr does for "tempest run".

    :param tests: list of them
    :param arguments: of the command
    :returns: list of them
    :raises RunError: if a file cannot be read, or has what is no regular
        expression
    """
    names = [test.id() for test in tests]
    try:
        if arguments.load_list:
            with open(arguments.load_list, encoding='utf-8') as stream:
                names = set(stream.read().split('\n')).intersection(names)
        for path in arguments.include_list, arguments.exclude_list:
            if path:
                _check_list(path)
        names = selection.construct_list(
            names, arguments.regex, arguments.exclude_list,
            arguments.include_list,
            # One that is empty excludes nothing.
            arguments.exclude_regex and arguments.exclude_regex.pattern)
    except OSError as error:
        raise exceptions.RunError('%s: %s' % (
            error.filename, error.strerror)) from error
    except UnicodeDecodeError as error:
        raise exceptions.RunError(
            'a list of tests is no text: %s' % error) from error
    return [test for test in tests if test.id() in names]


def _check_list(path):
    """Refuse a file with what is no regular expression: stestr would exit.

    :param path: of a list of these, with remarks
    :raises RunError: naming the line
    """
    with open(path, encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            try:
                argument_types.regex(line.split('#')[0].strip())
            except argparse.ArgumentTypeError as error:
                raise exceptions.RunError('%s: line %d: %s' % (
                    path, number, error)) from error


def _expectation(tests):
    """Tell what is foretold.

    :param tests: list of promised.Test
    :returns: iterable of lines
    """
    run = [test for test in tests if test.foretold.reason is None]
    yield from _grouped('must run', tests, [('', test) for test in run])
    yield from _grouped(
        'may skip all the same, where the cloud turns out to be so', tests,
        [(reason, test) for test in run for reason in test.foretold.may_skip])
    yield from _grouped(
        'skip', tests, [(test.foretold.reason, test) for test in tests
                        if test.foretold.reason is not None])
    yield '%d of %d tests must run, %d skip' % (
        len(run), len(tests), len(tests) - len(run))


def _comparison(tests):
    """Tell what became of tests.

    :param tests: list of promised.Test
    :returns: iterable of lines
    """
    wrong = [(test.problem, test) for test in tests if test.problem]
    yield from _grouped(
        'skipped, with good reason', tests, [
            (test.reason, test) for test in tests
            if test.status == streams.SKIPPED and not test.problem])
    yield from _grouped('ran without some hosts', tests, [
        ('host %s: %s' % item, test) for test in tests if test.ran
        for item in test.left_out.items()])
    yield from _grouped('not as it had to be', tests, wrong)
    if wrong:
        yield _ADVICE
    yield '%d of %d tests had to run; %d ran, %d skipped' % (
        sum(test.foretold.reason is None for test in tests), len(tests),
        sum(test.ran for test in tests),
        sum(test.status == streams.SKIPPED for test in tests))


def _grouped(title, tests, texts):
    """Show texts with the tests that they are about.

    :param title: what comes first, if there are any texts
    :param tests: list of all promised.Test
    :param texts: list of pairs of a text, which may be empty, and the
        promised.Test
    :returns: iterable of lines
    """
    all_of = collections.Counter(test.of_class for test in tests)
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for text, test in texts:
        groups[text][test.of_class].append(test)
    if groups:
        yield '%s:' % title
    for text, classes in groups.items():
        if text:
            yield '  %s' % text
        for name, found in classes.items():
            short = name.removeprefix(_TESTS)
            if len(found) == all_of[name]:
                yield '    %s: %d' % (short, len(found))
            else:
                yield from ('    %s.%s' % (short, test.method)
                            for test in found)
