"""A statement as a page (HTML), as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.errors import UsageError
from limner.papers.evidence.pages import environment
from limner.reports.record import Shown, shown
from limner.retouching.picture import marked_picture
from limner.statement.record import Statement, Step
from limner.statement.wording import NOTICE, SOURCES
from limner.text import printable
from limner.workspace import replace_file

_LARGE, _SMALL = 1100, 560
_BAR = 4.0
"""What a slider's line reaches to on either side, in the units of directions."""


def html_of(statement: Statement) -> str:
    """The page; it needs nothing from elsewhere. Titles, notes and names are escaped: they are words of others."""
    pages = environment("limner.statement")
    pages.filters["visible"] = printable
    parts = [(one, *_pictures(one)) for one in statement.steps]
    last = statement.steps[-1].picture
    return pages.get_template("statement.html.j2").render(
        one=statement,
        picture=_shown(last, _LARGE, statement.title) if last is not None else None,
        steps=parts,
        bars={id(slider): _bar(slider.value) for step in statement.steps for slider in step.sliders},
        sources=SOURCES,
        notice=NOTICE,
        identify=id,
    )


def markdown_of(statement: Statement) -> str:
    """The same as Markdown, without pictures."""
    one = statement
    lines = [f"# Statement of human contribution: {_md(one.title)}", "", _md(one.summary), ""]
    lines += [f"File: `{one.file}`  ", f"Digest: `{one.digest}`  ", f"Checked: {_md(one.verdict)}", ""]
    lines += ["## What the artist did, counted", "", *(f"- {c.number:,} {c.what} ({c.source})" for c in one.counts), ""]
    lines += ["## Step by step", ""]
    for number, step in enumerate(one.steps, 1):
        lines += [f"### {number}. {step.title}: {_md(step.name)}", ""]
        lines += [f"- Artist: {_md(said)}" for said in step.artist]
        lines += [f"- Algorithm: {_md(said)}" for said in step.algorithm]
        lines += [f"- Measured: {_md(said)}" for said in step.measured]
        lines += [f"- In the artist's words: {_md(step.note)}"] if step.note else []
        lines += [f"- `{step.digest}`", ""]
    lines += ["## What the algorithm did", "", *(f"- {_md(said)}" for said in one.algorithm), ""]
    lines += ["## What the file's papers say (C2PA)", ""]
    lines += ["| picture | action | source type | in words |", "|---|---|---|---|"]
    rows = ((a.picture, a.action, a.source_type, a.description or a.meaning) for a in one.actions)
    lines += [f"| {' | '.join(_md(cell) for cell in row)} |" for row in rows]
    lines += ["", "## Whose word it is", "", "| what | value | standing | why |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(_md(c) for c in (t.what, t.value, t.standing, t.why))} |" for t in one.facts]
    lines += ["", "## What this cannot know", "", *(f"- {said}" for said in one.unknown), ""]
    lines += ["## What sources say of human authorship", "", f"*{NOTICE}*", ""]
    lines += [f"- {note.says} ({note.source})" for note in one.law]
    lines += ["", f"Written {one.made}. Ledger: {one.ledger['acts']:,} acts, head `{one.ledger['head']}`.", ""]
    return "\n".join(lines)


def json_of(statement: Statement) -> str:
    """The same as JSON, without pictures."""
    return json.dumps({**statement.to_dict(), "notice": NOTICE}, indent=2, ensure_ascii=False, default=str)


WRITERS: dict[str, Callable[[Statement], str]] = {".html": html_of, ".md": markdown_of, ".json": json_of}
"""What writes a statement, by the ending of its file."""


def write_statement(statement: Statement, to: Path) -> None:
    """Write a statement, in one step; the ending says as what.

    Raises:
        UsageError: the place cannot be written to.
    """
    words = WRITERS[to.suffix.lower()](statement)
    try:
        with replace_file(to) as part:
            part.write_bytes(words.encode("utf-8", "replace"))
    except OSError as error:
        raise UsageError(to, f"cannot be written ({error.strerror})", "choose another place with --to") from error


def _pictures(step: Step) -> tuple[Shown | None, Shown | None]:
    """The picture of a step, and what changed in it where it is a retouch."""
    if step.picture is None:
        return None, None
    own = _shown(step.picture, _SMALL, step.name)
    if step.changed is None:
        return own, None
    size = step.changed.shape[1], step.changed.shape[0]
    after = np.asarray(Image.fromarray(step.picture).resize(size, Image.Resampling.LANCZOS))
    return own, _shown(marked_picture(after, step.changed), _SMALL, f"what changed in {step.name}")


def _shown(pixels: NDArray[np.uint8], longest: int, alt: str) -> Shown:
    image = Image.fromarray(pixels)
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return shown(np.asarray(image), alt, quality=86)


def _bar(value: float) -> dict[str, Any]:
    """Where a slider's bar begins and how long it is, in percent of its line."""
    share = max(-1.0, min(1.0, value / _BAR)) * 50
    return {"left": round(50 + min(0.0, share), 1), "wide": round(abs(share), 1)}


def _md(text: object) -> str:
    """Words of others in Markdown: on one line, with nothing that formats or links."""
    plain = " ".join(printable(text).split())
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>#|!~" else one for one in plain)
