"""Documents written to files: HTML that needs nothing else, Markdown, or JSON, by the ending of the file."""

from __future__ import annotations

import json
from pathlib import Path

from limner import __version__
from limner.errors import UsageError
from limner.papers.evidence.pages import environment
from limner.reports.document import OPEN, Document
from limner.reports.markdown import render_markdown
from limner.text import printable
from limner.workspace import replace_file

ENDINGS = (".html", ".md", ".json")


def render_html(document: Document) -> str:
    """The page as HTML, for a screen, a telephone or paper. Everything in it is escaped."""
    pages = environment("limner.reports")
    pages.filters["visible"] = printable
    return pages.get_template("document.html.j2").render(page=document, open=OPEN, version=__version__)


def render(document: Document, ending: str) -> str:
    """The document as one of `ENDINGS`."""
    if ending == ".json":
        return json.dumps(document.data, indent=2, ensure_ascii=False, default=str) + "\n"
    return render_html(document) if ending == ".html" else render_markdown(document)


def write_document(document: Document, path: Path) -> None:
    """Write a document in one step, as its file's ending says.

    Raises:
        UsageError: the place cannot be written to.
    """
    text = render(document, path.suffix.lower())
    try:
        with replace_file(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(path, f"cannot be written ({error.strerror})", "choose another place with --to") from error
