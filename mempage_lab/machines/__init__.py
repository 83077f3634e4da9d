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

"""Compute hosts that are virtual machines, with a kernel of their own.

A node of the lab shares the machine's kernel, which has no NUMA nodes, no
disks and no device mapper to give away. A machine has what it is given:
:mod:`image` makes what it boots, :mod:`qemu` knows QEMU's command line,
:mod:`snapshot` boots one such machine and saves it, and :mod:`machine`
starts any number of them from there. :mod:`agent` talks to what runs inside.
"""
