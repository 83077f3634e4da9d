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

"""A page as its reader finds it, and streams to make pages of."""

import datetime
import gzip
import html.parser
import pathlib

import subunit

#: Of a run in the lab with five failures: these, some of the other tests, and
#: of each only some of what was attached.
RECORDED = pathlib.Path(__file__).with_name('recorded.subunit.gz')
BEGIN = datetime.datetime(2026, 11, 30, 4, tzinfo=datetime.timezone.utc)

_VOID = {'meta', 'br'}


class Page(html.parser.HTMLParser):
    """What is in a page.

    :ivar tags: set of the names of its elements
    :ivar attributes: set of pairs of names and values of all attributes
    :ivar sections: dict of the texts of sections by their headings' ids
    :ivar tables: dict of lists of rows, lists of the texts of their cells, by
        captions
    :ivar text: all that is shown
    """

    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.attributes = set()
        self.sections = {}
        self.tables = {}
        self.text = ''
        self._open = []
        self._section = None
        self.feed(text)
        self.close()
        if self._open:
            raise ValueError('not closed: %s' % self._open)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(attrs)
        if tag in _VOID:
            self.handle_data('\n')
            return
        self._open.append(tag)
        if tag == 'h2':
            self._section = dict(attrs)['id']
            self.sections[self._section] = ''
        if tag == 'caption':
            self._caption = ''
        if tag == 'tr':
            self._rows.append([])
        if tag in ('th', 'td'):
            self._rows[-1].append('')
        if tag == 'table':
            self._rows = []

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            raise ValueError('%s is closed at %s' % (tag, self.getpos()))
        if tag == 'table':
            self.tables.setdefault(self._caption, []).extend(
                [' '.join(cell.split()) for cell in row]
                for row in self._rows)

    def handle_data(self, data):
        if 'style' in self._open:
            return
        self.text += data
        if self._section:
            self.sections[self._section] += data
        if 'caption' in self._open:
            self._caption += data
        elif {'th', 'td'} & set(self._open):
            self._rows[-1][-1] += data


def unpack(path):
    """Write the recorded run to a file.

    :param path: pathlib.Path of the file
    """
    path.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    return path


class Recorder:
    """Writes a stream.

    :param path: of its file
    """

    def __init__(self, path):
        self._file = open(path, 'wb')
        self._stream = subunit.StreamResultToBytes(self._file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def test(self, name, status, details=(), begin=None, seconds=1,
             worker='worker-0'):
        """Write a test.

        :param name: its full name
        :param status: in subunit's words
        :param details: triples of name, type and bytes
        :param begin: seconds after BEGIN; None for a test without times
        :param seconds: how long it took
        :param worker: its tag
        """
        first = last = None
        if begin is not None:
            first = BEGIN + datetime.timedelta(seconds=begin)
            last = first + datetime.timedelta(seconds=seconds)
        common = {'test_tags': {worker} if worker else None}
        self._stream.status(name, 'inprogress', timestamp=first, **common)
        for detail, mime_type, data in details:
            self._stream.status(
                name, file_name=detail, file_bytes=data, eof=True,
                mime_type=mime_type, timestamp=last, **common)
        if status != 'inprogress':
            self._stream.status(name, status, timestamp=last, **common)
