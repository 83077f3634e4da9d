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

"""What Nova makes of the page sizes in a flavor and in an image.

The flavor has them in the extra spec hw:mem_page_size, the image in the
property hw_mem_page_size. These tables are what the tests expect, and what
the documentation shows.
"""

import dataclasses

from mempage_tempest_plugin.declared import page_sizes

#: How Nova writes down a request that is not served yet, where it has KiB
#: otherwise (nova.virt.hardware.MEMPAGES_SMALL and so on).
NUMBERS = {page_sizes.SMALL: -1, page_sizes.LARGE: -2, page_sizes.ANY: -3}

# Words with which the API refuses.
NOT_VALIDATED = "Validation failed; '%s' is not of the format"
INVALID = "Invalid memory page size '%s'"
FORBIDDEN = "Page size %s forbidden against '%s'"


@dataclasses.dataclass(frozen=True)
class BadRequest:
    """The API refuses with HTTP code 400.

    :ivar words: what it says
    """

    words: str


@dataclasses.dataclass(frozen=True)
class Spelling:
    """A value of hw:mem_page_size.

    :ivar text: the value
    :ivar request: what Nova makes of it when a server is booted: small,
        large, any, or a size in KiB; None if it counts as no request; a
        :class:`BadRequest`
    :ivar valid: whether it may be set as an extra spec with compute API 2.86
        or later; earlier versions let pass everything
    """

    text: str
    request: object
    valid: bool = True


def _invalid(text, valid):
    return Spelling(text, BadRequest(INVALID % text), valid)


_SPELLINGS = (
    Spelling('small', page_sizes.SMALL),
    Spelling('large', page_sizes.LARGE),
    Spelling('any', page_sizes.ANY),
    # KiB
    Spelling('4', 4),
    Spelling('2048', 2048),
    Spelling('1048576', 1048576),
    Spelling('2097152', 2097152),
    # Units, 1024-based whether they have an i or not
    Spelling('4096B', 4),
    Spelling('2097152B', 2048),
    Spelling('4KB', 4),
    Spelling('4KiB', 4),
    Spelling('2048KB', 2048),
    Spelling('2048KiB', 2048),
    Spelling('2MB', 2048),
    Spelling('2MiB', 2048),
    Spelling('1GB', 1048576),
    Spelling('1GiB', 1048576),
    # Bits
    Spelling('2Mb', 256),
    Spelling('2Mbit', 256),
    Spelling('16Mb', 2048),
    # As if not set
    Spelling('0', None),
    Spelling('512B', None),
    # What the validator of extra specs has forgotten to refuse
    _invalid('2M', valid=True),
    _invalid('2Mi', valid=True),
    _invalid('1G', valid=True),
    _invalid('4K', valid=True),
    _invalid('4k', valid=True),
    _invalid('4kB', valid=True),
    _invalid('2048kB', valid=True),
    # What it refuses
    _invalid('huge', valid=False),
    _invalid('Large', valid=False),
    _invalid('-2', valid=False),
    _invalid('2 MB', valid=False),
    _invalid('2mb', valid=False),
    _invalid('4,2048', valid=False),
    # What it refuses, though Nova could make something of it
    Spelling('', None, valid=False),
    Spelling('2.0MB', 2048, valid=False),
    Spelling('2.5MB', 2560, valid=False),
)

#: All values with a meaning of their own, by their text.
SPELLINGS = {spelling.text: spelling for spelling in _SPELLINGS}

#: Values to combine, of flavors and of images; None is none.
FLAVORS = (None, 'small', 'large', 'any', '4', '2048')
IMAGES = (None, 'small', 'large', 'any', '4', '2048', '1048576', '2MB', '0',
          '2M', 'huge')


def effective(flavor, image):
    """Tell what a flavor and an image ask for together.

    :param flavor: the flavor's value, one of SPELLINGS, or None
    :param image: the image's value, one of SPELLINGS, or None
    :returns: as :attr:`Spelling.request`
    """
    request = SPELLINGS[flavor].request if flavor else None
    if not image or isinstance(request, BadRequest):
        return request
    if request in (page_sizes.LARGE, page_sizes.ANY):
        return SPELLINGS[image].request
    return BadRequest(FORBIDDEN % (image, flavor or '<empty>'))
