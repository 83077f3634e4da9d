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

"""Where OpenStack's APIs are."""

import socket

#: Ports by service: those that everybody uses.
PORTS = {'keystone': 5000, 'glance': 9292, 'placement': 8778,
         'neutron': 9696, 'nova': 8774, 'manila': 8786}


def url(controller, service, path=''):
    """Return the URL of an API.

    :param controller: the controller's address
    :param service: the service that has it
    :param path: what follows the port
    """
    return 'http://%s:%d%s' % (controller, PORTS[service], path)


def answers(address, port):
    """Return a function that tells whether an API answers.

    :param address: where it is
    :param port: its own
    :returns: what raises OSError if nobody is there
    """
    def check():
        with socket.create_connection((address, port), 10) as stream:
            stream.sendall(b'GET / HTTP/1.0\r\n\r\n')
            answer = stream.recv(100).split()
            return len(answer) > 1 and answer[1] != b'500'
    return check
