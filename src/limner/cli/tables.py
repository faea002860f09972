"""Tables for the terminal, in one look. Strangers' words are shown as text: no markup, no control characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from limner.text import printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["facts", "plain", "table"]


def plain(text: object, style: str = "") -> Text:
    """Anybody's words as text."""
    from rich.text import Text

    return Text(printable(text), style)


def table(*titles: str, gap: int = 1, narrow: Iterable[str] = (), right: Iterable[str] = ()) -> Table:
    """An empty table with these columns, `gap` apart; `narrow` ones are never broken into lines, `right` ones hold
    numbers."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for title in titles:
        made.add_column(title, overflow="fold", no_wrap=title in narrow, justify="right" if title in right else "left")
    return made


def facts(rows: Iterable[tuple[str, object]]) -> Table:
    """What is known, a line each; what is empty is left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in rows:
        if value:
            grid.add_row(label, plain(value))
    return grid
