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

"""A share that a guest has mounted by its tag."""

from mempage_tempest_plugin.guests import memory

_MOUNT = """
sudo -n mkdir -p {directory}
sudo -n mount -t virtiofs {tag} {directory}
"""
_WRITE = """
{generator}
pages {seed} {pages} | sudo -n tee {path} > /dev/null
sync
"""


class Share:
    """A share in a guest.

    :param client: Tempest's RemoteClient
    :param tag: the name by which the guest finds it
    """

    def __init__(self, client, tag):
        self._client = client
        self._tag = tag
        self._directory = '/tmp/mempage-share'

    def mount(self):
        """Mount it.

        :raises SSHExecCommandFailed: if the guest does not find it, or does
            not know virtiofs
        """
        self._client.exec_command(_MOUNT.format(
            tag=self._tag, directory=self._directory))

    def write(self, name, seed, pages):
        """Write a pattern to a file, as of memory.digest.

        :param name: of the file
        :param seed: 32 characters
        :param pages: how many pages there are
        """
        self._client.exec_command(_WRITE.format(
            generator=memory.GENERATOR, seed=seed, pages=pages,
            path=self._path(name)))

    def digest(self, name):
        """Compute the MD5 digest of a file.

        :param name: of the file
        :returns: hexadecimal digits; empty if there is no such file
        """
        return self._client.exec_command(
            'if sudo -n test -f {0}; then sudo -n cat {0} | md5sum; fi'.format(
                self._path(name))).partition(' ')[0].strip()

    def _path(self, name):
        return '%s/%s' % (self._directory, name)
