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

"""What a deleted server has left on a file-backed host."""

import posixpath

from oslo_utils import units

from mempage_tempest_plugin.evidence import facts


def compare(host, survey, server, paths, unexplained, ram_mib, others=(),
            kept=None):
    """Look for what a deleted server has left on a file-backed host.

    Other servers come and go on the same store meanwhile, so that free
    space says nothing. Used space that no file explains does: a deleted
    file that somebody holds open keeps its space.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of that host, with the server's files
    :param server: UUID of the deleted server
    :param paths: the backing files that the server had
    :param unexplained: used bytes that no file explained before the boot
    :param ram_mib: the RAM that the server had
    :param others: UUIDs of guests there that are no test's
    :param kept: as of :func:`compare_space`
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, after deletion of server %s' % (host.name, server),
        host.name, server)
    places = set(paths) | {posixpath.dirname(path) for path in paths}
    places.discard(survey.real(host.file_backed.directory))
    comparison.equal('file system', 'files and directories left', [],
                     sorted(places & set(survey.files)))
    comparison.equal('kernel', 'QEMU processes', [], [
        process.pid for process in survey.processes.get(server, [])])
    compare_space(comparison, survey, unexplained, ram_mib, others, kept)
    return comparison


def compare_space(comparison, survey, unexplained, ram_mib, others=(),
                  kept=None):
    """Add whether a server that has no memory keeps space all the same.

    Used space does not tell where guests of others run: of a file that grows
    or shrinks while it is looked at, parts are neither free nor in it. Who
    still has the server's files is asked there instead.

    :param comparison: the facts.Comparison to add it to
    :param survey: a survey of the server's host
    :param unexplained: used bytes that no file explained before the boot
    :param ram_mib: the RAM that the server had
    :param others: UUIDs of guests there that are no test's
    :param kept: who still has deleted files of the server, as
        deleted_files.holders tells it, if there are others
    """
    grown = survey.store and survey.store.unexplained - unexplained
    expected = 'less than %d' % (ram_mib // 2)
    agrees = survey.store and grown < ram_mib * units.Mi // 2
    if others and survey.store:
        expected = 'not judged: guests of others run there, such as %s' % (
            others[0])
        agrees = True
        comparison.equal('kernel', 'processes that keep its deleted files',
                         {}, kept)
    comparison.holds('file system', 'space kept by deleted files, MiB',
                     expected, survey.store and grown // units.Mi, agrees)
