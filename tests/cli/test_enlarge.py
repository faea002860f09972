"""`limner enlarge`, `limner train-upscaler`: a larger print with its own papers, which can be made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import limner, refused
from limner import pictures
from limner.ledger import Ledger
from limner.models.upscaler import load_upscaler, upscalers_of
from limner.papers import Identity, verify
from limner.rights import RightsSummary
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_collection, made_picture
from upscalers_made import made_upscaler


@pytest.fixture
def work(workspace: Workspace, tmp_path: Path) -> Path:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    Identity.new(workspace, "Ada Example")
    limner("sample", "m", "-n", "1", "--seed", "3", "--to", tmp_path / "s")
    return tmp_path / "s" / "m-3-00000.png"


@pytest.fixture
def upscaler(tmp_path: Path) -> Path:
    rights = RightsSummary(
        pictures=2, licences={"CC-BY-4.0": 2}, creators={"Bo": 2}, credits={"Bo": ["CC-BY-4.0"]},
        obligations={"attribution": 2}, held={}, flags={},
    )  # fmt: skip
    made_upscaler(tmp_path / "own.safetensors", name="own", collection="5" * 64, rights=rights)
    return tmp_path / "own.safetensors"


def test_a_print_has_papers_of_its_own(work: Path, upscaler: Path, workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "print.png"
    told = json.loads(limner("enlarge", work, "--to", "200", "--upscaler", upscaler, "--out", out, "--json"))
    assert pictures.read(out).pixels.shape == (200, 200, 3)
    verdict = verify(out)
    assert verdict.genuine
    made = verdict.generation
    assert made["made"] == "enlarge"
    assert len(made["parents"]) == 1
    assert made["how"] == told["how"]
    assert made["how"]["upscaler_digest"] == f"sha256:{load_upscaler(upscaler).digest}"
    assert (made["how"]["size"], made["how"]["factor"]) == ("200x200", 6.25)
    assert verdict.title is not None
    assert "enlarged to 200x200" in verdict.title
    assert made["latent_digest"] == verify(work).generation["latent_digest"]
    (kept,) = verdict.chain  # the work's own manifest
    assert (kept.relationship, kept.kept, kept.was_valid) == ("inputTo", True, True)
    assert kept.title == verify(work).title
    # Who has to be named for the up-scaler's pictures is named, too.
    assert "Bo (CC-BY-4.0)" in made["credit"]
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    act = ledger.acts()[-1]
    assert (act.what, act.outputs) == ("enlarge", [told["digest"]])
    assert act.inputs[0] == made["parents"][0]


def test_a_print_is_made_again_to_the_pixel(work: Path, upscaler: Path, workspace: Workspace, tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{number}.png" for number in range(3))
    limner("enlarge", work, "--to", "150", "--upscaler", upscaler, "--out", one)
    limner("enlarge", one, "--to", "190", "--upscaler", "none", "--out", two)
    limner("enlarge", work, "--to", "70", "--upscaler", "own", "--strength", "0.9", "--out", three)
    # A given file was kept, and what is not kept is drawn anew.
    upscaler.unlink()
    for file in workspace.latents.glob("*/*"):
        file.unlink()
    for path in (one, two, three, work):
        assert "every pixel is the same" in limner("reproduce", path)
    assert "and enlarged" in limner("reproduce", two)
    (upscalers_of(workspace) / "own.safetensors").unlink()
    assert "no longer here" in refused("reproduce", one)


def test_the_work_s_own_family_stays_what_it_was(work: Path, upscaler: Path, tmp_path: Path) -> None:
    limner("mix", work, "3:2", "--weights", "1,1", "--to", tmp_path / "mixed.png")
    before = json.loads(limner("family", tmp_path / "mixed.png", "--json"))["ancestors"]
    limner("enlarge", tmp_path / "mixed.png", "--to", "100", "--upscaler", upscaler, "--out", tmp_path / "p.png")
    assert json.loads(limner("family", tmp_path / "mixed.png", "--json"))["ancestors"] == before


def test_a_print_hangs_under_its_work_and_nowhere_else(work: Path, tmp_path: Path) -> None:
    mixed, one, other = (tmp_path / f"{name}.png" for name in ("mixed", "one", "other"))
    limner("mix", work, "3:2", "--weights", "1,1", "--to", mixed)
    for made, to in ((mixed, one), (work, other)):
        limner("enlarge", made, "--to", "80", "--upscaler", "none", "--out", to)
    above = json.loads(limner("family", one, "--json"))["ancestors"]
    assert (above["made"], [kin["made"] for kin in above["kin"]]) == ("enlarge", ["mix"])
    below = json.loads(limner("family", work, "--json"))["descendants"]
    assert sorted(kin["made"] for kin in below["kin"]) == ["enlarge", "mix"]
    (mix,) = (kin for kin in below["kin"] if kin["made"] == "mix")
    assert [kin["made"] for kin in mix["kin"]] == ["enlarge"]


def test_mistakes_give_one_line(work: Path, upscaler: Path, workspace: Workspace, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    Image.fromarray(made_picture(4)).save(own)
    assert "was not published here" in refused("enlarge", own)
    assert "cannot be read" in refused("enlarge", tmp_path / "nowhere.png")
    assert "is no larger than the work (32x32)" in refused("enlarge", work, "--to", "32")
    assert "larger than limner prints" in refused("enlarge", work, "--to", "100000")
    assert "no up-scaler of this name" in refused("enlarge", work, "--upscaler", "nobody")
    assert "not an up-scaler" in refused("enlarge", work, "--upscaler", own)
    model = workspace.models / "m.safetensors"
    assert "not an up-scaler of limner's" in refused("enlarge", work, "--upscaler", model)
    assert "--strength -1: is out of range" in refused("enlarge", work, "--strength", "-1", "--upscaler", upscaler)
    out = tmp_path / "p.bmp"
    assert "does not end as" in refused("enlarge", work, "--upscaler", upscaler, "--out", out)
    assert not out.exists()


def test_training_one_on_a_collection(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(24):
        Image.fromarray(np.kron(made_picture(number), np.ones((3, 3, 1), np.uint8))).save(folder / f"{number}.png")
    limner("collection", "add", folder, "--name", "large", "--licence", "CC-BY-4.0", "--creator", "Ada Example")
    told = ("--steps", "2", "--teacher", "none", "--precision", "fp32", "--threads", "1")
    card = json.loads(limner("train-upscaler", "large", *told, "--json"))["card"]
    assert (card["name"], card["teacher"]["name"]) == ("large-upscaler", "none")
    assert card["rights"]["licences"] == {"CC-BY-4.0": card["collection"]["pictures"]}
    assert "Ada Example" in card["credit"]
    assert {"psnr", "lanczos_psnr", "features", "lanczos_features"} <= set(card["quality"]["x2"])
    act = Ledger.open(workspace.ledger).acts()[-1]
    digest = load_upscaler(upscalers_of(workspace) / "large-upscaler.safetensors").digest
    assert (act.what, act.outputs) == ("train-upscaler", [f"sha256:{digest}"])


def test_too_small_to_learn_from(workspace: Workspace, tmp_path: Path) -> None:
    made_collection(workspace, tmp_path / "p", 24)
    line = refused("train-upscaler", "made", "--steps", "2")
    assert "too few of 128 px" in line
    assert "24 are smaller" in line
    assert "--minutes -1" in refused("train-upscaler", "made", "--minutes", "-1")
