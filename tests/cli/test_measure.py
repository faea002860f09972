"""`limner measure`: from a model file to numbers and plots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import limner
from limner.cli.main import app
from limner.collection import Collection
from limner.errors import LimnerError
from limner.measure.findings import QualityReport
from limner.models.bundle import save_model
from limner.models.card import CollectionNote
from limner.workspace import Workspace
from models_made import made_card, made_model
from pictures_made import made_collection

MODEL = "m"


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    made = made_collection(workspace, tmp_path / "pictures", 80)
    path = workspace.make(workspace.models) / f"{MODEL}.safetensors"
    model = made_model(path)
    note = CollectionNote(
        name=made.name, digest=made.digest, holdout_digest=made.holdout_digest, pictures=64, held_out=16
    )
    save_model(path, model, made_card(model, MODEL).model_copy(update={"collection": note}))
    return made


def test_numbers_and_plots_are_kept(collection: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = json.loads(limner("measure", MODEL, "-n", "40", "--features", "random", "--to", str(out), "--json"))
    report = QualityReport.model_validate_json((out / "quality.json").read_text())
    assert told["features"] == json.loads(report.model_dump_json())["features"]
    assert report.counts["generated"] == 40
    rows = collection.rows()
    assert report.counts["training"] == sum(row.split == "train" for row in rows)
    assert report.counts["held_out"] + report.counts["chose"] == sum(row.split == "holdout" for row in rows)
    # An untrained painter paints nothing like the pictures.
    assert report.by("random").kid.against_floor("low") == "worse"
    assert report.path_length
    assert report.path_length.value > 0
    for name in ("numbers.png", "typical.png"):
        with Image.open(out / name) as plot:
            assert plot.width > 500


def test_the_table_names_every_number_and_its_floor(collection: Collection) -> None:
    told = limner("measure", MODEL, "-n", "40", "--features", "random")
    for word in ("KID", "precision", "recall", "coverage", "memorised", "patches, 32 px", "worse", "real"):
        assert word in told


def test_another_collection_is_refused(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    other = made_collection(workspace, tmp_path / "others", 50, name="other")
    with pytest.raises(LimnerError) as mistake:
        CliRunner().invoke(app, ["measure", MODEL, "--collection", "other"], catch_exceptions=False)
    assert other.digest[:12] in str(mistake.value)
    assert collection.digest[:12] in str(mistake.value)
    assert mistake.value.remedy


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nobody"], "nobody"),
        ([MODEL, "--count", "3"], "--count 3"),
        ([MODEL, "--seed", "-1"], "--seed -1"),
        ([MODEL, "--features", "inception"], "--features inception"),
        ([MODEL, "--collection", "none"], "none"),
    ],
)
def test_mistakes_are_named(arguments: list[str], named: str, collection: Collection) -> None:
    with pytest.raises(LimnerError) as mistake:
        CliRunner().invoke(app, ["measure", *arguments], catch_exceptions=False)
    assert named in str(mistake.value)
    assert mistake.value.remedy
