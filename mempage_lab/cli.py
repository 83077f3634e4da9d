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

"""The command line."""

import json
import os
import pathlib
import subprocess
import sys

import click

from mempage_lab import bench
from mempage_lab import constraints
from mempage_lab.drills import catalogue
from mempage_lab.drills import clean
from mempage_lab.drills import report
from mempage_lab.drills import running
from mempage_lab.drills import words
from mempage_lab import errors
from mempage_lab import files
from mempage_lab import interrupts
from mempage_lab import lab
from mempage_lab import logs
from mempage_lab import matrix
from mempage_lab import paths
from mempage_lab import preflight
from mempage_lab import progress
from mempage_lab import reboot
from mempage_lab import releases
from mempage_lab import restart
from mempage_lab import runner
from mempage_lab import status
from mempage_lab import stream
from mempage_lab import systems
from mempage_lab import topology


class _Group(click.Group):
    """Prints the lab's own errors without a traceback."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except errors.LabError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo('interrupted: "up" goes on from here, "down" takes '
                       'everything down', err=True)
            # Steps that still wait for something would be waited for.
            os._exit(130)


class _JsonFile(click.Path):
    """A file whose place results take, which may be after hours.

    :param new: whether nothing may be there: others' results would be lost
    """

    def __init__(self, new=False):
        super().__init__(path_type=pathlib.Path, dir_okay=False,
                         writable=True)
        self._new = new

    def convert(self, value, parameter, context):
        """Refuse what they cannot take the place of."""
        path = super().convert(value, parameter, context)
        try:
            files.check_place(path)
        except errors.LabError as error:
            self.fail(str(error), parameter, context)
        if self._new and path.exists() and path.stat().st_size:
            self.fail('%s: is there already; name another file, or remove it'
                      % path, parameter, context)
        return path


@click.group(cls=_Group, context_settings={'help_option_names':
                                           ['-h', '--help']})
def main():
    """A real multi-host OpenStack on this machine."""
    preflight.check_root()


_topology = click.option(
    '--topology', 'name', metavar='FILE|NAME',
    help='YAML file that declares the hosts, or the name of one in %s; the '
    'default is default.' % topology.SHIPPED)


@main.command()
@_topology
@click.option('--release', type=click.Choice(list(releases.RELEASES)),
              help='The release of OpenStack; the default is %s.'
              % releases.NEWEST.name)
@click.option('--stock', is_flag=True,
              help='Nova without the extension of this project.')
@click.option('--system', type=click.Choice(list(systems.DEBIANS)),
              help='The Debian of all nodes that name no other; the default '
              'is the machine\'s, if the release runs on its Python.')
def up(name, release, stock, system):
    """Bring the lab up; go on where an earlier try ended."""
    _up(lab.Wish(name and topology.find(name),
                 release and releases.RELEASES[release], stock or None,
                 system))


def _up(wish):
    with lab.exclusive(), progress.Progress() as shown:
        chosen = lab.choose(wish, shown)
        chosen.up(shown)
        shown.say('the lab is up: %s, %s' % (paths.TEMPEST_CONF,
                                             paths.INVENTORY))


@main.command(context_settings={'ignore_unknown_options': True,
                                'help_option_names': []})
@click.argument('arguments', nargs=-1, type=click.UNPROCESSED)
def run(arguments):
    """Bring the lab up and run Tempest in it.

    ARGUMENTS are those of "tempest run"; this project's suite runs unless
    they name tests. With --each among them, they are those of "mempage-tempest
    run".
    """
    each = '--each' in arguments
    _help_instead(arguments, *(
        ('mempage-tempest', 'run') if each else ('tempest', 'run')))
    if each:
        runner.check_values('mempage-tempest', arguments)
    else:
        runner.check(arguments)
    with lab.exclusive_tests():
        _up(lab.Wish())
        if each:
            sys.exit(runner.run_each(arguments))
        status, results = runner.run(arguments)
    failures = stream.read(results / 'results.subunit').failures
    for test, text in failures.items():
        click.echo('%s: %s' % (test, ' '.join(stream.message(text))))
    surprise = runner.compare(arguments, results)
    if surprise:
        click.echo(surprise)
    said, made = runner.make_page(results)
    click.echo('results: %s\n%s' % (results, said))
    sys.exit(status or int(surprise is not None or not made))


@main.command(context_settings={'ignore_unknown_options': True,
                                'help_option_names': []})
@click.argument('arguments', nargs=-1, type=click.UNPROCESSED)
def certify(arguments):
    """Bring the lab up and make a certificate of its hosts.

    ARGUMENTS are those of "mempage-certify run"; the profile is smoke-lab,
    unless they name another one.
    """
    _help_instead(arguments, 'mempage-certify', 'run')
    runner.check_values('mempage-certify', arguments)
    with lab.exclusive_tests():
        _up(lab.Wish())
        sys.exit(runner.certify(arguments))


def _help_instead(arguments, *command):
    """Leave with the help of a command, if that is what is asked for."""
    if not {'-h', '--help'}.isdisjoint(arguments):
        sys.exit(runner.help_of(*command))


@main.command()
def down():
    """Take the lab down; keep caches, logs and results."""
    with lab.exclusive(), progress.Progress() as shown:
        lab.down(shown)


@main.command()
def purge():
    """Take the lab down and remove caches, logs and results, too."""
    with lab.exclusive(), progress.Progress() as shown:
        lab.purge(shown)


@main.command('exec', context_settings={'allow_interspersed_args': False})
@click.argument('host')
@click.argument('command', nargs=-1, required=True, type=click.UNPROCESSED)
def exec_in_host(host, command):
    """Run a command as root inside a host or the controller.

    OpenStack's own commands, such as nova-manage, are found by their names.
    """
    node = _node(lab.load(), host)
    sys.exit(subprocess.call(node.enter(*command), env=dict(
        os.environ, PATH=node.installation.search_path)))


@main.command('status')
@click.option('--json', 'as_json', is_flag=True, help='Print JSON.')
def show_status(as_json):
    """Show hosts, services, health and memory.

    The exit status is 0 if the lab is up with all that belongs to it.
    """
    result = status.collect()
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        status.show(result)
    sys.exit(result['state'] != 'up')


@main.command('logs')
@click.argument('target', metavar='HOST|SERVICE|HOST/SERVICE')
@click.option('-f', '--follow', is_flag=True,
              help='Go on with what is written from now on.')
@click.option('-n', '--lines', default=20, show_default=True,
              type=click.IntRange(min=0), help='How many lines of each log.')
def show_logs(target, follow, lines):
    """Show the last lines of the logs of a host or a service."""
    logs.show(target, lines, follow, click.echo)


@main.command('restart')
@click.argument('target', metavar='HOST|SERVICE|HOST/SERVICE')
def restart_programs(target):
    """Restart the programs of a host or a service.

    Mounts, configuration and guests stay as they are.
    """
    with lab.exclusive(), progress.Progress() as shown:
        restart.run(lab.load(), [target], shown)


@main.command('reboot')
@click.argument('host')
@click.option('--hard', is_flag=True,
              help='Cut its power first: what it has not written is lost.')
def reboot_host(host, hard):
    """Reboot a host that is a machine, and wait until it is up again.

    Its guests go the way of all guests whose host reboots.
    """
    # Not the only one at work: tests reboot hosts, and "drill" and "matrix"
    # have the lab for themselves while tests run.
    with progress.Progress() as shown:
        reboot.run(lab.load(), host, hard, shown)


@main.command()
def openrc():
    """Print the administrator's credentials as a shell reads them.

    Use: eval "$(mempage-lab openrc)"
    """
    if not paths.OPENRC.exists():
        raise errors.LabError('there is no lab: mempage-lab up')
    click.echo(paths.OPENRC.read_text(), nl=False)


@main.command('bench')
@click.option('--servers', default=3, show_default=True,
              type=click.IntRange(min=1), help='How many servers to boot.')
@click.option('--json', 'json_file', type=_JsonFile(new=True),
              help='Also write the figures to this file, a new one.')
def run_bench(servers, json_file):
    """Measure speed and memory of the default lab.

    A lab that is up is taken down, and so is the measured one in the end.
    """
    with lab.exclusive():
        result = bench.run(servers)
    bench.show(result)
    if json_file:
        bench.save(result, json_file)


@main.command('drill', epilog='\b\n' + '\n'.join(
    '%-26s %s' % (name, drill.what)
    for name, drill in catalogue.DRILLS.items()))
@click.argument('names', nargs=-1, metavar='[NAME]...')
@click.option('--json', 'json_file', type=_JsonFile(),
              help='Also write the results to this file. What it has of other '
              'drills stays there; runs of --clean take the place of earlier '
              'ones.')
@click.option('--clean', 'clean_runs', type=click.IntRange(1), metavar='N',
              help='Break nothing, and run the whole suite N times in random '
              'order: all must pass.')
@click.option('--workers', type=click.IntRange(1), default=runner.WORKERS,
              show_default=True, metavar='N',
              help='With --clean: how many workers run the suite.')
@click.option('--words', 'read', multiple=True, metavar='FILE',
              type=click.Path(path_type=pathlib.Path, exists=True),
              help='Run nothing: judge again what --json wrote to this file, '
              'and see that nobody says the words of a drill when its fault '
              'is not there; may be given several times.')
def run_drills(names, json_file, clean_runs, workers, read):
    """Break the lab on purpose, and see whether the suite finds it.

    NAMEs are those of drills; without any, all run. Faults are put in one at
    a time, and taken back. The exit status is 0 if all were caught in the
    expected test, with a message that names the cause.
    """
    if names and clean_runs:
        raise click.UsageError('--clean breaks nothing: name no drill')
    if read and (names or clean_runs or json_file):
        raise click.UsageError('--words runs nothing: name no drill, and '
                               'neither --clean nor --json')
    if read:
        sys.exit(_judge_words([each for path in read
                               for each in report.load(path)]))
    drills = running.choose(names)
    with (lab.exclusive(), lab.exclusive_tests(), interrupts.raised(),
          progress.Progress() as shown):
        current = lab.load()
        if clean_runs:
            others = [each for each in report.load(json_file)
                      if isinstance(each, running.Result)]
            running.mend(current, shown)
            coming = clean.run(clean_runs, workers, shown)
        else:
            others = report.load(json_file, but=drills)
            coming = running.run(current, drills, shown)
        results = _keep(coming, json_file, kept=others)[len(others):]
    if clean_runs:
        report.show_runs(results)
        sys.exit(not all(run.clean for run in results))
    report.show(results)
    sys.exit(not running.passed(results, names))


def _judge_words(found):
    """Judge the words of drills by what was said, and show it.

    :param found: what :func:`report.load` returned
    :returns: exit status
    """
    results = words.judge_again([each for each in found
                                 if isinstance(each, running.Result)])
    clashes = words.clashes(results, [each for each in found
                                      if isinstance(each, clean.Run)])
    report.show(results)
    if clashes:
        report.show_clashes(clashes)
    return bool(clashes or any(result.verdict != running.CAUGHT
                               for result in results))


def _keep(results, json_file, save=report.save, kept=()):
    """Collect results, and write them to a file as they come."""
    kept = list(kept)
    for result in results:
        kept.append(result)
        if json_file:
            save(kept, json_file)
    return kept


@main.command('matrix')
@_topology
@click.option('--release', 'chosen', multiple=True,
              type=click.Choice(list(releases.RELEASES)),
              help='A release of OpenStack; may be given several times, and '
              'the default are all.')
@click.option('--nova', multiple=True, default=('stock', 'extension'),
              type=click.Choice(['stock', 'extension']), show_default=True,
              help='Nova without the extension of this project, or with it; '
              'may be given twice.')
@click.option('--system', 'debians', multiple=True,
              type=click.Choice(list(systems.DEBIANS)),
              help='The Debian of all nodes that name no other; may be given '
              'several times, and the default is the machine\'s.')
@click.option('--regex', default=runner.SUITE, show_default=True,
              help='Which tests run.')
@click.option('--workers', type=click.IntRange(1), default=runner.WORKERS,
              show_default=True, metavar='N',
              help='How many workers run the suite.')
@click.option('--json', 'json_file', type=_JsonFile(),
              default=paths.RESULTS / 'matrix.json', show_default=True,
              help='The file that the results are written to as they come. '
              'What it has of other clouds stays.')
@click.option('--resume', is_flag=True,
              help='Run only what that file has no verdict of.')
def run_matrix(name, chosen, nova, debians, regex, workers, json_file,
               resume):
    """Run the suite with several releases, one after the other.

    A lab that is up is taken down, and so is each of the matrix. The exit
    status is 0 if all that were asked for are green.
    """
    path = name and topology.find(name)
    tests = runner.suite(workers, regex)
    runner.check(tests)
    clouds = matrix.clouds(chosen or releases.RELEASES,
                           [edition == 'stock' for edition in nova],
                           debians or [systems.machine_name()])
    with (lab.exclusive(), lab.exclusive_tests(),
          progress.Progress() as shown):
        known = [result for result in matrix.load(json_file)
                 if result.cloud not in clouds
                 or resume and result.verdict != matrix.UNFINISHED]
        done = {result.cloud for result in known}
        wishes = {cloud: lab.Wish(path, releases.RELEASES[cloud.release],
                                  cloud.stock, cloud.system)
                  for cloud in clouds if cloud not in done}
        results = _keep(matrix.run(wishes, tests, shown), json_file,
                        matrix.save, known)
        lab.down(shown)
    matrix.show(results)
    sys.exit(any(result.verdict != matrix.GREEN for result in results
                 if result.cloud in clouds))


@main.command('constraints')
@click.argument('release', type=click.Choice(list(releases.RELEASES)))
@click.option('--upper', metavar='FILE|URL',
              help='The versions that OpenStack tested the release with; the '
              'default is %s.' % releases.UPPER_CONSTRAINTS % 'RELEASE')
def renew_constraints(release, upper):
    """Renew the versions that the lab installs for a RELEASE.

    Those of the newest one are this project's own tests' too, and the newest
    that go together, unless --upper is given.
    """
    chosen = releases.RELEASES[release]
    with progress.Progress() as shown, shown.step(str(chosen.constraints)):
        constraints.renew(chosen, upper)


def _node(current, name):
    try:
        return current.nodes[name]
    except KeyError as error:
        raise errors.LabError('no host %s; there are %s' % (
            name, ', '.join(current.nodes))) from error
