"""The painter's loss where content shall not tell the label."""

from __future__ import annotations

import torch

from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.training.objectives import PainterObjective, PainterWeights

_PRIOR = PriorConfig(channels=16, width=32, layers=1, steps=2, embedding_width=8)


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    pictures = torch.rand(6, 3, 32, 32) * 2 - 1
    return {
        "pictures": pictures,
        "source": torch.arange(6),
        "turn": torch.tensor(0),
        "labels": torch.arange(6) % 2,
    }


def gradients(separate: float, labels: tuple[str, ...] = ("a", "b"), is_style: bool = True) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    model = LatentModel(LatentModelConfig(painter=painter_config(32, 32), prior=_PRIOR, labels=labels))
    objective = PainterObjective(model, PainterWeights(separate=separate), None, label_is_style=is_style)
    torch.manual_seed(3)
    objective(batch())["loss"].backward()
    return {name: p.grad.clone() for name, p in objective.named_parameters() if p.grad is not None}


def test_the_guess_learns_and_the_encoder_learns_to_mislead_it() -> None:
    weak, strong = gradients(1e-6), gradients(10.0)
    name = "guess.last.weight"
    assert torch.allclose(weak[name], strong[name], rtol=1e-4, atol=1e-7)
    towards = weak["networks.encoder.content.weight"] - strong["networks.encoder.content.weight"]
    assert float(towards.norm()) > 1e-4
    # One step along what the encoder is told makes the guess worse.
    torch.manual_seed(1)
    model = LatentModel(LatentModelConfig(painter=painter_config(32, 32), prior=_PRIOR, labels=("a", "b")))
    objective = PainterObjective(model, PainterWeights(separate=10.0), None, label_is_style=True)
    torch.manual_seed(3)
    before = float(objective(batch())["guess"].detach())
    with torch.no_grad():
        step = -(strong["networks.encoder.content.weight"] - weak["networks.encoder.content.weight"])
        model.encoder.content.weight += 0.05 * step / step.norm()
    torch.manual_seed(3)
    assert float(objective(batch())["guess"].detach()) > before


def test_without_labels_nobody_guesses() -> None:
    assert not any(name.startswith("guess") for name in gradients(1.0, labels=()))
    assert not any(name.startswith("guess") for name in gradients(1.0, is_style=False))
