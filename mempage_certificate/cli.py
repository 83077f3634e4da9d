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

"""The command mempage-certify: make certificates, and look at them."""

import argparse
import os
import pathlib
import sys

try:
    from mempage_certificate import archive
    from mempage_certificate import bundles
    from mempage_certificate import comparison
    from mempage_certificate import display
    from mempage_certificate import documents
    from mempage_certificate import errors
    from mempage_certificate import profiles
    from mempage_certificate import verdict
    from mempage_certificate import verification
    from mempage_tempest_plugin.cmd import argument_types
    from mempage_tempest_plugin.cmd import ending
    from mempage_tempest_plugin.cmd import outputs
except ImportError as error:
    # Who has the plugin for its tests needs no numpy.
    raise SystemExit('mempage-certify: %s: pip install '
                     'mempage-tempest-plugin[certify]' % error) from error


#: Exit status of "run" by its verdict: what was judged, and did not do, is
#: told apart from what was not judged.
STATUSES = {verdict.CERTIFIED: 0, verdict.PASSED: 0, verdict.FAILED: 1,
            verdict.NOT_ELIGIBLE: 1, verdict.INCONCLUSIVE: 1,
            verdict.ERROR: 3, verdict.INCOMPLETE: 3}
#: Exit status of "run" if there is no bundle; argparse has the same.
NO_BUNDLE = 2
#: Exit status of "run" if it was interrupted twice, or when no test ran, as
#: of shells.
KILLED = ending.INTERRUPTED

_FAULT = ('this is a fault of the program, or of the machine that it runs on: '
          'there is no bundle; --resume goes on')


def main(argv=None):
    """Run the command.

    :param argv: arguments; those of the process by default
    :returns: exit status: 0, or 1 if something could not be done, or is not
        as a bundle says; that of "run" is one of those above; or as of
        ending.call
    """
    arguments = _parser().parse_args(argv)
    # Others' status of what fails says that the product was judged.
    own = {'failed': NO_BUNDLE, 'fault': _FAULT} if (
        arguments.function is _run) else {}
    return ending.call('mempage-certify', arguments.function, arguments,
                       **own)


def _parser():
    parser = argparse.ArgumentParser(
        prog='mempage-certify',
        description='Certify a backing store from the results of a run, or '
                    'look at what others have certified.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for add in (_add_run, _add_bundle, _add_verify, _add_show, _add_compare,
                _add_profiles):
        add(commands)
    return parser


def _add_run(commands):
    command = commands.add_parser(
        'run', help='run what a profile asks for, and make a bundle of it',
        description='Run the tests that a profile asks for, level by level, '
        'and make a bundle of their results. What hosts can reach, and what '
        'that costs, is told before. Interrupted once, it makes a bundle of '
        'what there is. Exit status: 0 if the verdict is certified or '
        'passed; 1 if it is failed, not-eligible or inconclusive; 3 if it is '
        'error or incomplete: nothing was judged; 2 if there is no bundle.')
    command.set_defaults(function=_run)
    command.add_argument(
        '--config-file', default='etc/tempest.conf', metavar='FILE',
        help='tempest.conf; %(default)s if not given')
    command.add_argument('--profile', type=_published, metavar='NAME',
                         help='one of those that "profiles" lists')
    command.add_argument('--product', metavar='PRODUCT.yaml',
                         help='what the vendor says of the product')
    command.add_argument(
        '--hosts', '--host', type=argument_types.names, default=[],
        metavar='A,B', help='these hosts; all that have a store if not given')
    command.add_argument(
        '--lanes', type=argument_types.at_least_one, default=1, metavar='N',
        help='how many hosts at a time; %(default)s if not given')
    command.add_argument(
        '--without-info', action='store_true',
        help='leave out what the profile asks for as information only: no '
             'verdict depends on it')
    command.add_argument(
        '--results', type=pathlib.Path, metavar='DIR',
        help='a new directory for what comes of the run; named after the '
             'time if not given')
    command.add_argument(
        '--resume', type=pathlib.Path, metavar='DIR',
        help='go on with the run that has this directory: only what has no '
             'result yet runs')
    command.add_argument(
        '--dry-run', action='store_true',
        help='only look at the hosts, and tell what they can reach, what '
             'would run and what that costs')
    _add_making(command)
    command.add_argument(
        '-o', '--output', type=argument_types.output, metavar='FILE',
        help='the bundle, a tar.gz; bundle.tar.gz in the directory of the '
             'run if not given')


def _published(name):
    """Refuse a profile that there is not, before anything is done for it."""
    try:
        profiles.find(name)
    except errors.NotPublished as error:
        raise argparse.ArgumentTypeError(error) from error
    return name


def _add_making(command):
    command.add_argument(
        '--sign', type=argument_types.not_empty, metavar='KEY',
        help='a key of ssh to sign the bundle with')
    command.add_argument(
        '--hide', type=argument_types.not_empty, action='append', default=[],
        metavar='NAME',
        help='a name that must not be told, such as that of a host which no '
             'test was about; may be given several times')


def _add_bundle(commands):
    command = commands.add_parser(
        'bundle', help='make a bundle of the results of a run')
    command.set_defaults(function=_bundle)
    command.add_argument(
        'results', metavar='RESULTS',
        help='what "stestr last --subunit" writes; - is stdin')
    command.add_argument('--profile', type=_published, required=True,
                         metavar='NAME',
                         help='one of those that "profiles" lists')
    command.add_argument('--product', required=True, metavar='PRODUCT.yaml',
                         help='what the vendor says of the product')
    _add_making(command)
    command.add_argument('-o', '--output', type=argument_types.output,
                         required=True, metavar='FILE',
                         help='the bundle, a tar.gz')


def _add_verify(commands):
    command = commands.add_parser(
        'verify', help='reckon all that a bundle says again')
    command.set_defaults(function=_verify)
    command.add_argument('bundle', metavar='BUNDLE')
    command.add_argument(
        '--allowed-signers', type=argument_types.not_empty, metavar='FILE',
        help='who may have signed it, as "ALLOWED SIGNERS" of ssh-keygen(1) '
             'says; without it, any signature or none will do')


def _add_show(commands):
    command = commands.add_parser(
        'show', help='show what a bundle says, without a proof')
    command.set_defaults(function=_show)
    command.add_argument('bundle', metavar='BUNDLE')


def _add_compare(commands):
    command = commands.add_parser('compare', help='put two bundles side by '
                                  'side')
    command.set_defaults(function=_compare)
    command.add_argument('bundles', nargs=2, metavar='BUNDLE')


def _add_profiles(commands):
    command = commands.add_parser(
        'profiles', help='list the profiles that are published')
    command.set_defaults(function=_profiles)


def _run(arguments):
    # Tempest takes its time to load: who looks at a bundle has no need of it.
    from mempage_certificate.running import command

    outputs.refuse_sources(arguments.output, [
        arguments.product, arguments.config_file, arguments.sign])
    try:
        with command.run(arguments, arguments.product and
                         _read(arguments.product)) as done:
            if done.data is None:
                return int(not done.eligible)
            # Of many hosts it takes minutes, and nobody else is to make it.
            result = _make(
                done.data, done.profile, done.product, arguments.sign,
                [*arguments.hide, *done.hosts],
                arguments.output or str(done.path / 'bundle.tar.gz'))
    except KeyboardInterrupt:
        print('mempage-certify: interrupted, there is no bundle; --resume '
              'goes on', file=sys.stderr)
        return KILLED
    return STATUSES[result['verdict']['status']]


def _bundle(arguments):
    results = ('/dev/stdin' if arguments.results == '-'
               else arguments.results)
    outputs.refuse_sources(arguments.output, [
        results, arguments.product, arguments.sign])
    _make(_read(results), profiles.find(arguments.profile),
          _read(arguments.product), arguments.sign, arguments.hide,
          arguments.output)
    return 0


def _make(data, profile, product, key, hidden, output):
    """Make a bundle, write it and show it.

    :param output: path of the file; all else as of bundles.make
    :returns: what its result.json says
    """
    contents, hosts = bundles.make(data, profile, product, key, hidden)
    _write(output, archive.pack(contents))
    result = _result(contents)
    print(display.text(result))
    for host, label in hosts.items():
        print('%s is %s in the bundle' % (host, label))
    print('%s: %s' % (output, 'signed' if key else 'not signed'))
    return result


def _verify(arguments):
    report = verification.verify(arguments.bundle, arguments.allowed_signers)
    for problem in report.problems:
        print(display.plain(problem))
    print(_who(report))
    if report.problems or report.result is None:
        print('NOT as it says')
        return 1
    print('As it says: %s' % display.heading(report.result))
    return 0


def _who(report):
    if not report.signer:
        return 'Nobody vouches for it: whoever has it could have made it.'
    if report.known:
        return 'Signed by %s' % display.plain(report.signer)
    return ('Signed with the key %s; whose it is, --allowed-signers tells'
            % display.plain(report.signer))


def _show(arguments):
    print(display.text(_result(archive.unpack(arguments.bundle))), end='')
    return 0


def _compare(arguments):
    print(comparison.text(*(_result(archive.unpack(path))
                            for path in arguments.bundles)), end='')
    return 0


def _profiles(_arguments):
    print(display.table(
        ['profile', 'certifies', 'SHA-256', 'for'],
        [[profile.name, profile.target, profiles.sha256(profile.data),
          profile.document['title']]
         for profile in profiles.published().values()]))
    return 0


def _result(contents):
    if archive.RESULT not in contents:
        raise errors.CertificateError('the bundle has no %s' % archive.RESULT)
    return documents.from_json(archive.RESULT, contents[archive.RESULT],
                               'result')


def _read(path):
    try:
        with open(path, 'rb') as stream:
            return stream.read()
    except OSError as error:
        raise errors.CertificateError('%s: cannot be read: %s' % (
            path, error.strerror)) from error


def _write(path, data):
    # /dev/stdout and other links stay what they are.
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        raise errors.CertificateError(
            '%s: cannot be written: a bundle takes the place of what is '
            'there, and that is no plain file' % path)
    # Nobody is to find half a bundle, or one of two processes.
    part = '%s.%d.part' % (target, os.getpid())
    try:
        try:
            with open(part, 'wb') as stream:
                stream.write(data)
            os.replace(part, target)
        finally:
            pathlib.Path(part).unlink(missing_ok=True)
    except OSError as error:
        raise errors.CertificateError('%s: cannot be written: %s' % (
            path, error.strerror)) from error


if __name__ == '__main__':
    sys.exit(main())
