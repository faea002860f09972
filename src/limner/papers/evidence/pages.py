"""Pages about papers: HTML that needs nothing from elsewhere, and whose scripts and styles are named in its policy."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from limner import __version__
from limner.errors import PapersError
from limner.papers.verify.endpoint import VERIFY, Limits, check_origin

if TYPE_CHECKING:
    from jinja2 import Environment


def verify_page(endpoint: str = "", limit: int = Limits.size) -> str:
    """A page for a museum's site that posts pictures to an endpoint and shows the verdict.

    Args:
        endpoint: URL of a running endpoint; empty for the one that serves the page.
        limit: the largest picture that the endpoint takes, in bytes.

    Raises:
        PapersError: `endpoint` is no such URL.
    """
    site, path = _split(endpoint) if endpoint else ("'self'", VERIFY)
    from markupsafe import Markup

    pages = environment()
    style = "".join(_source(name) for name in ("base.css", "verify.css"))
    target = path if site == "'self'" else f"{site}{path}"
    script = _source("verify.js").replace("LIMIT", str(limit), 1).replace("ENDPOINT", json.dumps(target), 1)
    policy = (
        f"default-src 'none'; connect-src {site}; img-src blob:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    template = pages.get_template("verify.html.j2")
    parts = {"policy": Markup(policy), "style": Markup(style), "script": Markup(script)}
    return template.render(**parts, limit=limit >> 20, version=__version__)


@cache
def environment(*packages: str) -> Environment:
    """Where the templates are; everything that they show is escaped.

    Args:
        packages: that have templates of their own, which may use those of papers (`base.css`).
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (*packages, "limner.papers.evidence")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str:
    pages = environment()
    assert pages.loader is not None
    return pages.loader.get_source(pages, name)[0]


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _split(url: str) -> tuple[str, str]:
    wrong = PapersError(url, "is no address of an endpoint", f"give one such as https://museum.example{VERIFY}")
    try:
        parsed = urlsplit(url)
        site = check_origin(f"{parsed.scheme}://{parsed.netloc}")
    except (ValueError, PapersError):
        raise wrong from None
    path = parsed.path if parsed.path.strip("/") else VERIFY
    plain = path.isascii() and path.replace("/", "").replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not plain or parsed.query or parsed.fragment:
        raise wrong
    return site, path
