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

"""What is attached to a failed test, so that nobody has to run it again."""

from oslo_log import log as logging
from testtools import content

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import redact
from mempage_tempest_plugin.hosts import several

LOG = logging.getLogger(__name__)

LOG_LINES = 100
# Bytes of one text. A packet of subunit has 4 MiB at most, and "stestr last"
# makes one of each: a longer one costs the results of the whole run.
MOST = 1024 * 1024


def attach(test, hosts, servers, evidence_table, limit):
    """Attach everything known about hosts and servers to a test.

    What cannot be collected is replaced by the reason: this never hides
    the failure that it explains.

    :param test: the test case
    :param hosts: list of compute_host.ComputeHost
    :param servers: dict of server UUIDs by host name
    :param evidence_table: function of a host that returns the table of
        its evidence as text
    :param limit: how many hosts may be asked at the same time
    """
    def collect(host):
        return list(_collect(host, servers.get(host.name), evidence_table))

    for host, found in several.ask(hosts, collect, limit):
        for name, text in found:
            _add(test, '%s-%s' % (host.name, name), text)


def shorten(test):
    """Leave out the middle of texts that are too long for a stream of results.

    What Tempest captures of the log of a test with many hosts is.

    :param test: the test case, when it has ended
    """
    texts = [(name, detail) for name, detail in test.getDetails().items()
             if detail.content_type.type == 'text']
    for name, detail in texts:
        data = b''.join(detail.iter_bytes())
        if len(data) > MOST:
            begin, end = data[:MOST // 2], data[-MOST // 2:]
            test.addDetail(name, content.text_content(
                '%s\n... %d bytes are left out ...\n%s' % (
                    begin.decode('utf-8', 'ignore'), len(data) - MOST,
                    end.decode('utf-8', 'ignore'))))


def _collect(host, server, evidence_table):
    try:
        yield from _ask(host, server, evidence_table)
    except exceptions.HostUnreachable as error:
        # Asking on would only wait for the next time-out.
        yield 'unreachable', str(error)


def _ask(host, server, evidence_table):
    yield 'evidence', _try(evidence_table, host)
    if server:
        yield 'domain.xml', _try(host.libvirt.xml, server)
    yield 'memory', _try(_describe, host)
    yield 'nova-compute.log', _try(host.compute_log, LOG_LINES)


def _try(function, *arguments):
    try:
        return function(*arguments)
    except exceptions.HostUnreachable:
        raise
    except Exception as error:
        LOG.debug('Collecting details of a failure', exc_info=True)
        return 'not collected: %s: %s' % (type(error).__name__, error)


def _describe(host):
    survey = host.survey()
    lines = ['RAM: %d MiB' % survey.memory_mib, '', 'Store: %s' % (
        survey.store or 'nothing mounted, or none declared'),
        '', 'Files: mode, user, group, size, allocated, path']
    lines += ['%s%04o %d %d %d %d %s' % (
        found.kind, found.mode, found.uid, found.gid, found.size,
        found.allocated, path) for path, found in survey.files.items()]
    lines += ['', 'Mounts: device, type, source, mount point']
    lines += ['%s %s %s %s' % (mount.device, mount.filesystem, mount.source,
                               mount.point) for mount in survey.mounts]
    lines += ['', 'Pools: node, page size, pages, free, surplus']
    lines += ['node%d %d KiB %d %d %d' % (
        pool.node, pool.size_kib, pool.total, pool.free, pool.surplus)
        for pool in survey.pools]
    return '\n'.join(lines)


def _add(test, name, text):
    test.addDetailUniqueName(name, content.text_content(redact.mask(text)))
