"""Finished works from command to papers: `sample`, `credits`, `reproduce`, `enlarge`, and what a stranger reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers import limner
from limner import pictures
from limner.cli.main import app
from limner.collection import Collection
from limner.models.bundle import load_model, save_model
from limner.models.card import CollectionNote
from limner.papers import Identity, verify
from limner.papers.c2pa.parts import take_apart
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED, read_packet
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_collection


@pytest.fixture
def model(workspace: Workspace, tmp_path: Path) -> Path:
    """A model whose card says that it learned from a collection that is here."""
    collection = made_collection(workspace, tmp_path / "pictures", 40)
    path = workspace.make(workspace.models) / "m.safetensors"
    made_model(path, labels=())
    made = load_model(path)
    note = CollectionNote(
        name="made", digest=collection.digest, holdout_digest=collection.holdout_digest, pictures=20, held_out=20
    )
    save_model(path, made.generator, made.card.model_copy(update={"collection": note}))
    Identity.new(workspace, "Ada Example")
    return path


def sampled(*arguments: str) -> list[Path]:
    told = json.loads(limner("sample", "m", "-n", "2", "--json", *arguments))
    return [Path(work["path"]) for work in told["works"]]


def test_a_finished_work_says_which_pictures_are_in_it(model: Path, tmp_path: Path, workspace: Workspace) -> None:
    work, _ = sampled("--size", "64", "--to", str(tmp_path / "out"))
    assert pictures.read(work).pixels.shape == (64, 64, 3)
    verdict = verify(work)
    assert verdict.genuine and verdict.generated
    finish = verdict.generation["finish"]
    assert sum(one["share"] for one in finish["shares"]) + finish["others"]["share"] == pytest.approx(1, abs=0.01)
    assert {one["creator"] for one in finish["shares"]} == {"Ada Example"}
    assert finish["options"]["size"] == 64

    told = json.loads(limner("credits", str(work), "--to", str(tmp_path / "credits.png"), "--json"))
    assert told["creators"] == {"Ada Example": pytest.approx(1)}
    assert told["licences"] == {"CC-BY-4.0": pytest.approx(1)}
    assert 0 < told["largest_piece"] <= 1
    known = {row.pixel_sha256 for row in Collection.open("made", workspace).rows(split="train")}
    assert {one["digest"] for one in told["pictures"]} <= known, "held-out pictures give no patches"
    assert pictures.read(tmp_path / "credits.png").pixels.shape[1] == 1600
    assert "gave patches" in limner("credits", str(work))


def test_a_finished_work_is_reproduced_and_enlarged_to_the_bit(model: Path, tmp_path: Path) -> None:
    works = sampled("--size", "64", "--borrow", "0.7", "--to", str(tmp_path / "out"))
    assert limner("reproduce", *map(str, works)).count("every pixel is the same") == 2
    limner("enlarge", str(works[0]), "--to", "96", "--out", str(tmp_path / "large.png"))
    assert pictures.read(tmp_path / "large.png").pixels.shape == (96, 96, 3)
    assert "every pixel is the same" in limner("reproduce", str(tmp_path / "large.png"))


def test_number_i_is_the_same_picture_whatever_is_painted_beside_it(model: Path, tmp_path: Path) -> None:
    _, second = sampled("--size", "64", "--to", str(tmp_path / "two"))
    alone, _ = sampled("--size", "64", "--first", "1", "--to", str(tmp_path / "one"))
    assert np.array_equal(pictures.read(second).pixels, pictures.read(alone).pixels)


def test_what_the_model_paints_alone_is_called_so(model: Path, tmp_path: Path) -> None:
    (bare, _), (done, _) = (
        sampled("--to", str(tmp_path / way), "--size", "64", "--finish", way) for way in ("none", "exemplars")
    )
    assert pictures.read(bare).pixels.shape == (32, 32, 3)
    assert "finish" not in verify(bare).generation
    source = [read_packet(take_apart(path.read_bytes()).xmp or b"").source_type for path in (bare, done)]
    assert source == [GENERATED, COMPOSITE]
    assert "painted by its model alone" in str(CliRunner().invoke(app, ["credits", str(bare)]).exception)


def test_another_hand(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hand"
    folder.mkdir()
    for number in range(3):
        flat = np.full((60, 60, 3), (40 * number, 200, 90), np.uint8)
        flat[::7] = 10
        pictures.write(flat, folder / f"{number}.png")
    work, _ = sampled("--size", "48", "--exemplars", str(folder), "--to", str(tmp_path / "out"))
    finish = verify(work).generation["finish"]
    assert {one["licence"] for one in finish["shares"]} == {""}
    assert finish["exemplars"]["name"] == str(folder)
    assert "unknown" in verify(work).generation["licences"]
    assert "every pixel is the same" in limner("reproduce", str(work))
    (folder / "0.png").unlink()
    assert "they are others now" in str(CliRunner().invoke(app, ["reproduce", str(work)]).exception)
    # One that cannot be made again hides no other.
    other, _ = sampled("--size", "48", "--finish", "none", "--to", str(tmp_path / "bare"))
    both = CliRunner().invoke(app, ["reproduce", str(work), str(other)])
    assert both.exit_code == 2
    assert "they are others now" in both.stderr
    assert "1 of 2 are the same, 1 could not be painted again" in both.stdout


def test_without_its_collection_a_model_paints_bare_and_says_why(
    model: Path, tmp_path: Path, workspace: Workspace
) -> None:
    Collection.open("made", workspace).remove()
    said = limner("sample", "m", "-n", "1", "--to", str(tmp_path / "out"))
    assert "not finished, painted bare: m learned from made, which is not in this workspace" in said


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (["--finish", "all"], "is no way to finish"),
        (["--size", "4000"], "is out of range"),
        (["--borrow", "2"], "is out of range"),
        (["--exemplars", "nobody"], "is no label, no collection and no folder"),
    ],
)
def test_what_cannot_be_asked_for(told: list[str], reason: str, model: Path) -> None:
    assert reason in str(CliRunner().invoke(app, ["sample", "m", *told]).exception)


def test_a_photograph_is_restyled_by_patches_and_made_again(model: Path, tmp_path: Path) -> None:
    across, down = np.meshgrid(np.linspace(0, 255, 90), np.linspace(255, 0, 60))
    photo, work = tmp_path / "photo.png", tmp_path / "work.png"
    pixels = np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)
    pictures.write(pixels, photo)
    limner("restyle", str(photo), "--style", "m", "--size", "64", "--to", str(work))
    made = pictures.read(work).pixels
    assert made.shape == (64, 96, 3), "the photograph's own shape, not the model's"
    assert np.corrcoef(made[..., 0].mean(axis=0), np.linspace(0, 255, 96))[0, 1] > 0.8, "what is where stays"
    told = verify(work).generation
    assert told["how"] == {"style": "m", "strength": 1.0, "way": "patches"}
    assert {one["creator"] for one in told["finish"]["shares"]} == {"Ada Example"}
    other = ("--model", "emoji-gan", "--way", "patches", "--size", "64", "--to", str(tmp_path / "other.png"))
    limner("restyle", str(photo), "--style", "m", *other)
    assert verify(tmp_path / "other.png").generation["finish"]["shares"] == told["finish"]["shares"], "m's hand"
    photo.unlink()
    assert "every pixel is the same" in limner("reproduce", str(work))
    limner("enlarge", str(work), "--to", "120", "--out", str(tmp_path / "large.png"))
    assert "every pixel is the same" in limner("reproduce", str(tmp_path / "large.png"))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (("--strength", "0.5"), "is not for a style by patches"),
        (("--finish", "none"), "leaves nothing"),
        (("--exemplars", "m"), "both say whose"),
        (("--style", "nowhere"), "is no model and no picture that is here"),
    ],
)
def test_what_a_style_by_patches_cannot_be_is_refused(
    model: Path, tmp_path: Path, told: tuple[str, ...], why: str
) -> None:
    result = CliRunner().invoke(app, ["restyle", "3:1", "--style", "m", *told])
    assert result.exit_code != 0
    assert why in str(result.exception or result.output)


def test_a_moved_work_stays_in_the_hand_of_what_it_was_moved_from(model: Path, tmp_path: Path) -> None:
    found = limner("directions", "find", "m", "--count", "128", "--method", "pca", "--keep", "2", "--json")
    names = [one["name"] for one in json.loads(found)["directions"]]
    size = ("--size", "64")
    limner("move", "3:1", "--model", "m", "--along", f"{names[0]}=0", *size, "--to", str(tmp_path / "still.png"))
    limner("move", "3:1", "--model", "m", "--along", f"{names[0]}=3", *size, "--to", str(tmp_path / "far.png"))
    still, far = (verify(tmp_path / name).generation["finish"] for name in ("still.png", "far.png"))
    assert still["chosen"] == far["chosen"], "in the order of likeness to what they were moved from"
    assert {one["digest"] for one in far["shares"]} <= set(far["chosen"])
    assert "every pixel is the same" in limner("reproduce", str(tmp_path / "far.png"))
    limner("enlarge", str(tmp_path / "far.png"), "--to", "96", "--out", str(tmp_path / "large.png"))
    assert "every pixel is the same" in limner("reproduce", str(tmp_path / "large.png"))
