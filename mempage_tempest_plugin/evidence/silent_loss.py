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

"""Memory that a store could not write: who is told of it, and who is not."""

import re

from mempage_tempest_plugin.evidence import facts

# What the kernel says of memory that it could not write: search for it.
_LOST = re.compile('potential data loss|I/O error|lost .*page write')


def compare(host, server, runs_on, status, fsync, log):
    """Compare what the known hazard says with what was seen.

    :param host: name of the host
    :param server: UUID of the server whose memory it is
    :param runs_on: whether its guest runs on in the same process
    :param status: the server's status
    :param fsync: the error that fsync of its file met with, or None
    :param log: what the kernel has logged since the store is broken, a text
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'server %s, whose memory could not be written' % server, host, server)
    # Nobody who could act on it is told:
    comparison.equal('libvirt', 'runs on in the same process', True, runs_on)
    comparison.equal('nova', 'status', 'ACTIVE', status)
    # Those who ask find it:
    comparison.holds('kernel', 'fsync of what was not written', 'an error',
                     fsync, fsync is not None)
    found = _LOST.search(log)
    comparison.holds('kernel', 'log of what was not written',
                     'one of: ' + _LOST.pattern.replace('|', ', '),
                     found and found[0], found)
    return comparison
