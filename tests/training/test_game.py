"""The game between painter and discriminator: what changes, what stays, and how a collapse is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from helpers import Silent
from limner.collection import Collection
from limner.errors import TrainingError
from limner.machine import Machine
from limner.models.discriminators import Discriminator
from limner.models.gan import Mapping
from limner.models.latent_model import LatentModel
from limner.training.augmentation import Disturbance
from limner.training.data import load_data
from limner.training.game import GameStage
from limner.training.games import relativistic
from limner.training.options import TrainOptions
from limner.training.patterns import beyond
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection

_MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    return made_collection(workspace, tmp_path / "made")


def stage_of(collection: Collection, workspace: Workspace, folder: Path, family: str, teacher: str) -> GameStage:
    options = TrainOptions.model_validate(
        {
            "name": "m",
            "height": 32,
            "width": 32,
            "steps": 1,
            "teacher": teacher,
            "family": family,
            "game_batch": 8,
            "shape": {"channels": 16, "width": 32, "layers": 1, "steps": 2, "embedding_width": 8},
        }
    )
    training = Training(options, collection, workspace, Silent(), resume=False)
    data = load_data(collection, training.rows, options, workspace)
    torch.manual_seed(0)
    model = training._model(data)
    model.prior.embeddings.fit(torch.randn(60, model.config.painter.numbers), None, seed=0)  # type: ignore[union-attr, operator]
    if family == "gan":
        model.become_mapping()
    (folder / "sheets").mkdir(parents=True, exist_ok=True)
    return GameStage(model.eval(), data, options, _MACHINE, folder)


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
    # Patterns of the painter's own have a gradient beside it, which is no part of the share.
    none = {"patterns": 0.0}
    objective.weights = objective.weights.model_copy(update=none)  # type: ignore[operator, union-attr]
    _, with_game, _ = objective._play(pictures, painted, 4, batch)  # type: ignore[operator]
    objective.weights = objective.weights.model_copy(update={"pull": 0.0})  # type: ignore[operator, union-attr]
    _, without, _ = objective._play(pictures, painted, 4, batch)  # type: ignore[operator]
    share = float((with_game - without)[:4].norm() / without[:4].norm())
    assert 0.45 < share < 0.55
    # However much there is to hold down, it never outweighs what is shown.
    objective.weights = objective.weights.model_copy(update={"patterns": 0.2, "knit": 1e3})  # type: ignore[operator, union-attr]
    _, held_down, _ = objective._play(pictures, painted, 4, batch)  # type: ignore[operator]
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
    stage.remedy = "try something else"
    with pytest.raises(TrainingError, match=r"collapsed.*try something else"):
        stage.check()


class Brightness(Discriminator):
    """A discriminator to whom bright pictures look real."""

    def see(self, glimpses: list[torch.Tensor]) -> list[torch.Tensor]:
        return glimpses

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


def test_the_disturbance_follows_the_checks_and_comes_back_the_same(
    collection: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "vae", "none")
    first = stage.disturbance.strength
    checks = [{"overfit": 0.9}, {"overfit": 0.9}, {"overfit": 0.1}]
    stage.adapt(checks[:2])
    assert stage.disturbance.strength > 1.5 * first
    stage.adapt(checks)
    after = stage.disturbance.strength
    assert first < after < 1.5 * first
    stage.adapt([{"overfit": 1.0}] * 20)
    assert stage.disturbance.strength == 1.0
    stage.adapt(checks)
    assert stage.disturbance.strength == after


def test_a_disturbance_treats_real_and_painted_alike_and_lets_gradients_pass() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    disturb = Disturbance(0.8).draw(4, pictures)
    assert torch.equal(disturb(pictures), disturb(pictures))
    assert not torch.equal(disturb(pictures), pictures)
    leaf = pictures.clone().requires_grad_()
    disturb(leaf).sum().backward()
    assert leaf.grad is not None
    assert float(leaf.grad.abs().sum()) > 0
    unchanged = Disturbance(0.0).draw(4, pictures)(pictures)
    assert torch.allclose(unchanged, pictures, atol=1e-6)


def test_the_relativistic_loss_falls_as_the_right_one_rises() -> None:
    low, high = [torch.zeros(4, 9)], [torch.full((4, 9), 3.0)]
    assert (
        float(relativistic(low, high)) < 0.1 < 0.6 < float(relativistic(low, low)) < 3 < float(relativistic(high, low))
    )


def test_an_encoder_is_left_alone_by_the_game(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    stage = stage_of(collection, workspace, tmp_path / "run", "vae", "none")
    model: LatentModel = stage.model
    assert not any(p.requires_grad for p in model.encoder.parameters())
    assert not any(p.requires_grad for p in model.prior.parameters())
    assert all(p.requires_grad for p in model.painter.parameters())


@pytest.mark.parametrize("kind", ["grain", "weave", "knit"])
def test_patterns_beyond_real_ones_are_pushed_down(kind: str) -> None:
    random = torch.Generator().manual_seed(1)
    real = torch.rand(8, 3, 32, 32, generator=random) - 0.5
    row = torch.arange(32)
    if kind == "grain":
        pattern = (row[:, None] + row) % 2 * 2.0 - 1
    else:
        pattern = torch.outer((row % 8 < 4).float() - 0.5, (row % 8 < 4).float() - 0.5)
    if kind == "knit":
        # Of either sign from cell to cell: no mean of all pictures shows it.
        signs = torch.randint(2, (8, 1, 4, 4), generator=random) * 2.0 - 1
        pattern = pattern * signs.repeat_interleave(8, 2).repeat_interleave(8, 3) * (row % 4 == 0)
    painted = (0.2 * real + 0.4 * pattern).requires_grad_()
    before = beyond(painted, real, 8)[kind]
    assert before.item() > 0.5
    (gradient,) = torch.autograd.grad(before, painted)
    lower = painted.detach() - 0.1 * gradient / gradient.norm()
    assert float(beyond(lower, real, 8)[kind]) < before.item()
    # Down is where the pattern gets weaker, and nothing else is asked of a picture softer than real ones.
    assert float((gradient * pattern).sum()) > 0
    softer = beyond(0.9 * real, real, 8)
    assert all(float(softer[own]) < 1e-4 for own in ("grain", "weave", "knit"))


def test_patterns_are_judged_in_float32_whatever_the_networks_are_in() -> None:
    random = torch.Generator().manual_seed(3)
    real, painted = (torch.rand(4, 3, 32, 32, generator=random) * 0.1 + 0.8 for _ in range(2))
    exact = beyond(painted, real, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = beyond(painted, real, 8)
    assert all(torch.equal(found[name], exact[name]) for name in exact)


def test_waves_that_stand_out_get_weaker_and_those_that_are_missing_stronger() -> None:
    """A weave of one period on a soft picture, beside real ones whose waves fall off evenly."""
    random = torch.Generator().manual_seed(2)
    real = torch.rand(12, 3, 64, 64, generator=random) - 0.5
    row = torch.arange(64)
    comb = torch.sin(2 * torch.pi * row[:, None] / 8) * torch.sin(2 * torch.pi * row / 8)
    soft = torch.nn.functional.avg_pool2d(real.flip(0), 3, 1, 1)
    painted = (soft + 0.3 * comb).requires_grad_()
    before = beyond(painted, real, 8)["waves"]
    (gradient,) = torch.autograd.grad(before, painted)
    assert float((gradient * comb).sum()) > 0
    fine = soft - torch.nn.functional.avg_pool2d(soft, 3, 1, 1)
    assert float((gradient * fine).sum()) < 0
    assert float(beyond(real.flip(0), real, 8)["waves"]) < 1e-6 < 0.5 < float(before.detach())


def test_marks_that_all_lie_one_way_in_busy_places_are_pushed_down() -> None:
    """Plain pictures are smoother than real ones, so by the mean of all there is not even enough of the hatch."""
    random = torch.Generator().manual_seed(6)
    busy = torch.tensor([0.02, 0.2] * 8)[:, None, None, None]
    real = (torch.randn(16, 1, 64, 64, generator=random) * busy).expand(-1, 3, -1, -1)
    row = torch.arange(64)
    hatch = torch.sin(2 * torch.pi * (row[:, None] + row) / 8)
    full = (busy > 0.1).float()
    painted = (real.flip(3) * (0.2 + 0.8 * full) + 0.03 * hatch * full).requires_grad_()
    (gradient,) = torch.autograd.grad(beyond(painted, real, 8)["waves"], painted)
    assert float((gradient * hatch * full).sum()) > 0


def test_fine_marks_in_colours_that_real_ones_have_not_are_pushed_down() -> None:
    """Red and cyan specks whose grey is that of real marks."""
    random = torch.Generator().manual_seed(4)
    busy = torch.linspace(0.02, 0.5, 64)
    real = torch.randn(12, 3, 64, 64, generator=random) * busy
    specks = 0.1 * torch.randn(12, 1, 64, 64, generator=random) * torch.tensor([1.0, -0.5, -0.5])[:, None, None]
    painted = (real.flip(0) + specks).requires_grad_()
    torch.testing.assert_close(painted.mean(1), real.flip(0).mean(1))
    before = beyond(painted, real, 8)["waves"]
    (gradient,) = torch.autograd.grad(before, painted)
    assert float((gradient * specks).sum()) > 0
    assert float(beyond(real.flip(0), real, 8)["waves"]) < 1e-6 < 0.2 < float(before.detach())
    # Specks of the same strength lie across: where little else goes on they are seen, and pushed down the most.
    plain, full = (float((gradient * specks)[..., part].sum()) for part in (slice(8, 24), slice(40, 56)))
    assert plain > 2 * full
