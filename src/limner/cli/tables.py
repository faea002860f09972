"""Tables for the terminal, in one look. Strangers' words are shown as text: no markup, no control characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from limner.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


def show(*parts: RenderableType) -> None:
    """Print tables, panels and lines with markup; numbers in lines are not coloured."""
    from rich.console import Console

    console = Console()
    for part in parts:
        console.print(part, highlight=False)


def plain(text: object, style: str = "") -> Text:
    """Anybody's words as text."""
    from rich.text import Text

    return Text(printable(text), style)


def table(*titles: str, gap: int = 1, narrow: Iterable[str] = (), right: Iterable[str] = (), title: str = "") -> Table:
    """An empty table with these columns, `gap` apart; `narrow` ones are never broken, `right` ones hold numbers."""
    from rich.table import Table

    made = Table(title=plain(title) if title else None, box=None, pad_edge=False, padding=(0, gap, 0, 0))
    made.header_style, made.title_justify = "dim", "left"
    for one in titles:
        made.add_column(one, overflow="fold", no_wrap=one in narrow, justify="right" if one in right else "left")
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
