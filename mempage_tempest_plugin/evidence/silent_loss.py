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

"""What the kernel tells of memory that a store could not write, or read."""

import re

from mempage_tempest_plugin.evidence import facts

# What the kernel says of memory that it could not write: search for it.
_LOST = re.compile('potential data loss|I/O error|lost .*page write')
_UNREADABLE = re.compile('I/O error')


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
    _compare_log(comparison, 'log of what was not written', _LOST, log)
    return comparison


def compare_evicted(host, server, cached):
    """Compare whether a guest's memory is nowhere but in the store.

    :param host: name of the host
    :param server: UUID of the server whose memory it is
    :param cached: what cache.evict has found, a cache.Cached
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, memory of server %s, pushed out (%s)' % (
            host, server, cached.method), host, server)
    comparison.equal('kernel', 'pages in the page cache', 0, cached.cached)
    comparison.equal('kernel', 'error of fsync', None, cached.fsync)
    return comparison


def compare_unreadable(host, server, log):
    """Compare whether the kernel tells of memory that could not be read.

    :param host: name of the host
    :param server: UUID of the server whose memory it is
    :param log: what the kernel has logged since the store is broken, a text
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'server %s, whose memory could not be read' % server, host, server)
    _compare_log(comparison, 'log of what was not read', _UNREADABLE, log)
    return comparison


def _compare_log(comparison, name, words, log):
    found = words.search(log)
    comparison.holds('kernel', name,
                     'one of: ' + words.pattern.replace('|', ', '),
                     found and found[0], found)
