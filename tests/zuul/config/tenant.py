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

"""Reads jobs as Zuul does, without a scheduler or a connection."""

import pathlib
import types

from zuul import configloader
from zuul import model
from zuul import model_api
from zuul.zk import components

ROOT = pathlib.Path(__file__).parents[3]
PROJECT = 'x/mempage-tempest-plugin'

# What the jobs and the documented examples name of other repositories
ELSEWHERE = pathlib.Path(__file__).with_name('elsewhere.yaml')
PROJECTS = ('openstack/manila', 'openstack/nova', 'openstack/tempest',
            'libvirt/libvirt', 'vendor/ssd')
PIPELINES = frozenset(('check', 'gate', 'periodic', 'periodic-weekly',
                       'experimental'))

# An executor takes these endings.
ENDINGS = ('', '.yaml', '.yml')


class Tenant:
    """A tenant of Zuul with this project and the names of all others.

    :ivar errors: what Zuul says is wrong, as a list of text
    """

    def __init__(self, configuration=None, others=None, longest=None):
        """Read the configuration.

        :param configuration: text of the jobs of this project by file name;
            what is in zuul.d by default
        :param others: text of the jobs of other projects by project
        :param longest: for how long jobs may run, in seconds; as Zuul has it
            by default
        """
        # Who writes secrets asks which version of Zuul others have.
        components.COMPONENT_REGISTRY.registry = types.SimpleNamespace(
            model_api=model_api.MODEL_API)
        # Of connections, the parser of projects and jobs asks nothing.
        connections = types.SimpleNamespace(connections={})
        self._context = configloader.ParseContext(connections, None, None,
                                                  None)
        self._parser = configloader.TenantParser(connections, None, None,
                                                 None, None, None, None, None)
        self._tenant = self._make_tenant()
        if longest:
            self._tenant.max_job_timeout = longest
        self._parsed = model.ParsedConfig()
        self._read('elsewhere', 'zuul.d/jobs.yaml', ELSEWHERE.read_text())
        for name, text in (configuration or own_configuration()).items():
            self._read(PROJECT, 'zuul.d/' + name, text)
        for project, text in (others or {}).items():
            self._read(project, '.zuul.yaml', text)
        self.layout = self._parser._parseLayout(self._tenant, self._parsed,
                                                self._context)
        self.errors = [error.error for error in self.layout.loading_errors]
        self.errors += self._unknown_pipelines() + self._missing_playbooks()

    def job(self, name):
        """Put a job together as Zuul does for a change on master.

        :param name: the job's name
        :returns: the job with all that it inherits
        """
        change = model.Branch(self._project(PROJECT))
        change.branch = 'master'
        item = types.SimpleNamespace(annotateLogger=lambda log: log)
        variants = self.layout.collectJobs(item, name, change)
        job = variants[0].copy()
        job.setBase(self.layout, None)
        for variant in variants[1:]:
            job.applyVariant(variant, self.layout, None)
        return job

    def own_jobs(self):
        """List the names of the jobs that this project defines."""
        return sorted(name for name, variants in self.layout.jobs.items()
                      if self._is_ours(variants[0]))

    def pipelines(self, project=PROJECT):
        """List the jobs that a project runs.

        :param project: the project's name
        :returns: set of job names by pipeline
        """
        found = {}
        for part in self.layout.project_configs[self._canonical(project)]:
            for name, pipeline in part.pipelines.items():
                found.setdefault(name, set()).update(pipeline.job_list.jobs)
        return found

    def _make_tenant(self):
        tenant = model.Tenant('tests')
        tenant.default_base_job = 'base'
        tenant.allowed_labels = None
        tenant.disallowed_labels = None
        source = types.SimpleNamespace(
            canonical_hostname='opendev.org',
            connection=types.SimpleNamespace(connection_name='opendev'),
            getProjectDefaultMergeMode=lambda project, valid_modes: 'merge',
            getProjectDefaultBranch=lambda project, tenant: 'master')
        for name in ('elsewhere', PROJECT) + PROJECTS:
            project = model.TenantProjectConfig(model.Project(name, source))
            project.branches = ['master']
            project.load_classes = set(configloader.TenantParser.all_classes)
            project.trusted = name == 'elsewhere'
            tenant.addTPC(project)
        return tenant

    def _read(self, project, path, text):
        canonical = self._canonical(project)
        source = model.SourceContext(canonical, project, 'opendev', 'master',
                                     path)
        config = self._tenant.project_configs[canonical]
        self._parser.addProjectBranchConfig(
            self._context, self._parsed, self._tenant, config,
            self._parser.loadProjectYAML(text, source, self._context),
            config.trusted)

    def _unknown_pipelines(self):
        # Zuul takes them for those of another tenant.
        return ['%s: pipeline "%s" is not known' % (project, pipeline)
                for project in self.layout.project_configs
                for pipeline in self.pipelines(project.partition('/')[2])
                if pipeline not in PIPELINES]

    def _missing_playbooks(self):
        # Zuul sees it when an executor has begun with the job.
        jobs = [job for variants in self.layout.jobs.values()
                for job in variants if self._is_ours(job)]
        return ['%s: playbook "%s" does not exist' % (job.name, playbook.path)
                for job in jobs
                for playbook in job.pre_run + job.run + job.post_run
                if not any((ROOT / (playbook.path + ending)).is_file()
                           for ending in ENDINGS)]

    def _is_ours(self, job):
        source = job.source_context
        return source is not None and source.project_name == PROJECT

    def _project(self, name):
        return self._tenant.getProject(name)[1]

    @staticmethod
    def _canonical(project):
        return 'opendev.org/' + project


def own_configuration():
    """Return the text of the files in zuul.d by their names."""
    return {path.name: path.read_text()
            for path in sorted((ROOT / 'zuul.d').glob('*.yaml'))}
