"""`limner merge`: one model from two, by weight, by level or by teaching, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from helpers import limner
from limner.errors import LimnerError
from limner.ledger import Ledger
from limner.models.bundle import load_model, save_model
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.training import sharing
from limner.workspace import Workspace
from models_made import made_card, made_model
from rights_made import made_rights


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`m`, its child `c`, the stranger `s`, one of another size; `nd` is m's child of pictures under no derivatives."""
    folder = tmp_path_factory.mktemp("made")
    made_model(folder / "s.safetensors", labels=(), seed=9)
    generator = made_model(folder / "m.safetensors")
    parents = (load_model(folder / "m.safetensors").digest,)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in generator.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    for name, licence in (("c", "CC-BY-4.0"), ("nd", "CC-BY-ND-4.0")):
        rights = {"rights": made_rights("Ada", licence), "parents": parents}
        save_model(folder / f"{name}.safetensors", generator, made_card(generator, name).model_copy(update=rights))
    large = LatentModel(LatentModelConfig(painter=painter_config(64, 64), prior=generator.config.prior))
    save_model(folder / "large.safetensors", large, made_card(large, "large"))
    return folder


@pytest.fixture(autouse=True)
def models(workspace: Workspace, made: Path) -> None:
    shutil.copytree(made, workspace.models)


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ((), {"way": "weights", "weights": [0.5, 0.5]}),
        (("--weights", "3,1"), {"way": "weights", "weights": [0.75, 0.25]}),
        (("--at", "8"), {"way": "levels", "at": 8}),
    ],
)
def test_kin_are_merged_and_the_act_is_recorded(
    options: tuple[str, ...], how: dict[str, object], workspace: Workspace, tmp_path: Path
) -> None:
    told = json.loads(limner("merge", "m", "c", "--name", "both", *options, "--json"))
    merged, m, c = (load_model(workspace.models / f"{name}.safetensors") for name in ("both", "m", "c"))
    assert told["path"] == str(merged.path)
    assert told["card"]["name"] == "both"
    assert told["card"]["training"]["settings"]["merge"].items() >= how.items()
    assert merged.card.parents == (m.digest, c.digest)
    assert merged.card.credit == "Learned from pictures by Ada (CC-BY-4.0)"
    act = Ledger.open(workspace.ledger).acts()[-1]
    assert (act.who, act.what) == ("artist", "merge")
    assert list(act.inputs) == [f"sha256:{m.digest}", f"sha256:{c.digest}"]
    assert list(act.outputs) == [told["digest"]] == [f"sha256:{merged.digest}"]
    assert act.parameters.items() >= how.items()
    assert "both" in limner("model", "list")
    assert "psnr_of_m" in limner("model", "show", "both")


def test_where_it_lies_and_how_to_go_on_is_told(tmp_path: Path) -> None:
    to = tmp_path / "away" / "x.safetensors"
    told = limner("merge", "m", "c", "--name", "both", "--to", to)
    assert load_model(to).card.name == "both"
    assert "owes: attribution" in told
    assert "paints again what c draws" in told
    assert f"limner sample {to}" in told


def test_strangers_teach_a_new_model(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LEAST_SECONDS", 0.3)
    limner("merge", "m", "s", "--name", "both", "--minutes", "0.002", "--threads", "1", "--quiet")
    card = load_model(workspace.models / "both.safetensors").card
    assert card.config.labels == ("a", "b", "s")
    assert card.teacher.name == "none"
    assert card.training.settings["merge"]["way"] == "distillation"
    assert Ledger.open(workspace.ledger).acts()[-1].parameters["way"] == "distillation"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("m", "nobody", "--name", "x"), "no model of this name"),
        (("m", "m", "--name", "x"), "are the same model"),
        (("m", "large", "--name", "x"), "32x32 and 64x64"),
        (("m", "large", "--name", "x", "--minutes", "1"), "32x32 and 64x64"),
        (("m", "c", "--name", "x", "--at", "12"), "--at 12: is no level"),
        (("m", "s", "--name", "x", "--at", "8"), "do not come from one start"),
        (("m", "s", "--name", "x", "--weights", "1,1"), "do not come from one start"),
        (("m", "c", "--name", "x", "--weights", "0,0"), "sum to nothing"),
        (("m", "c", "--name", "x", "--weights", "2,-1"), "are no shares"),
        (("m", "c", "--name", "x", "--weights", "nan,1"), "are no shares"),
        (("m", "c", "--name", "x", "--weights", "1,1,1"), "is 3 for 2 models"),
        (("m", "c", "--name", "x", "--weights", "half"), "are no numbers"),
        (("m", "c", "--name", "x", "--weights", "1,1", "--at", "8"), "exclude each other"),
        (("m", "c", "--name", "x", "--minutes", "1", "--at", "8"), "exclude each other"),
        (("m", "c", "--name", "x", "--at", "8", "--resume"), "leave out --at and --weights"),
        (("m", "c", "--name", "x", "--minutes", "0"), "--minutes 0: is no length"),
        (("m", "s", "--name", "x", "--minutes", "1", "--threads", "0"), "--threads 0"),
        (("m", "c", "--name", "s"), "there is a model of this name already"),
        (("m", "c", "--name", "emoji-vae"), "there is a model of this name already"),
        (("m", "c", "--name", "../up"), "is no name"),
        (("m", "c", "--name", "x", "--to", "x.bin"), "end it in .safetensors"),
        (("m", "nd", "--name", "x"), "unknown of m and CC-BY-ND-4.0 (Ada) of nd: forbid a merge"),
        (("nd", "s", "--name", "x"), "CC-BY-ND-4.0 (Ada) of nd and unknown of s"),
    ],
)
def test_mistakes_give_one_line_and_leave_nothing(arguments: tuple[str, ...], told: str, workspace: Workspace) -> None:
    before = sorted(workspace.root.rglob("*"))
    with pytest.raises(LimnerError) as caught:
        limner("merge", *arguments)
    line = str(caught.value)
    assert told in line
    assert "\n" not in line
    assert re.search("; .", line), "no remedy"
    assert sorted(workspace.root.rglob("*")) == before


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    to = tmp_path / "mine.safetensors"
    to.write_bytes(b"mine")
    with pytest.raises(LimnerError, match="is there already"):
        limner("merge", "m", "c", "--name", "x", "--to", to)
    assert to.read_bytes() == b"mine"
