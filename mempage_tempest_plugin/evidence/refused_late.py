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

"""A live migration that libvirt refuses, when Nova has begun."""

from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.evidence import facts

# How Nova's line begins with the reason.
FAILURE = 'Live Migration failure: '
# The server's status, and that of the record of the migration: since Nova 32,
# and before.
ENDS = (('ERROR', 'error'), ('ACTIVE', 'failed'))


def compare(host, server, ended, lines, words, has_ended):
    """Compare how a migration has ended with how libvirt's refusal ends.

    Whatever keeps a guest from moving ends alike: only the reason tells.

    :param host: name of the host that the server was to leave
    :param server: UUID of the server
    :param ended: the server's status, and that of the migration's record
    :param lines: what nova-compute there has logged about the server since
    :param words: texts, one of which the reason has to have, if libvirt has
        not forgotten it
    :param has_ended: function that tells whether the other host's libvirt has
        ended meanwhile: then nobody has refused anything
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, server %s, after a migration that was refused' % (
            host, server), host, server)
    comparison.holds(
        'nova', 'status of server and migration',
        ' or '.join(map(' and '.join, ENDS)), ' and '.join(ended),
        tuple(ended) in ENDS)
    reasons = [line.partition(FAILURE)[2] for line in lines
               if FAILURE in line]
    told = _any_has(reasons, words)
    forgotten = not told and _any_has(reasons, [move_refusals.FORGOTTEN])
    comparison.holds(
        'nova-compute\'s log', 'reason why libvirt did not migrate it',
        ' or '.join(words), reasons, told or forgotten)
    if forgotten:
        comparison.equal(
            'libvirt', 'that of the other host, which may have refused it, '
            'has ended meanwhile', False, has_ended())
    return comparison


def _any_has(reasons, words):
    return any(text in reason for reason in reasons for text in words)
