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

"""The releases of Nova that the extension is tested with."""

import importlib.metadata

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

TESTED = range(30, 35)


def version(package='nova'):
    """Get the version of an installed package, or None if nobody knows."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_tested():
    """Tell whether the installed Nova is of a release that is tested."""
    found = version()
    return bool(found) and int(found.split('.')[0]) in TESTED


def warn_of_untested():
    """Log a warning if the installed Nova is of another release."""
    if not is_tested():
        LOG.warning(
            'nova-mempage is tested with Nova %d to %d, and this is Nova %s: '
            'look for a newer nova-mempage.',
            TESTED[0], TESTED[-1], version() or 'of an unknown release')
