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

"""Run what a profile asks for, and hand over the stream."""

import concurrent.futures
import contextlib
import dataclasses
import pathlib
import tempfile
import time

from tempest import config

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import display
from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import profiles
from mempage_certificate.running import directory
from mempage_certificate.running import host as hosts
from mempage_certificate.running import plan as plans
from mempage_certificate import signatures
from mempage_tempest_plugin.cmd import hosts_of_runs
from mempage_tempest_plugin.cmd import lanes
from mempage_tempest_plugin.cmd import runner
from mempage_tempest_plugin.cmd import tempest_conf
from mempage_tempest_plugin.evidence import environments

CONF = config.CONF


@dataclasses.dataclass(frozen=True)
class Done:
    """What a run has left.

    :ivar path: pathlib.Path of its directory
    :ivar data: the bytes of its stream; None if it was no more than planned
    :ivar profile: the profiles.Profile
    :ivar product: the bytes of PRODUCT.yaml
    :ivar hosts: names of the hosts
    :ivar eligible: whether all hosts can reach what the profile certifies
    """

    path: pathlib.Path
    data: bytes | None
    profile: profiles.Profile
    product: bytes
    hosts: list
    eligible: bool


@contextlib.contextmanager
def run(arguments, product):
    """Run what a profile asks for, and keep its directory from others.

    Until the end of the block, too, SIGTERM does what Ctrl-C does.

    :param arguments: the parsed command line
    :param product: the bytes of PRODUCT.yaml; None if it is not given
    :yields: a :class:`Done`
    :raises CertificateError: if nothing can run
    :raises RunError: as tempest_conf.use, and hosts_of_runs.choose
    :raises KeyboardInterrupt: if it was interrupted twice
    """
    configuration = pathlib.Path(arguments.config_file).resolve()
    tempest_conf.use(configuration)
    with contextlib.ExitStack() as stack:
        stack.enter_context(lanes.interruptible())
        private = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix='mempage-')))
        kept = _directory(arguments, product, private)
        stack.callback(kept.close)
        _, usable = hosts_of_runs.choose(kept.hosts, _has_store)
        document = documents.from_yaml(archive.PRODUCT, kept.product,
                                       'product')
        bundles.refuse_secrets(kept.product, kept.hosts, arguments.hide)
        if arguments.sign:
            # Not only when all is done.
            signatures.sign(b'', arguments.sign)
        whole = _Whole(kept, configuration, private, arguments.lanes,
                       document, usable)
        eligible = whole.run(arguments.dry_run)
        yield Done(kept.path, None if arguments.dry_run else kept.join(),
                   kept.profile, kept.product, kept.hosts, eligible)


def _has_store(declared):
    return declared.file_backed is not None


def _directory(arguments, product, private):
    """Make or find the directory of the run."""
    if arguments.resume:
        return directory.find(arguments.resume, arguments.profile, product,
                              arguments.hosts)
    if not arguments.profile or product is None:
        raise errors.CertificateError(
            'run: --profile and --product are needed, unless --resume is '
            'given')
    chosen, _ = hosts_of_runs.choose(arguments.hosts, _has_store)
    if not chosen:
        raise errors.CertificateError(
            'run: the inventory declares no file-backed host')
    path = (private / 'run' if arguments.dry_run else arguments.results or
            pathlib.Path(time.strftime('certify-%Y%m%d-%H%M%S')))
    return directory.make(path, profiles.find(arguments.profile), product,
                          chosen, not arguments.without_info)


class _Whole:
    """All hosts of a run."""

    def __init__(self, kept, configuration, private, limit, product, usable):
        self._kept = kept
        self._limit = limit
        self._lanes = lanes.Lanes()
        self._runner = runner.Runner(private, self._lanes)
        plan = plans.Plan(kept.profile, self._runner.find(), kept.info)
        self._means = hosts.Means(
            plan, kept.id, product, configuration, private, self._lanes,
            self._runner, plans.durations(plan.tests()))
        self._hosts = [hosts.Host(name, hosts_of_runs.peers(name, usable),
                                  kept.lane(name), self._means)
                       for name in kept.hosts]

    def run(self, dry):
        """Run everything, as far as nobody interrupts.

        :param dry: whether to plan only
        :returns: whether all hosts are eligible
        """
        lanes.say('run %s: %s, profile %s' % (
            self._kept.id, self._kept.path, self._kept.profile.name))
        self._kept.wait(lanes.say)
        ended = [host for host in self._hosts if host.ended()]
        if not ended:
            self._refuse_changed()
        self._each(lambda host: host.look(environments.BEFORE), self._hosts)
        eligible = [host for host in self._hosts if self._may(host)]
        if not self._lanes.stopped and not ended:
            planned = self._each(hosts.Host.foretell, eligible)
            for host, lines in zip(eligible, planned):
                for line in lines or ():
                    print('%s: %s' % (host.name, line))
        if not dry:
            # Hosts may be needed by others until all have come to their end.
            if not ended:
                self._each(hosts.Host.go, eligible)
            self._each(lambda host: host.look(environments.AFTER), eligible)
        return len(eligible) == len(self._hosts)

    def _refuse_changed(self):
        found = self._each(hosts.Host.changed, self._hosts)
        changed = ['%s: %s' % (host.name, ', '.join(names))
                   for host, names in zip(self._hosts, found) if names]
        if changed:
            raise errors.CertificateError(
                'run %s: hosts are not what they were when it began: %s' % (
                    self._kept.path, '; '.join(changed)))

    def _may(self, host):
        """Tell whether anything is spent on a host, and say why not."""
        found = host.eligibility()
        target = self._kept.profile.target
        if found is None:
            print('%s: nobody could tell what it is made of: nothing is run '
                  'there' % host.name)
            return False
        if found.best == target:
            print('%s: can reach %s, which profile %s is for' % (
                host.name, target, self._kept.profile.name))
        else:
            print('%s: NOT ELIGIBLE: can reach %s at best, and profile %s is '
                  'for %s: nothing is run there' % (
                      host.name, found.best or 'nothing',
                      self._kept.profile.name, target))
        for reason in found.reasons:
            print('%s: - %s' % (host.name, display.plain(reason)))
        return found.best == target

    def _each(self, function, chosen):
        """Call a function with hosts, several at a time.

        When interrupted, end what runs.

        :returns: list of what it returned; None where it was not called
        """
        if self._lanes.stopped:
            return []
        with concurrent.futures.ThreadPoolExecutor(self._limit) as threads:
            futures = [threads.submit(function, host) for host in chosen]
            try:
                concurrent.futures.wait(futures)
            except KeyboardInterrupt:
                self._lanes.end(futures)
        return [None if future.cancelled() else future.result()
                for future in futures]
