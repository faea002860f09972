"""Painter against discriminator: what changes, what stays, and how a collapse is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from helpers import Silent
from limner.collection import Collection
from limner.errors import TrainingError
from limner.machine import Machine
from limner.models.discriminators import Discriminator
from limner.models.latent_model import LatentModel
from limner.models.prior import Mapping
from limner.training.adversarial import relativistic
from limner.training.adversarial_objective import AdversarialObjective
from limner.training.adversarial_stage import AdversarialStage
from limner.training.beginning import begun_model
from limner.training.data import load_data
from limner.training.diffaugment import DiffAugment
from limner.training.options import TrainOptions
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection

_MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    return made_collection(workspace, tmp_path / "made")


def stage_of(collection: Collection, workspace: Workspace, folder: Path, family: str, teacher: str) -> AdversarialStage:
    options = TrainOptions.model_validate(
        {
            "name": "m",
            "height": 32,
            "width": 32,
            "steps": 1,
            "teacher": teacher,
            "family": family,
            "adversarial_batch": 8,
            "shape": {"channels": 16, "width": 32, "layers": 1, "steps": 2, "embedding_width": 8},
        }
    )
    training = Training(options, collection, workspace, Silent(), resume=False)
    data = load_data(collection, training.rows, options, workspace)
    torch.manual_seed(0)
    model = begun_model(options, data, None)
    model.prior.embeddings.fit(torch.randn(60, model.config.painter.numbers), None, seed=0)  # type: ignore[union-attr, operator]
    if family == "gan":
        model.become_mapping()
    (folder / "sheets").mkdir(parents=True, exist_ok=True)
    return AdversarialStage(model.eval(), data, options, _MACHINE, folder)


@pytest.mark.parametrize("teacher", ["none", "efficientnet-lite0"])
@pytest.mark.parametrize("family", ["vae", "gan"])
def test_both_sides_get_a_gradient_and_nothing_else_does(
    family: str, teacher: str, collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", family, teacher)
    losses = stage.objective(stage.batch(0))
    losses["loss"].backward()
    moved = {
        n.split(".")[0] + "." + n.split(".")[1] for n, p in stage.objective.named_parameters() if p.grad is not None
    }
    kinds = {name if name.startswith("networks") else "discriminator" for name in moved}
    wanted = {"discriminator", "networks.painter"} | ({"networks.prior"} if family == "gan" else set())
    assert kinds == wanted
    assert all(torch.isfinite(p.grad).all() for p in stage.objective.parameters() if p.grad is not None)
    assert abs(float(losses["loss"].detach()) - float(losses["discriminator"])) < 1


def test_the_painters_gradient_is_scaled_to_a_share_of_reconstructions(
    collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "vae", "none")
    batch = stage.batch(0)
    pictures = batch["pictures"]
    painted = (pictures + 0.1 * torch.randn_like(pictures)).requires_grad_()
    objective = stage.objective
    assert isinstance(objective, AdversarialObjective)
    # Patterns of the painter's own have a gradient beside it, which is no part of the share.
    none = {"artefacts": 0.0}
    objective.weights = objective.weights.model_copy(update=none)
    _, with_both, _ = objective.judge(pictures, painted, 4, batch)
    objective.weights = objective.weights.model_copy(update={"adversarial": 0.0})
    _, without, _ = objective.judge(pictures, painted, 4, batch)
    share = float((with_both - without)[:4].norm() / without[:4].norm())
    assert 0.45 < share < 0.55
    # However much there is to hold down, it never outweighs what is shown.
    objective.weights = objective.weights.model_copy(update={"artefacts": 0.2, "grid": 1e3})
    _, held_down, _ = objective.judge(pictures, painted, 4, batch)
    assert float((held_down - without).norm() / without[:4].norm()) == pytest.approx(0.2, abs=1e-3)


def test_drawings_do_not_depend_on_when_they_are_asked_for(
    collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    late = stage_of(collection, workspace, tmp_path / "a", "gan", "none").batch(40)
    stage = stage_of(collection, workspace, tmp_path / "b", "gan", "none")
    for step in (0, 20):
        stage.batch(step)
    again = stage.batch(40)
    assert all(torch.equal(late[name], again[name]) for name in late)


def test_a_collapse_stops_the_run_and_says_what_to_try(
    collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "gan", "none")
    mapping = stage.model.prior
    assert isinstance(mapping, Mapping)
    with torch.no_grad():
        for tensor in (*stage.model.painter.parameters(), mapping.embeddings.points, mapping.embeddings.centres):
            tensor.zero_()
    stage.collapse_remedy = "try something else"
    with pytest.raises(TrainingError, match=r"collapsed.*try something else"):
        stage.check()


class Brightness(Discriminator):
    """A discriminator to whom bright pictures look real."""

    def see(self, crops: list[torch.Tensor]) -> list[torch.Tensor]:
        return crops

    def forward(self, maps: list[torch.Tensor]) -> list[torch.Tensor]:
        return [maps[0].flatten(1)]


@pytest.mark.parametrize(("unseen", "wanted"), [(200, 0.0), (120, 0.5), (40, 1.0)])
def test_over_fitting_is_where_unseen_pictures_lie_between_learned_and_painted_ones(
    unseen: int, wanted: float, collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "vae", "none")
    stage.discriminator = Brightness()  # type: ignore[assignment]
    stage.learned = torch.full_like(stage.learned, 200)
    stage.data.chooses = torch.full_like(stage.data.chooses, unseen)
    stage.model.paint = lambda latent: torch.full((8, 3, 32, 32), 40, dtype=torch.uint8)  # type: ignore[method-assign]
    assert stage._overfit() == pytest.approx(wanted, abs=0.01)


def test_the_augmentation_follows_the_checks_and_comes_back_the_same(
    collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "vae", "none")
    first = stage.augment.strength
    checks = [{"overfit": 0.9}, {"overfit": 0.9}, {"overfit": 0.1}]
    stage.adapt(checks[:2])
    assert stage.augment.strength > 1.5 * first
    stage.adapt(checks)
    after = stage.augment.strength
    assert first < after < 1.5 * first
    stage.adapt([{"overfit": 1.0}] * 20)
    assert stage.augment.strength == 1.0
    stage.adapt(checks)
    assert stage.augment.strength == after


def test_an_augmentation_treats_real_and_painted_alike_and_lets_gradients_pass() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    augment = DiffAugment(0.8).draw(4, pictures)
    assert torch.equal(augment(pictures), augment(pictures))
    assert not torch.equal(augment(pictures), pictures)
    leaf = pictures.clone().requires_grad_()
    augment(leaf).sum().backward()
    assert leaf.grad is not None
    assert float(leaf.grad.abs().sum()) > 0
    unchanged = DiffAugment(0.0).draw(4, pictures)(pictures)
    assert torch.allclose(unchanged, pictures, atol=1e-6)


def test_the_relativistic_loss_falls_as_the_right_one_rises() -> None:
    low, high = [torch.zeros(4, 9)], [torch.full((4, 9), 3.0)]
    assert (
        float(relativistic(low, high)) < 0.1 < 0.6 < float(relativistic(low, low)) < 3 < float(relativistic(high, low))
    )


def test_the_encoder_is_left_alone(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "vae", "none")
    model: LatentModel = stage.model
    assert not any(p.requires_grad for p in model.encoder.parameters())
    assert not any(p.requires_grad for p in model.prior.parameters())
    assert all(p.requires_grad for p in model.painter.parameters())
