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

"""Tests of the plugin, for unit tests to look at: no cloud is needed."""

import unittest
from unittest import mock

from tempest import config

from mempage_tempest_plugin import config as mempage_config


def host(name, **attributes):
    """Make a host.

    :param name: its name
    :param attributes: of the host
    :returns: a mock of a compute_host.ComputeHost
    """
    made = mock.Mock(**attributes)
    made.name = name
    made.real = lambda path: path
    made.survey_store = made.survey
    made.libvirt.running.return_value = {}
    made.errors_of.return_value = []
    if 'declared' not in attributes:
        made.declared.limit = lambda seconds: seconds
    return made


def make(cls, method='on_each_host', **attributes):
    """Set up a test whose class was never set up.

    :param cls: the class
    :param method: name of its method
    :param attributes: of the test, which its class would have
    :returns: the test
    """
    case = cls(method)
    vars(case).update(attributes)
    if not hasattr(case, 'hosts'):
        case.hosts = []
    if not hasattr(case, 'inventory'):
        case.inventory = mock.Mock(limit=lambda seconds: seconds)
    with mock.patch('tempest.test.BaseTestCase.setUp'):
        case.setUp()
    return case


def assert_fails(test, function, *arguments, **kwargs):
    """Assert that something fails, as a test of the plugin does.

    What skips would skip the unit test itself, and nobody would miss it.

    :param test: the unit test
    :param function: what has to fail
    :returns: the AssertionError
    :raises AssertionError: if it passes, or skips
    """
    raised = test.assertRaises((AssertionError, unittest.SkipTest), function,
                               *arguments, **kwargs)
    test.assertIsInstance(raised, AssertionError, 'it skips: %s' % raised)
    return raised


class _Group(dict):
    """Options of a group, which are its attributes, too."""

    __getattr__ = dict.__getitem__


def options(**groups):
    """Make a configuration of Tempest, in which Nova is there.

    :param groups: options that are not the default, by group
    :returns: something like Tempest's CONF. An option that the plugin does
        not have is a KeyError
    """
    made = _Group(
        mempage=_Group((option.dest, option.default)
                       for option in mempage_config.MempageGroup),
        compute_feature_enabled=_Group(
            (option.dest, option.default)
            for option in config.ComputeFeaturesGroup),
        compute=_Group(min_microversion='2.1', max_microversion='latest'),
        placement=_Group(min_microversion='1.0', max_microversion='latest'),
        service_available=_Group(nova=True))
    for group, changes in groups.items():
        unknown = changes.keys() - made[group].keys()
        if unknown:
            raise KeyError(unknown)
        made[group].update(changes)
    return made
