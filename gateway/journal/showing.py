"""Records for people: a table on a terminal, tabs into a file or pipe. Nothing from a body reaches the terminal as it came."""

import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.journal.schema import Row, is_given_up
from sync.printable import printable, time_words


def print_rows(rows: Sequence[Row]) -> None:
    """Print rows to standard output."""
    if not rows:
        return
    console = Console()
    if console.is_terminal:
        console.print(_table(rows, console.width))
        return
    for row in rows:
        sys.stdout.write("\t".join(_cells(row)) + "\n")


def _table(rows: Sequence[Row], width: int) -> Table:
    """As wide as the terminal: whatever the other columns leave is the body's."""
    cells = [_cells(row) for row in rows]
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    left = width
    for place, name in enumerate(("seq", "time", "kind")):
        widest = min(max(cell_len(name), *(cell_len(row[place]) for row in cells)), 40)
        table.add_column(name, no_wrap=True, width=widest, justify="left" if place else "right")
        left -= widest + 1
    table.add_column("body", no_wrap=True, width=max(left, 10))
    for row in cells:
        table.add_row(*(Text(cell, overflow="ellipsis") for cell in row))  # as text: a body's brackets are no markup
    return table


def _cells(row: Row) -> tuple[str, str, str, str]:
    seq, kind, at, clock, _, _, body = row[:7]
    gone = "(given up)" if is_given_up(row) else "(erased)"
    shown = gone if body is None else _words(body)
    time = time_words(at) if isinstance(at, int) else _words(at)
    return str(seq), ("" if clock else "≈") + time, _words(kind), shown


def _words(cell: object) -> str:
    """A cell as it is shown. In a damaged journal it may be of any type."""
    return printable(cell if isinstance(cell, str | bytes) else repr(cell))
