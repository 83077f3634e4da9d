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

"""The options that the driver adds to ``[libvirt]``."""

from oslo_config import cfg

OPTS = [
    cfg.ListOpt(
        'allowed_memory_pagesize',
        default=['any'],
        help="""
The memory page sizes that guests on this host may be given.

Pages of other sizes are reported as if the host had none, so that the
scheduler places no guest there that needs them. Where the smallest size is not
allowed, guests that ask for no page size are refused as well, because such a
guest gets the smallest. Guests that run already are left alone: they can be
rebooted, stopped, started, rebuilt and deleted, and nova-compute lists them in
a warning when it starts.

Possible values, separated by commas:

* ``any``: all sizes; nothing is withheld
* ``small``: the smallest size that a NUMA node of the host knows
* ``large``: all the others
* a size in KiB, such as ``4``, ``2048`` or ``1048576``, or with a unit, such
  as ``2MB``

nova-compute does not start with an empty list, with a value that it does not
understand, if the host knows none of the sizes, or without the smallest size
on a host with ``file_backed_memory``, on which guests that ask for a page size
are refused. If the host knows only some of the sizes, it warns.

The scheduler needs ``MemoryPageSizeFilter`` to send guests to hosts that take
them; the driver only refuses.

Related options:

* ``[DEFAULT] compute_driver`` must be ``mempage.LibvirtDriver``. Other drivers
  ignore this option silently.
* ``[DEFAULT] reserved_huge_pages``
* ``[libvirt] file_backed_memory``
"""),
    cfg.BoolOpt(
        'refuse_mixed_live_migration',
        default=True,
        help="""
Refuse a live migration that takes a guest's memory from another source on the
destination than here: from a file (``[libvirt] file_backed_memory``) there and
from ordinary memory here, or the reverse.

libvirt refuses it after the migration has begun, and the server ends in ERROR.
Refused before, it stays ACTIVE. Turn this off only where libvirt is known to
accept such a migration. It is read on the source.

Related options:

* ``[libvirt] file_backed_memory``
"""),
]


def register_opts(conf):
    """Make the options known.

    :param conf: oslo_config.cfg.ConfigOpts
    """
    conf.register_opts(OPTS, group='libvirt')


def list_opts():
    """Name the options for oslo-config-generator."""
    return [('libvirt', OPTS)]
