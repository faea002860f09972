from __future__ import annotations

import base64
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from limner.errors import UsageError
from limner.reports import page as pages
from limner.reports.page import render_demo, write_demo
from reports.records import record, sheet, verdict


class Reader(HTMLParser):
    """The tags of a page, and whether each that must be closed was."""

    _VOID = frozenset({"meta", "img", "br", "path", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html() -> str:
    return render_demo(record())


@pytest.fixture(scope="module")
def page(html: str) -> Reader:
    return Reader(html)


def test_every_tag_is_closed(page: Reader) -> None:
    assert page.open == []


def test_the_words_of_strangers_stay_words(page: Reader, html: str) -> None:
    assert not {"script", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "\u202e" not in html


def test_nothing_is_requested(page: Reader, html: str) -> None:
    addresses = [value or "" for _, attributes in page.tags for name, value in attributes.items() if name in _LOADS]
    assert addresses
    assert all(address.startswith("data:image/") for address in addresses)
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style and "url(" not in style[1] and "@import" not in style[1]


_LOADS = ("src", "srcset", "href", "poster", "data", "action", "background")


def test_every_picture_is_inside_and_has_its_size_and_a_text(page: Reader) -> None:
    made = record()
    found = [attributes for tag, attributes in page.tags if tag == "img"]
    taken, learned = made.taken, made.learned
    moments = [*learned.reconstructions, *learned.samples]
    rows = [taken.trained, taken.held_out, learned.originals, made.sheet, *(moment.pictures for moment in moments)]
    rows += [block.pictures for sheet in made.opening for block in sheet.blocks]
    works = 3 * len(made.works)  # at the top, with its papers, and the nearest
    assert len(found) == sum(len(row) for row in rows) + works + sum(1 for one in made.forged if one.picture)
    for attributes in found:
        data = base64.b64decode((attributes["src"] or "").partition("base64,")[2])
        with Image.open(BytesIO(data)) as image:
            assert int(attributes["width"] or 0) % image.width == 0
        assert attributes["alt"]


def test_works_are_embedded_byte_for_byte(html: str) -> None:
    assert base64.b64encode(record().works[0].picture.data).decode() in html


def test_the_opening_comes_first_with_its_credit(page: Reader) -> None:
    first = page.text.index("Numbers 0 to 1")
    assert first < page.text.index("What 3 paintings taught") < page.text.index("What was taken")
    assert page.text.count("Licences of what it learned from: MIT License (1,200), ") == 2
    assert page.text.count("Learned from pictures by <script>") == 2
    assert page.text.index("noto") < first + len(page.text) / 2


def test_without_an_opening_the_training_comes_first() -> None:
    text = Reader(render_demo(record(opening=[]))).text
    assert "From nothing" not in text
    assert text.index("What 3 paintings taught in 2 minutes") < text.index("What was taken")


def test_before_and_after_stand_beside_each_other() -> None:
    made = record()
    parent = replace(sheet(), name="landscapes", digest="12" * 32)
    work = replace(
        made.works[0], verdict=verdict("valid", generation={"model_parents": ["sha256:" + "12" * 32], "seed": 1})
    )
    taken = replace(made.taken, noun="picture", where=(), trained_count=300)
    changed = replace(made, opening=[parent], after=sheet(), works=[work], taken=taken)
    text = Reader(render_demo(changed)).text
    assert text.index("Before") < text.index("After") < text.index("What was taken")
    assert "began with nothing" not in text
    assert "300 were learned from; here are 3 of them" in text
    assert "a painting" not in text and "held-out paintings" not in text
    assert "Went on fromlandscapes sha256:1212" in text


def test_a_distance_that_too_few_pictures_give_is_not_told() -> None:
    made = record()
    wide = {"value": 46180.3, "low": -20857.3, "high": 109217.9, "count": 128}
    learned = replace(made.learned, quality={**made.learned.quality, "kid": wide})
    text = Reader(render_demo(replace(made, learned=learned))).text
    assert "cannot be measured with so few of them held out" in text and "46180" not in text


def test_headings_are_in_order(page: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_what_failed_is_said(page: Reader) -> None:
    assert "✗ tampered: " in page.text
    assert "✗ no papers: " in page.text
    assert "No viewer shows this file any more." in page.text
    assert "public domain in the United States" in page.text


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.html"
    write_demo(record(), path)
    before = path.read_text("utf-8")

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(pages, "render_demo", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_demo(record(), path)
    assert path.read_text("utf-8") == before
    assert [one.name for one in tmp_path.iterdir()] == ["index.html"]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose another place with --to"):
        write_demo(record(), tmp_path / "gone" / "index.html")
