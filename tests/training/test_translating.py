"""Learning to translate: pairs go the right way, the discriminator helps, the file is of its model and no other."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from helpers import Silent
from limner.collection import Collection, import_collection
from limner.errors import ModelError, TrainingError, UsageError
from limner.latent.pipeline import Pipeline
from limner.latent.restyling import known_translator, to_label, translator_file
from limner.machine import Machine
from limner.models.bundle import Model, load_model
from limner.models.translator import PairDiscriminator, Translator, TranslatorConfig, load_translator, save_translator
from limner.training.pairs import paired_rows
from limner.training.translating import TranslatingObjective, TranslatorOptions, passed_on, train_translator
from limner.workspace import Workspace
from models_made import made_model

THINGS = 24
MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    """Squares of any colour and place, by day on white and by night on black."""
    folder, table = tmp_path / "squares", ["file,creator,licence,thing,hour"]
    folder.mkdir()
    for number in range(THINGS):
        rng = np.random.default_rng(number)
        top, left, colour = *rng.integers(2, 14, 2), rng.integers(40, 215, 3)
        for hour, ground in (("day", 255), ("night", 0)):
            picture = np.full((32, 32, 3), ground, np.uint8)
            picture[top : top + 16, left : left + 16] = colour
            Image.fromarray(picture).save(folder / f"{number}-{hour}.png")
            table.append(f"{number}-{hour}.png,Ada,CC0-1.0,{number},{hour}")
    (folder / "pictures.csv").write_text("\n".join(table) + "\n")
    import_collection(folder, "squares", workspace, processes=1, together="thing")
    return Collection.open("squares", workspace)


@pytest.fixture
def pipeline(workspace: Workspace) -> Pipeline:
    made_model(workspace.make(workspace.models) / "m.safetensors", labels=("day", "night"))
    found = Pipeline(load_model(workspace.models / "m.safetensors"), MACHINE)
    flat = torch.randint(0, 255, (64, 3, 1, 1), generator=torch.Generator().manual_seed(1)).expand(-1, -1, 32, 32)
    found.model.generator.whitening.fit(found.encode(flat.to(torch.uint8)))
    return found


def _options(**told: object) -> TranslatorOptions:
    plain = {"label": "hour", "pairs": "thing", "teacher": "none", "precision": "fp32", "threads": 1, "steps": 2}
    return TranslatorOptions.model_validate({**plain, "channels": 16, "width": 40, **told})


def test_pairs_go_the_right_way(collection: Collection, workspace: Workspace, pipeline: Pipeline) -> None:
    told = _options(steps=40, latent_share=1.0, learning_rate=4e-3)
    network, card = train_translator(pipeline.model, collection, told, workspace, Silent())
    path = translator_file(pipeline.model.digest, workspace)
    save_translator(path, network, card)
    assert known_translator(pipeline, workspace) is not None
    _, unseen = paired_rows(collection.rows(), "hour", "thing", ("day", "night"), "squares")
    assert len(unseen) == card.collection.held_out > 0
    by_day = torch.stack([_pixels(collection, row) for row in unseen if row.labels["hour"] == "day"])
    by_night = torch.stack([_pixels(collection, row) for row in unseen if row.labels["hour"] == "night"])
    whitening, (day, night) = pipeline.model.generator.whitening, (pipeline.encode(by_day), pipeline.encode(by_night))
    made, how = to_label(pipeline, workspace, day, "night", source="day")
    untold, _ = to_label(pipeline, workspace, day, "night")
    half, _ = to_label(pipeline, workspace, day, "night", source="day", strength=0.5)
    before = (whitening(day) - whitening(night)).norm()
    assert (whitening(made) - whitening(night)).norm() < 0.6 * before
    assert (whitening(untold) - whitening(night)).norm() < 0.8 * before
    assert torch.allclose(whitening(half), (whitening(made) + whitening(day)) / 2, atol=1e-4)
    assert "Ada" in how.pop("owed")["creators"], "the model itself learned from other pictures"
    assert how == {"translator": f"sha256:{load_translator(path).digest}", "from": "day", "to": "night"}
    with pytest.raises(UsageError, match="no such label"):
        to_label(pipeline, workspace, day, "dusk")


def test_all_of_it_is_learned_in_one_training(collection: Collection, workspace: Workspace, pipeline: Pipeline) -> None:
    told = _options(steps=6, things=3, teacher="efficientnet-lite0")
    network, card = train_translator(pipeline.model, collection, told, workspace, Silent())
    assert card.model == f"sha256:{pipeline.model.digest}"
    assert card.rights.licences["CC0-1.0"] == card.collection.pictures
    assert card.teacher.name == "efficientnet-lite0"
    assert 0 <= card.quality["right"]["value"] <= 1
    assert all(torch.isfinite(weights).all() for weights in network.state_dict().values())
    own = pipeline.model
    other = Model(own.path, "0" * 64, own.card, copy.deepcopy(own.generator))
    passed = passed_on(network, card, pipeline.model, other, collection, workspace, Silent())
    assert passed.model == f"sha256:{other.digest}" != card.model
    next(other.generator.encoder.parameters()).add_(1)
    with pytest.raises(TrainingError, match="another space"):
        passed_on(network, card, pipeline.model, other, collection, workspace, Silent())


def test_the_adversarial_loss_leads_towards_what_looks_real(pipeline: Pipeline) -> None:
    torch.manual_seed(0)
    model = pipeline.model
    network = Translator(
        TranslatorConfig(painter=model.card.config.painter, labels=("day", "night"), channels=16, width=40)
    )
    objective = TranslatingObjective(network, PairDiscriminator([], 2), model.generator, None, _options())
    batch = {"rows": torch.randn(8, model.card.config.painter.numbers), "labels": torch.arange(8) % 2}
    batch |= {"source": torch.arange(8) // 2 * 2 + (torch.arange(8) + 1) % 2, "phase": torch.tensor(2)}
    losses = objective(batch)
    losses["loss"].backward()
    assert set(losses) == {"loss", "squares", "l1", "discriminator", "fooled"}
    assert all(p.grad is not None for p in objective.discriminator.parameters())
    assert all(p.grad is None for p in model.generator.parameters())


@pytest.fixture
def kept(collection: Collection, workspace: Workspace, pipeline: Pipeline) -> Path:
    network, card = train_translator(
        pipeline.model, collection, _options(steps=1, latent_share=1.0), workspace, Silent()
    )
    path = translator_file(pipeline.model.digest, workspace)
    save_translator(path, network, card)
    return path


def test_the_file_of_another_model_and_damaged_ones_are_refused(
    kept: Path, workspace: Workspace, pipeline: Pipeline, tmp_path: Path
) -> None:
    with safe_open(kept, framework="pt") as file:
        told = file.metadata()
    weights, card = load_file(kept), json.loads(told["limner.translator"])
    save_file(weights, kept, metadata={"limner.translator": json.dumps({**card, "model": "sha256:" + "0" * 64})})
    with pytest.raises(ModelError, match="belongs to another model"):
        known_translator(pipeline, workspace)
    odd = tmp_path / "odd.safetensors"
    save_file({name: w for name, w in weights.items() if name != "position"}, odd, metadata=told)
    with pytest.raises(ModelError, match="do not fit its card"):
        load_translator(odd)
    save_file(weights, odd, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not a translator of limner"):
        load_translator(odd)
    save_file({**weights, "position": torch.full_like(weights["position"], torch.nan)}, odd, metadata=told)
    with pytest.raises(ModelError, match="NaN"):
        load_translator(odd)
    odd.write_bytes(kept.read_bytes()[:900])
    with pytest.raises(ModelError, match="damaged"):
        load_translator(odd)


def test_what_cannot_be_learned_is_said(collection: Collection) -> None:
    rows = collection.rows()
    for label, pairs, labels, why in (
        ("hue", "thing", ("day", "night"), "--label hue.*no such column"),
        ("hour", "object", ("day", "night"), "--pairs object.*no such column"),
        ("hour", "thing", ("summer", "winter"), "too few to learn from"),
    ):
        with pytest.raises(TrainingError, match=why):
            paired_rows(rows, label, pairs, labels, "squares")


def _pixels(collection: Collection, row: object) -> torch.Tensor:
    from limner import pictures

    return torch.from_numpy(pictures.read(collection.picture_path(row)).pixels.copy()).permute(2, 0, 1)  # type: ignore[arg-type]
