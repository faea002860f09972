"""`limner sample`, `model`, `encode`, `reconstruct`: from a model file to signed works."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from helpers import limner
from limner.cli.main import app
from limner.errors import LimnerError
from limner.ledger import Ledger
from limner.papers import Identity, verify
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_picture

MODEL = "m"


@pytest.fixture
def model(workspace: Workspace) -> Path:
    path = workspace.make(workspace.models) / f"{MODEL}.safetensors"
    made_model(path)
    return path


@pytest.fixture
def identity(workspace: Workspace) -> Identity:
    return Identity.new(workspace, "Ada Example")


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "avif"])
def test_every_work_is_signed_and_recorded(
    format: str, model: Path, identity: Identity, workspace: Workspace, tmp_path: Path
) -> None:
    told = json.loads(
        limner("sample", MODEL, "-n", "3", "--seed", "7", "--format", format, "--to", str(tmp_path / "out"), "--json")
    )
    paths = [Path(work["path"]) for work in told["works"]]
    assert len(paths) == 3
    for path in paths:
        verdict = verify(path)
        assert verdict.genuine
        assert verdict.generation["seed"] == 7
        assert verdict.generation["credit"] == "Pictures by Ada Example (CC-BY-4.0)"
    ledger = Ledger.open(workspace.ledger)
    assert [act.what for act in ledger.acts()].count("publish") == 3
    assert ledger.verify().ok


def test_the_same_seed_paints_the_same_pictures(model: Path, identity: Identity, tmp_path: Path) -> None:
    limner("sample", MODEL, "-n", "5", "--seed", "7", "--to", str(tmp_path / "a"))
    limner("sample", MODEL, "-n", "2", "--first", "3", "--seed", "7", "--to", str(tmp_path / "b"))
    for number in (3, 4):
        one, other = (np.asarray(Image.open(tmp_path / f / f"m-7-{number:05d}.png")) for f in "ab")
        assert np.array_equal(one, other)


def test_a_sheet_shows_all(model: Path, identity: Identity, tmp_path: Path) -> None:
    limner("sample", MODEL, "-n", "4", "--label", "b", "--sheet", "--to", str(tmp_path))
    with Image.open(tmp_path.with_name(f"{tmp_path.name}-m-1-b.png")) as sheet:
        assert sheet.size == (2 * 34 + 2, 2 * 34 + 2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["sample", "nobody"], "nobody"),
        (["sample", MODEL, "-n", "0"], "-n 0"),
        (["sample", MODEL, "--truncation", "9"], "--truncation 9"),
        (["sample", MODEL, "--label", "c"], "--label c"),
        (["sample", MODEL, "--format", "gif"], "--format gif"),
        (["sample", MODEL, "--training-mining", "maybe"], "--training-mining maybe"),
        (["sample", MODEL, "--identity", "Bob"], "Bob"),
        (["sample", MODEL, "--quality", "0"], "--quality 0"),
        (["sample", MODEL, "--first", "-1"], "--first -1"),
        (["reconstruct", MODEL, "no.png"], "no.png"),
    ],
)
def test_mistakes_are_named(arguments: list[str], named: str, model: Path, identity: Identity) -> None:
    with pytest.raises(LimnerError) as mistake:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert named in str(mistake.value)
    assert mistake.value.remedy


def test_without_an_identity_nothing_is_written(model: Path, tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="limner identity new"):
        CliRunner().invoke(app, ["sample", MODEL, "--to", str(tmp_path / "out")], catch_exceptions=False)
    assert not (tmp_path / "out").exists()


def test_encode_and_reconstruct(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    Image.fromarray(made_picture(1, 80)).save(file)
    limner("encode", MODEL, str(file), "--to", str(tmp_path / "l.safetensors"))
    assert load_file(tmp_path / "l.safetensors")["content"].shape[0] == 1
    (row,) = json.loads(limner("reconstruct", MODEL, str(file), "--to", str(tmp_path / "pairs.png"), "--json"))
    assert row["psnr"] > 0
    assert (tmp_path / "pairs.png").is_file()


def test_the_card_is_shown(model: Path) -> None:
    assert json.loads(limner("model", "show", MODEL, "--json"))["card"]["name"] == MODEL
    assert MODEL in limner("model", "list")
