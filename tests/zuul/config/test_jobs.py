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

import re
import types

import ddt
import testtools
import yaml

from tests.zuul.config import tenant

# Releases of OpenStack whose Nova has a nova_mempage
SERIES = {'2024.2': '2024.2-eol', '2025.1': 'stable/2025.1',
          '2025.2': 'stable/2025.2', '2026.1': 'stable/2026.1',
          '2026.2': 'stable/2026.2'}

TESTS = sorted((tenant.ROOT / 'mempage_tempest_plugin' / 'tests').glob(
    '*/test_*.py'))
SETTINGS = tenant.ROOT / 'devstack' / 'settings'
CERTIFY = tenant.ROOT / 'roles' / 'mempage_certify' / 'defaults' / 'main.yaml'
EXAMPLES = tenant.ROOT / 'doc' / 'source' / 'zuul'


def localrc(job):
    """Return what DevStack is told of memory, per node.

    :param job: a job, put together
    :returns: tuple of two dicts: of the controller, of the other node
    """
    subnode = job.group_variables.get('subnode', {})
    return tuple({name: value for name, value in
                  variables.get('devstack_localrc', {}).items()
                  if name.startswith('MEMPAGE_')
                  and not name.startswith(('MEMPAGE_SSH_',
                                           'MEMPAGE_RUNS_ALONE'))}
                 for variables in (job.variables, subnode))


@ddt.ddt
class JobsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.tenant = tenant.Tenant()

    def test_zuul_finds_nothing_wrong(self):
        self.assertEqual([], self.tenant.errors)

    def test_every_job_is_run(self):
        run = set().union(*self.tenant.pipelines().values())
        self.assertEqual({'mempage-certify'},
                         set(self.tenant.own_jobs()) - run)
        self.assertTrue(self.tenant.job('mempage-certify').abstract)

    def test_gate_runs_what_check_runs(self):
        pipelines = self.tenant.pipelines()
        self.assertEqual(pipelines['check'], pipelines['gate'])

    @ddt.unpack
    @ddt.data(
        ('multinode',
         {'MEMPAGE_FILE_BACKED_MEMORY': 2048},
         {'MEMPAGE_FILE_BACKED_MEMORY': 0}),
        ('page-sizes',
         {'MEMPAGE_FILE_BACKED_MEMORY': 0, 'MEMPAGE_HUGEPAGES': '2048:512',
          'MEMPAGE_ALLOWED_PAGE_SIZES': 'large'},
         {'MEMPAGE_FILE_BACKED_MEMORY': 0,
          'MEMPAGE_ALLOWED_PAGE_SIZES': 'small'}),
        ('stock-nova',
         {'MEMPAGE_FILE_BACKED_MEMORY': 2048, 'MEMPAGE_NOVA_EXTENSION': False},
         {'MEMPAGE_FILE_BACKED_MEMORY': 0, 'MEMPAGE_NOVA_EXTENSION': False}),
        ('vhost-user',
         {'MEMPAGE_FILE_BACKED_MEMORY': 2048, 'MEMPAGE_VHOST_USER': True,
          'MEMPAGE_HUGEPAGES': '2048:64',
          'MEMPAGE_RESERVED_HUGEPAGES': '2048:64'}, {}),
        ('shares',
         {'MEMPAGE_FILE_BACKED_MEMORY': 2048, 'MEMPAGE_SHARES': True},
         {'MEMPAGE_FILE_BACKED_MEMORY': 0, 'MEMPAGE_SHARES': True,
          'MEMPAGE_HUGEPAGES': '2048:512'}),
        ('smoke', {'MEMPAGE_FILE_BACKED_MEMORY': 2048}, {}))
    def test_each_node_has_its_own_values(self, name, controller, subnode):
        job = self.tenant.job('mempage-tempest-' + name)
        self.assertEqual((controller, subnode), localrc(job))

    @ddt.data('multinode', 'page-sizes')
    def test_every_series(self, kind):
        prefix = 'mempage-tempest-%s-' % kind
        checkouts = {
            name.removeprefix(prefix).replace('-', '.'):
            self.tenant.job(name).override_checkout
            for name in self.tenant.own_jobs() if name.startswith(prefix)}
        self.assertEqual(SERIES, checkouts)

    def test_devstack_knows_the_settings(self):
        settings = SETTINGS.read_text()
        for name in self.tenant.own_jobs():
            for node in localrc(self.tenant.job(name)):
                for setting in node:
                    self.assertRegex(settings, r'(?m)^ *%s=' % setting)

    def test_jobs_without_other_tests_say_so(self):
        # The others run no Tempest.
        of_tempest = {name: self.tenant.job(name).variables
                      for name in self.tenant.own_jobs()
                      if name.startswith('mempage-tempest-')}
        self.assertNotEqual({}, of_tempest)
        for name, variables in of_tempest.items():
            self.assertEqual(
                variables['tempest_test_regex'].startswith(
                    r'^mempage_tempest_plugin\.'),
                variables['devstack_localrc']['MEMPAGE_RUNS_ALONE'], name)

    def test_tests_that_are_required_exist(self):
        sources = '\n'.join(path.read_text() for path in TESTS)
        tests = re.findall(r'def (test_\w+)', sources)
        for name in self.tenant.own_jobs():
            if name.startswith('mempage-tempest-'):
                required = self.tenant.job(name).variables[
                    'mempage_required_tests']
                classes = re.findall(r'Test\w+', required)
                self.assertNotEqual([], classes)
                for word in classes:
                    self.assertIn('class %s(' % word, sources)
                for word in re.findall(r'test_[^)]*', required):
                    self.assertTrue(any(re.match(word, test)
                                        for test in tests), word)

    def test_tempest_logs_in_alike_on_all_nodes(self):
        for name in self.tenant.own_jobs():
            job = self.tenant.job(name)
            for group in job.group_variables.values():
                for setting in ('MEMPAGE_SSH_USER', 'MEMPAGE_SSH_KEY'):
                    self.assertEqual(
                        job.variables['devstack_localrc'][setting],
                        group['devstack_localrc'][setting])

    @ddt.data('README.rst', 'doc/source/zuul.rst', 'lab.sh', 'tox.ini',
              'mempage_lab/cli.py', 'nova_mempage/tests/unit/test_pages.py')
    def test_irrelevant_file(self, path):
        self.assertFalse(self._matches(path))

    @ddt.data('devstack/plugin.sh', 'mempage_tempest_plugin/config.py',
              'nova_mempage/nova_mempage/driver.py', 'playbooks/run.yaml',
              'requirements.txt', 'roles/mempage_host/files/host.sh',
              'setup.cfg', 'zuul.d/jobs.yaml')
    def test_relevant_file(self, path):
        self.assertTrue(self._matches(path))

    def _matches(self, path):
        job = self.tenant.job('mempage-tempest-multinode')
        return job.changeMatchesFiles(types.SimpleNamespace(files=[path]))


@ddt.ddt
class FaultsTest(testtools.TestCase):
    """What is wrong does not pass: each changes one thing in zuul.d."""

    @ddt.unpack
    @ddt.data(
        ('parent: mempage-tempest-multinode', 'parent: mempage-multinode',
         'Job mempage-multinode not defined'),
        ('parent: tempest-multinode-full-py3', 'parent: tempest-multinode',
         'Job tempest-multinode not defined'),
        ('irrelevant-files: &', 'irelevant-files: &',
         'extra keys not allowed'),
        ('timeout: 7200', 'timeout: two hours', 'expected int'),
        ('timeout: 7200', 'timeout: 72000', 'exceeds tenant max'),
        ('nodeset: openstack-single-node-noble', 'nodeset: noble',
         'nodeset "noble" was not found'),
        ('- x/mempage-tempest-plugin', '- x/mempage',
         'project "x/mempage" was not found'),
        ('- playbooks/run.yaml', '- playbooks/runs.yaml',
         'playbook "playbooks/runs.yaml" does not exist'),
        ('- openstack-cover-jobs', '- openstack-covers-jobs',
         'template "openstack-covers-jobs" was not found'),
        ('- mempage-tox-nova', '- mempage-tox-novas',
         'Job mempage-tox-novas not defined'),
        ('experimental:', 'experimentel:',
         'pipeline "experimentel" is not known'),
        ('name: mempage-tempest-debian\n', 'name: [mempage-tempest-debian\n',
         'while parsing a flow'),
        ('jobs: *check', 'jobs: *checks', 'undefined alias'))
    def test_fault_is_found(self, right, wrong, message):
        configuration = tenant.own_configuration()
        changed = {name: text.replace(right, wrong)
                   for name, text in configuration.items()}
        self.assertNotEqual(configuration, changed)
        errors = '\n'.join(tenant.Tenant(changed).errors)
        self.assertRegex(errors, re.compile(message, re.IGNORECASE))


@ddt.ddt
class ExamplesTest(testtools.TestCase):
    """The documentation's examples work in the projects that they are for."""

    @ddt.unpack
    @ddt.data(
        ('nova', 'openstack/nova', 'nova-mempage'),
        ('libvirt', 'libvirt/libvirt', 'libvirt-mempage'))
    def test_example(self, name, project, job):
        text = (EXAMPLES / (name + '.yaml')).read_text()
        loaded = tenant.Tenant(others={project: text})
        self.assertEqual([], loaded.errors)
        self.assertEqual('run.yaml',
                         loaded.job(job).run[-1].path.rpartition('/')[2])
        self.assertIn(job, set().union(*loaded.pipelines(project).values()))

    def _vendor(self):
        text = (EXAMPLES / 'vendor.yaml').read_text()
        return tenant.Tenant(others={'vendor/ssd': text},
                             longest=24 * 60 * 60)

    def test_vendor(self):
        loaded = self._vendor()
        self.assertEqual([], loaded.errors)
        job = loaded.job('ssd-certify')
        [playbook] = job.run
        self.assertEqual('playbooks/certify.yaml', playbook.path)
        # Where anybody may propose a playbook, the key would be anybody's.
        self.assertTrue(job.post_review)
        self.assertEqual({'vendor/ssd'}, set(job.allowed_projects))
        self.assertEqual({'periodic-weekly'}, set(loaded.pipelines(
            'vendor/ssd')))
        # It is in another project, and gets the key all the same.
        self.assertEqual(['mempage_certify_key'], [
            secret.name for secret in playbook.frozen_secrets])
        [secret] = loaded.layout.secrets.values()
        self.assertEqual({'private'}, set(secret.secret_data))

    def test_certify_is_told_what_its_role_knows(self):
        defaults = set(yaml.safe_load(CERTIFY.read_text()))
        loaded = self._vendor()
        for job in ('mempage-certify-ramdisk', 'ssd-certify'):
            told = {name for name in loaded.job(job).variables
                    if name.startswith('mempage_certify_')}
            self.assertNotEqual(set(), told)
            self.assertEqual(set(), told - defaults)
