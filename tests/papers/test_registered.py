"""The registry: what was published is found again without its papers, and what was not is not claimed."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers import Publisher
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import work_identifier, work_name
from limner.papers.verify.checking import open_checker
from limner.workspace import Workspace
from published_made import artist, provenance

Pixels = NDArray[np.uint8]


def scene(seed: int, size: int = 128) -> Pixels:
    """A picture with large shapes, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def registry_of(workspace: Workspace) -> Registry:
    return Registry(workspace.registry, workspace.registry_index)


def fill(workspace: Workspace, scenes: range, **changes: object) -> list[Path]:
    """Publish scenes, each its own work."""
    workspace.make(workspace.works)
    with Publisher(artist(workspace), Ledger.open(workspace.ledger), registry=registry_of(workspace)) as ready:
        jobs = (
            (
                scene(seed),
                workspace.works / f"{seed}.png",
                provenance(title=f"Scene {seed}", latent_digest=f"sha256:{seed:064x}", **changes),
            )
            for seed in scenes
        )
        return [work.path for work in ready.publish_many(jobs)]


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=quality)
    with Image.open(packed) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("how", ["same", "mirrored", "cropped", "jpeg", "smaller", "cropped and mirrored"])
def test_a_copy_without_papers_is_found(workspace: Workspace, how: str) -> None:
    fill(workspace, range(12))
    picture = scene(7)
    if "cropped" in how:
        picture = picture[9:124, 4:119]
    if "mirrored" in how:
        picture = picture[:, ::-1]
    if how == "jpeg":
        picture = jpeg(picture, 50)
    if how == "smaller":
        picture = np.asarray(Image.fromarray(picture).resize((96, 96)))
    match = registry_of(workspace).find(picture)
    assert match is not None
    assert (match.edition.title, match.likeness.mirrored, match.others) == ("Scene 7", "mirrored" in how, 0)
    assert match.likeness.share == pytest.approx(0.81 if "cropped" in how else 1, abs=0.04)


def test_what_was_never_published_is_not_found(workspace: Workspace) -> None:
    fill(workspace, range(12))
    registry = registry_of(workspace)
    assert [registry.find(scene(seed)) for seed in range(100, 130)] == [None] * 30
    assert registry.find(np.full((64, 64, 3), 200, np.uint8)) is None


def test_one_part_that_differs_is_another_picture(workspace: Workspace) -> None:
    fill(workspace, range(3))
    other = scene(1).copy()
    other[48:80, 48:80] = 255 - other[48:80, 48:80]
    assert registry_of(workspace).find(other) is None


def test_verify_names_the_work_and_claims_no_more_than_likeness(workspace: Workspace, tmp_path: Path) -> None:
    paths = fill(workspace, range(3))
    stripped, changed = tmp_path / "stripped.jpg", tmp_path / "changed.png"
    Image.fromarray(scene(1)).save(stripped, quality=80)
    changed.write_bytes(paths[2].read_bytes() + b"more")
    name = work_name(work_identifier(f"sha256:{1:064x}", provenance().model_digest, artist(workspace).fingerprint))
    with closing(open_checker(workspace)) as checker:
        none, tampered, valid = (checker.check(path) for path in (stripped, changed, paths[0]))
    assert (none.state, tampered.state, valid.state) == ("none", "tampered", "valid")
    assert f'looks like work {name}, published under the name "Ada Lovelace" on ' in none.summary
    assert none.layers[3].name == "registry"
    assert (none.layers[3].state, tampered.layers[3].state) == ("alike", "alike")
    assert "Likeness, which is no proof" in none.layers[3].proves
    assert "Scene 2" in tampered.layers[3].holds
    assert none.registry is not None
    assert none.registry["work"] == name
    assert "path" not in none.registry
    assert [layer.name for layer in valid.layers] == ["C2PA", "XMP", "watermark"]
    Image.fromarray(scene(50)).save(stripped)
    with closing(open_checker(workspace)) as checker:
        assert checker.check(stripped).layers[3].state == "none"


def test_editions_of_one_work_share_its_number(workspace: Workspace) -> None:
    fill(workspace, range(3))
    fill(workspace, range(1, 2))
    registry = registry_of(workspace)
    match = registry.find(scene(1))
    assert match is not None
    assert match.others == 0
    assert [one.title for one in registry.work(match.edition.name)] == ["Scene 1", "Scene 1"]
    assert registry.work(match.edition.work) == registry.work(match.edition.name)
    assert len(registry) == 4
    assert registry.work("0" * 12) == []
    with pytest.raises(PapersError, match="no number of a work"):
        registry.work("xyz")


def test_works_that_nobody_can_tell_apart_are_all_counted(workspace: Workspace) -> None:
    fill(workspace, range(2))
    with Publisher(artist(workspace), Ledger.open(workspace.ledger), registry=registry_of(workspace)) as ready:
        ready.publish(scene(1), workspace.works / "twin.png", provenance(title="Twin"))
    match = registry_of(workspace).find(scene(1))
    assert match is not None
    assert match.others == 1


def test_the_index_is_kept_brought_up_to_date_and_made_anew(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limner.papers.registry.registry._UNSAVED", 1)
    monkeypatch.setattr("limner.papers.registry.index._FLAT", 8)
    monkeypatch.setattr("limner.papers.registry.index._LISTS", 4)
    fill(workspace, range(12))

    def found(seed: int) -> str | None:
        match = registry_of(workspace).find(scene(seed))
        return match.edition.title if match else None

    assert found(3) == "Scene 3"
    kept = {path.name: path.read_bytes() for path in workspace.registry_index.iterdir()}
    assert set(kept) == {"index.json", "layouts", "looks"}
    fill(workspace, range(12, 14))
    assert [found(seed) for seed in (3, 13)] == ["Scene 3", "Scene 13"]
    for name, data in kept.items():
        (workspace.registry_index / name).write_bytes(data[: len(data) // 2])
        assert [found(seed) for seed in (3, 13)] == ["Scene 3", "Scene 13"]
    for name, data in kept.items():  # of an older time, as from a backup
        (workspace.registry_index / name).write_bytes(data)
    assert found(13) == "Scene 13"
    workspace.registry.unlink()
    fill(workspace, range(20, 22))
    assert [found(seed) for seed in (3, 20)] == [None, "Scene 20"]


def test_a_registry_that_cannot_be_used_is_one_line(workspace: Workspace) -> None:
    workspace.make(workspace.root)
    workspace.registry.write_bytes(b"no database " * 100)
    with pytest.raises(PapersError, match="cannot be used as a registry") as raised:
        registry_of(workspace)
    assert "\n" not in str(raised.value)


def test_the_number_of_a_work_is_what_is_documented() -> None:
    assert work_name(work_identifier("sha256:01", "sha256:02", "03")) == "c22632ebac43"


def test_a_registry_is_made_once_however_many_begin_with_it(workspace: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: registry_of(workspace), range(8)))
    assert [len(one) for one in held] == [0] * 8
    fill(workspace, range(2))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(held[0].find, [scene(1)] * 8))
    assert {match.edition.title for match in found if match} == {"Scene 1"}
