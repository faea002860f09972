"""The adversarial loss that every training here shares: relativistic, with a smooth discriminator, at a set strength.

Both sides learn in one step, so that what is painted is painted once: the loss of the discriminator is minimised as it
is, and the side that paints is given a gradient at its pictures (`carrying`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Maps = list[Tensor]


class Judged(NamedTuple):
    """What a discriminator says of real and painted pictures.

    Attributes:
        loss: the discriminator's, penalty included; to be minimised by its weights.
        towards_real: gradient at the painted pictures, down to where the discriminator is fooled.
        logged: `discriminator` and `fooled`, the losses of both sides.
    """

    loss: Tensor
    towards_real: Tensor
    logged: Mapping[str, Tensor]


def judged(
    discriminator: nn.Module,
    real: Maps,
    painted: Maps,
    pictures: Tensor,
    perturbed: tuple[Maps, Maps],
    *,
    gamma: float,
    sigma: float,
) -> Judged:
    """Judge real and painted pictures.

    The loss is relativistic (Jolicoeur-Martineau 2019; Huang et al. 2024, "R3GAN", equation 2). The discriminator is
    kept smooth by a penalty on the change of its output under small noise, which stands for R1 and R2 without a second
    derivative (Lin et al. 2025, "APT", section 3.3).

    Args:
        discriminator: maps of features in, one [n, places] a head out.
        real, painted: what it sees; `painted` carries a gradient to `pictures`.
        pictures: the painted pictures.
        perturbed: what it sees of the first of both where noise of deviation `sigma` was added; fewer than all are
            lazy in pictures, not in steps (Karras et al. 2020, "StyleGAN2", appendix B).
        gamma: weight of the penalty.
    """
    # Each painted picture is held against another real one than its own: against its own the discriminator wins at
    # once.
    on_real, on_painted = discriminator(real), discriminator([m.detach() for m in painted])
    lower = relativistic(on_painted, [j.roll(1, 0) for j in on_real])
    changes = [
        _change(own, discriminator(near), sigma) for own, near in zip((on_real, on_painted), perturbed, strict=True)
    ]
    # The painting side: weights as they are, features that carry a gradient.
    fixed = {name: p.detach() for name, p in discriminator.named_parameters()}
    on_shown = torch.func.functional_call(discriminator, fixed, (painted,))
    fooled = relativistic([j.detach().roll(1, 0) for j in on_real], on_shown)
    (towards_real,) = torch.autograd.grad(fooled, pictures, retain_graph=True)
    logged = {"discriminator": lower.detach(), "fooled": fooled.detach()}
    return Judged(lower + gamma / 2 * (changes[0] + changes[1]), towards_real, logged)


def relativistic(lower: Maps, higher: Maps) -> Tensor:
    """Small where `higher` lies above `lower`, picture by picture and place by place; each head counts alike."""
    return torch.stack([F.softplus(a - b).mean() for a, b in zip(lower, higher, strict=True)]).mean()


def _change(own: Maps, near: Maps, sigma: float) -> Tensor:
    """Mean square of the change of the output, for each unit of noise."""
    changes = [((a[: len(b)] - b) ** 2).mean() / sigma**2 for a, b in zip(own, near, strict=True)]
    return torch.stack(changes).mean()


def scale(gradient: Tensor, to: Tensor, share: float, rows: slice = slice(None)) -> Tensor:
    """The factor that brings a gradient to a share of the length of another; lengths are those of some rows.

    So does Esser et al. 2021, "Taming Transformers", equation 7, with the gradients of last-layer weights.
    """
    factor: Tensor = share * to[rows].norm() / gradient[rows].norm().clamp_min(1e-12)
    return factor


def carrying(painted: Tensor, gradient: Tensor) -> Tensor:
    """A loss of value 0 whose gradient at `painted` is the given one."""
    product = (painted * gradient).sum()
    return product - product.detach()
