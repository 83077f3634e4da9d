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

import ddt
from oslotest import base

from mempage_tempest_plugin.hosts import redact

# Forms that configuration files, logs, commands and documents of a cloud have.
# Every word with HIDDEN in it is one.
URLS = (
    'transport_url = rabbit://nova:HIDDEN@198.51.100.1:5672/',
    'transport_url = rabbit://u:HIDDEN1@h1:5672,u:HIDDEN2@h2:5672//',
    'transport_url=rabbit://u:HIDDEN1@[2001:db8::1]:5672,'
    'u:HIDDEN2@[2001:db8::2]:5672,u:HIDDEN3@h3/nova?ssl=1',
    'transport_url = rabbit://u:HIDDEN1@h1:5672,\n    u:HIDDEN2@h2:5672/\n',
    'connection = mysql+pymysql://nova:HIDDEN@db/nova?charset=utf8',
    'connection = mysql+pymysql://nova:HIDDEN%40x%2FHIDDEN@db/nova',
    'connection = mysql://nova:a@HIDDEN@db/nova',
    'connection = mysql://nova:a/HIDDEN@db/nova',
    'connection = mysql://nova:a,HIDDEN:HIDDEN@db/nova',
    'connection = mysql://nova:HIDDEN!$^&*()#@db/nova',
    'slave_connection=postgresql://nova:HIDDEN@db/nova',
    'backend_url = redis://:HIDDEN@cache:6379/0',
    'etcd3+https://root:HIDDEN@198.51.100.7:2379',
    "ERROR oslo.messaging: 'amqp://guest:HIDDEN@h1:5672//' unreachable",
    'GET http://h:8774/vnc_auto.html?path=%3Ftoken%3DHIDDEN HTTP/1.1',
    'wss://h:6080/?token=HIDDEN',
    'https://h/v1/AUTH_x/c/o?temp_url_sig=HIDDEN&temp_url_expires=1',
    'https://h/b?X-Amz-Credential=HIDDEN&X-Amz-Signature=HIDDEN',
    'git clone https://user:HIDDEN@git.example.org/x',
)
FILES = (
    'dbpass=HIDDEN',
    'DB_PASS: HIDDEN',
    'pw=HIDDEN',
    'wsrep_sst_auth=root:HIDDEN',
    'requirepass HIDDEN',
    '    stats auth admin:HIDDEN',
    '{default_pass, <<"HIDDEN">>},',
    'snmp_community = HIDDEN',
    'tokens: [a, HIDDEN]',
    'tokens:\n- HIDDEN\n- HIDDEN\n',
    'tokens:\n  - HIDDEN\n  - HIDDEN\n',
    'password = HIDDEN\r\n  HIDDEN\r\n',
    '"fernet_keys": {"0": "HIDDEN"}',
    'password = HIDDEN',
    'password = two words, HIDDEN',
    'password = "HIDDEN" and HIDDEN',
    "password = 'it''s HIDDEN",
    'password=HIDDEN=HIDDEN#HIDDEN',
    'password: HIDDEN',
    'password =\n    HIDDEN\n    HIDDEN\n',
    'password = HIDDEN1\n\tHIDDEN2\nuser = x\n',
    'admin_token = HIDDEN',
    'admin_password = HIDDEN',
    'metadata_proxy_shared_secret = HIDDEN',
    'memcache_secret_key = HIDDEN',
    'auth_encryption_key = HIDDEN',
    'fixed_key = HIDDEN',
    'swift_store_key = HIDDEN',
    's3_store_secret_key = HIDDEN',
    'aws_secret_access_key = HIDDEN',
    'hmac_keys = HIDDEN',
    'sasl_password = HIDDEN',
    'rabbit_pass=HIDDEN',
    'kek = "HIDDEN="',
    'login = HIDDEN',
    'server_certs_key_passphrase = HIDDEN',
    'backend_argument = password:HIDDEN',
    'OS_PASSWORD=HIDDEN',
    'export OS_PASSWORD="two HIDDEN"',
    "export OS_TOKEN='HIDDEN'",
    'set OS_PASSWORD=HIDDEN',
    'export OS_APPLICATION_CREDENTIAL_SECRET=HIDDEN',
    'clouds:\n  a:\n    auth:\n      username: x\n      password: HIDDEN\n',
    'a:\n  auth:\n    application_credential_secret: "HIDDEN"\n',
    'auth:\n  - token: HIDDEN\n',
    'nova_database_password: HIDDEN\nrabbitmq_cluster_cookie: HIDDEN\n',
    'nova_ssh_key:\n  private_key: |\n    HIDDEN\n    HIDDEN\n  x: y\n',
    '[client.nova]\n\tkey = HIDDEN\n',
    '#cloud-config\npassword: HIDDEN\nssh_pwauth: true\n',
    '#cloud-config\nchpasswd:\n  list: |\n    root:HIDDEN\n    u:HIDDEN2\n',
    'users:\n  - name: x\n    passwd: HIDDEN\n',
    'users:\n  - name: x\n    plain_text_passwd: "a HIDDEN"\n',
    'user_data: |\n  IyEv\n  HIDDEN\n',
    'root:$6$HIDDENHIDDEN$HIDDEN/HIDDEN.:19000:0:99999:7:::',
)
LOGS = (
    "('password', 'HIDDEN'), ('name', 'x')",
    '["auth_token", "HIDDEN"]',
    '<entry name="password">HIDDEN</entry>',
    "<secret ephemeral='no'><value>HIDDEN</value></secret>",
    'body=%7B%22adminPass%22%3A%22HIDDEN%22%7D',
    '&quot;password&quot;: &quot;HIDDEN&quot;',
    "CREATE USER x IDENTIFIED BY 'HIDDEN'",
    'rabbitmqctl add_user nova HIDDEN',
    '--password "two HIDDEN"',
    '-e OS_PASSWORD=HIDDEN',
    'client_secret=HIDDEN&grant_type=x',
    'x-openstack-request-id: req-1; X-Auth-Key: HIDDEN',
    'Proxy-Authorization: Basic HIDDEN',
    'PGPASSWORD=HIDDEN psql',
    "'X-Auth-Token': 'HIDDEN'",
    'curl -g -i -X GET http://h -H "X-Auth-Token: HIDDEN"',
    'X-Subject-Token: HIDDEN',
    "-H 'X-Service-Token: HIDDEN'",
    'Authorization: Bearer HIDDEN.HIDDEN',
    "'Authorization': 'Basic HIDDEN=='",
    'Cookie: sessionid=HIDDEN; csrftoken=HIDDEN',
    'token gAAAAABHIDDENHIDDENHIDDENHIDDEN_-= used',
    'token eyJhbGciOiJFUzI1NiJ9.HIDDENHIDDEN.HIDDEN-HIDDEN used',
    "{'adminPass': 'HIDDEN'}",
    '{"adminPass": "HIDDEN"}',
    '{"server": {"adminPass":"HIDDEN", "name": "x"}}',
    """{'adminPass': "it's HIDDEN"}""",
    r'{"adminPass": "a \" HIDDEN"}',
    r'"body": "{\"adminPass\": \"HIDDEN HIDDEN\", \"name\": \"x\"}"',
    r'"body": "{\\\"password\\\": \\\"HIDDEN\\\"}"',
    "{'password': b'HIDDEN'}",
    "{u'password': u'HIDDEN'}",
    "{'passwords': ['a', 'HIDDEN']}",
    '{"auth": {"identity": {"password": {"user": {"name": "a", '
    '"password": "HIDDEN"}}}}}',
    '{"credentials": {"access": "HIDDEN", "secret": "HIDDEN"}}',
    "connection_info={'data': {'auth_password': 'HIDDEN', 'x': 1}}",
    '"auth_password": "HIDDEN", "auth_username": "x"',
    "Instance(uuid=x,user_data='HIDDEN',admin_pass=HIDDEN)",
    "password='HIDDEN', user='x'",
    'password => HIDDEN,',
    'token%3DHIDDEN',
    '<password>HIDDEN</password>',
    "<graphics type='vnc' port='5900' passwd='HIDDEN'/>",
    '<graphics type="spice" passwd="HIDDEN"/>',
    '{"qom-type":"secret","id":"libvirt-1-storage-auth-secret0",'
    '"data":"HIDDEN","keyid":"masterKey0","iv":"x"}',
    '-object secret,id=sec0,data=HIDDEN,format=base64',
    'openstack --os-password HIDDEN server list',
    '--os-token=HIDDEN',
    'virsh secret-set-value --secret x --base64 HIDDEN',
    'mysql -u root -pHIDDEN nova',
    'sshpass -p HIDDEN ssh x',
    'ipmitool -I lanplus -H h -U admin -P HIDDEN power status',
    'curl -u admin:HIDDEN http://h/',
    '"password": "first\nHIDDEN\nlast"',
)
KEY = '-----%s OPENSSH PRIVATE KEY-----'
KEYS = (
    KEY % 'BEGIN' + '\nHIDDEN\nHIDDEN==\n' + KEY % 'END' + '\n',
    '-----BEGIN PRIVATE KEY-----\\nHIDDEN\\nHIDDEN\\n-----END PRIVATE KEY--',
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nHIDDEN\n'
    '-----END RSA PRIVATE KEY-----',
    'x\n' + KEY % 'BEGIN' + '\nHIDDEN\nHIDDEN',
    'xHIDDENxHIDDENxHIDDENxHIDDENxHIDDENxHIDDENx='.ljust(44, '='),
    'AQHIDDENHIDDENHIDDENHIDDENHIDDENHIDDEN==',
)
HARMLESS = (
    'qemu+ssh://tempest@198.51.100.1/system',
    'http://198.51.100.1:8774/v2.1/servers?name=a@b',
    '0:40 tmpfs tmpfs /srv/memory',
    '2026-11-29 10:00:00.123 42 INFO nova.compute [None req-1 - - - - ] x@y',
    'mem_path: /srv/memory/libvirt/qemu/1-instance-00000001/pc.ram',
    'node0 2048 KiB 256 256 0',
    "<memoryBacking><access mode='shared'/></memoryBacking>",
    '3f6b9c1e-0d3c-4b6e-9c56-5f1f2f6d7a10',
    '[keystone_authtoken]\nauth_url = http://198.51.100.1/identity\n',
    'file_backed_memory = 1024',
    'key_name: x',
    "'adminPass': None",
    'passed: 3, bypass: no',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ tempest',
)


@ddt.ddt
class RedactTest(base.BaseTestCase):

    @ddt.data(*URLS, *FILES, *LOGS, *KEYS)
    def test_secret(self, text):
        for around in '%s\n', 'a: b\n%s\nc = d\n':
            masked = redact.mask(around.replace('%s', text))
            self.assertNotIn('HIDDEN', masked)
            self.assertIn('***', masked)

    @ddt.data(*HARMLESS)
    def test_harmless(self, text):
        self.assertEqual(text, redact.mask(text))
        self.assertEqual('x\n%s\ny' % text, redact.mask('x\n%s\ny' % text))

    def test_what_is_around_stays(self):
        self.assertEqual(
            'rabbit://u:***@h1:***@h2:5672//',
            redact.mask('rabbit://u:HIDDEN1@h1:5672,u:HIDDEN2@h2:5672//'))
        self.assertEqual('x: password=*** name=x',
                         redact.mask('x: password=HIDDEN name=x'))
        self.assertEqual(
            '[a]\npassword = ***\nuser = x\n',
            redact.mask('[a]\npassword = HIDDEN\n  HIDDEN\nuser = x\n'))

    def test_key_that_is_cut_off_at_its_begin(self):
        masked = redact.mask('HIDDEN\nHIDDEN==\n%s\nx' % (KEY % 'END'))
        self.assertEqual('***%s\nx' % (KEY % 'END'), masked)

    def test_long_words_take_no_time(self):
        for text in 'A' * 1000000, 'password' * 40000:
            self.assertEqual(text, redact.mask(text))
