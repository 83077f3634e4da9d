#!/usr/bin/python3
#
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

"""Moves an emulated guest to and fro between two QEMUs while it works.

In place of init the guest runs one process that writes numbers and reads them
back. Counted are the moves after which it read what it had not written, the
kernel complained, QEMU was gone, or nothing more came from the guest. After
each of these the guest is booted anew.
"""

import argparse
import json
import pathlib
import re
import shlex
import socket
import subprocess
import tempfile
import time

# One process that never rests: the fewer its switches, the more is lost.
WORK = ('-- -c "awk -v f=FAILURE -v r=round \'BEGIN{for(n=0;;n++){'
        'for(i=0;i<2000;i++)a[i]=n+i;'
        'for(i=0;i<2000;i++)if(a[i]!=n+i)print f,n,i,a[i];'
        'if(n%4==0)print r,n}}\'; echo Oops; sleep 9999"')
BAD = re.compile(r'FAILURE|BUG:(?! soft)|Oops|panic|[Gg]eneral protection|'
                 r'segfault|double fault|Call Trace|stall|WARNING|rror')
# How often QEMU looks for what was written before it may stop the guest.
ROUNDS = 5


class Qemu:
    """A QEMU that runs the guest, or waits for it to come."""

    def __init__(self, options, directory, name, waits):
        self.migration = directory / (name + '.migration')
        path = directory / (name + '.qmp')
        self.process = subprocess.Popen([
            *shlex.split(options.qemu), '-nodefaults', '-no-user-config',
            '-display', 'none', '-no-reboot', '-no-shutdown', '-machine',
            'pc', '-accel', 'tcg', '-cpu', 'qemu64', '-m', options.memory,
            '-kernel', options.kernel, '-initrd', options.initrd, '-append',
            'console=ttyS0 quiet no_timer_check cryptomgr.notests '
            'rdinit=/bin/sh ' + WORK,
            '-chardev', 'file,id=console,append=on,path=%s'
            % (directory / 'console'), '-serial', 'chardev:console',
            '-qmp', 'unix:%s,server=on,wait=off' % path,
            *shlex.split(options.extra),
            *(['-incoming', 'defer'] if waits else [])])
        self.socket = socket.socket(socket.AF_UNIX)
        while self.socket.connect_ex(str(path)):
            time.sleep(0.1)
        self.stream = self.socket.makefile('rw')
        self.ask('qmp_capabilities')
        self.ask('migrate-set-parameters', **{'downtime-limit': 1})

    def ask(self, command, **arguments):
        """Send a command, and return what it returns."""
        json.dump({'execute': command, 'arguments': arguments}, self.stream)
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline() or '{"error": "gone"}')
            if 'error' in answer:
                raise RuntimeError('%s: %s' % (command, answer['error']))
            if 'return' in answer:
                return answer['return']

    def end(self):
        """End it."""
        self.process.kill()
        self.process.wait()
        self.socket.close()


def trouble(console, start, limit):
    """Tell what is wrong on a console after a byte; None if all is well."""
    until = time.time() + limit
    lines = 0
    while time.time() < until:
        time.sleep(0.5)
        text = console.read_bytes()[start:].decode(errors='replace')
        found = BAD.search(text)
        if found:
            return text[max(0, found.start() - 60):][:140].strip()
        if text.count('\n') > 2 and not lines:
            # It works: for some more seconds.
            lines, until = text.count('\n'), time.time() + 3
    return None if lines else 'nothing more came'


def move(source, target):
    """Move the guest, and return how often QEMU looked for writes."""
    target.ask('migrate-incoming', uri='unix:%s' % target.migration)
    source.ask('migrate', uri='unix:%s' % target.migration)
    while True:
        state = source.ask('query-migrate')
        rounds = state.get('ram', {}).get('dirty-sync-count', 0)
        if state['status'] == 'completed':
            return rounds
        if state['status'] in ('failed', 'cancelled'):
            raise RuntimeError(str(state))
        if rounds >= ROUNDS:
            source.ask('migrate-set-parameters', **{'downtime-limit': 5000})
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('kernel')
    parser.add_argument('initrd')
    parser.add_argument('--qemu', default='qemu-system-x86_64')
    parser.add_argument('--memory', default='128M')
    parser.add_argument('--extra', default='', help='more for QEMU')
    parser.add_argument('--moves', type=int, default=10)
    options = parser.parse_args()
    source = None
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch)
        console = directory / 'console'
        for number in range(options.moves):
            if source is None:
                console.write_bytes(b'')
                source = Qemu(options, directory, 'boot%d' % number, False)
                print('boot: %s' % trouble(console, 0, 240), flush=True)
            start = console.stat().st_size
            target = Qemu(options, directory, 'move%d' % number, True)
            try:
                rounds = move(source, target)
                wrong = trouble(console, start, 40)
            except (RuntimeError, OSError) as error:
                rounds, wrong = 0, str(error)
            source.end()
            source = target
            print('move %d, after %d looks: %s' % (number, rounds, wrong),
                  flush=True)
            if wrong:
                bad += 1
                source.end()
                source = None
        if source:
            source.end()
    print('%d moves, the guest was broken after %d' % (options.moves, bad))


if __name__ == '__main__':
    main()
