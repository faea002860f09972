"""The teacher: its folded, hand-written backward pass is the true gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models import efficientnet as module
from limner.models.teacher import load_teacher


def test_gradient_equals_that_of_plain_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = load_teacher(taps=(0, 2, 4, 10)).double()
    pictures = torch.randn(2, 3, 40, 56, dtype=torch.float64).clamp(-1, 1).requires_grad_()
    weights = [torch.randn_like(tap) for tap in teacher(pictures)]

    def gradient() -> Tensor:
        total = torch.stack([(a * b).sum() for a, b in zip(teacher(pictures), weights, strict=True)]).sum()
        return torch.autograd.grad(total, pictures)[0]

    def by() -> str:
        return str(module.frozen(teacher.stem, pictures, False).grad_fn)

    monkeypatch.setattr(module, "_quicker", lambda x: True)
    own = gradient()
    assert "_FrozenConvolution" in by()
    monkeypatch.setattr(module, "_quicker", lambda x: False)
    assert torch.allclose(own, gradient(), atol=1e-10)
    assert "_FrozenConvolution" not in by()


def test_tells_alike_pictures_from_others() -> None:
    teacher = load_teacher()
    torch.manual_seed(0)
    picture = F.interpolate(torch.randn(1, 3, 8, 8), (64, 64), mode="bicubic").clamp(-1, 1)
    other = F.interpolate(torch.randn(1, 3, 8, 8), (64, 64), mode="bicubic").clamp(-1, 1)
    nearly = (picture + 0.02 * torch.randn_like(picture)).clamp(-1, 1)

    def distance(a: Tensor, b: Tensor) -> float:
        return float(sum(((x - y) ** 2).sum(1).mean() for x, y in zip(teacher(a), teacher(b), strict=True)))

    assert distance(picture, nearly) < 0.5 * distance(picture, other)
    assert distance(picture, picture) == 0
