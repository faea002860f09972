"""The statement of a withdrawal as a page that needs nothing from elsewhere; it says what the JSON says."""

from __future__ import annotations

from limner.papers.evidence.pages import environment
from limner.text import printable
from limner.withdrawal.record import Statement
from limner.withdrawal.wording import NOTICE, RELATIONS, act_words, places_words, published_words


def statement_page(statement: Statement, digest: str) -> str:
    """The page of a statement.

    Args:
        digest: sha256 of its JSON, `sha256:` before the digits.
    """
    files = {work.digest: work.file.path for work in statement.works}
    template = environment("limner.withdrawal").get_template("statement.html.j2")
    return template.render(
        one=statement,
        digest=digest,
        relations=RELATIONS,
        published=published_words,
        places=places_words(statement.places),
        done=lambda act: act_words(act, files),
        notice=NOTICE,
        visible=printable,
    )
