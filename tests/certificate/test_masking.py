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

import dataclasses
import json
import time
from unittest import mock
import zlib

import ddt
from oslotest import base

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import errors
from mempage_certificate import masking
from mempage_certificate import runs
from mempage_certificate import stream
from tests.certificate import samples

HOST = 'dax-compute-17.acme.example'
#: What must be nowhere in a bundle.
PLANTED = {
    'host': HOST, 'name of the host': 'dax-compute-17',
    'domain': 'acme.example', 'address': '203.0.113.77',
    'address of IPv6': '2001:db8::77', 'MAC': '52:54:00:ab:cd:ef',
    'password': 'hunter2hunter2', 'token': 'gAAAAABkZmFrZXRva2VuZmFrZXRva2Vu',
    'server': 'acmecorp-payroll', 'project': 'zanzibar',
    'mail': 'jane.roe@acme.example', 'UUID': 'deadbeef-0d3c-4b6e-9c56-5f1f',
    'guest': 'instance-0000beef', 'user': 'jroe', 'cookie': 'c2VjcmV0LWNvb2tp'}
TEXT = """guest acmecorp-payroll of project zanzibar, user jroe, on host {host}
http://203.0.113.77:8774/v2.1/servers/deadbeef-0d3c-4b6e-9c56-5f1f00000001
[2001:db8::77]:22 52:54:00:ab:cd:ef jane.roe@acme.example instance-0000beef
X-Auth-Token: gAAAAABkZmFrZXRva2VuZmFrZXRva2Vu password=hunter2hunter2
Cookie: c2VjcmV0LWNvb2tp DAX-COMPUTE-17 203.0.113.77/24 ::ffff:203.0.113.77
""".format(host=HOST)
CAPACITY = 'TestFileBacked.test_capacity['


def found(contents):
    """List which planted words are in a bundle, packed or in one of its files.

    """
    everything = zlib.decompress(archive.pack(contents), 31).lower()
    return [what for what, word in PLANTED.items()
            if word.lower().encode() in everything]


@ddt.ddt
class MaskedTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.sample = samples.Sample('smoke-lab', (HOST, 'fbm2'),
                                     ('test_capacity',))

    def assert_nothing_left(self):
        self.assertEqual([], found(self.sample.bundle()))

    def test_what_is_looked_for_would_be_found(self):
        self.assertEqual(list(PLANTED), found({'a': TEXT.encode()}))

    def test_names_of_hosts(self):
        self.assert_nothing_left()
        run = self.sample.run()
        self.assertEqual(['host-1', 'host-2'], run.hosts)

    @ddt.data('subject', 'server')
    def test_facts(self, key):
        self.sample.edit(CAPACITY, 'facts',
                         lambda told: told.update({key: TEXT}))
        self.assert_nothing_left()

    @ddt.data('witness', 'name', 'expected', 'observed')
    def test_one_fact(self, key):
        self.sample.edit(CAPACITY, 'facts', lambda told: told['facts'].append(
            dict(told['facts'][0], **{key: TEXT})))
        self.assert_nothing_left()

    @ddt.data([TEXT], {TEXT: [{'a': TEXT}]}, [['x', TEXT]])
    def test_plain_data(self, value):
        self.sample.edit(CAPACITY, 'facts', lambda told: told['facts'].append(
            dict(told['facts'][0], observed=value)))
        self.assert_nothing_left()

    def test_name_of_a_host_in_letters_that_only_look_alike(self):
        # To a regular expression, it is an s in which case does not matter.
        self.sample = samples.Sample('smoke-lab', ('ssd1',),
                                     ('test_capacity',))
        self.sample.skip(CAPACITY, '\u017fsd1 is away, and ssd1')
        [entry] = [entry for entry in self.sample.run().entries
                   if CAPACITY in entry.record.name]
        self.assertEqual('*** is *** and host-1'.split(), [
            word.strip(',') for word in entry.test.reason.replace(
                'away', '***').split()])

    def test_reason(self):
        self.sample.skip(CAPACITY, TEXT)
        self.assert_nothing_left()

    def test_error(self):
        self.sample.fail(CAPACITY, TEXT)
        self.assert_nothing_left()

    def test_left_out(self):
        document = {'kind': 'left_out', 'version': 1, 'host': HOST,
                    'reason': TEXT}
        self._attach(stream.Detail('left_out', stream.JSON,
                                   json.dumps(document).encode()))
        self.assert_nothing_left()

    def _attach(self, *details):
        number = self.sample.find(CAPACITY)
        self.sample.change(CAPACITY, details=[
            *self.sample.records[number].details, *details])

    @ddt.data('traceback', 'pythonlogging:\'\'', HOST + '-domain.xml',
              'console')
    def test_attachment(self, name):
        self.sample.fail(CAPACITY)
        self._attach(stream.Detail(name, stream.TEXT, TEXT.encode()))
        self.assert_nothing_left()

    def test_name_that_no_test_has(self):
        # A test of the suite is not left out in silence.
        self.sample.change(CAPACITY, name='mempage_tempest_plugin.tests.api.x'
                           '[id-1,zanzibar!]')
        error = self.assertRaises(errors.CertificateError, self.sample.bundle)
        self.assertIn('a test of the suite has a name that none has',
                      str(error))

    @ddt.data('{}', 'tests.%s.x', 'setUpClass ({})')
    def test_tests_of_others(self, name):
        self.sample.records.append(dataclasses.replace(
            self.sample.records[-1],
            name=name.format('acmecorp-payroll.zanzibar'), worker='worker-9'))
        self.assert_nothing_left()

    def test_tags(self):
        self.sample.change(CAPACITY, worker='zanzibar')
        self.assert_nothing_left()

    @ddt.data('cpu', 'kernel', 'mount_options')
    def test_environment(self, key):
        def change(document):
            if key == 'cpu':
                document['cpu'] = 'CPU of dax-compute-17 203.0.113.77'
            elif key == 'kernel':
                document['versions']['kernel'] = '6.1 built on ' + HOST
            else:
                document['store']['mount_options'] = [
                    'addr=203.0.113.77', 'x=2001:db8::77']
        self.sample.environment(change)
        self.assert_nothing_left()

    def test_secret_where_it_cannot_be_masked(self):
        self.sample.environment(lambda document: document.update(
            cpu='x password=hunter2hunter2'))
        error = self.assertRaises(errors.CertificateError, self.sample.bundle)
        self.assertIn('cannot be masked: environment of host-', str(error))
        self.assertNotIn('hunter2', str(error))

    @ddt.data({'contact': 'jane.roe@acme.example'}, {'vendor': HOST},
              {'description': 'see 203.0.113.77'},
              {'description': 'password: hunter2hunter2'})
    def test_product(self, changes):
        error = self.assertRaises(errors.CertificateError, self.sample.bundle,
                                  **changes)
        self.assertIn('PRODUCT.yaml: tells the name of a host, an address',
                      str(error))

    def test_product_that_is_written_in_another_way(self):
        error = self.assertRaises(
            errors.CertificateError, bundles.refuse_secrets,
            json.dumps(dict(samples.PRODUCT, vendor='NAME')).replace(
                'NAME', r'dax\x2dcompute-17').encode(), [HOST])
        self.assertIn('PRODUCT.yaml: tells the name of a host', str(error))

    def test_nothing_but_what_is_in_the_schema(self):
        self.sample.edit(CAPACITY, 'outcome',
                         lambda told: told.update(comment=TEXT))
        error = self.assertRaises(errors.CertificateError, self.sample.bundle)
        self.assertIn("('comment' was unexpected)", str(error))

    @ddt.data(b'{"kind":"outcome"}', b'[]', b'{', b'[' * 9999, b'{"kind": 7}')
    def test_document_that_is_none(self, data):
        self._attach(stream.Detail('outcome-9', stream.JSON, data))
        error = self.assertRaises(errors.CertificateError, self.sample.bundle)
        self.assertIn('kept a document that is none', str(error))

    def test_masked_again(self):
        masked, _ = masking.mask(self.sample.data())
        again, hosts = masking.mask(masked)
        self.assertEqual({'host-1': 'host-1', 'host-2': 'host-2'}, hosts)
        first, second = runs.read(masked), runs.read(again)
        self.assertEqual([entry.test.hosts() for entry in first.entries][0],
                         [entry.test.hosts() for entry in second.entries][0])


@ddt.ddt
class MaskerTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.masker = masking.Masker({'fbm1': 'host-1', 'fbm10': 'host-2',
                                      'c3.example.net': 'host-3'}, ['host'])

    @ddt.unpack
    @ddt.data(
        ('on fbm1: not valid', 'on host-1: not valid'),
        ('fbm10 and FBM1', 'host-2 and host-1'), ('xfbm1', '***'),
        ('c3 c3.example.net', 'host-3 host-3'), ('compute7', '***'),
        ('node/7 of Host', 'node/7 of hidden'),
        ('128MiB in node0 of 2048 KiB', '128MiB in node0 of 2048 KiB'),
        ('at 06:05:04.25', 'at 06:05:04.25'),
        ('10.0.0.1:22, fe80::1 and ::1', 'address:22, address and address'),
        ('Kernel 6.1.0', 'Kernel 6.1.0'), ('zanzibar_node', '***_node'),
        ('a1b2c3', '***'), ('123456789012345678901234', '***'),
        ('h\u00f6st', '***'), ('', ''),
        # After marks and colours, as logs have them.
        (r'\n203.0.113.77 \u000afbm1', r'\naddress \u000ahost-1'),
        ('http%3A%2F%2F203.0.113.77%3A80', 'http://address:80'),
        ('\x1b[31m203.0.113.77\x1b[0m', 'address'),
        (r'\x1b[1mfbm10 f\033[0mbm1', 'host-2 host-1'),
        (r'\n52:54:00:12:34:56 \t::1', r'\naddress \taddress'),
        (r'\n3f6b9c1e-1111-4222-9333-444455556666', r'\nuuid-1'),
        # In names that others make of them.
        ('host-203-0-113-77 ip-203-0-113-77.x', 'hidden-address '
         'ip-address.x'), ('203.0.113.77_1', 'address_1'),
        ('31.0.0.0rc1', '31.0.0.***'), ('1-2-3-4', '1-2-3-4'))
    def test_text(self, text, masked):
        self.assertEqual(masked, self.masker.text(text))

    def test_what_is_equal_stays_equal(self):
        self.assertEqual(*(self.masker.value(dict(items)) for items in (
            [('zanzibar', 1), ('timbuktu', 2)],
            [('timbuktu', 2), ('zanzibar', 1)])))

    def test_uuids_tell_apart(self):
        uuids = ['3f6b9c1e-0d3c-4b6e-9c56-5f1f2f6d7a1%d' % last
                 for last in (0, 1, 0)]
        self.assertEqual('uuid-1 uuid-2 uuid-1',
                         self.masker.text(' '.join(uuids)))
        self.assertEqual('uuid-2', self.masker.uuid(uuids[1]))
        self.assertEqual('uuid-2', self.masker.uuid(
            uuids[1].replace('-', '')))

    def test_host_as_other_programs_call_it(self):
        masker = masking.Masker({'dax-compute-17': 'host-1'})
        self.assertEqual('host-1 and host-1', masker.text(
            'dax_compute_17 and dax_2dcompute_2d17'))

    @ddt.data(
        # systemd, URLs, JSON in JSON, XML, tables of mounts, all of it
        r'dax\x2dcompute\x2d17', 'dax%2Dcompute%252D17',
        r'dax\u002dcompute\\u002d17', 'dax&#45;compute&#x2d;17',
        r'dax\055compute-17', '%64%61%78-%63%6F%6D%70%75%74%65%2D17',
        r'\u0064ax-compute-17', 'dax-\x1b[1mcompute-\x1b[0m17')
    def test_escaped_name(self, name):
        masker = masking.Masker({'dax-compute-17.acme.example': 'host-1'})
        for end in '', '.acme.example', '%2Eacme.example':
            self.assertEqual('at host-1', masker.text('at ' + name + end))
        self.assertEqual('Store of host-1', masker.label('Store of ' + name))

    @ddt.unpack
    @ddt.data(
        # What follows is no part of an address.
        ('2001:470:1::5: no route', 'address: no route'),
        ('2001:470:1:2:3:4:5:6:8774', 'address:8774'),
        ('52:54:00:12:34:56: gone', 'address: gone'),
        ('80:00:02:08:fe:80:00:00:00:00:00:00:52:54:00:12:34:56:78:90',
         'address'),
        ('7.7.0.0.1.0.0.2.ip6.arpa', 'addressip6.arpa'),
        ('compute-10-0-0-5 ip_10_0_0_5', 'compute-address ip_address'),
        # A name begins after an underscore.
        ('nova_compute_fbm1 node_203.0.113.77',
         'nova_compute_host-1 node_address'),
        ('node_3f6b9c1e-1111-4222-9333-444455556666', 'node_uuid-1'),
        # Secrets that are words, or numbers.
        (r'password\u003d12345678', 'password=***'),
        ('password%3D%22nova%20123%22', 'password=***'))
    def test_names_in_logs(self, text, masked):
        masker = masking.Masker({'fbm1': 'host-1'})
        self.assertEqual(masked, masker.text(text))

    def test_device_that_has_nothing_escaped_is_told_as_it_was(self):
        self.assertEqual('a%20b', self.masker.label('a%20b'))

    @ddt.data('-', '.', '1.', '-a', '\\', '%', '&#0', 'a:', '00:', ':')
    def test_long_text_takes_no_minutes(self, part):
        began = time.process_time()
        self.masker.text((part * 65536)[:65536])
        self.assertLess(time.process_time() - began, 20)

    def test_long_text(self):
        self.assertIn('(99999 characters)', self.masker.text('1 ' * 49999
                                                             + '1'))

    def test_devices_keep_their_names(self):
        self.assertEqual('SuperFast 9000 of host-1', self.masker.label(
            'SuperFast 9000 of fbm1'))


class GrowingTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.sample = samples.Sample('smoke-lab', ('fbm2', 'fbm10'))
        # Only its last test tells of a host that comes before the others.
        self.sample.environment(lambda told: told.update(host='fbm1'),
                                ('after',), 'fbm2')
        self.sample.skip(CAPACITY, 'server %s' % ('ab' * 16))

    def test_same_as_all_at_once(self):
        growing = masking.Growing()
        for record in self.sample.records:
            masked, hosts = growing.add([record])
        self.assertEqual({'fbm1': 'host-1', 'fbm2': 'host-2',
                          'fbm10': 'host-3'}, hosts)
        whole, same = masking.mask(self.sample.data())
        self.assertEqual(hosts, same)
        self.assertEqual(stream.read(whole), stream.in_order(masked))

    def test_each_is_masked_once(self):
        growing = masking.Growing()
        with mock.patch.object(masking, '_masked',
                               wraps=masking._masked) as once:
            for record in self.sample.records[:-1]:
                growing.add([record])
        self.assertEqual(len(self.sample.records) - 1, once.call_count)
