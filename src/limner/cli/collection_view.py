"""How collections look on the terminal: tables of counts, reasons in words, the credit to give."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from limner.collection import Collection, ImportReport, Row
from limner.collection.kinds import remedy
from limner.rights import RightsSummary, credit_line

__all__ = ["print_check", "print_list", "print_pictures", "print_report", "print_summary"]

_EXAMPLES = 3
_MOST = 10
_FEW = 20


def print_report(report: ImportReport) -> None:
    """What an import took, merged and refused, and why."""
    console = Console(highlight=False)
    rate = report.files / report.seconds if report.seconds else 0
    table = _table("", "pictures", "why")
    table.add_row("[green]taken[/]", f"{report.taken:,}", _taken_words(report))
    table.add_row("[cyan]merged[/]", f"{report.merged:,}", "the same pixels as another file") if report.merged else None
    for kind, files in _by_kind(report).items():
        table.add_row("[red]refused[/]", f"{len(files):,}", f"[bold]{escape(kind)}[/]: {_examples(files)}")
    for kind, count in report.foreign.items():
        table.add_row("[red]not read[/]", f"{count:,}", f"[bold]{escape(kind)}[/]: {remedy(kind)}")
    if report.system:
        folders = ", ".join(report.system)
        table.add_row(
            "[cyan]left out[/]", f"{sum(report.system.values()):,}", f"files of the system in {escape(folders)}"
        )
    if report.held_pictures:
        table.add_row("[yellow]held[/]", f"{report.held_pictures:,}", _counted(report.held))
    if report.flags:
        table.add_row("[yellow]flagged[/]", f"{report.flagged_pictures:,}", _counted(report.flags))
    console.print(table)
    state = "was there already, with the same contents" if report.existed else "imported"
    console.print(f"[bold]{escape(report.name)}[/] {state}: digest [bold]{report.digest[:16]}[/]", _speed(report, rate))
    if report.tables:
        console.print(f"Rights and labels from {escape(', '.join(report.tables))}, the first of them first.")
    if report.unread:
        console.print(f"[yellow]Not read[/], since no picture or table goes by this name: {_examples(report.unread)}.")
    if report.kept_split:
        few = "; fewer than 20 say little" if report.kept_split < _FEW else ""
        console.print(f"The folders' own split is kept: {report.kept_split:,} pictures are held out{few}.")
    if report.held_pictures:
        console.print(
            "Held pictures are left out of training with --only-cleared, "
            'or used all the same with --accept-unknown "REASON".'
        )
    console.print(f"Licences from {_sources(report.licences_from)}. Creators from {_sources(report.creators_from)}.")


def print_summary(collection: Collection, rows: Sequence[Row], rights: RightsSummary) -> None:
    """What a collection holds."""
    console = Console(highlight=False)
    held_out = sum(row.split == "holdout" for row in rows)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("collection", escape(collection.name))
    table.add_row("digest", collection.digest)
    table.add_row("pictures", f"{len(rows):,}, of which {held_out:,} are held out of training")
    table.add_row("sizes", _sizes(rows))
    table.add_row("licences", _counted(rights.licences))
    table.add_row("creators", _counted(rights.creators))
    for name, values in _labels(rows).items():
        table.add_row(escape(f"label {name}"), _counted(values))
    for word, counts in (("obliges to", rights.obligations), ("held", rights.held), ("flags", rights.flags)):
        if counts:
            table.add_row(word, _counted(counts))
    if line := credit_line(rights):
        table.add_row("credit", escape(line))
    table.add_row("folder", escape(str(collection.folder)))
    console.print(table)


def print_pictures(rows: Sequence[Row]) -> None:
    """One line a picture."""
    table = _table("file", "size", "split", "licence", "creator", "held")
    for row in rows:
        held = Text(", ".join(row.held), style="yellow")
        size = f"{row.width}x{row.height}"
        table.add_row(Text(row.file), size, row.split, Text(row.licence), Text(row.creator), held)
    Console(highlight=False).print(table)


def print_list(collections: Sequence[Collection], damaged: Sequence[str]) -> None:
    """One line a collection."""
    console = Console(highlight=False)
    if not collections and not damaged:
        console.print("No collections yet. Make one: limner collection add FOLDER --name NAME")
        return
    table = _table("name", "pictures", "held out", "digest", "made", "from")
    for one in collections:
        card = one.card
        counts = f"{card.get('pictures', 0):,}", f"{card.get('holdout', 0):,}"
        made = str(card.get("made", ""))[:10]
        table.add_row(Text(one.name), *counts, one.digest[:16], made, Text(str(card.get("source", ""))))
    console.print(table)
    for line in damaged:
        console.print(Text(line, style="red"))


def print_check(collection: Collection, wrong: Sequence[str]) -> None:
    """Whole, or what is wrong."""
    console = Console(highlight=False)
    for line in wrong[:50]:
        console.print(Text(line, style="red"))
    if wrong:
        console.print(f"[red]damaged[/]: {len(wrong):,} things are wrong with {escape(collection.name)}")
    else:
        pictures = f"{collection.card.get('pictures', 0):,} pictures"
        console.print(f"[green]whole[/]: {escape(collection.name)}, {pictures}, digest {collection.digest[:16]}")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        right = name in ("pictures", "held out", "size")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


def _taken_words(report: ImportReport) -> str:
    words = [f"{report.holdout:,} of them held out of training"]
    if report.near_groups:
        words.append(f"{report.near_pictures:,} in {report.near_groups:,} groups of near-duplicates")
    if report.copies:
        words.append(f"{report.copies:,} of these are mirrored, turned or cropped")
    return "; ".join(words)


def _sources(counts: Mapping[str, int]) -> str:
    return escape(", ".join(f"{source or 'nowhere'} ({count:,})" for source, count in counts.items()))


def _by_kind(report: ImportReport) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for one in report.refused:
        kinds[one.kind].append(one.file)
    return dict(sorted(kinds.items(), key=lambda item: -len(item[1])))


def _examples(files: Sequence[str]) -> str:
    more = f" and {len(files) - _EXAMPLES:,} more" if len(files) > _EXAMPLES else ""
    return escape(", ".join(files[:_EXAMPLES]) + more)


def _speed(report: ImportReport, rate: float) -> str:
    speed = f"in {report.seconds:,.1f} s ({rate:,.0f} pictures/s)"
    return (
        f"{speed}, {report.remembered:,} of them read by an earlier, interrupted import" if report.remembered else speed
    )


def _counted(counts: Mapping[str, int], most: int = _MOST) -> str:
    shown = [f"{escape(name)} [dim]({count:,})[/]" for name, count in list(counts.items())[:most]]
    return ", ".join(shown) + (f" and {len(counts) - most:,} more" if len(counts) > most else "")


def _sizes(rows: Iterable[Row]) -> str:
    sides = [(row.width, row.height) for row in rows]
    smallest, largest = min(sides, key=lambda s: s[0] * s[1]), max(sides, key=lambda s: s[0] * s[1])
    return f"{smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]} pixels"


def _labels(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Counts of the values of each label, most frequent first."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.labels.items():
            counted[name][value] += 1
    return {name: dict(counted[name].most_common()) for name in sorted(counted)}
