"""`limner move`, `mix`, `walk`, `family`, `reproduce`: works from works, and how they hang together."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from helpers import limner, refused
from limner import pictures
from limner.ledger import Ledger
from limner.papers import Identity, verify
from limner.works.steering import read_mask
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_folder, made_picture


@pytest.fixture(autouse=True)
def studio(workspace: Workspace) -> None:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    Identity.new(workspace, "Ada Example")


def test_a_chain_of_twenty_acts_reproduces_and_knows_its_family(workspace: Workspace, tmp_path: Path) -> None:
    limner("sample", "m", "-n", "2", "--seed", "3", "--to", tmp_path / "s")
    first, last = tmp_path / "s" / "m-3-00000.png", tmp_path / "s" / "m-3-00001.png"
    for number in range(20):
        other, to = (first, f"3:{number + 7}")[number % 2], tmp_path / f"{number}.png"
        way = ("--content", "A", "--style", "B") if number % 3 else ("--weights", "0.8,0.2")
        limner("mix", last, other, *way, "--to", to)
        last = to
    assert verify(last).genuine
    assert verify(last).generation["made"] == "mix"
    assert "every pixel is the same" in limner("reproduce", last)
    family = json.loads(limner("family", last, "--to", tmp_path / "family.png", "--json"))
    depth, one = 0, family["ancestors"]
    while one["kin"]:
        depth, one = depth + 1, one["kin"][0]
    assert depth == 20
    assert one["made"] == "sample"
    assert pictures.read(tmp_path / "family.png").pixels.shape[0] > 20 * 128
    below = json.loads(limner("family", first, "--json"))["descendants"]
    assert len(below["kin"]) == 10
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    assert [act.what for act in ledger.acts()].count("mix") == 20


def test_one_s_own_picture_is_encoded_and_named_by_its_digest(workspace: Workspace, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    Image.fromarray(made_picture(4)).save(own)
    told = json.loads(
        limner(
            "mix",
            own,
            "3:1",
            "--model",
            "m",
            "--region",
            "ellipse:0.2,0.2,0.8,0.8",
            "--to",
            tmp_path / "w.png",
            "--json",
        )
    )
    work = Path(told["works"][0]["path"])
    made = verify(work).generation
    assert len(made["parents"]) == 2
    assert made["how"] == {"region": "ellipse:0.2,0.2,0.8,0.8", "feather": "0.1"}
    assert "seed" not in made
    assert limner("family", work).count("seed 3, no. 1") == 1


def test_restyling_takes_a_label_or_a_picture(tmp_path: Path) -> None:
    limner("restyle", "3:1", "--model", "m", "--style", "b", "--strength", "0.5", "--to", tmp_path / "a.png")
    made = verify(tmp_path / "a.png").generation
    assert (made["made"], made["how"]) == ("restyle", {"style": "b", "strength": 0.5})
    limner("restyle", tmp_path / "a.png", "--style", "3:2", "--to", tmp_path / "b.png")
    assert len(verify(tmp_path / "b.png").generation["parents"]) == 2
    limner("restyle", tmp_path / "a.png", "--style", "3:2", "--strength", "0", "--to", tmp_path / "c.png")
    # An untrained painter paints the same in every style: the latents tell.
    latents = [verify(tmp_path / f"{name}.png").generation["latent_digest"] for name in "abc"]
    assert latents[0] == latents[2] != latents[1]
    assert "out of range" in refused("restyle", "3:1", "--model", "m", "--style", "b", "--strength", "2")


def test_a_changed_work_is_no_longer_one(tmp_path: Path) -> None:
    limner("sample", "m", "-n", "1", "--seed", "3", "--to", tmp_path / "s")
    work = tmp_path / "s" / "m-3-00000.png"
    work.write_bytes(work.read_bytes() + b"\0")
    assert "was not published here" in refused("reproduce", work)
    assert "was not published here" in refused("family", work)


def test_a_latent_that_is_gone_is_drawn_again_from_its_seed(workspace: Workspace, tmp_path: Path) -> None:
    limner("sample", "m", "-n", "1", "--seed", "3", "--truncation", "0.7", "--label", "b", "--to", tmp_path / "s")
    for file in workspace.latents.glob("*/*"):
        file.unlink()
    assert "every pixel is the same" in limner("reproduce", tmp_path / "s" / "m-3-b-t0.7-00000.png")


def test_a_sheet_shows_sources_and_works(tmp_path: Path) -> None:
    limner("mix", "3:1", "3:3", "--model", "m", "--weights", "1,1", "--to", tmp_path / "one.png")
    sheet = tmp_path / "sheet.png"
    limner("mix", tmp_path / "one.png", "3:2", "--weights", "1,1", "--to", tmp_path / "two.png", "--sheet", sheet)
    with Image.open(sheet) as shown:
        assert shown.size == (34 + 2, 2 * 34 + 2)  # the source that is a file, and the work below it
    line = refused("mix", tmp_path / "one.png", "3:2", "--weights", "1,1", "--sheet", tmp_path / "one.png")
    assert "is one of the sources" in line


def test_a_mask_must_fit(tmp_path: Path) -> None:
    for side, name in ((32, "fits"), (48, "large")):
        shape = np.full((side, side, 3), 255, np.uint8)
        shape[: side // 2] = 0
        Image.fromarray(shape).save(tmp_path / f"{name}.png")
    limner("mix", "3:1", "3:2", "--model", "m", "--mask", tmp_path / "fits.png", "--to", tmp_path / "w.png")
    line = refused("mix", "3:1", "3:2", "--model", "m", "--mask", tmp_path / "large.png", "--to", tmp_path / "v.png")
    assert "48x48" in line
    assert "32x32" in line
    assert not (tmp_path / "v.png").exists()


def test_a_mask_is_read_as_a_mask(tmp_path: Path) -> None:
    half = np.zeros((32, 32), np.uint8)
    half[8:20, 4:30] = 255
    clear = np.full((32, 32, 4), 255, np.uint8)
    clear[..., 3] = half
    paper = np.stack([half, half], -1)
    masks = {"grey": half, "white on transparent": clear, "zeros and ones": half // 255, "grey with alpha": paper}
    for name, mask in masks.items():
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
        assert np.array_equal(read_mask(tmp_path / f"{name}.png", 32, 32).numpy(), half / 255), name
    for name, value, words in (("black", 0, "all would be A"), ("white", 255, "all would be B"), ("one", 1, "be B")):
        Image.fromarray(np.full((32, 32), value, np.uint8)).save(tmp_path / f"{name}.png")
        line = refused(
            "mix", "3:1", "3:2", "--model", "m", "--mask", tmp_path / f"{name}.png", "--to", tmp_path / "v.png"
        )
        assert words in line, name
    empty = np.zeros((32, 32, 4), np.uint8)
    empty[..., :3] = 255
    Image.fromarray(empty).save(tmp_path / "empty.png")
    assert "all would be A" in refused("mix", "3:1", "3:2", "--model", "m", "--mask", tmp_path / "empty.png")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mix", "3:1", "3:2", "--content", "A"), "--model: is missing"),
        (("mix", "3:1", "--model", "m", "--weights", "1"), "cannot be mixed"),
        (("mix", "3:1", "3:2", "--model", "m"), "no way to mix"),
        (("mix", "3:1", "3:2", "--model", "m", "--content", "A", "--weights", "1,2"), "not one way"),
        (("mix", "3:1", "3:2", "--model", "m", "--content", "C"), "none of them"),
        (("mix", "3:1", "nowhere.png", "--model", "m", "--content", "A"), "nowhere.png: is no file"),
        (("mix", "3:1", "3:2", "--model", "m", "--weights", "1,x"), "no numbers"),
        (("mix", "3:1", "3:2", "--model", "m", "--label", "z", "--content", "A"), "no such label"),
        (("move", "3:1", "--model", "m", "--along", "warmth=+1"), "directions find"),
        (("move", "3:1", "--model", "m", "--along", "warmth"), "no step"),
        (("move", "3:1", "--model", "m", "--along", "warmth=nan"), "too far"),
        (("move", "3:1", "--model", "nobody", "--along", "warmth=1"), "no model of this name"),
        (("walk", "3:1", "--model", "m", "--to", "w.mp4"), "one station"),
        (("walk", "3:1", "3:2", "--model", "m", "--to", "w.avi"), "does not end as"),
        (("walk", "3:1", "3:2", "--model", "m", "--to", "w.mp4", "--seconds", "0"), "out of range"),
    ],
)
def test_mistakes_give_one_line(arguments: tuple[str, ...], told: str) -> None:
    line = refused(*arguments)
    assert told in line
    assert "\n" not in line


def test_moving_along_found_directions(tmp_path: Path) -> None:
    told = json.loads(limner("directions", "find", "m", "--count", "256", "--method", "pca", "--keep", "2", "--json"))
    assert [one["name"] for one in told["directions"]] == ["pca-1", "pca-2"]
    limner("directions", "name", "m", "pca-2", "mist")
    assert "mist" in limner("directions", "list", "m")
    limner("move", "3:1", "--model", "m", "--along", "mist=+2", "--blocks", "1-2", "--to", tmp_path / "w.png")
    made = verify(tmp_path / "w.png").generation
    assert made["made"] == "move"
    assert made["how"] == {"along": {"mist": 2.0}, "blocks": "1-2"}
    limner("directions", "share", "m", "--to", tmp_path / "d.safetensors")
    assert "2 directions taken" in limner("directions", "take", "m", tmp_path / "d.safetensors")
    limner("directions", "strip", "m", "--to", tmp_path / "strip.png")
    assert pictures.read(tmp_path / "strip.png").pixels.shape[1] > 10 * 32


@pytest.mark.parametrize("suffix", ["mp4", "gif", "webp"])
def test_a_walk_is_a_film_of_the_right_length(suffix: str, workspace: Workspace, tmp_path: Path) -> None:
    to = tmp_path / f"walk.{suffix}"
    limner("walk", "3:1", "3:2", "--model", "m", "--seconds", "0.5", "--fps", "20", "--size", "64", "--to", to)
    if suffix == "mp4":
        with av.open(str(to)) as film:
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert len(frames) == 10
        assert frames[0].shape == (64, 64, 3)
    else:
        with Image.open(to) as film:
            assert sum(1 for _ in ImageSequence.Iterator(film)) in range(2, 11)
            assert film.size == (64, 64)
    assert not list(tmp_path.glob(".*frames"))
    assert Ledger.open(workspace.ledger).acts()[-1].what == "walk"


def test_a_walk_is_finished_and_says_whose_pictures_are_in_it(workspace: Workspace, tmp_path: Path) -> None:
    folder = made_folder(tmp_path / "drawings", 12).parent
    to = tmp_path / "walk.mp4"
    words = ("walk", "3:1", "3:2", "--model", "m", "--seconds", "0.6", "--fps", "10", "--size", "97", "--loop")
    told = json.loads(limner(*words, "--exemplars", folder, "--to", to, "--json"))
    with av.open(str(to)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == told["frames"] == 6
    assert frames[0].shape == (96, 96, 3), "sides are even, as the format asks"
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() < 6, "a loop ends as it began"
    shares = told["finish"]["shares"]
    assert sum(one["share"] for one in shares) == pytest.approx(1, abs=0.01)
    act = Ledger.open(workspace.ledger).acts()[-1]
    assert act.what == "walk" and act.parameters["finish"]["shares"] == shares
    assert not list(tmp_path.glob(".*frames"))


def test_a_work_whose_latent_was_drawn_before_is_shown_as_the_work_it_is(tmp_path: Path) -> None:
    limner("mix", "3:0", "3:1", "--model", "m", "--weights", "0.5,0.5", "--to", tmp_path / "mixed.png")
    limner("sample", "m", "-n", "2", "--seed", "3", "--to", tmp_path / "s")
    own = tmp_path / "s" / "m-3-00001.png"
    told = json.loads(limner("family", own, "--to", tmp_path / "family.png", "--json"))
    for side in ("ancestors", "descendants"):
        assert told[side]["made"] == "sample"
        assert told[side]["path"] == str(own)
