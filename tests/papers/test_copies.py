"""A copy of a training picture is not published, unless the artist says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.collection import PAINTINGS
from limner.errors import UsageError
from limner.gate.opening import open_gate
from limner.ledger import Ledger
from limner.papers import Identity, Publisher
from limner.papers.publishing.copies import CopyCheck, CopyFoundError
from limner.papers.publishing.published import ALLOW_COPY, Published
from limner.papers.verify.checking import Checker
from limner.synthesis.exemplars import Exemplars
from limner.workspace import Workspace
from published_made import ARTIST, provenance

_FILES = sorted(PAINTINGS.rglob("*.avif"))[:8]


def _pixels(path: Path) -> NDArray[np.uint8]:
    image = Image.fromarray(pictures.read(path).pixels)
    image.thumbnail((320, 320))
    return np.asarray(image)


class _Known(CopyCheck):
    """The check, with a gate of a few paintings in the place of that of a model."""

    def _opened(self, digest: str, exemplars: str):  # type: ignore[no-untyped-def]
        return [open_gate(Exemplars.of_pictures(_FILES[:5], creator="Old Master"), self._workspace)]


@pytest.fixture
def ledger(workspace: Workspace) -> Ledger:
    workspace.make(workspace.root)
    return Ledger.open(workspace.ledger)


@pytest.fixture
def identity(workspace: Workspace) -> Identity:
    return Identity.new(workspace, ARTIST)


@pytest.fixture
def copy() -> Iterator[NDArray[np.uint8]]:
    yield np.ascontiguousarray(_pixels(_FILES[0])[:, ::-1])


def test_a_copy_is_refused_with_its_source_and_nothing_is_written(
    workspace: Workspace, ledger: Ledger, identity: Identity, copy: NDArray[np.uint8], tmp_path: Path
) -> None:
    to = tmp_path / "work.png"
    refused = pytest.raises(CopyFoundError, match=r"copies a training picture.*Old Master.*--allow-copy")
    with Publisher(identity, ledger, checks=(_Known(workspace),)) as publisher, refused:
        publisher.publish(copy, to, provenance())
    assert not to.exists() and len(ledger) == 0


def test_the_artist_may_allow_it_and_papers_and_ledger_say_why(
    workspace: Workspace, ledger: Ledger, identity: Identity, copy: NDArray[np.uint8], tmp_path: Path
) -> None:
    with Publisher(identity, ledger, checks=(_Known(workspace, "a study after the old master"),)) as publisher:
        work = publisher.publish(copy, tmp_path / "work.png", provenance())
    published = Published.find(ledger, work.digest)
    assert published is not None and published.checked["copies"]["allowed"] == "a study after the old master"
    acts = [act for act in ledger.made(work.digest) if act.what == ALLOW_COPY]
    assert [(act.who, act.parameters["reason"]) for act in acts] == [("artist", "a study after the old master")]
    checker = Checker()
    kept = checker.check(work.path).generation["checked"]["copies"]
    checker.close()
    assert kept["copy"] is True and kept["nearest"][0]["creator"] == "Old Master" and kept["compared"] == 5


def test_of_many_works_only_the_copies_are_left_out(
    workspace: Workspace, ledger: Ledger, identity: Identity, copy: NDArray[np.uint8], tmp_path: Path
) -> None:
    honest = [_pixels(path) for path in _FILES[5:7]]
    jobs = [(one, tmp_path / f"{i}.png", provenance(index=i)) for i, one in enumerate([honest[0], copy, honest[1]])]
    stopped: list[CopyFoundError] = []
    with Publisher(identity, ledger, checks=(_Known(workspace),)) as publisher:
        works = publisher.publish_many(jobs, stopped=stopped)
    assert [work.path.name for work in works] == ["0.png", "2.png"] and len(stopped) == 1
    assert all(not work.provenance.checked["copies"]["copy"] for work in works)
    assert all(len(work.provenance.checked["copies"]["nearest"]) == 3 for work in works)


def test_where_the_model_is_not_here_the_papers_say_that_nothing_was_compared(
    workspace: Workspace, ledger: Ledger, identity: Identity, copy: NDArray[np.uint8], tmp_path: Path
) -> None:
    with Publisher(identity, ledger, checks=(CopyCheck(workspace),)) as publisher:
        work = publisher.publish(copy, tmp_path / "work.png", provenance())
    assert work.provenance.checked["copies"] == {"compared": 0, "why": "the model that painted it is not here"}


def test_an_empty_reason_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="empty reason"):
        CopyCheck(workspace, "  ")
