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

import configparser
import pathlib
import shutil
from unittest import mock

import ddt
from openstack import exceptions

from mempage_lab import errors
from mempage_lab import installation
from mempage_lab import node
from mempage_lab import secrets
from mempage_lab import shares
from mempage_lab import topology
from tests.lab import base


class ManilaTest(base.LabTestCase):

    def test_it_sees_what_only_debian_has(self):
        manila = shares.Manila(topology.releases.NEWEST, True, mock.Mock())
        manila.system.name = 'debian-13'
        tree = self.directory / 'tree'
        tree.mkdir()
        for name in 'rados.cpython-313.so', 'ceph_argparse.py', 'other.py':
            (tree / name).touch()
        manila.system.seen.return_value = tree
        site = manila.venv / 'lib' / 'python3.13' / 'site-packages'
        self.patch_object(shares.Manila, 'patches', ())
        self.patch_object(installation, 'make_venv', lambda *_, **__: (
            site.mkdir(parents=True)))
        manila.install()
        self.assertEqual({
            name: '/usr/lib/python3/dist-packages/' + name
            for name in ('rados.cpython-313.so', 'ceph_argparse.py')}, {
                path.name: str(pathlib.Path(path).readlink())
                for path in site.iterdir()})

    def test_it_is_not_mixed_with_the_rest(self):
        manila = shares.Manila(topology.releases.NEWEST, True, mock.Mock())
        self.assertTrue(manila.venv.name.startswith('manila-'))


class SharesTestCase(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.topology = topology.load(topology.find('consumers'), [])
        self.shares = shares.Shares(self.topology)


class NodeTest(SharesTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(shutil, 'copytree')
        self.written = self.record_writes()
        self.started = self.patch_object(node.Node, 'start')
        self.shares.start({})

    def _parsed(self, path):
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(self.written[path])
        return parser

    def test_manila_is_told_of_ceph(self):
        manila = self._parsed(shares.CONF)
        backend = manila['DEFAULT']['enabled_share_backends']
        self.assertEqual(backend, manila[backend]['cephfs_filesystem_name'])
        self.assertIn(manila[backend]['cephfs_conf_path'], self.written)
        self.assertEqual(secrets.load()['manila'],
                         manila['keystone_authtoken']['password'])

    def test_addresses_are_the_nodes_own(self):
        address = str(self.topology.management[shares.NUMBER])
        self.assertEqual('%s:8786' % address, self._parsed(
            '/etc/uwsgi/manila-api.ini')['uwsgi']['http-socket'])
        self.assertEqual(address, self._parsed(
            '/etc/ceph/ceph.conf')['global']['public_addr'])

    def test_ceph_starts_with_the_node_and_manila_later(self):
        for program in self.started.call_args.args[0]:
            self.assertEqual(program.name.startswith('ceph-'),
                             program.autostart, program.name)

    def test_started_once(self):
        self.patch_object(node.Node, 'pid', 7)
        self.patch_object(node.Node, 'wait_for_supervisor')
        self.shares.start({})
        self.started.assert_called_once()


@ddt.ddt
class CloudTest(SharesTestCase):

    def setUp(self):
        super().setUp()
        self.cloud = mock.Mock()
        self.answers = {}
        self.cloud.shared_file_system.get.side_effect = (
            lambda path, **_: self._response(self.answers[path]))

    def _response(self, content, status=200):
        response = mock.Mock(status_code=status, content=b'')
        response.json.return_value = content
        return response

    @ddt.data((['mempage'], 0), (['other'], 1), ([], 1))
    @ddt.unpack
    def test_share_type(self, names, made):
        self.answers['/types'] = {'share_types': [
            {'name': name} for name in names]}
        post = self.cloud.shared_file_system.post
        post.return_value = self._response({})
        self.shares.make_share_type(self.cloud)
        self.assertEqual(made, post.call_count)

    def test_a_share_type_that_cannot_be_made(self):
        self.answers['/types'] = {'share_types': []}
        self.cloud.shared_file_system.post.return_value = self._response(
            {}, 403)
        self.assertRaises(exceptions.SDKException,
                          self.shares.make_share_type, self.cloud)

    def _tell(self, pools, *states):
        self.answers = {
            '/scheduler-stats/pools': {'pools': pools},
            '/services': {'services': [
                {'binary': binary, 'state': state.strip('?'),
                 'updated_at': None if '?' in state else 'now'}
                for binary, state in zip(shares.WORKERS, states)]}}

    @ddt.data((['a'], ['up', 'up'], True), ([], ['up', 'up'], False),
              (['a'], ['up', 'down'], False), (['a'], ['up'], False),
              (['a'], ['up', 'up?'], False))
    @ddt.unpack
    def test_usable(self, pools, states, expected):
        self._tell(pools, *states)
        self.assertIs(expected, shares.are_usable(self.cloud))

    def test_what_never_gets_usable(self):
        self._tell([], 'up', 'up')
        self.patch_object(shares, 'LIMIT', 0.1)
        error = self.assertRaises(
            errors.LabError, self.shares.wait_until_usable, self.cloud)
        self.assertIn('manila-share on shares', str(error))

    def test_catalogue(self):
        self.cloud.identity.find_service.return_value = None
        self.cloud.identity.endpoints.return_value = []
        self.shares.register(self.cloud)
        create = self.cloud.identity.create_service
        create.assert_called_once_with(name='manila',
                                       type='shared-file-system')
        for call in self.cloud.identity.create_endpoint.call_args_list:
            self.assertEqual('http://%s:8786/v2' % self.shares.node.address,
                             call.kwargs['url'])
