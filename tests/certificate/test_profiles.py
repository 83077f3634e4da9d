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

import functools
import importlib
import pathlib
import re

import ddt
from oslotest import base
import yaml

from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import profiles
import mempage_tempest_plugin

PRODUCT = (pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'zuul'
           / 'PRODUCT.yaml')


def load(name):
    """Load the class and the method that a catalogue names."""
    module, class_name, method = (profiles.PACKAGE + name).rsplit('.', 2)
    return getattr(importlib.import_module(module), class_name), method


@functools.cache
def sources():
    """Read all sources of the plugin, texts of several lines in one."""
    plugin = pathlib.Path(mempage_tempest_plugin.__file__).parent
    return re.sub(r"'\s*\n\s*'", '', '\n'.join(
        path.read_text() for path in sorted(plugin.rglob('*.py'))))


def method_of(test):
    return test.partition('[')[0].rpartition('.')[2]


@ddt.ddt
class CatalogueTest(base.BaseTestCase):

    @ddt.data(*profiles.published()['smoke-lab-1'].tests().items())
    @ddt.unpack
    def test_each_test_exists(self, name, test):
        of_class, method = load(name.removeprefix(profiles.PACKAGE))
        made = [of_class(found).id() for found in dir(of_class)
                if found.startswith('test_')]
        with_id = [found for found in made
                   if 'id-%s' % test['id'] in found]
        self.assertEqual(test['cases'], len(with_id), (name, made))
        for found in map(method_of, with_id):
            self.assertTrue(found == method if test['cases'] == 1
                            else found.startswith(method + '_'), found)

    @ddt.data(*sorted({
        fact for check in profiles.published()['smoke-lab-1'].checks.values()
        for asked in (check, *check.get('tests', {}).values())
        for fact in asked.get('facts', ())}))
    def test_each_fact_is_asked_for_by_somebody(self, fact):
        witness, _, name = fact.partition(': ')
        self.assertIn(witness, {
            'libvirt', 'QEMU', 'kernel', 'file system', 'placement', 'nova',
            'guest', 'nova-compute', 'SMART'})
        # What stands before the last part may be the name of a memory.
        for part in name, name.rpartition(': ')[2]:
            if part in sources():
                return
        self.fail('%s: is in no source' % fact)

    def test_each_test_of_a_check_has_facts(self):
        """That a test has passed is easily written"""
        self.assertEqual([], [
            (identity, name) for identity, check
            in profiles.find('nvme-endurance').checks.items()
            for name, test in check.get('tests', {}).items()
            if not test.get('facts') and not self._is_alone(check, test)])

    def _is_alone(self, check, test):
        # Else others can tell what this one does not.
        return (check['facts'] and len(check['tests']) == 1
                and 'cases' not in test)

    def test_every_check_is_asked_for_by_somebody(self):
        wanted = {identity for profile in profiles.published().values()
                  for _, _, identity in profile.wanted()}
        catalogue = profiles.find('nvme-endurance').checks
        self.assertEqual(set(catalogue), wanted)


@ddt.ddt
class ProfilesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.profile = profiles.find('nvme-standard')

    def test_published(self):
        self.assertEqual(
            {'ci-loop-1': 'smoke', 'nvme-endurance-1': 'endurance',
             'nvme-standard-1': 'performance', 'pmem-dax-1': 'performance',
             'smoke-lab-1': 'smoke', 'smoke-ramdisk-1': 'smoke'},
            {name: profile.target
             for name, profile in profiles.published().items()})

    @ddt.data(*profiles.published().values())
    def test_every_goal_is_of_a_check_that_is_asked_for(self, profile):
        measured = {identity for _, _, check in profile.wanted()
                    for identity in profile.checks[check].get(
                        'measurements', ())}
        for goal in profile.document['goals']:
            self.assertIn(goal['measurement'], measured)
            self.assertTrue(goal['source'])

    def test_life_and_budget_ask_for_the_same(self):
        document = profiles.find('nvme-endurance').document
        goals = {goal['measurement']: goal['min']
                 for goal in document['goals'] if 'min' in goal}
        workload = document['workload']
        self.assertEqual(
            (workload['warranty_years'], workload['dirtied_gib_per_day']),
            (goals['wear.projected_life'], goals['wear.daily_budget']))

    @ddt.data('nvme-standard', 'nvme-standard-1')
    def test_find(self, name):
        self.assertEqual('nvme-standard-1', profiles.find(name).name)

    def test_product_of_the_documentation(self):
        product = documents.from_yaml(
            'PRODUCT.yaml', PRODUCT.read_bytes(), 'product')
        self.assertEqual(7300, product['devices'][0]['rated_endurance_tbw'])

    def test_find_nothing(self):
        error = self.assertRaises(errors.NotPublished, profiles.find, 'mine')
        self.assertIn("no profile 'mine' is published; there are ci-loop-1",
                      str(error))

    def test_of_files(self):
        self.assertEqual(self.profile, profiles.of_files(
            self.profile.data, self.profile.catalogue_data))

    def test_profile_that_is_not_published(self):
        error = self.assertRaises(
            errors.NotPublished, profiles.of_files, self.profile.data + b'#',
            self.profile.catalogue_data)
        self.assertIn('is none of those that are published', str(error))

    def test_catalogue_of_another(self):
        error = self.assertRaises(
            errors.NotPublished, profiles.of_files, self.profile.data,
            self.profile.catalogue_data + b'#')
        self.assertIn('is not the one of profile nvme-standard-1', str(error))

    def _made(self, change):
        document = yaml.safe_load(self.profile.data)
        change(document)
        return profiles.make(yaml.safe_dump(document).encode(),
                             self.profile.catalogue_data)

    @ddt.unpack
    @ddt.data(
        (lambda told: told['levels']['smoke']['must'].append('F99'),
         'profile: not in its catalogue: F99'),
        (lambda told: told['levels']['smoke']['should'].append('F01'),
         'profile: asked for twice: F01'),
        (lambda told: told['goals'].append(
            {'measurement': 'hot.air', 'figure': 'ratio', 'min': 1,
             'source': 'proposal'}), 'not in its catalogue: hot.air'),
        (lambda told: told['goals'][0].pop('source'),
         "'source' is a required property"),
        (lambda told: told['goals'][0].update(max=2, min=1),
         'is valid under each of'),
        (lambda told: told.update(catalogue=9),
         'is of catalogue 9, and this is catalogue 1'),
        (lambda told: told['pairs'].update(min=1), 'is less than the minimum'))
    def test_refused(self, change, words):
        error = self.assertRaises(errors.CertificateError, self._made, change)
        self.assertIn(words, str(error))
