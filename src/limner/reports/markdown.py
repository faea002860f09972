"""A document as Markdown, with YAML at its head. What strangers wrote is shown as they wrote it, and does nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from limner.reports.document import OPEN, Document, Fact, Section, Table
from limner.text import printable

_SPECIAL = re.compile(r"([\\`*{}\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_BEGINS = re.compile(r"^(#{1,6}(?=\s|$)|[-+](?=\s|$)|-{2,}|={1,}$|:(?=\s)|\d{1,9}(?=[.)](?:\s|$)))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HEX = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


def render_markdown(document: Document) -> str:
    """The document as Markdown (CommonMark with tables)."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def escaped(text: object) -> str:
    """A text on one line that Markdown and HTML show as it is: no markup, no link, no picture, no table's cell.

    Digests stay as they are, between backticks.
    """
    plain = " ".join(printable(text).split())
    if _HEX.fullmatch(plain):
        return f"`{plain}`"
    safe = _SPECIAL.sub(r"\\\1", plain.translate(_ENTITIES))
    begun = _BEGINS.match(safe)  # what would begin a heading, a list or a line under one
    if begun is None:
        return safe
    end = begun.end() if begun[0].isdigit() else 0
    return f"{safe[:end]}\\{safe[end:]}"


def front_matter(values: Mapping[str, Any]) -> str:
    """YAML between two lines of dashes; texts in quotes, as JSON writes them, which YAML reads the same."""
    lines = [f"{name}: {json.dumps(_printable(value), ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(printable(value).split())
    if isinstance(value, Mapping):
        return {name: _printable(inner) for name, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list | tuple) else value


def _lines(document: Document) -> Iterator[str]:
    if document.front:
        yield front_matter(document.front)
        yield ""
    yield f"# {escaped(document.title)}"
    yield ""
    yield f"*{escaped(document.over)}.* {escaped(document.lead)}"
    yield ""
    if document.notice:
        yield f"> {escaped(document.notice)}"
        yield ""
    for section in document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"{'#' * section.level} {escaped(section.title)}"
    yield ""
    for text in section.text:
        yield escaped(text)
        yield ""
    for fact in section.facts:
        yield from _fact(fact)
    if section.facts:
        yield ""
    if section.table is not None:
        yield from _table(section.table)
    if section.code:
        yield "```sh"
        yield from (" ".join(printable(line).replace("```", "").split()) for line in section.code)
        yield "```"
        yield ""


def _fact(fact: Fact) -> Iterator[str]:
    if not fact.values:
        wanted = f": {escaped(fact.wanted)}" if fact.wanted else ""
        yield f"- **{escaped(fact.label)}:** *{OPEN}{wanted}*"
    elif len(fact.values) == 1:
        yield f"- **{escaped(fact.label)}:** {escaped(fact.values[0])}"
    else:
        yield f"- **{escaped(fact.label)}:**"
        yield from (f"  - {escaped(value)}" for value in fact.values)


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(escaped, table.header))} |"
    yield f"|{'---|' * len(table.header)}"
    yield from (f"| {' | '.join(map(escaped, row))} |" for row in table.rows)
    yield ""
