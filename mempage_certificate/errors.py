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

"""Errors that say what is wrong, and where."""

from mempage_tempest_plugin import exceptions


class CertificateError(exceptions.MempageError):
    """A certificate cannot be made, read or shown."""


class NotPublished(CertificateError):
    """A profile or catalogue is none of those that come with this package."""


class BundleError(CertificateError):
    """A bundle is not what it should be."""

    def __init__(self, path, problem):
        self.path = path
        super().__init__('bundle %s: %s' % (path, problem))
