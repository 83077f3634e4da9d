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

"""The configuration of Tempest that a command is told of."""

import logging
import os

from tempest import config

from mempage_tempest_plugin import exceptions

CONF = config.CONF


def use(path):
    """Have Tempest read a configuration.

    :param path: of tempest.conf
    :raises RunError: if it cannot be read; Tempest would go on without it
    :raises cfg.Error: if Tempest does not understand it
    """
    read(path)
    CONF.set_config_path(os.path.abspath(path))
    # It tells stdout which configuration it reads.
    logging.disable(logging.INFO)
    try:
        # Now it reads all of it, and not where a test is loaded.
        getattr(CONF, 'mempage')  # noqa: B009
    finally:
        logging.disable(logging.NOTSET)


def read(path):
    """Read a configuration.

    :param path: of tempest.conf
    :returns: its text
    :raises RunError: if it cannot be read
    """
    try:
        with open(path, encoding='utf-8') as stream:
            return stream.read()
    except OSError as error:
        raise exceptions.RunError('configuration %s: %s' % (
            path, error.strerror)) from error
    except UnicodeDecodeError as error:
        raise exceptions.RunError('configuration %s: is no text: %s' % (
            path, error)) from error
