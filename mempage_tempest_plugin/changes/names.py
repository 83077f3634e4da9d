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

"""Names of what tests make: the mark by which a cleanup knows it."""

import re

from tempest import config
from tempest.lib.common.utils import data_utils

CONF = config.CONF

_MARK = 'mempage-'


def prefix(what=''):
    """Tell how names begin that are made here.

    :param what: as of :func:`new`
    :returns: text that nobody else's names begin with, unless they run the
        same tests with the same [DEFAULT] resource_name_prefix
    """
    chosen = CONF.resource_name_prefix
    return (chosen + '-' if chosen else '') + _MARK + what


def is_ours(name):
    """Tell whether something was made here, by its name.

    :param name: the name; None if it has none
    """
    return (name or '').startswith(prefix())


def new(what):
    """Make up a name.

    :param what: what is to be called so
    """
    return data_utils.rand_name(_MARK + what,
                                prefix=CONF.resource_name_prefix)


def of(cls, what):
    """Make up a name that tells which class of tests needs the thing.

    :param cls: the class
    :param what: what is to be called so
    """
    return new('%s-%s' % (cls.__name__, what))


def as_trait(name):
    """Spell a name, or the beginning of one, as placement wants traits.

    :param name: of :func:`prefix` or :func:`new`
    """
    return 'CUSTOM_' + re.sub('[^A-Z0-9]', '_', name.upper())
