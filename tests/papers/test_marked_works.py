"""A published work carries its number in its pixels, and a copy without papers is led back by it."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import encypher_c2pa
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.collection import PAINTINGS
from limner.ledger import Ledger
from limner.papers import Layer, Verdict
from limner.papers.c2pa.library import read_store, reading_context
from limner.papers.publishing.exporting import Export, export
from limner.papers.publishing.former import open_former
from limner.papers.publishing.publisher import Publisher
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import work_name
from limner.papers.verify.checking import open_checker
from limner.papers.watermark.marking import ALGORITHM, marked, read_mark
from limner.workspace import Workspace
from published_made import artist, provenance


@pytest.fixture
def painting() -> NDArray[np.uint8]:
    path = sorted((PAINTINGS / "img").iterdir())[40]
    return np.ascontiguousarray(pictures.read(path).pixels[:256, :256])


def published(workspace: Workspace, pixels: NDArray[np.uint8], path: Path, quality: int = 90) -> Path:
    registry = Registry(workspace.registry, workspace.registry_index)
    with Publisher(artist(workspace), Ledger.open(workspace.ledger), registry=registry) as publisher:
        publisher.publish(pixels, path, provenance(), quality=quality)
    return path


def verdict_on(path: Path, workspace: Workspace) -> Verdict:
    with closing(open_checker(workspace)) as checker:
        return checker.check(path)


def layer(verdict: Verdict) -> Layer:
    return next(one for one in verdict.layers if one.name == "watermark")


def test_a_work_and_its_papers_name_the_same_number(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = published(workspace, painting, tmp_path / "work.jpg")
    verdict = verdict_on(path, workspace)
    assert verdict.state == "valid"
    assert layer(verdict).state == "valid"
    assert verdict.watermark is not None
    assert verdict.watermark["as_papers_say"]
    edition = Registry(workspace.registry).latest(1)[0]
    assert verdict.mark == verdict.watermark["work"] == edition.name


def actions(path: Path, mime: str) -> list[str]:
    """The actions of a file whose papers two readers find without fault."""
    data = path.read_bytes()
    store = read_store(data, mime, reading_context())
    assert store is not None
    manifest = next(one for one in store["manifests"] if one["label"] == store["active"])
    said = [one["code"] for kind in ("failure", "informational") for one in manifest["validationResults"].get(kind, [])]
    assert set(said) <= {"signingCredential.untrusted", "signingCredential.ocsp.skipped"}
    report = encypher_c2pa.verify(data, mime)
    assert report["integrity"] == "valid", report
    return [action["action"] for action in manifest["assertions"]["c2pa.actions.v2"]["actions"]]


def test_the_papers_tell_of_the_mark_that_was_put_in(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    work = published(workspace, painting, tmp_path / "work.png")
    assert actions(work, "image/png") == ["c2pa.created", "c2pa.watermarked.bound"]
    lost = published(workspace, painting, tmp_path / "lost.jpg", quality=1)
    assert actions(lost, "image/jpeg") == ["c2pa.created"]
    with Publisher(artist(workspace), Ledger.open(workspace.ledger)) as publisher:
        edition = export(open_former(work, workspace), tmp_path / "web.jpg", publisher, Export()).path
    assert verdict_on(edition, workspace).mark == verdict_on(work, workspace).mark
    assert actions(edition, "image/jpeg") == ["c2pa.opened", "c2pa.transcoded"], "it was in it already"


def test_what_is_left_of_a_work_leads_back_to_its_papers(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    work = published(workspace, painting, tmp_path / "work.png")
    edition = Registry(workspace.registry).latest(1)[0]
    cut = tmp_path / "found.jpg"
    with Image.open(io.BytesIO(work.read_bytes())) as image:
        image.crop((20, 30, 240, 250)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(cut, quality=80)
    verdict = verdict_on(cut, workspace)
    assert verdict.state == "none"
    assert not verdict.genuine
    assert f"carries the mark of work {edition.name}" in verdict.summary
    assert "looks like" not in verdict.summary
    assert layer(verdict).state == "unsigned"
    assert "can be copied" in layer(verdict).proves


def test_a_mark_of_a_stranger_is_no_claim_of_ours(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "strange.png"
    Image.fromarray(marked(painting, 0xABCDEF)).save(path)
    verdict = verdict_on(path, workspace)
    assert f"mark of work {work_name(0xABCDEF)}, which is not registered here" in verdict.summary


def test_a_mark_copied_onto_another_picture_is_not_taken_for_the_work(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    published(workspace, painting, tmp_path / "work.png")
    edition = Registry(workspace.registry).latest(1)[0]
    other = np.ascontiguousarray(painting[::-1, :, ::-1])
    Image.fromarray(marked(other, edition.work)).save(tmp_path / "other.png")
    summary = verdict_on(tmp_path / "other.png", workspace).summary
    assert f"carries the mark of work {edition.name}" in summary
    assert "does not look like that work" in summary
    assert "stripped" not in summary


def test_a_small_work_promises_no_mark(workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path) -> None:
    path = published(workspace, np.ascontiguousarray(painting[:128, :128]), tmp_path / "small.png")
    verdict = verdict_on(path, workspace)
    assert verdict.state == "valid"
    assert verdict.mark is None
    assert "small" in layer(verdict).holds


def test_papers_name_no_mark_that_compression_took(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = published(workspace, painting, tmp_path / "work.jpg", quality=1)
    assert read_mark(pictures.read(path).pixels).message is None
    assert ALGORITHM.encode() not in path.read_bytes()
    assert verdict_on(path, workspace).mark is None
