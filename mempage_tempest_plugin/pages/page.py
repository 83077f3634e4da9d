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

"""Fills in templates; what they are given is shown as text, whatever it is."""

import functools
import re

import jinja2

from mempage_tempest_plugin.hosts import redact

# What nobody sees, and what turns text around: all but tabs and new lines.
_UNSEEN = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f'
                     '\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]')


@functools.lru_cache(maxsize=10000)
def plain(text):
    """Make a text fit to be shown: secrets are masked, all can be seen.

    :param text: any text
    """
    return _UNSEEN.sub(lambda found: '\\u%04x' % ord(found[0]),
                       redact.mask(text.replace('\r\n', '\n')))


def _shown(value):
    # What a macro has made is HTML already, of such values.
    if isinstance(value, str) and not hasattr(value, '__html__'):
        return plain(value)
    return value


@functools.cache
def _environment(package):
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package),
                                    jinja2.PackageLoader(__package__)]),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown)


def render(template, package=__package__, **values):
    """Fill in a template.

    :param template: the name of its file in templates
    :param package: the one that has it; it may use those that are here
    :param values: what it is given
    :returns: text
    """
    return _environment(package).get_template(template).render(**values)
