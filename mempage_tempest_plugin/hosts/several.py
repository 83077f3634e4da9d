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

"""Questions to several hosts at the same time."""

import concurrent.futures

from oslo_log import log as logging
from oslo_utils import timeutils

from mempage_tempest_plugin import exceptions

LOG = logging.getLogger(__name__)

# Seconds after which those are named who have not answered, again and again.
_PATIENCE = 10
# How many of them.
_NAMED = 5


def ask(hosts, question, limit, failed=None, say=LOG.info):
    """Ask several hosts, and wait until all have answered.

    :param hosts: list of compute_host.ComputeHost
    :param question: function of one that returns the answer
    :param limit: how many may be asked at the same time
    :param failed: function of a host and its HostError that is called for
        those that cannot be asked; without it, they are an error
    :param say: function that is told who is waited for, every ten seconds
    :returns: list of pairs of a host and its answer, in the order of hosts
    :raises HostError: if one host failed, and ``failed`` is not given
    :raises fixtures.MultipleExceptions: if several did
    """
    with concurrent.futures.ThreadPoolExecutor(limit) as threads:
        futures = {host: threads.submit(question, host) for host in hosts}
        _wait(futures, say)
    errors = {}
    answers = []
    for host, future in futures.items():
        try:
            answers.append((host, future.result()))
        except exceptions.HostError as error:
            errors[host] = error
    if failed is None:
        exceptions.raise_all(errors.values())
    for host, error in errors.items():
        failed(host, error)
    return answers


def _wait(futures, say):
    watch = timeutils.StopWatch().start()
    while True:
        concurrent.futures.wait(futures.values(), _PATIENCE)
        left = [host.name for host, future in futures.items()
                if not future.done()]
        if not left:
            return
        say('%d of %d hosts have not answered for %d s: %s' % (
            len(left), len(futures), watch.elapsed(), ', '.join(
                left[:_NAMED] + ['...'] * (len(left) > _NAMED))))
