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

"""Requests to placement that Nova's client has no method for."""

import contextlib

from nova.scheduler.client import report as client
from oslo_log import log as logging

from nova_mempage import report

LOG = logging.getLogger(__name__)

# Traits by name: 1.6; a list of providers by trait: 1.18.
_VERSION = '1.18'


class PlacementError(Exception):
    """Placement cannot be asked, or does not do what it is asked for."""


def _request(method, path, *args, good=(200,)):
    # What goes wrong before there is an answer is of many kinds: no
    # credentials, no catalog, no connection.
    try:
        response = getattr(client.report_client_singleton(), method)(
            path, *args, version=_VERSION)
    except Exception as error:
        raise PlacementError('%s %s: %s' % (
            method.upper(), path, error)) from error
    status = getattr(response, 'status_code', None)
    if status not in good:
        raise PlacementError('%s %s: %s' % (
            method.upper(), path, 'HTTP %s: %s' % (status, response.text)
            if status else 'no answer; see [placement] of the configuration'))
    return response


def knows(trait):
    """Tell whether placement knows a trait.

    :raises: PlacementError
    """
    response = _request('get', '/traits/%s' % trait, good=(204, 404))
    return response.status_code == 204


def create(trait):
    """Make a trait known.

    :raises: PlacementError
    """
    _request('put', '/traits/%s' % trait, None, good=(201, 204))


def our_traits():
    """Get the names of the extension's traits that placement knows.

    :raises: PlacementError
    """
    names = _request('get', '/traits?name=startswith:CUSTOM_').json()['traits']
    return sorted(name for name in names if report.is_ours(name))


def providers(query):
    """Get resource providers.

    :param query: such as 'name=host1' or 'required=CUSTOM_A'
    :returns: list of dicts with uuid and name
    :raises: PlacementError
    """
    return _request('get', '/resource_providers?%s' % query).json()[
        'resource_providers']


def traits(provider_uuid):
    """Get the traits of a resource provider, and its generation.

    :returns: (set of names, int)
    :raises: PlacementError
    """
    body = _request(
        'get', '/resource_providers/%s/traits' % provider_uuid).json()
    return set(body['traits']), body['resource_provider_generation']


def ours_of(provider_uuid):
    """Get the extension's traits of a resource provider.

    :returns: sorted list of names
    :raises: PlacementError
    """
    return sorted(filter(report.is_ours, traits(provider_uuid)[0]))


def withdraw(provider_uuid):
    """Take the extension's traits, and no others, off a resource provider.

    :returns: sorted list of the names
    :raises: PlacementError, also if somebody changed the provider meanwhile
    """
    names, generation = traits(provider_uuid)
    ours = sorted(name for name in names if report.is_ours(name))
    if ours:
        _request('put', '/resource_providers/%s/traits' % provider_uuid, {
            'traits': sorted(names.difference(ours)),
            'resource_provider_generation': generation})
    return ours


def forget(trait):
    """Delete a trait that no provider has any more.

    :returns: whether it is gone; no if a provider has it
    :raises: PlacementError
    """
    response = _request('delete', '/traits/%s' % trait, good=(204, 404, 409))
    return response.status_code != 409


@contextlib.contextmanager
def unreachable_is_logged(what):
    """Let what placement prevents be tried again later."""
    try:
        yield
    except PlacementError as error:
        LOG.warning('%s: %s', what, error)
