"""The page of a demo: one HTML file that needs nothing else, not even a network or a script."""

from __future__ import annotations

from pathlib import Path

from limner.errors import UsageError
from limner.papers.evidence.pages import environment
from limner.reports.curves import HEIGHT, WIDTH, drawing
from limner.reports.record import DemoRecord
from limner.text import printable
from limner.workspace import replace_file

__all__ = ["render_demo", "write_demo"]

_LICENCES = {
    "LicenseRef-Public-Domain-US": "public domain in the United States",
    "CC0-1.0": "CC0 1.0, given to the public domain",
    "CC-BY-4.0": "Creative Commons Attribution 4.0",
    "CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0",
    "LicenseRef-All-Rights-Reserved": "all rights reserved",
    "Apache-2.0": "Apache License 2.0",
    "MIT": "MIT License",
}


def render_demo(record: DemoRecord) -> str:
    """The page as HTML. Titles, creators and everything else are escaped: they are the words of strangers."""
    pages = environment("limner.reports")
    pages.filters["licence"] = lambda text: _LICENCES.get(text, text)
    pages.filters["visible"] = printable
    template = pages.get_template("demo.html.j2")
    curves = [drawing(curve) for curve in record.learned.curves]
    return template.render(demo=record, curves=curves, curve_width=WIDTH, curve_height=HEIGHT)


def write_demo(record: DemoRecord, path: Path) -> None:
    """Write the page in one step: whoever is interrupted leaves the old page or the new one.

    Raises:
        UsageError: the place cannot be written to.
    """
    page = render_demo(record)
    try:
        with replace_file(path) as part:
            part.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(path, f"cannot be written ({error.strerror})", "choose another place with --to") from error
