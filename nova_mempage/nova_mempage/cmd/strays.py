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

"""Options of the extension that are written where Nova does not read them.

oslo.config ignores options that it does not know, and so a wrong section or a
misspelt name is never reported.
"""

import difflib
import pathlib

from oslo_config import cfg

from nova_mempage import conf as mempage_conf

SECTION = 'libvirt'
NAMES = [option.name for option in mempage_conf.OPTS]
# Others of Nova's are less like ours than this.
_ALIKE = 0.85


def files(conf):
    """Get the configuration files that have been read, in order.

    :param conf: oslo_config.cfg.ConfigOpts
    :returns: list of paths
    """
    found = list(conf.config_file)
    for directory in conf.config_dirs:
        found.extend(sorted(pathlib.Path(directory).glob('*.conf')))
    return [str(path) for path in found]


def _read(path):
    sections = {}
    cfg.ConfigParser(path, sections).parse()
    return sections


def _problem(section, name):
    alike = difflib.get_close_matches(name, NAMES, n=1, cutoff=_ALIKE)
    if not alike or (section == SECTION and name == alike[0]):
        return None
    if name == alike[0]:
        return 'belongs into [%s]' % SECTION
    return 'is unknown; [%s] %s is meant?' % (SECTION, alike[0])


def find(paths):
    """Find options that are not read.

    :param paths: of configuration files
    :returns: iterator of texts
    """
    for path in paths:
        for section, options in _read(path).items():
            for name in options:
                problem = _problem(section, name)
                if problem:
                    yield '%s: [%s] %s %s' % (path, section, name, problem)
