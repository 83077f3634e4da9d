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

"""What a service on a host writes to its log."""

# What a traceback has beside the error.
_FRAMES = (' ', 'Traceback ')


def errors_of(log, server):
    """Take out of a log what went wrong with a server, without tracebacks.

    :param log: lines as oslo.log writes them
    :param server: its UUID
    :returns: list of texts, each once
    """
    mark = '[instance: %s] ' % server
    said = (line.partition(mark)[2].rstrip() for line in log.splitlines()
            if ' ERROR ' in line.partition(mark)[0])
    return [*dict.fromkeys(text for text in said
                           if text and not text.startswith(_FRAMES))]


class ServiceLog:
    """A log, to be read from some moment on."""

    def __init__(self, ssh, log):
        """Name the log.

        :param ssh: connection.SSHConnection of the host
        :param log: where the service logs to (inventory.Log)
        """
        self._ssh = ssh
        self._log = log

    def end(self):
        """Get the current end of the log, for :meth:`since`."""
        if self._log.file:
            return self._run('stat', '-c', '%s', '--', self._log.file).strip()
        shown = self._run('journalctl', '-q', '--no-pager', '-n', '0',
                          '--show-cursor', '-u', self._log.unit)
        return shown.rpartition('-- cursor: ')[2].strip()

    def since(self, end):
        """Get what was written since.

        :param end: an earlier :meth:`end`
        :returns: text
        """
        if self._log.file:
            if int(self.end()) < int(end):
                # It was rotated.
                end = '0'
            return self._run('tail', '-c', '+%d' % (int(end) + 1), '--',
                             self._log.file)
        return self._run('journalctl', '-q', '--no-pager', '-o', 'cat', '-u',
                         self._log.unit, '--after-cursor', end)

    def about(self, server, end):
        """Get what was written about a server since.

        :param server: its UUID
        :param end: an earlier :meth:`end`
        :returns: list of lines
        """
        return [line for line in self.since(end).splitlines()
                if server in line]

    def _run(self, *command):
        return self._ssh.execute(list(command), root=True).stdout
