"""Cards and summaries: what limner knows is there, what nobody said stays open, and strangers' words do nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from helpers import limner, refused
from limner.exchange.about import About
from limner.models.card import Card
from limner.models.superseded import Superseded
from limner.reports.document import OPEN
from limner.reports.documents import render
from limner.reports.markdown import escaped
from limner.reports.model_card import ModelFacts, model_card
from limner.reports.training_summary import training_summary
from limner.rights import RightsSummary
from limner.workspace import Workspace
from models_made import made_card, made_model
from pictures_made import made_collection

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> | [x](javascript:alert(1)) ![](http://evil.example/p) "
    "**b** `c` https://evil.example www.evil.example @everyone &lt;b&gt; {{ 7*7 }} $x$"
)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    """The card of an untrained model, with a hostile creator and figures."""
    model = made_model(tmp_path_factory.mktemp("m") / "m.safetensors")
    rights = RightsSummary(
        pictures=9,
        licences={"CC-BY-SA-4.0": 8, "CC-BY-NC-4.0": 1},
        creators={HOSTILE: 8, "Ada": 1},
        credits={HOSTILE: ["CC-BY-SA-4.0"]},
        obligations={"attribution": 9},
        held={},
        flags={},
    )
    quality = {
        "psnr": {"value": 24.31, "low": 23.9, "high": 24.9, "count": 12},
        "memorised": 0.013,
        "copy_gate": {"threshold": 0.31, "recall": {"value": 0.98, "low": 0.97, "high": 0.99, "count": 2000}},
    }
    return made_card(model, "mine").model_copy(update={"rights": rights, "quality": quality})


FACTS = ModelFacts("ab" * 32, 1_234_567, 4_000_000)


def inert(markdown: str) -> None:
    """Rendered as Markdown, with HTML let through, a text has no link, picture, code or HTML in it."""
    body = markdown.split("---\n", 2)[2] if markdown.startswith("---\n") else markdown
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
    for token in parser.parse(body):
        kinds = {token.type, *(inner.type for inner in token.children or ())}
        assert not kinds & {"html_block", "html_inline", "image", "link_open"}, token


def test_words_of_strangers_do_nothing(card: Card) -> None:
    document = model_card(card, FACTS, About(description=HOSTILE))
    text = render(document, ".md")
    inert(text)
    assert text.startswith("---\nlicense: ")
    page = render(document, ".html")
    assert "<script" not in page and "<img src=x" not in page and "49" not in re.findall(r"\{\{.*?\}\}", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page and "http-equiv" in page
    assert json.loads(render(document, ".json"))["card"]["rights"]["creators"][HOSTILE] == 8


def test_escaped_text_reads_as_it_was() -> None:
    parser = MarkdownIt("commonmark", {"html": True})
    for text in (HOSTILE, "a_b*c*d", "1. no list", "# no title", "- no list", "a\\b", 'Eve "Ex" & Söhne <a@b.example>'):
        shown = re.sub(r"<[^>]*>", "", parser.render(escaped(text))).strip()
        plain = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        assert plain == text


def test_a_model_s_card_says_what_is_known(card: Card) -> None:
    text = render(model_card(card, FACTS, About(data_use_cases="Teaching.")), ".md")
    for words in (
        "24.3",
        "23.9 to 24.9",
        "1.2 million parameters",
        "1.3 %",
        "Copy gate, threshold",
        "0.98",
        "Teaching",
    ):
        assert words in text, words
    assert "No one licence keeps to all of these terms" in text  # share-alike beside non-commercial
    assert f"*{OPEN}: who makes it available*" in text
    gone = Superseded("sha256:" + "ab" * 32, "mine", "a picture was withdrawn", "mine-2", "2026-11-30T00:00:00Z", 7)
    known = ModelFacts("ab" * 32, 1, 1, superseded=gone)
    assert "superseded since 2026-11-30" in render(model_card(card, known, About()), ".html")


def test_the_summary_fills_in_only_what_is_known(card: Card) -> None:
    rest = render(training_summary(card, FACTS, None, About(), dt.date(2026, 11, 30)), ".md")
    for title in ("## 1\\. General information", "### 2.3. Data crawled", "### 3.2. Removal of illegal content"):
        assert title in rest, title
    assert rest.count(OPEN) >= 12 and "voluntary" in rest
    said = About(publisher="A Museum", crawled=False, other_sources="Our own prints", published=dt.date(2026, 12, 1))
    data = json.loads(
        render(training_summary(card, FACTS, {"made": "2026-11-01"}, said, dt.date(2026, 11, 30)), ".json")
    )
    answers: dict[str, Any] = data["answers"]
    asked = {question.split(" / ")[1]: answer for question, answer in answers.items()}
    assert asked["Were crawlers used by the provider or on its behalf?"] == ["No"]
    assert asked["Provider name and contact details"] == ["A Museum"]
    assert asked["Training data size"] == ["Less than 1 million images: 9 learned from, 2 held out"]
    assert asked["General description of measures taken"] is None
    inert(rest)


def test_commands_write_by_the_ending(workspace: Workspace, tmp_path: Path) -> None:
    made_collection(workspace, tmp_path / "pictures", 12)
    made_model(workspace.make(workspace.models) / "m.safetensors")
    about = tmp_path / "about.json"
    about.write_text(json.dumps({"description": "Discs.", "data_limitations": "No persons."}))
    limner("collection", "card", "made", "--to", tmp_path / "c.html", "--about", about)
    page = (tmp_path / "c.html").read_text()
    assert page.count('src="data:image/webp') == 12 and "Discs." in page and "No persons." in page
    limner("model", "card", "m", "--to", tmp_path / "m.html", "--samples", 3)
    assert (tmp_path / "m.html").read_text().count('src="data:image/webp') == 3
    assert limner("collection", "card", "made").startswith('---\nlicense: "cc-by-4.0"')
    assert json.loads(limner("summary", "m", "--json"))["kind"] == "training summary"
    assert "lies there already" in refused("collection", "card", "made", "--to", tmp_path / "c.html")
    about.write_text('{"purpose": "x"}')
    assert "purpose" in refused("collection", "card", "made", "--about", about)
