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

"""The configuration file of nova-compute on a host, changed for a while.

The original stays beside it, whatever happens to those who changed it, until
it is back in effect.
"""

from mempage_tempest_plugin.changes import ini
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import scripts

SCRIPT = 'configuration.sh'


class Configuration:
    """nova-compute's configuration file on one host."""

    def __init__(self, host):
        """Name the file; it is not looked at before it is needed.

        :param host: a compute_host.ComputeHost whose declaration says where
            nova-compute's configuration is
        """
        self._host = host

    def keep(self):
        """Keep the original; :meth:`change` needs it.

        :raises OriginalKept: if somebody else has changed the file and not
            put the original back
        :raises HostError: if the host cannot be reached, or refuses
        """
        if self.is_kept():
            raise exceptions.OriginalKept(
                self._host.name, self._host.declared.compute_service.config)
        self._original = self._run('keep').stdout

    def change(self, changes):
        """Install the original with other options.

        :param changes: dict as of :func:`ini.edit`
        :raises HostError: if the host cannot be reached, or refuses
        """
        self._run('install', stdin=ini.edit(self._original, changes))

    def is_kept(self):
        """Tell whether there is an original that is not back in effect."""
        return bool(self._run('is-kept').stdout)

    def put_back(self):
        """Install the original, and keep it until :meth:`forget`."""
        self._run('put-back')

    def forget(self):
        """Keep the original no longer: nothing has to be put back."""
        self._run('forget')

    def _run(self, verb, stdin=''):
        path = self._host.declared.compute_service.config
        return self._host.ssh.execute(
            ['sh', '-c', scripts.read(SCRIPT), 'configuration', verb, path],
            stdin=stdin, root=True)
