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

"""Whether hardware virtualization works here."""

import pathlib
import subprocess
import threading

KVM = pathlib.Path('/dev/kvm')

# What the guest image writes to its serial console first of all.
MARKER = b'guest: init reached'


def kvm_boots(image, qemu='qemu-system-x86_64', limit_seconds=10):
    """Find out whether a guest really boots under KVM.

    Nested machines may have a /dev/kvm with which a guest can be created but
    never comes up, so the guest image is booted.

    :param image: path of the guest image, which is not changed
    :param qemu: name or path of the QEMU program
    :param limit_seconds: how long the guest may take to reach its init
    :returns: whether it did
    """
    if not KVM.exists():
        return False
    # setpriv(1) has QEMU end even if this process is killed.
    command = ['setpriv', '--pdeathsig', 'KILL', qemu,
               '-accel', 'kvm', '-cpu', 'host', '-m', '192', '-nodefaults',
               '-display', 'none', '-no-reboot', '-serial', 'stdio',
               '-drive', 'file=%s,format=raw,if=virtio,snapshot=on' % image]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    limit = threading.Timer(limit_seconds, process.kill)
    limit.start()
    try:
        return any(MARKER in line for line in process.stdout)
    finally:
        limit.cancel()
        process.kill()
        process.communicate()
