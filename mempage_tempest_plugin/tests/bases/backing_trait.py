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

"""Whether file-backed hosts have a trait: those of Nova 30 have none."""

from tempest import config

from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.tests.bases import observed

CONF = config.CONF


def is_reported(test):
    """Tell whether hosts report traits.FILE_BACKED.

    :param test: a test, or its class, that knows the services
    """
    return (CONF.mempage.allowed_memory_pagesize
            or test.services.knows(traits.FILE_BACKED_SINCE))


def skip_unless_reported(test):
    """Skip what needs traits.FILE_BACKED, where no host can report it.

    :param test: a test, or its class, that knows the services
    :raises SkipException: if hosts do not
    """
    if not is_reported(test):
        observed.skip(
            test, observed.NO_TRAIT, 'it reports %s since release 31, and '
            'nova_mempage, which does so before, is not promised ([mempage] '
            'allowed_memory_pagesize)' % traits.FILE_BACKED)
