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


"""Tables: with lines on a terminal, plain columns elsewhere."""

import sys

import rich.box
import rich.console
import rich.table
import rich.text

# Wide enough that nothing is folded where nobody looks.
_PLAIN_WIDTH = 500


def show(title, columns, rows, stream=None):
    """Print a table.

    :param title: its title
    :param columns: names of the columns; those whose name begins with ">"
        are aligned to the right
    :param rows: sequences of cells; None is shown as an empty cell
    :param stream: where to; standard output if not given
    """
    stream = stream or sys.stdout
    terminal = stream.isatty()
    table = rich.table.Table(
        title=title, title_justify='left', pad_edge=False,
        box=rich.box.SIMPLE_HEAD if terminal else None)
    for column in columns:
        table.add_column(column.removeprefix('>'), justify=(
            'right' if column.startswith('>') else 'left'))
    for row in rows:
        table.add_row(*('' if cell is None else rich.text.Text(str(cell))
                        for cell in row))
    rich.console.Console(
        file=stream, highlight=False,
        width=None if terminal else _PLAIN_WIDTH).print(table)
