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

"""What inventory and options foretell of a test, before it has a cloud."""

import dataclasses

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import promised
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed


@dataclasses.dataclass(frozen=True, eq=False)
class _DeclaredHost:
    """A host of which only its declaration is known."""

    declared: inventory.Host

    @property
    def name(self):
        return self.declared.name


def of(tests):
    """Foretell what will become of tests, without any cloud.

    :param tests: list of tests, of which none was ever set up
    :returns: dict of promised.Foretold by the full name of each
    :raises InventoryError: if the inventory cannot be used
    """
    reasons = {cls: _reason(cls, cls.skip_checks)
               for cls in dict.fromkeys(map(type, tests))}
    return {test.id(): promised.Foretold(
        reasons[type(test)] or _reason_of(test), _may_skip(type(test)))
        for test in tests}


def _reason(cls, ask):
    try:
        ask()
    except cls.skipException as skipped:
        return str(skipped)
    return None


def _reason_of(test):
    """Run a test until it wants more than what is declared.

    Its class has neither clients nor hosts to connect to. Whatever has to
    skip does so before it wants any.
    """
    cls = type(test)
    cls.hosts = [_DeclaredHost(host) for host in cls.declared]
    if cls.hosts:
        # As a BaseMoveTest has them.
        cls.source, *cls.destinations = cls.hosts
    try:
        return _reason(cls, getattr(test, test._testMethodName))
    except Exception:
        return None


def _may_skip(cls):
    return (*joined.united(cls, 'may_skip'),
            *([observed.OCCUPIED] if cls.harmful else []),
            *([observed.OTHER_QEMU] if joined.moves_live(cls) else []))
