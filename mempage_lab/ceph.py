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

"""A small Ceph with a file system: what shares are made of.

One daemon of each kind. What is stored lies in memory, and in files while the
daemon that has it does not run.
"""

from mempage_lab import program

#: Beginning of the command of each daemon.
_DAEMON = '/usr/bin/ceph-%s --foreground --id '
#: Makes the file system, and waits for what shares are made with.
MAKE = '/etc/mempage-lab/make-filesystem'
#: Starts the daemon that stores, which has to be known before.
STORE = '/etc/mempage-lab/ceph-osd'
#: Modules of Python that the manager finds instead of Debian's.
MODULES = '/etc/mempage-lab/ceph-mgr'
CONFIGURATION = '/etc/ceph/ceph.conf'
KEYRING = '/etc/ceph/ceph.keyring'
#: The file system.
NAME = 'cephfs'


def programs():
    """Return Ceph's :class:`mempage_lab.program.Program` objects."""
    yield program.Program('ceph-mon', _DAEMON % 'mon' + 'a')
    yield program.Program('ceph-mgr', _DAEMON % 'mgr' + 'a',
                          environment='PYTHONPATH="%s"' % MODULES)
    yield program.Program('ceph-mds', _DAEMON % 'mds' + 'a')
    yield program.Program('ceph-osd', STORE)


def write(node, render):
    """Write the configuration of Ceph on a node.

    :param node: a :class:`mempage_lab.node.Node`
    :param render: :func:`mempage_lab.templates.render`
    """
    node.write(CONFIGURATION, render('ceph.conf', address=node.address,
                                     keyring=KEYRING))
    node.write(STORE, render('ceph-osd'), mode=0o755)
    node.write(MAKE, render('make-filesystem', filesystem=NAME), mode=0o755)
    # A part of it in Rust does not load where there are several interpreters,
    # as in the manager: none of its modules would. Only its web pages use it.
    node.write(MODULES + '/bcrypt.py', '')
