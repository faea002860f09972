"""Artefacts of a painter: what lies in its pictures because of how they are painted, and not of what is shown.

Painter and mapping agree in adversarial training on artefacts that no discriminator here sees soon enough
(docs/decisions.md; Durall et al. 2020, "Watch your Up-Convolution"): noise of single pixels; a checkerboard that all
pictures share; a grid, of either sign, that keeps to the painter's own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_GRID = 8
"""Pixels after which a grid artefact repeats at most: three doublings."""
_WINDOW = 32
"""Side in pixels of the windows whose spectra are compared."""
_FAINT = 2 / 127.5
"""Deviation under which nothing is seen: two grey levels."""
_PLANES = ((1 / 3, 1 / 3, 1 / 3), (1 / 2, 0.0, -1 / 2), (-1 / 3, 2 / 3, -1 / 3))
"""Grey, red against blue, and green against both."""


def artefact_losses(painted: Tensor, real: Tensor, period: int) -> dict[str, Tensor]:
    """How far painted pictures have more artefacts than real ones, and other spectra.

    `noise`, `checkerboard` and `grid`: logarithm of the energy by that in real pictures, 0 where it is lower;
    `spectrum`: mean distance of the log spectra.

    Args:
        painted: float [n, 3, h, w].
        real: float [m, 3, h, w], as many or more.
        period: pixels of one step of the content's grid.
    """
    # Planes that lie whole: three colours beside each other are a slow last dimension.
    painted, real = painted.contiguous(), real[: len(painted)].contiguous()
    # In bfloat16 a mean of what is around a pixel is off by as much as fine artefacts are strong.
    with torch.autocast(painted.device.type, enabled=False):
        return {
            "noise": _excess(noise_energy(painted), noise_energy(real)).mean(),
            "checkerboard": _excess(checkerboard_energy(painted, period), checkerboard_energy(real, period)).sum(),
            "grid": _excess(grid_energy(painted), grid_energy(real)).mean(),
            "spectrum": (spectrum(painted) - spectrum(real)).abs().mean((1, 2)).sum(),
        }


def _excess(energy: Tensor, usual: Tensor) -> Tensor:
    """Logarithm of the one by the other, 0 where it is below. # [k], [k] -> [k]"""
    return F.relu((energy / usual.clamp_min(1e-7)).clamp_min(1e-6).log())


def noise_energy(pictures: Tensor) -> Tensor:
    """Mean energy of Haar's three fine bands: rows, columns, diagonals. # [n, 3, h, w] -> [3]"""
    a, b, c, d = F.pixel_unshuffle(pictures, 2).unflatten(1, (3, 4)).unbind(2)
    bands = torch.stack([a + b - c - d, a - b + c - d, a - b - c + d]) / 4
    found: Tensor = bands.square().mean((1, 2, 3, 4))
    return found


def checkerboard_energy(pictures: Tensor, period: int) -> Tensor:
    """Energy of the pattern that all pictures share and that repeats every `period` pixels: within, and at each margin.

    # [n, 3, h, w] -> [5]
    """
    cells = F.pixel_unshuffle(_fine(pictures, period), period)
    # Margins count by themselves: suppressed everywhere else, it goes there.
    margins = [cells[:, :, 0], cells[:, :, -1], cells[..., 0], cells[..., -1]]
    shared = [cells.mean((0, 2, 3)), *(margin.mean((0, 2)) for margin in margins)]
    return torch.stack([part.square().mean() for part in shared])


def grid_energy(pictures: Tensor) -> Tensor:
    """How much fine detail, its strength, and its likeness to that beside and below, depend on the place in a grid.

    Strokes may lie anywhere, so every place in a cell has the same share of them. A painter that makes four pixels of
    one, three times over, has favourite places. Detail is taken relative to what goes on around it, as it is seen: a
    grid shows most in a plain sky. Mean square of the mean detail of each place of 4 x 4 in each picture (from picture
    to picture its sign may change), and variance of the mean products over the places of 8 x 8; by the mean strength
    and its square. # [n, 3, h, w] -> [4]
    """
    fine = _fine(pictures, _GRID)
    around = _around(fine.square().mean(1, keepdim=True), 2 * _GRID)
    fine = fine / (around + _FAINT**2).sqrt()
    beside, below = F.pad(fine[..., 1:], (0, 1)), F.pad(fine[..., 1:, :], (0, 0, 0, 1))
    detail = _cells(fine, _GRID // 2).mean(3)
    detail = detail - detail.mean(2, keepdim=True)
    places = [_cells(fine * other, _GRID).mean((0, 1, 3)) for other in (fine, beside, below)]
    strength = places[0].mean().clamp_min(1e-7)
    found = [detail.square().mean() / strength, *(own.var() / strength.square() for own in places)]
    return torch.stack(found)


def spectrum(pictures: Tensor) -> Tensor:
    """Log energy of each frequency and direction, in grey and in two colours, window by window.

    The energies of a frequency come sorted, so that two sets can be compared as distributions (their distance is
    Wasserstein's): those of real pictures fall off evenly, go all ways in busy windows, and are hardly there in plain
    ones. A painter's may stand out at a few frequencies, lie all one way, be in skies, too, or be red and blue where
    real ones are grey. What no eye sees does not count. # [n, 3, h, w] -> [3, windows, frequencies]
    """
    side = min(_WINDOW, *pictures.shape[-2:])
    across = torch.hann_window(side, device=pictures.device)
    window = across[:, None] * across
    planes = torch.einsum("pc,nchw->pnhw", torch.tensor(_PLANES, device=pictures.device), pictures)
    # Beside each other, and between these: what one window fades out lies in the middle of others.
    grids = [planes, planes[..., side // 2 :, side // 2 :]][: min(pictures.shape[-2:]) // side]
    windows = torch.cat([w.unfold(2, side, side).unfold(3, side, side).flatten(1, 3) for w in grids], dim=1)
    windows = (windows - windows.mean((-2, -1), keepdim=True)) * window
    energy = torch.fft.rfft2(windows).abs().square() / window.square().sum()
    # Waves shorter than half of a window alone.
    down, right = torch.fft.fftfreq(side) * side, torch.arange(side // 2 + 1)
    short = (down[:, None] ** 2 + right**2).sqrt() > 2
    found: Tensor = (energy + (_FAINT / 2) ** 2).log()[..., short].sort(dim=1).values
    return found


def _cells(values: Tensor, side: int) -> Tensor:
    """By colour, by place in its cell, and by cell. # [n, 3, h, w] -> [n, 3, side ** 2, cells]"""
    found: Tensor = F.pixel_unshuffle(values, side).flatten(2).unflatten(1, (3, -1))
    return found


def _fine(pictures: Tensor, period: int) -> Tensor:
    """Pictures less what is around each pixel."""
    return pictures - _around(pictures, period)


def _around(values: Tensor, reach: int) -> Tensor:
    """Mean over a square of `reach` + 1 pixels, of what of it lies in the picture; by rows, then by columns.

    As two products with a band of ones: on a processor twice as quick as a pooling whose windows overlap so much.
    """
    down, across = (_band(side, reach // 2, values.device) for side in values.shape[-2:])
    return down @ (values @ across.T)


def _band(side: int, half: int, device: torch.device) -> Tensor:
    """Row i takes the mean of what is `half` places from i at most. # -> [side, side]"""
    places = torch.arange(side, device=device)
    near = ((places[:, None] - places).abs() <= half).float()
    return near / near.sum(1, keepdim=True)
