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

"""nova-compute's configuration on a host, as oslo.config reads it there.

Its files travel here, into a directory that stands for the root directory of
the process, and oslo.config itself reads them.
"""

import argparse
import base64
import dataclasses
import glob
import os
import posixpath
import re
import tempfile

from oslo_config import cfg
from oslo_config import types
from oslo_utils import strutils
from oslo_utils import units

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import sections

PROCESSES = 'nova_processes.sh'
FILES = 'nova_files.sh'
PROJECT = 'nova'
PROGRAM = 'nova-compute'
# What is named as the file that says what the environment does.
ENVIRONMENT = 'environment of nova-compute'
# Drivers of other sources would ask from here, not from there.
NO_SOURCE = '[DEFAULT]\nconfig_source =\n'
#: What DevStack gives to nova-compute, which nobody knows if it does not run.
DEVSTACK = '/etc/nova/nova-cpu.conf'

_OPTIONS = (
    (None, cfg.StrOpt('compute_driver')),
    # Taken apart by reserved_pages, which names the value that is wrong.
    (None, cfg.MultiStrOpt('reserved_huge_pages', default=[])),
    (None, cfg.IntOpt('reserved_host_memory_mb', default=512, min=0)),
    ('libvirt', cfg.StrOpt('virt_type', default='kvm')),
    ('libvirt', cfg.IntOpt('file_backed_memory', default=0, min=0)),
    ('libvirt', cfg.ListOpt('allowed_memory_pagesize', default=[])))
_RESERVED = types.Dict()
_WORDS = ('small', 'large', 'any')
_SOURCE = re.compile(rb'^config_source[ \t]*[=:]', re.MULTILINE)
_VARIABLE = re.compile('OS_([A-Z]+)__(.+)')


class _Parser(argparse.ArgumentParser):

    def error(self, message):
        raise cfg.Error('the arguments of nova-compute: %s' % message)


@dataclasses.dataclass(frozen=True)
class Process:
    """A nova-compute, or what one would be that does not run.

    :ivar pid: as the host counts; None if it does not run
    :ivar arguments: what follows the name of the program
    :ivar environment: dict of what oslo.config may look at
    :ivar started: when the kernel started it, as /proc/PID/stat counts: a
        PID may be had by another one later
    """

    pid: str | None = None
    directory: str = '/'
    home: str = '/root'
    arguments: tuple[str, ...] = ()
    environment: dict = dataclasses.field(default_factory=dict)
    started: int | None = None

    @property
    def identity(self):
        """What no other process of this boot of the host has."""
        return self.pid, self.started

    @property
    def command(self):
        """Words that let a command run with the root directory of it."""
        if self.pid is None:
            return []
        return ['nsenter', '--target', self.pid, '--mount', '--root', '--']

    @property
    def named(self):
        """What the arguments name: list of (option, path), in order."""
        parser = _Parser(add_help=False)
        for option in '--config-file', '--config-dir':
            parser.add_argument(
                option, dest='named', action='append', default=[],
                type=lambda path, option=option: (option, self._path(path)))
        return parser.parse_known_args(self.arguments)[0].named

    def names(self, option):
        """Tell whether the arguments take the place of what is usual.

        With an option whose name is cut short they do not: it is added.
        """
        return any(word == option or word.startswith(option + '=')
                   for word in self.arguments)

    def usual(self, extension):
        """List where it looks for what no argument names.

        :param extension: .conf or .conf.d
        :returns: list of lists of paths; in each, the first that exists
            counts
        """
        places = [posixpath.join(self.home, '.' + PROJECT), self.home,
                  posixpath.join('/etc', PROJECT), '/etc']
        places += [posixpath.join(self.environment[name], 'etc', PROJECT)
                   for name in ('SNAP_COMMON', 'SNAP')
                   if self.environment.get(name)]
        return [[posixpath.join(place, name + extension) for place in places]
                for name in (PROJECT, PROGRAM)]

    def _path(self, path):
        if path == '~' or path.startswith('~/'):
            path = self.home + path[1:]
        return posixpath.normpath(posixpath.join(self.directory, path))


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What the configuration says of guests' memory.

    :ivar driver: the compute_driver; None if it is not set
    :ivar reserved: dict of pages by (NUMA node, page size in KiB)
    :ivar allowed_page_sizes: words and KiB; none if the option is not set
    :ivar reserved_mib: what no guest can have of the host's memory
    :ivar notes: sentences that say what was guessed, and what was not found
    :ivar virt_type: as Nova has it; with qemu, CPUs are emulated
    """

    driver: str | None
    file_backed_mib: int
    reserved: dict
    allowed_page_sizes: tuple[str | int, ...]
    reserved_mib: int = 512
    notes: tuple[str, ...] = ()
    virt_type: str = 'kvm'


def read(ssh, host, running):
    """Read what a nova-compute reads.

    :param ssh: ssh.SSHConnection of the host
    :param host: name of the host, for errors
    :param running: list of :class:`Process`, those on the host; the first is
        asked
    :returns: a :class:`Configuration`
    :raises ConfigurationUnclear: if oslo.config or Nova would refuse it
    :raises HostError: if the host cannot be reached or asked
    """
    process = running[0] if running else Process()
    with tempfile.TemporaryDirectory() as root:
        try:
            contents = _bring(ssh, process, root)
            found = _configuration(_parse(process, root))
        # Over config_file in a file, oslo.config trips with the last of them.
        except (cfg.Error, ValueError, AttributeError) as error:
            raise exceptions.ConfigurationUnclear(
                host, str(error).replace(root, '')) from error
    return dataclasses.replace(found, notes=tuple(_notes(running, contents)))


def processes(ssh):
    """Find the nova-compute that run on a host, in whatever container.

    :param ssh: ssh.SSHConnection of the host
    :returns: list of :class:`Process`; the one that was started first is the
        first
    :raises HostError: if the host cannot be reached or asked
    """
    found = []
    for name, body in sections.split(scripts.run(ssh, PROCESSES)).items():
        started, pid = name.split()
        told = {}
        for line in body.splitlines():
            key, _, value = line.partition(' ')
            told.setdefault(key, []).append(value)
        found.append(_process(pid, told, int(started)))
    return sorted(found, key=lambda process: process.started)


def check_read(ssh, host, changed, options):
    """Check that nova-compute reads what its configuration was told.

    Other files may say otherwise: those that are read later win, and what
    one of them says holds where the others say nothing.

    :param ssh: ssh.SSHConnection of the host, on which nova-compute runs
    :param host: name of the host, for errors
    :param changed: path of the file that was changed
    :param options: dict by (group, option) of the value that it has to read,
        of a list of values of an option that may appear several times, or of
        None for none
    :raises OptionNotRead: if it reads another value; the file is named
    :raises FactsMissing: if no nova-compute is seen there
    :raises ConfigurationUnclear: if oslo.config would refuse it
    :raises HostError: if the host cannot be reached or asked
    """
    running = processes(ssh)
    if not running:
        raise exceptions.FactsMissing(
            host, 'no process called %s: it answers Nova, and so has to be '
            'there' % PROGRAM)
    with tempfile.TemporaryDirectory() as root:
        _bring(ssh, running[0], root)
        try:
            read = _values(running[0], root, options)
        except (cfg.Error, ValueError, AttributeError) as error:
            raise exceptions.ConfigurationUnclear(
                host, str(error).replace(root, '')) from error
    for (group, option), wanted in options.items():
        _check_value(host, changed, '[%s] %s' % (group, option), wanted,
                     read[group, option])


def _check_value(host, changed, option, wanted, read):
    """Check one option.

    :param read: list of pairs: a file, and the list of values that it has
    """
    values = [value for _, found in read for value in found]
    # Of an option that has one value, the last counts.
    if isinstance(wanted, str):
        values = values[-1:]
    if values != _as_list(wanted):
        raise exceptions.OptionNotRead(
            host, option, changed, wanted, values,
            [path for path, found in read if found])


def _as_list(value):
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _process(pid, told, started):
    words = told.get('argument', [])
    # Where Python runs it, it is not the first word.
    program = next((number for number, word in enumerate(words)
                    if posixpath.basename(word) == PROGRAM), 0)
    environment = dict(variable.split('=', 1)
                       for variable in told.get('environment', ()))
    home = environment.get('HOME') or ''.join(told.get('home', ())[:1])
    return Process(pid, ''.join(told.get('directory', ())) or '/',
                   home or '/root', tuple(words[program + 1:]), environment,
                   started)


def _bring(ssh, process, root):
    """Bring all files that it may read.

    :param root: the directory to put them into
    :returns: list of their contents
    """
    paths = [path for _, path in process.named] + [DEVSTACK]
    for extension in '.conf', '.conf.d':
        for places in process.usual(extension):
            paths += places
    text = ssh.execute([*process.command, 'sh', '-s'], root=True,
                       stdin=scripts.with_values(FILES, paths)).stdout
    contents = []
    for name, body in sections.split(text).items():
        kind, _, path = name.partition(' ')
        if kind == 'directory':
            os.makedirs(root + path, exist_ok=True)
            continue
        contents.append(base64.b64decode(body))
        # With which encoding it is read there is not known here.
        _write(root + path, contents[-1].decode(errors='replace'))
    return contents


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8', newline='') as stream:
        stream.write(text)


def _parse(process, root):
    """Let oslo.config read what was brought.

    :returns: cfg.ConfigOpts
    """
    conf = cfg.ConfigOpts()
    for group, option in _OPTIONS:
        conf.register_opt(option, group)
    # What is in the environment here is none of that one's.
    conf([word for option, path in _sources(process, root)
          for word in (option, path)], PROJECT, PROGRAM,
         default_config_dirs=[], use_env=False)
    return conf


def _values(process, root, options):
    """Let oslo.config read options, one file after the other.

    :param options: iterable of (group, option)
    :returns: dict by (group, option) of a list of pairs: the path of a file,
        as there, and the list of values that it has
    """
    read = {option: [] for option in options}
    no_source = os.path.join(root, 'no source')
    _write(no_source, NO_SOURCE)
    for path in _files(_sources(process, root)):
        conf = cfg.ConfigOpts()
        for group, option in options:
            # Each file is asked for all that it says.
            conf.register_opt(cfg.MultiStrOpt(option, default=[]),
                              None if group == 'DEFAULT' else group)
        conf(['--config-file', path, '--config-file', no_source], PROJECT,
             PROGRAM, default_config_dirs=[], use_env=False)
        for group, option in options:
            found = conf if group == 'DEFAULT' else conf[group]
            read[group, option].append((_there(path, root), found[option]))
    return read


def _there(path, root):
    """Tell how a file that was brought is called where it is from."""
    if path == os.path.join(root, ENVIRONMENT):
        return ENVIRONMENT
    return path.removeprefix(root)


def _files(sources):
    """List the files that are read, in that order, as oslo.config does."""
    for option, path in sources:
        if option == '--config-file':
            yield path
        else:
            yield from sorted(glob.glob(os.path.join(glob.escape(path),
                                                     '*.conf')))


def _sources(process, root):
    """List what is read, in that order.

    :returns: list of pairs of an option and its path, where it was brought
    """
    read = []
    for option, extension in (('--config-file', '.conf'),
                              ('--config-dir', '.conf.d')):
        if not process.names(option):
            read += [(option, path) for path in _first_of_each(
                process.usual(extension), root)]
    if process.pid is None and os.path.exists(root + DEVSTACK):
        read.append(('--config-file', DEVSTACK))
    read += process.named
    variables = os.path.join(root, ENVIRONMENT)
    _write(variables, _as_file(process.environment))
    return [*((option, root + path) for option, path in read),
            ('--config-file', variables)]


def _first_of_each(choices, root):
    for places in choices:
        there = [path for path in places if os.path.exists(root + path)]
        yield from there[:1]


def _as_file(environment):
    """Write a file that says what the environment does: it is heeded last."""
    lines = []
    for variable, value in environment.items():
        match = _VARIABLE.fullmatch(variable)
        if match:
            group = match[1] if match[1] == 'DEFAULT' else match[1].lower()
            lines += ['[%s]' % group, '%s = %s' % (match[2].lower(), value)]
    return '\n'.join([*lines, NO_SOURCE])


def _configuration(conf):
    return Configuration(
        conf.compute_driver, conf.libvirt.file_backed_memory or 0,
        reserved_pages(conf.reserved_huge_pages),
        tuple(_page_size(value)
              for value in conf.libvirt.allowed_memory_pagesize),
        conf.reserved_host_memory_mb, virt_type=conf.libvirt.virt_type)


def reserved_pages(values):
    """Read the values of reserved_huge_pages as Nova does.

    See nova.virt.hardware.numa_get_reserved_huge_pages.

    :param values: list of texts, as ``node:0,size:2MB,count:64``
    :returns: dict of pages by (NUMA node, page size in KiB)
    :raises ValueError: if Nova would refuse one; it is named
    """
    pages = {}
    for value in values:
        try:
            found = _RESERVED(value)
            # Of several for the same pool, the last one counts.
            pages[int(found['node']), _size(found['size'])] = int(
                found['count'])
        except (KeyError, ValueError) as error:
            raise ValueError('reserved_huge_pages = %s: %s' % (
                value, 'it has no %s' % error if isinstance(error, KeyError)
                else error)) from error
    return pages


def _page_size(value):
    try:
        return value if value in _WORDS else _size(value)
    except ValueError as error:
        raise ValueError('allowed_memory_pagesize: %s' % error) from error


def _size(text):
    """Read a page size.

    :returns: KiB
    """
    try:
        return int(text)
    except ValueError:
        return strutils.string_to_bytes(text, return_int=True) // units.Ki


def _notes(running, contents):
    if not running:
        yield ('nova-compute does not run there: what it would read was '
               'guessed.')
    if len(running) > 1:
        yield ('%d nova-compute run there: the one that was started first '
               '(PID %s) was asked.' % (len(running), running[0].pid))
    if not contents:
        yield ('No configuration file of nova-compute was found. That guests '
               'have no memory in files, and no pages are reserved, is '
               'guessed.')
    if any(_SOURCE.search(content) for content in contents):
        yield ('nova-compute has a config_source beside its files. It was '
               'not read.')
