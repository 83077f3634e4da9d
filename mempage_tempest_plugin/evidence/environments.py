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

"""What hosts are made of, for the stream of results."""

import hashlib

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin import exceptions

BEFORE = 'before'
AFTER = 'after'


def document(host, run, phase, when, **parts):
    """Tell what a host is made of.

    :param host: its name
    :param run: UUID of the run
    :param phase: BEFORE or AFTER all else that the run does there
    :param when: an aware datetime
    :param parts: all other keys, as facts_schema.yaml describes them
    :returns: a dict
    :raises DocumentError: if it is not as described there
    """
    told = {'kind': facts.ENVIRONMENT, 'version': facts.VERSION, 'host': host,
            'run': run, 'phase': phase, 'when': measurements.moment(when),
            **parts}
    problem = kept.invalid(told, facts.ENVIRONMENT)
    if problem:
        raise exceptions.DocumentError('environment of host %s' % host,
                                       problem)
    return told


def keep(test, told):
    """Keep what a host is made of in a test's details.

    :param test: the test case
    :param told: what :func:`document` returned
    """
    facts.keep_document(test, told)


def serial_hash(model, serial):
    """Name a device without telling its serial number.

    Who has the device can reckon it too, and two runs can be seen to be of
    the same one.

    :param model: as the device tells it
    :param serial: its serial number
    :returns: 64 hexadecimal digits
    """
    text = '%s\n%s' % (model.strip(), serial.strip())
    return hashlib.sha256(text.encode()).hexdigest()
