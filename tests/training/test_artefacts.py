"""Artefacts of a painter: what real pictures have not is pushed down, and what they have is not."""

from __future__ import annotations

import pytest
import torch

from limner.training.artefacts import artefact_losses


@pytest.mark.parametrize("kind", ["noise", "checkerboard", "grid"])
def test_artefacts_beyond_real_ones_are_pushed_down(kind: str) -> None:
    random = torch.Generator().manual_seed(1)
    real = torch.rand(8, 3, 32, 32, generator=random) - 0.5
    row = torch.arange(32)
    if kind == "noise":
        pattern = (row[:, None] + row) % 2 * 2.0 - 1
    else:
        pattern = torch.outer((row % 8 < 4).float() - 0.5, (row % 8 < 4).float() - 0.5)
    if kind == "grid":
        # Of either sign from cell to cell: no mean of all pictures shows it.
        signs = torch.randint(2, (8, 1, 4, 4), generator=random) * 2.0 - 1
        pattern = pattern * signs.repeat_interleave(8, 2).repeat_interleave(8, 3) * (row % 4 == 0)
    painted = (0.2 * real + 0.4 * pattern).requires_grad_()
    before = artefact_losses(painted, real, 8)[kind]
    assert before.item() > 0.5
    (gradient,) = torch.autograd.grad(before, painted)
    lower = painted.detach() - 0.1 * gradient / gradient.norm()
    assert float(artefact_losses(lower, real, 8)[kind]) < before.item()
    # Down is where the pattern gets weaker, and nothing else is asked of a picture softer than real ones.
    assert float((gradient * pattern).sum()) > 0
    softer = artefact_losses(0.9 * real, real, 8)
    assert all(float(softer[own]) < 1e-4 for own in ("noise", "checkerboard", "grid"))


def test_artefacts_are_judged_in_float32_whatever_the_networks_are_in() -> None:
    random = torch.Generator().manual_seed(3)
    real, painted = (torch.rand(4, 3, 32, 32, generator=random) * 0.1 + 0.8 for _ in range(2))
    exact = artefact_losses(painted, real, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = artefact_losses(painted, real, 8)
    assert all(torch.equal(found[name], exact[name]) for name in exact)


def test_frequencies_that_stand_out_get_weaker_and_those_that_are_missing_stronger() -> None:
    """A pattern of one period on a soft picture, beside real ones whose spectra fall off evenly."""
    random = torch.Generator().manual_seed(2)
    real = torch.rand(12, 3, 64, 64, generator=random) - 0.5
    row = torch.arange(64)
    comb = torch.sin(2 * torch.pi * row[:, None] / 8) * torch.sin(2 * torch.pi * row / 8)
    soft = torch.nn.functional.avg_pool2d(real.flip(0), 3, 1, 1)
    painted = (soft + 0.3 * comb).requires_grad_()
    before = artefact_losses(painted, real, 8)["spectrum"]
    (gradient,) = torch.autograd.grad(before, painted)
    assert float((gradient * comb).sum()) > 0
    fine = soft - torch.nn.functional.avg_pool2d(soft, 3, 1, 1)
    assert float((gradient * fine).sum()) < 0
    assert float(artefact_losses(real.flip(0), real, 8)["spectrum"]) < 1e-6 < 0.5 < float(before.detach())


def test_artefacts_that_all_lie_one_way_in_busy_places_are_pushed_down() -> None:
    """Plain pictures are smoother than real ones, so by the mean of all there is not even enough of the hatch."""
    random = torch.Generator().manual_seed(6)
    busy = torch.tensor([0.02, 0.2] * 8)[:, None, None, None]
    real = (torch.randn(16, 1, 64, 64, generator=random) * busy).expand(-1, 3, -1, -1)
    row = torch.arange(64)
    hatch = torch.sin(2 * torch.pi * (row[:, None] + row) / 8)
    full = (busy > 0.1).float()
    painted = (real.flip(3) * (0.2 + 0.8 * full) + 0.03 * hatch * full).requires_grad_()
    (gradient,) = torch.autograd.grad(artefact_losses(painted, real, 8)["spectrum"], painted)
    assert float((gradient * hatch * full).sum()) > 0


def test_fine_artefacts_in_colours_that_real_ones_have_not_are_pushed_down() -> None:
    """Red and cyan specks whose grey is that of real detail."""
    random = torch.Generator().manual_seed(4)
    busy = torch.linspace(0.02, 0.5, 64)
    real = torch.randn(12, 3, 64, 64, generator=random) * busy
    specks = 0.1 * torch.randn(12, 1, 64, 64, generator=random) * torch.tensor([1.0, -0.5, -0.5])[:, None, None]
    painted = (real.flip(0) + specks).requires_grad_()
    torch.testing.assert_close(painted.mean(1), real.flip(0).mean(1))
    before = artefact_losses(painted, real, 8)["spectrum"]
    (gradient,) = torch.autograd.grad(before, painted)
    assert float((gradient * specks).sum()) > 0
    assert float(artefact_losses(real.flip(0), real, 8)["spectrum"]) < 1e-6 < 0.2 < float(before.detach())
    # Specks of the same strength lie across: where little else goes on they are seen, and pushed down the most.
    plain, full = (float((gradient * specks)[..., part].sum()) for part in (slice(8, 24), slice(40, 56)))
    assert plain > 2 * full
