"""What is done to tones at the end: they fade over seams, and over large distances they follow the composition.

The steps inside every piece stay as they are in its picture, and what differs from piece to piece fades over: blending
in the gradient domain (Perez et al. 2003, "Poisson Image Editing"; Agarwala et al. 2004, "Interactive Digital
Photomontage"), screened so that tones stay near what they were (Bhat et al. 2008, "Fourier Analysis of the 2D Screened
Poisson Equation").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from limner.synthesis.patches import Atlas
from limner.synthesis.voting import gradients_of

_BROAD = 0.25
"""Distance from which tones count as broad, as a share of the shorter side."""
_STEP = 64.0
"""Levels of 255 by which a step from pixel to pixel may differ from its sources' before it counts as an edge."""


def fade_seams(
    places: NDArray[np.int32], atlas: Atlas, picture: NDArray[np.uint8], distance: float
) -> NDArray[np.uint8]:
    """The picture that its sources' own steps from pixel to pixel make.

    Args:
        places: exemplar, row and column of each pixel. # int32 [h, w, 3]
        picture: whose tones are kept over large distances. # uint8 [h, w, 3]
        distance: over which differences in tone between pieces fade, px.
    """
    down, across = gradients_of(places, atlas, True), gradients_of(places, atlas, False)
    _keep_edges(down, np.diff(picture.astype(np.float32), axis=0))
    _keep_edges(across, np.diff(picture.astype(np.float32), axis=1))
    pull = 1 / distance**2
    wanted = pull * picture.astype(np.float32)
    wanted[:-1] -= down
    wanted[1:] += down
    wanted[:, :-1] -= across
    wanted[:, 1:] += across
    # The eigenvalues of the Laplacian with free edges, which the cosine transform makes diagonal.
    vertical, horizontal = (2 - 2 * np.cos(np.pi * np.arange(side) / side) for side in picture.shape[:2])
    strength = (pull + vertical[:, None] + horizontal[None, :]).astype(np.float32)
    out = np.empty_like(wanted)
    for channel in range(3):
        out[..., channel] = idctn(dctn(wanted[..., channel], norm="ortho") / strength, norm="ortho")
    return (out.clip(0, 255) + 0.5).astype(np.uint8)


def follow_tones(picture: NDArray[np.uint8], guide: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """The picture with the broad tones of its composition: a warm one stays warm whatever its exemplars are.

    Args:
        picture: uint8 [h, w, 3].
        guide: the composition, small. # uint8 [height, width, 3]
        share: of the difference in broad tones that is made good, 0 to 1.
    """
    size = picture.shape[1], picture.shape[0]
    small = Image.fromarray(picture).resize((guide.shape[1], guide.shape[0]), Image.Resampling.BOX)
    apart = guide.astype(np.float32) - np.asarray(small, np.float32)
    broad = gaussian_filter(apart, (*[_BROAD * min(guide.shape[:2])] * 2, 0), mode="nearest")
    out = picture.astype(np.float32)
    for channel in range(3):
        layer = Image.fromarray(np.ascontiguousarray(broad[..., channel]))
        out[..., channel] += share * np.asarray(layer.resize(size, Image.Resampling.BICUBIC))
    return (out.clip(0, 255) + 0.5).astype(np.uint8)


def _keep_edges(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> None:
    """Leave steps as they are where they differ much from what the sources say: there one thing ends before another.

    # float32 [h, w, 3], changed; [h, w, 3]
    """
    apart = np.abs(found - wanted).max(axis=2, keepdims=True)
    share = np.clip((apart - _STEP) / _STEP, 0, 1)
    wanted += share * (found - wanted)
