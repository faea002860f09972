"""A model that starts from another: what it takes over, and what its card says of that."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.models.bundle import load_model
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.training.options import TrainOptions
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection


class Silent:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage(self, title: str) -> None: ...
    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None: ...


def options(name: str, **more: object) -> TrainOptions:
    told: dict[str, object] = {
        "height": 32, "width": 32, "steps": 18, "teacher": "none", "prior": "flow", "precision": "fp32", "threads": 1,
        "batch": 8, "latents": 16, "game_batch": 8,
        "shape": {"channels": 16, "width": 32, "layers": 1, "steps": 2, "place": 8},
    }  # fmt: skip
    return TrainOptions.model_validate({"name": name, **told, **more})


@pytest.mark.slow
def test_a_gan_of_the_same_pictures_goes_on_with_the_game(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made")
    vae = Training(options("v"), collection, workspace, Silent(), resume=False).run()
    reporter = Silent()
    told = options("g", family="gan", parent=str(vae))
    gan = load_model(Training(told, collection, workspace, reporter, resume=False).run())
    parent = load_model(vae)
    assert any("painter and prior" in note for note in reporter.notes)
    assert gan.card.training.steps.keys() == {"game"}
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


@pytest.mark.slow
def test_a_child_of_a_canvas_without_gates_gets_some_and_takes_everything(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models of before gates are gone on with as they are: nothing is learned again."""
    collection = made_collection(workspace, tmp_path / "made")
    large = {"height": 128, "width": 128, "steps": 4, "batch": 4, "game_batch": 4}
    with monkeypatch.context() as former:
        other = painter_config(128, 128).model_copy(update={"gated": False})
        former.setattr("limner.training.trainer.painter_config", lambda *size: other)
        parent = Training(options("v", crisp=False, **large), collection, workspace, Silent(), resume=False).run()
    told = options("g", family="gan", parent=str(parent), **large)
    child = load_model(Training(told, collection, workspace, Silent(), resume=False).run())
    assert child.card.training.steps.keys() == {"game"}
    assert child.card.config.painter.gated
    assert any(gate.weight.any() for gate in child.generator.painter.gates)  # type: ignore[operator]


@pytest.mark.slow
def test_a_child_on_other_pictures_takes_the_shape_and_owes_what_its_parent_owes(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as former:
        # Painters had another shape when it was trained.
        other = painter_config(32, 32).model_copy(update={"content_channels": 5})
        former.setattr("limner.training.trainer.painter_config", lambda *size: other)
        parent = Training(
            options("v"), made_collection(workspace, tmp_path / "made"), workspace, Silent(), resume=False
        ).run()
    others = made_collection(workspace, tmp_path / "others", count=40, name="others", creator="Bea Other")
    told = options("c", parent=str(parent)).model_copy(update={"shape": PriorConfig()})
    child = load_model(Training(told, others, workspace, Silent(), resume=False).run()).card
    theirs = load_model(parent).card
    assert (child.config.prior.channels, child.config.prior.layers) == (16, 1)
    assert child.config.painter == other
    assert child.training.steps.keys() == {"painter", "prior", "game"}
    assert "Ada Example" in child.credit
    assert "Bea Other" in child.credit
    assert child.rights.pictures == child.collection.pictures + theirs.rights.pictures
    assert str(tmp_path) not in child.model_dump_json()
