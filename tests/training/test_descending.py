"""A model that starts from another: what it takes over, and what its card says of that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from helpers import Silent
from limner.errors import TrainingError
from limner.models.bundle import load_model, save_model
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.training import adversarial_stage
from limner.training.beginning import begun_model, inherited_stages
from limner.training.checkpoint import write_checkpoint
from limner.training.data import load_data
from limner.training.notes import collection_note, teacher_note
from limner.training.options import TrainOptions
from limner.training.run import open_run
from limner.training.trainer import Training
from limner.workspace import Workspace
from models_made import made_card, made_model
from pictures_made import made_collection


@pytest.fixture(autouse=True)
def few_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of ten checks of the adversarial stage judges few pictures."""
    monkeypatch.setattr(adversarial_stage, "_JUDGED", 16)


def options(name: str, **more: object) -> TrainOptions:
    told: dict[str, object] = {
        "height": 32, "width": 32, "steps": 18, "teacher": "none", "prior": "flow", "precision": "fp32", "threads": 1,
        "batch": 8, "latents": 16, "adversarial_batch": 8,
        "shape": {"channels": 16, "width": 32, "layers": 1, "steps": 2, "embedding_width": 8},
    }  # fmt: skip
    return TrainOptions.model_validate({"name": name, **told, **more})


@pytest.mark.slow
def test_a_gan_of_the_same_pictures_goes_on_with_the_adversarial_stage(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    vae = Training(options("v"), collection, workspace, Silent(), resume=False).run()
    reporter = Silent()
    told = options("g", family="gan", parent=str(vae))
    gan = load_model(Training(told, collection, workspace, reporter, resume=False).run())
    parent = load_model(vae)
    assert any("painter and prior" in note for note in reporter.notes)
    assert gan.card.training.steps.keys() == {"adversarial"}
    assert gan.card.parents == (parent.digest,)
    assert gan.card.rights == parent.card.rights
    assert gan.card.training.settings["parent"] == "v"
    ours, theirs = gan.generator.state_dict(), parent.generator.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if name.startswith(("encoder.", "whitening.")))
    assert not torch.equal(ours["prior.leave.weight"], theirs["prior.leave.weight"])
    # Killed between its last step and its file: what is left to do is done, and gives the same.
    (workspace.models / "g.safetensors").unlink()
    again = load_model(Training(told, collection, workspace, Silent(), resume=True).run())
    assert all(torch.equal(tensor, ours[name]) for name, tensor in again.generator.state_dict().items())


def test_a_child_of_a_large_painter_takes_everything(workspace: Workspace, tmp_path: Path) -> None:
    """Nothing is learned again, and it paints as its parent did."""
    collection = made_collection(workspace, tmp_path / "made")
    large = {"height": 128, "width": 128}
    path = workspace.models / "v.safetensors"
    training = Training(options("v", **large), collection, workspace, Silent(), resume=False)
    data = load_data(collection, training.rows, training.options, workspace)
    model = begun_model(training.options, data, training.parent)
    model.painter.start_noise()
    note = collection_note(collection, (), learned=len(data.cache), held_out=2)
    save_model(path, model, made_card(model, "v").model_copy(update={"collection": note}))
    told = options("g", family="gan", parent=str(path), **large)
    going_on = Training(told, collection, workspace, Silent(), resume=False)
    child = begun_model(told, data, going_on.parent)
    assert inherited_stages(told, collection, child, going_on.parent) == {"painter", "prior"}
    assert len(child.painter.noise_gates) == len(child.painter.noise_inputs) > 0
    latents = load_model(path).generator.sample(2, seed=1)
    assert torch.equal(child.eval().paint(latents), load_model(path).generator.paint(latents))


@pytest.mark.slow
def test_a_child_on_other_pictures_takes_the_shape_and_owes_what_its_parent_owes(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as former:
        # Painters had another shape when it was trained.
        other = painter_config(32, 32).model_copy(update={"content_channels": 5})
        former.setattr("limner.training.beginning.painter_config", lambda *size: other)
        parent = Training(
            options("v"), made_collection(workspace, tmp_path / "made"), workspace, Silent(), resume=False
        ).run()
    others = made_collection(workspace, tmp_path / "others", count=40, name="others", creator="Bea Other")
    told = options("c", parent=str(parent)).model_copy(update={"shape": PriorConfig()})
    child = load_model(Training(told, others, workspace, Silent(), resume=False).run()).card
    theirs = load_model(parent).card
    assert (child.config.prior.channels, child.config.prior.layers) == (16, 1)
    assert child.config.painter == other
    assert child.training.steps.keys() == {"painter", "prior", "adversarial"}
    assert "Ada Example" in child.credit
    assert "Bea Other" in child.credit
    assert child.rights.pictures == child.collection.pictures + theirs.rights.pictures
    assert str(tmp_path) not in child.model_dump_json()


def test_a_parent_of_another_size_is_refused_before_an_earlier_run_is_moved(
    workspace: Workspace, tmp_path: Path
) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    path = workspace.make(workspace.models) / "p.safetensors"
    made_model(path, size=64)
    Training(options("c"), collection, workspace, Silent(), resume=False)
    with pytest.raises(TrainingError, match="its pictures are 64x64, not 32x32"):
        Training(options("c", parent=str(path)), collection, workspace, Silent(), resume=False)
    assert [folder.name for folder in workspace.runs.iterdir()] == ["c"]


def test_a_run_does_not_go_on_from_another_model_of_the_same_name(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    path = workspace.make(workspace.models) / "p.safetensors"
    made_model(path, labels=())
    told = options("c", parent=str(path))
    Training(told, collection, workspace, Silent(), resume=False)
    Training(told, collection, workspace, Silent(), resume=True)
    made_model(path, labels=(), seed=4)
    with pytest.raises(TrainingError, match=r"another model than .*p\.safetensors is now.*without --resume"):
        Training(told, collection, workspace, Silent(), resume=True)


def test_a_child_without_a_teacher_still_has_its_parents_taste(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    path = workspace.make(workspace.models) / "p.safetensors"
    model = made_model(path)
    card = made_card(model, "p").model_copy(update={"teacher": teacher_note("efficientnet-lite0")})
    save_model(path, model, card)
    for parent, teacher in ((str(path), "efficientnet-lite0"), (None, "none")):
        training = Training(options("c", parent=parent), collection, workspace, Silent(), resume=False)
        assert training._teacher().name == teacher


def test_a_flow_that_knows_other_labels_is_not_taken_over(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    path = workspace.models / "v.safetensors"
    training = Training(options("v", label="kind"), collection, workspace, Silent(), resume=False)
    data = load_data(collection, training.rows, training.options, workspace)
    model = begun_model(training.options, data, training.parent)
    note = collection_note(collection, (), learned=len(data.cache), held_out=2)
    for names, taken in ((data.names, {"painter", "prior"}), (data.names[::-1], {"painter"})):
        model.config = model.config.model_copy(update={"labels": names})
        save_model(path, model, made_card(model, "v").model_copy(update={"collection": note}))
        told = options("g", label="kind", family="gan", parent=str(path))
        going_on = Training(told, collection, workspace, Silent(), resume=False)
        child = begun_model(told, data, going_on.parent)
        assert inherited_stages(told, collection, child, going_on.parent) == taken


def test_a_model_does_not_overwrite_its_parent(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    path = workspace.make(workspace.models) / "p.safetensors"
    made_model(path)
    with pytest.raises(TrainingError, match="is the model to start from; give another --name"):
        Training(options("p", parent=str(path)), collection, workspace, Silent(), resume=False)
    assert not workspace.runs.exists()


@pytest.mark.parametrize("change", [{"adversarial_rate": 1e-4}, {"crisp": False}], ids=["calmer", "left out"])
@pytest.mark.parametrize("done", [True, False], ids=["done", "begun"])
def test_a_run_told_of_other_adversarial_options_forgets_the_former(
    done: bool, change: dict[str, object], workspace: Workspace, tmp_path: Path
) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    folder = Training(options("v"), collection, workspace, Silent(), resume=False).folder
    states = [{"stage": "painter"}, {"stage": "prior"}, *([{"stage": "adversarial"}] if done else [])]
    (folder / "stages.json").write_text(json.dumps(states))
    left = folder / ("adversarial.safetensors" if done else "checkpoint.safetensors")
    write_checkpoint(left, {}, {"stage": {"stage": "adversarial"}})
    reporter = Silent()
    Training(options("v"), collection, workspace, reporter, resume=True)
    assert left.is_file() and not reporter.notes
    told = options("v", **change)
    Training(told, collection, workspace, reporter, resume=True)
    assert not left.exists()
    assert json.loads((folder / "stages.json").read_text()) == states[:2]
    assert any("forgotten" in note for note in reporter.notes)
    assert open_run("v", workspace, TrainOptions).options == told


def test_other_adversarial_options_keep_what_other_stages_are_at(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    path = Training(options("v"), collection, workspace, Silent(), resume=False).folder / "checkpoint.safetensors"
    write_checkpoint(path, {}, {"stage": {"stage": "prior"}})
    Training(options("v", adversarial_rate=1e-4), collection, workspace, Silent(), resume=True)
    assert path.is_file()
