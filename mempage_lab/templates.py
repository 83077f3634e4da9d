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

"""Renders the files in templates/."""

import jinja2

from mempage_lab import apis
from mempage_lab import paths

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(paths.PACKAGE / 'templates'),
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    keep_trailing_newline=True)
_environment.globals['ports'] = apis.PORTS


def render(name, **values):
    """Return a template's text with values filled in.

    :param name: the template's file name, without ``.j2``
    """
    return _environment.get_template(name + '.j2').render(**values)
