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

"""What a test may ask of a guest: to fill its memory, and to look at it."""

import dataclasses
import hashlib
import shlex

from oslo_utils import units

from mempage_tempest_plugin import exceptions

PAGE = 4096
# Every page is full of lines that tell its number: what is elsewhere than it
# was is wrong, too.
LINE = 64
# What is filled each second of a slow filling, in MiB.
STEP_MIB = 4

# A file system in the guest's memory, which does not end at half of it.
_MOUNT = """
mkdir -p $dir
grep -q " $dir tmpfs " /proc/mounts ||
    sudo -n mount -t tmpfs -o size=95% mempage $dir
sudo -n chmod 777 $dir
"""
#: A shell function that prints pages of a pattern: its seed, and how many.
#: Longer strings take longer: each is copied some times.
GENERATOR = """
pages() {
    awk -v seed="$1" -v n="$2" 'BEGIN { OFS = ORS = ""; for (; i < n; i++) {
        s = sprintf("%s%031d\\n", seed, i)
        s = s s; s = s s; s = s s
        print s, s, s, s, s, s, s, s } }'
}
"""
# It looks at what it has written itself, so that it notices on its own what
# a move does to memory that changes meanwhile.
_WRITER = GENERATOR + """
i=0
while :; do
    i=$((i + 1))
    seed=$(printf %s%09d "$(printf %s "$1" | cut -c 1-23)" $i)
    pages $seed $2 > $3/writer
    test "$(pages $seed $2 | md5sum)" = "$(md5sum < $3/writer)" ||
        echo "round $i" >> $3/torn
    echo $i > $3/round.new
    mv $3/round.new $3/round
    sleep $4
done
"""
# Most guests let only root read their kernel's log.
_TROUBLE = """
log=$({ sudo -n dmesg || dmesg; } 2> /dev/null) || log='%(unreadable)s'
found=$(printf '%%s\\n' "$log" | grep -iE '%(complaints)s' || true)
if [ -n "$found" ]; then
    printf '%%s\\n' "$found" | wc -l
    printf '%%s\\n' "$found" | tail -n 5
fi
""" % {'unreadable': 'dmesg: cannot be read', 'complaints': '|'.join((
    'segfault', 'is not a head', 'general protection', 'BUG:', 'Oops',
    'I/O error', 'Out of memory', 'dmesg: cannot be read'))}
_WRONG = ("awk -v seed=%s '$0 != sprintf(\"%%s%%031d\", seed, "
          "int((NR - 1) / 64)) { n++; if (n == 1) first = NR - 1 } "
          "END { print n + 0, int(first / 64), int(NR / 64) }' %s")


@dataclasses.dataclass(frozen=True)
class State:
    """What a guest says of its memory and of itself.

    :ivar boot: the guest kernel's boot ID
    :ivar digest: of the memory that was filled
    :ivar torn: what the writer found wrong
    :ivar trouble: how often the guest's kernel complained, and of what in
        the end, or that it cannot be asked
    """

    boot: str
    digest: str
    torn: str
    trouble: str


def digest(seed, pages):
    """Compute what the digest of a pattern must be.

    :param seed: 32 characters
    :param pages: how many pages there are
    :returns: the hexadecimal digest
    """
    found = hashlib.md5(usedforsecurity=False)
    for page in range(pages):
        found.update(text(seed, page).encode())
    return found.hexdigest()


def text(seed, page):
    """Write one page of a pattern.

    :param seed: 32 characters
    :param page: its number
    """
    return ('%s%031d\n' % (seed, page)) * (PAGE // LINE)


class Guest:
    """A guest that is reached over ssh.

    :param client: Tempest's RemoteClient
    :param seed: 32 characters that no other guest has
    """

    directory = '/tmp/mempage'

    def __init__(self, client, seed):
        self.client = client
        self.seed = seed
        self.pages = 0

    @property
    def file(self):
        """The path of the pattern in the guest."""
        return self.directory + '/pattern'

    def fill(self, mib):
        """Fill memory with a pattern that nobody else writes.

        :param mib: how much
        :raises GuestError: if the guest has not so much
        """
        size = mib * units.Mi
        written = int(self._run_there(
            '%s pages %s %d > %s || true; stat -c %%s %s' % (
                GENERATOR, self.seed, size // PAGE, self.file, self.file)))
        if written != size:
            raise exceptions.GuestError(
                'only %d of %d MiB could be written to its memory: %s' % (
                    written // units.Mi, mib,
                    self.run('free; df %s' % self.directory)))
        self.pages = size // PAGE

    def fill_slowly(self, mib):
        """Fill memory, some each second, and do not wait for it.

        :param mib: how much
        """
        step = '%s pages %s %d >> %s; sleep 1' % (
            GENERATOR, self.seed, STEP_MIB * units.Mi // PAGE, self.file)
        self._run_there('(for i in $(seq %d); do %s; done) > /dev/null 2>&1 '
                        '< /dev/null &' % (mib // STEP_MIB, step))

    def start_writer(self, mib, pause):
        """Have a process change another part of the memory, for ever.

        :param mib: how much
        :param pause: seconds between its rounds
        """
        script = self.directory + '/writer.sh'
        self._run_there(
            'printf %%s %s > %s; setsid sh %s %s %d %s %d > /dev/null 2>&1 '
            '< /dev/null &' % (
                shlex.quote(_WRITER), script, script, self.seed,
                mib * units.Mi // PAGE, self.directory, pause))

    def state(self):
        """Read all of the pattern, and what else may have changed.

        :returns: a :class:`State`
        """
        text = self.run(
            'cat /proc/sys/kernel/random/boot_id; md5sum < %(file)s; '
            'echo torn:; cat %(dir)s/torn 2> /dev/null || true; '
            'echo trouble:; %(trouble)s'
            % {'file': self.file, 'dir': self.directory, 'trouble': _TROUBLE})
        head, _, tail = text.partition('torn:\n')
        torn, _, trouble = tail.partition('trouble:\n')
        boot, found = head.splitlines()
        return State(boot, found.split()[0], torn.strip(), trouble.strip())

    def rounds(self, timeout):
        """Wait until the writer has once more written all that it writes.

        :param timeout: seconds
        :returns: how often it had done so at first, and in the end
        """
        first, last = self.run(
            'round() { cat %s/round 2> /dev/null || echo 0; }; '
            'first=$(round); for i in $(seq %d); do '
            'test "$(round)" = "$first" || break; sleep 1; done; '
            'echo "$first $(round)"' % (self.directory, timeout)).split()
        return int(first), int(last)

    def intact(self):
        """The digest that the pattern must have."""
        return digest(self.seed, self.pages)

    def damage(self):
        """Tell what became of the pattern, after its digest was wrong.

        :returns: a sentence
        """
        lines, first, there = self.run(
            _WRONG % (self.seed, self.file)).split()
        return ('%s lines of %d bytes are wrong, the first in page %s; %s of '
                '%d pages are there' % (lines, LINE, first, there,
                                        self.pages))

    def run(self, command):
        """Run a shell command in the guest.

        :param command: the command line
        :returns: its output
        """
        return self.client.exec_command(command)

    def _run_there(self, command):
        """Run a shell command that needs the guest's directory."""
        return self.run('dir=%s; %s %s' % (self.directory, _MOUNT, command))
