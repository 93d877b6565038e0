"""Tables for a terminal; for a file or pipe, the same cells with tabs between."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sync.printable import printable


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], console: Console | None = None) -> None:
    """Rows of text that a device may have chosen: nothing of it is markup, or steers the terminal."""
    console = console or Console()
    shown = [[printable(cell) for cell in row] for row in rows]
    if not console.is_terminal:
        for row in shown:
            sys.stdout.write("\t".join(row) + "\n")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in shown:
        table.add_row(*map(Text, row))
    console.print(table)
