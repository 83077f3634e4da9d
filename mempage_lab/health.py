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


"""Whether the cloud works, as its users would find out."""

import concurrent.futures
import contextlib
import datetime
import http.client

from keystoneauth1 import exceptions as keystone_exceptions
from openstack import exceptions as openstack_exceptions

from mempage_lab import cloud
from mempage_lab import errors
from mempage_lab import shares

#: Seconds that an API may take for the list of its versions.
ANSWER_LIMIT = 10
_FORCED_DOWN = (
    '%s on %s runs, but nova was told to take it for down, by a test or by '
    'hand: "openstack compute service set --up %s %s" ends that, and so does '
    '"mempage-tempest cleanup" if it was a test')


def apis(current):
    """Return which APIs answer.

    :param current: the :class:`mempage_lab.lab.Lab`
    :returns: dict of name to whether it does
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(current.apis, pool.map(
            lambda where: _answers(*where), current.apis.values())))


def _answers(address, port):
    connection = http.client.HTTPConnection(address, port,
                                            timeout=ANSWER_LIMIT)
    with contextlib.closing(connection):
        try:
            connection.request('GET', '/')
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False


def hosts_up(current):
    """Return the names of the compute hosts that can take a server.

    :raises LabError: if the cloud cannot be asked
    """
    with cloud_errors():
        return cloud.hosts_up(current.cloud)


def of_shares(current):
    """Return what is wrong with shares, as texts.

    :param current: the :class:`mempage_lab.lab.Lab`
    :raises LabError: if the cloud cannot be asked
    """
    with cloud_errors():
        if current.shares and not shares.are_usable(current.cloud):
            return ['nobody can make shares: manila-share is not up, or '
                    'Ceph is not']
    return []


def last_report(current, host, service):
    """Return when one of nova's services last told that it works.

    :returns: :class:`datetime.datetime` in UTC; None if it never did
    :raises LabError: if the cloud cannot be asked
    """
    with cloud_errors():
        for found in current.cloud.compute.services(binary=service,
                                                    host=host):
            if found.updated_at:
                return datetime.datetime.fromisoformat(
                    found.updated_at).replace(tzinfo=datetime.timezone.utc)


def is_forced_down(current, host, service):
    """Tell whether nova was told to take one of its services for down.

    :raises LabError: if the cloud cannot be asked
    """
    with cloud_errors():
        return any(found.is_forced_down for found in
                   current.cloud.compute.services(binary=service, host=host))


def works_since(current, host, service, moment):
    """Tell whether one of nova's services has told since that it works.

    nova-compute only works on a host that can take a server.

    :param moment: :class:`datetime.datetime` in UTC
    :raises LabError: if the cloud cannot be asked, or nova was told to take
        the service for down whatever it tells
    """
    report = last_report(current, host, service)
    if not report or report <= moment:
        return False
    if service != 'nova-compute' or host in hosts_up(current):
        return True
    if is_forced_down(current, host, service):
        raise errors.LabError(_FORCED_DOWN % (service, host, host, service))
    return False


@contextlib.contextmanager
def cloud_errors():
    """Turn the client libraries' errors into the lab's own.

    :raises LabError: instead of them
    """
    try:
        yield
    except (keystone_exceptions.ClientException,
            openstack_exceptions.SDKException) as error:
        raise errors.LabError(
            'the cloud does not answer: %s' % error) from error
