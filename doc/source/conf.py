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

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'ext'))

project = 'mempage-tempest-plugin'
copyright = 'the mempage-tempest-plugin authors'

extensions = [
    'openstackdocstheme',
    'oslo_config.sphinxext',
    'page_size_tables',
    'sphinx.ext.graphviz',
]

graphviz_output_format = 'svg'
html_extra_path = ['examples']
html_theme = 'openstackdocs'
openstackdocs_auto_name = False
openstackdocs_auto_version = False
