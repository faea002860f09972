"""`limner restyle` and `mix` by a translator: recorded, painted again, and refused where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import limner, refused
from limner import pictures
from limner.latent.restyling import translator_file
from limner.ledger import Ledger
from limner.models.bundle import load_model
from limner.models.translator import load_translator
from limner.papers import Identity, verify
from limner.workspace import Workspace
from models_made import made_model
from rights_made import made_rights
from translators_made import made_translator


@pytest.fixture(autouse=True)
def digest(workspace: Workspace) -> str:
    path = workspace.make(workspace.models) / "m.safetensors"
    made_model(path)
    Identity.new(workspace, "Ada Example")
    model = load_model(path)
    return made_translator(translator_file(model.digest, workspace), model)


def test_a_translated_work_says_so_and_is_painted_again(workspace: Workspace, tmp_path: Path, digest: str) -> None:
    by = "restyle", "3:1", "--model", "m", "--label", "a", "--style", "b"
    work = tmp_path / "w.png"
    limner(*by, "--to", work)
    how = {"translator": f"sha256:{digest}", "from": "a", "to": "b"}
    assert verify(work).genuine
    told = Ledger.open(workspace.ledger).acts()
    assert next(act.parameters for act in told if act.what == "restyle").items() >= how.items()
    assert "every pixel is the same" in limner("reproduce", work)
    limner(*by, "--to", tmp_path / "swapped.png", "--way", "swap")
    limner(*by, "--to", tmp_path / "none.png", "--strength", "0")
    limner("mix", "3:1", "3:1", "--model", "m", "--style", "b", "--to", tmp_path / "mixed.png")
    shown = {name: pictures.read(tmp_path / f"{name}.png").pixels for name in ("w", "swapped", "none", "mixed")}
    assert (shown["w"] != shown["swapped"]).any()
    assert (shown["w"] != shown["none"]).any()
    mixed = [act.parameters for act in Ledger.open(workspace.ledger).acts() if act.what == "mix"][-1]
    assert mixed["translator"] == f"sha256:{digest}"
    assert mixed["from"] == "unknown"


def test_what_a_translator_owes_stays_with_what_is_made_of_its_works(workspace: Workspace, tmp_path: Path) -> None:
    model = load_model(workspace.models / "m.safetensors")
    made_translator(translator_file(model.digest, workspace), model, made_rights("Bea", "CC-BY-SA-4.0"))
    for told, work in (
        (("restyle", "3:1", "--model", "m", "--style", "b"), "w.png"),
        (("mix", tmp_path / "w.png", "4:1", "--weights", "0.5,0.5"), "child.png"),
        (("restyle", "3:1", "--model", "m", "--style", "b", "--way", "swap"), "free.png"),
    ):
        limner(*told, "--to", tmp_path / work)
        credited = "Bea (CC-BY-SA-4.0)" in (tmp_path / work).read_bytes().decode("latin-1")
        assert credited == (work != "free.png"), work


def test_what_cannot_be_translated_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    by = "restyle", "3:1", "--model", "m"
    assert "labels: a, b" in refused(*by, "--style", "dusk")
    assert "is no way" in refused(*by, "--style", "b", "--way", "magic")
    assert "--strength 2" in refused(*by, "--style", "b", "--strength", "2")
    assert "is none of them" in refused("mix", "3:1", "3:2", "--model", "m", "--style", "dusk")
    assert "no other label" in refused("mix", "3:1", "3:2", "--model", "m", "--style", "B", "--way", "translator")
    path = translator_file(load_model(workspace.models / "m.safetensors").digest, workspace)
    path.write_bytes(path.read_bytes()[:700])
    assert "damaged" in refused(*by, "--style", "b")
    path.unlink()
    assert "has no translator" in refused(*by, "--style", "b", "--way", "translator")


def test_one_is_trained_for_one_s_own_model(workspace: Workspace, tmp_path: Path, digest: str) -> None:
    folder, table = tmp_path / "squares", ["file,creator,licence,thing,hour"]
    folder.mkdir()
    for number in range(20):
        for hour, ground in (("a", 255), ("b", 0)):
            picture = np.full((32, 32, 3), ground, np.uint8)
            picture[4 + number : 28, 4:20] = np.random.default_rng(number).integers(40, 215, 3)
            Image.fromarray(picture).save(folder / f"{number}-{hour}.png")
            table.append(f"{number}-{hour}.png,Ada,CC0-1.0,{number},{hour}")
    (folder / "pictures.csv").write_text("\n".join(table) + "\n")
    limner("collection", "add", folder, "--name", "squares", "--together", "thing")
    by = "train-translator", "m", "squares", "--pairs", "thing", "--label", "hour", "--steps", "2", "--teacher", "none"
    told = json.loads(limner(*by, "--precision", "fp32", "--threads", "1", "--json"))
    path = translator_file(load_model(workspace.models / "m.safetensors").digest, workspace)
    assert told["path"] == str(path)
    assert load_translator(path).digest != digest
    assert told["card"]["quality"]["right"]["count"] > 0
    act = [act for act in Ledger.open(workspace.ledger).acts() if act.what == "train-translator"][-1]
    assert list(act.outputs) == [f"sha256:{load_translator(path).digest}"]


def test_a_training_that_cannot_be_keeps_what_was_there(workspace: Workspace) -> None:
    path = translator_file(load_model(workspace.models / "m.safetensors").digest, workspace)
    before = path.read_bytes()
    assert "does not exist" in refused("train-translator", "m", "nowhere", "--pairs", "thing")
    assert "exclude each other" in refused(
        "train-translator", "m", "c", "--pairs", "thing", "--minutes", "1", "--steps", "2"
    )
    assert path.read_bytes() == before
    assert "--pairs" in json.dumps(limner("train-translator", "--help"))
