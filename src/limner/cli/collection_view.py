"""How collections look on the terminal: tables of counts, reasons in words, the credit to give."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape

from limner.cli.tables import facts, plain, table
from limner.collection import Collection, ImportReport, Row
from limner.collection.kinds import remedy
from limner.rights import RightsSummary, credit_line

_EXAMPLES = 3
_MOST = 10
_FEW = 20


def print_report(report: ImportReport) -> None:
    """What an import took, merged and refused, and why."""
    console = Console(highlight=False)
    kinds: dict[str, list[str]] = defaultdict(list)
    for one in report.refused:
        kinds[one.kind].append(one.file)
    rows = [("[green]taken[/]", report.taken, _taken_words(report))]
    rows.append(("[cyan]merged[/]", report.merged, "the same pixels as another file"))
    for kind, files in sorted(kinds.items(), key=lambda item: -len(item[1])):
        rows.append(("[red]refused[/]", len(files), f"[bold]{escape(kind)}[/]: {_examples(files)}"))
    for kind, count in report.foreign.items():
        rows.append(("[red]not read[/]", count, f"[bold]{escape(kind)}[/]: {remedy(kind)}"))
    system = f"files of the system in {escape(', '.join(report.system))}"
    rows.append(("[cyan]left out[/]", sum(report.system.values()), system))
    rows.append(("[yellow]held back[/]", report.held_pictures, escape(_counted(report.held))))
    rows.append(("[yellow]flagged[/]", report.flagged_pictures, escape(_counted(report.flags))))
    shown = _table("", "pictures", "why")
    for what, count, why in rows:
        if count or what == rows[0][0]:
            shown.add_row(what, f"{count:,}", why)
    console.print(shown)
    state = "was there already, with the same contents" if report.existed else "imported"
    console.print(f"[bold]{escape(report.name)}[/] {state}: digest [bold]{report.digest[:16]}[/]", _speed(report))
    if report.tables:
        console.print(f"Rights and labels from {escape(', '.join(report.tables))}, the first of them first.")
    if report.unread:
        console.print(f"[yellow]Not read[/], since no picture or table goes by this name: {_examples(report.unread)}.")
    if report.kept_split:
        few = "; fewer than 20 say little" if report.kept_split < _FEW else ""
        console.print(f"The folders' own split is kept: {report.kept_split:,} pictures are held out{few}.")
    if report.held_pictures:
        used = 'or used all the same with --accept-unknown "REASON"'
        console.print(f"Pictures that are held back are left out of training with --only-cleared, {used}.")
    console.print(f"Licences from {_sources(report.licences_from)}. Creators from {_sources(report.creators_from)}.")


def print_summary(collection: Collection, rows: Sequence[Row], rights: RightsSummary) -> None:
    """What a collection holds."""
    held_out = sum(row.split == "holdout" for row in rows)
    by_area = sorted(rows, key=lambda row: row.width * row.height)
    counted = {"licences": rights.licences, "creators": rights.creators}
    counted |= {f"label {name}": values for name, values in _labels(rows).items()}
    counted |= {"obliges to": rights.obligations, "held": rights.held, "flags": rights.flags}
    shown = [
        ("collection", collection.name),
        ("digest", collection.digest),
        ("pictures", f"{len(rows):,}, of which {held_out:,} are held out of training"),
        ("sizes", " to ".join(f"{row.width}x{row.height}" for row in (by_area[0], by_area[-1])) + " pixels"),
        *((word, _counted(counts)) for word, counts in counted.items()),
        ("credit", credit_line(rights)),
        ("folder", collection.folder),
    ]
    Console(highlight=False).print(facts(shown))


def print_pictures(rows: Sequence[Row]) -> None:
    """One line a picture."""
    shown = _table("file", "size", "split", "licence", "creator", "held")
    for row in rows:
        size = f"{row.width}x{row.height}"
        held = plain(", ".join(row.held), "yellow")
        shown.add_row(plain(row.file), size, row.split, plain(row.licence), plain(row.creator), held)
    Console(highlight=False).print(shown)


def print_list(collections: Sequence[Collection], damaged: Sequence[str]) -> None:
    """One line a collection."""
    console = Console(highlight=False)
    if not collections and not damaged:
        console.print("No collections yet. Make one: limner collection add FOLDER --name NAME")
        return
    shown = _table("name", "pictures", "held out", "digest", "made", "from")
    for one in collections:
        card = one.card
        counts = f"{card.get('pictures', 0):,}", f"{card.get('holdout', 0):,}"
        made = str(card.get("made", ""))[:10]
        shown.add_row(plain(one.name), *counts, one.digest[:16], made, plain(card.get("source", "")))
    console.print(shown)
    for line in damaged:
        console.print(plain(line, "red"))


def print_check(collection: Collection, wrong: Sequence[str]) -> None:
    """Whole, or what is wrong."""
    console = Console(highlight=False)
    for line in wrong[:50]:
        console.print(plain(line, "red"))
    if wrong:
        console.print(f"[red]damaged[/]: {len(wrong):,} things are wrong with {escape(collection.name)}")
    else:
        pictures = f"{collection.card.get('pictures', 0):,} pictures"
        console.print(f"[green]whole[/]: {escape(collection.name)}, {pictures}, digest {collection.digest[:16]}")


_table = partial(table, right=("pictures", "held out", "size"))


def _taken_words(report: ImportReport) -> str:
    words = [f"{report.holdout:,} of them held out of training"]
    if report.near_groups:
        words.append(f"{report.near_pictures:,} in {report.near_groups:,} groups of near-duplicates")
    if report.copies:
        words.append(f"{report.copies:,} of these are mirrored, turned or cropped")
    return "; ".join(words)


def _sources(counts: Mapping[str, int]) -> str:
    return escape(", ".join(f"{source or 'nowhere'} ({count:,})" for source, count in counts.items()))


def _examples(files: Sequence[str]) -> str:
    more = f" and {len(files) - _EXAMPLES:,} more" if len(files) > _EXAMPLES else ""
    return escape(", ".join(files[:_EXAMPLES]) + more)


def _speed(report: ImportReport) -> str:
    rate = report.files / report.seconds if report.seconds else 0
    earlier = f", {report.remembered:,} of them read by an earlier, interrupted import" if report.remembered else ""
    return f"in {report.seconds:,.1f} s ({rate:,.0f} pictures/s){earlier}"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count:,})" for name, count in list(counts.items())[:_MOST]]
    return ", ".join(shown) + (f" and {len(counts) - _MOST:,} more" if len(counts) > _MOST else "")


def _labels(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Counts of the values of each label, most frequent first."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.labels.items():
            counted[name][value] += 1
    return {name: dict(counted[name].most_common()) for name in sorted(counted)}
