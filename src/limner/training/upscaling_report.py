"""How well an up-scaler enlarges held-out pictures, beside Lanczos."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from limner.collection.cache import PictureCache
from limner.machine import Machine
from limner.models.bundle import Model
from limner.models.latent_model import to_bytes, to_unit
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.models.similarity import PerceptualDistance, psnr
from limner.models.teacher import load_teacher
from limner.models.upscaler import STRENGTH, Upscaler
from limner.statistics import interval
from limner.training.crops import painted_pictures

_SIDE = 256
_MOST = 64


def measure_upscaler(
    network: Upscaler, held_out: PictureCache, machine: Machine, teacher: str, model: Model | None = None
) -> dict[str, Any]:
    """Likeness of enlarged pictures to held-out ones, beside Lanczos, at the usual strength; 64 pictures at most.

    `x2` and `x4`: made small by 2 and by 4 (Lanczos) and enlarged again; `painted x4`: as the model's painter paints
    them, enlarged by 4, where a model is given. For each `psnr` (dB), `features` (root mean square distance of
    self-supervised features of 64 px tiles, in their deviations; they trained no up-scaler) and, with a teacher,
    `teacher`; `lanczos_` before the name is Lanczos.
    """
    network = network.cpu().eval()
    true = torch.stack([_whole(held_out[i]) for i in range(min(_MOST, len(held_out)))])
    sets = {name: (_all_resized(true, _SIDE // times), true) for name, times in (("x2", 2), ("x4", 4))}
    painted = [] if model is None else painted_pictures(model, held_out, machine, 0)
    pairs = [(_tensor(one.small), _tensor(one.four)) for one in painted if one.four is not None][:_MOST]
    if pairs:
        sets["painted x4"] = torch.stack([a for a, _ in pairs]), torch.stack([b for _, b in pairs])
    found: dict[str, Any] = {}
    for name, (small, aim) in sets.items():
        made = small
        while made.shape[-1] < aim.shape[-1]:
            made = _doubled(network, made, machine)
        plain = torch.stack([_resized(picture, (aim.shape[2], aim.shape[3])) for picture in small])
        found[name] = {**_measures("", made, aim, teacher), **_measures("lanczos_", plain, aim, teacher)}
    return found


@torch.no_grad()
def _doubled(network: Upscaler, small: Tensor, machine: Machine) -> Tensor:
    """# uint8 [n, 3, h, w] -> [n, 3, 2h, 2w]"""
    made, generator = [], torch.Generator().manual_seed(small.shape[-1])
    for chunk in small.split(4):
        noise = torch.randn(len(chunk), 1, *(2 * side for side in chunk.shape[2:]), generator=generator)
        with machine.autocast():
            made.append(to_bytes(network(to_unit(chunk), noise, STRENGTH)))
    return torch.cat(made)


def _whole(pixels: NDArray[np.uint8]) -> Tensor:
    """The middle square of a picture at 256 px. # -> uint8 [3, 256, 256]"""
    shorter = min(pixels.shape[:2])
    top, left = ((length - shorter) // 2 for length in pixels.shape[:2])
    return _resized(_tensor(pixels[top : top + shorter, left : left + shorter]), (_SIDE, _SIDE))


def _tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """# uint8 [h, w, 3] -> [3, h, w]"""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)


def _resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """By Lanczos. # uint8 [3, h, w] -> [3, *size]"""
    pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    return _tensor(np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.LANCZOS)))


def _all_resized(pictures: Tensor, side: int) -> Tensor:
    return torch.stack([_resized(picture, (side, side)) for picture in pictures])


def _measures(prefix: str, made: Tensor, true: Tensor, teacher: str) -> dict[str, Any]:
    features = SelfSupervisedFeatures()
    tiles = (x.unfold(2, 64, 64).unfold(3, 64, 64).permute(0, 2, 3, 1, 4, 5) for x in (made, true))
    # [n, down, across, 3, 64, 64] -> [n * down * across, d]
    ours, theirs = (features(x.flatten(0, 2)) for x in tiles)
    apart = ((ours - theirs) / theirs.std(0).clamp_min(1e-3)).square().mean(1).sqrt()
    found = {"psnr": interval(psnr(made, true)), "features": interval(apart.unflatten(0, (len(true), -1)).mean(1))}
    if teacher != "none":
        found["teacher"] = interval(PerceptualDistance(load_teacher()).measure(made, true))
    return {prefix + name: value.as_dict() for name, value in found.items()}
