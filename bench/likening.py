"""What is nearest to a picture: four ways to see, so that no claim leans on one network."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models.features import TeacherFeatures
from limner.models.latent_model import to_unit
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.models.teacher import load_teacher

__all__ = ["SIGHTS", "Likening", "sight"]

SIGHTS = ("self-supervised", "teacher deep", "teacher mixed", "pixels")
"""Ways to see. No translator learned from the first; one may have learned from the teacher's."""

_AT_ONCE = 64
_SMALL = 16


def sight(name: str) -> Callable[[Tensor], Tensor]:
    """A way to see. # uint8 [n, 3, h, w] -> float [n, d]

    `self-supervised`: of the network that trains no model. `teacher deep`: the teacher's last layer, place by place.
    `teacher mixed`: means and deviations of three of its layers. `pixels`: the picture at 16 px.
    """
    if name == "self-supervised":
        return SelfSupervisedFeatures()
    if name == "teacher mixed":
        return TeacherFeatures()
    return _pixels if name == "pixels" else _Deep()


class _Deep:
    """The teacher's features at stride 16, place by place. # uint8 [n, 3, h, w] -> [n, d]"""

    def __init__(self) -> None:
        self._teacher = load_teacher(taps=(10,))

    @torch.inference_mode()
    def __call__(self, pictures: Tensor) -> Tensor:
        return torch.cat([self._teacher(to_unit(chunk))[0].flatten(1) for chunk in pictures.split(_AT_ONCE)])


def _pixels(pictures: Tensor) -> Tensor:
    return F.interpolate(pictures.float() / 255, (_SMALL, _SMALL), mode="area").flatten(1)


class Likening:
    """All pictures of all styles, seen in one way.

    Args:
        name: of the way to see.
        known: the pictures of each style, concept by concept in one order. # uint8 [n, 3, h, w] each
    """

    def __init__(self, name: str, known: dict[str, Tensor]) -> None:
        self._sight = sight(name)
        rows = {style: self._sight(own) for style, own in known.items()}
        pooled = name in ("self-supervised", "teacher mixed")
        whole = torch.cat(list(rows.values()))
        self._scale = whole.std(0).clamp_min(1e-6) if pooled else torch.ones(whole.shape[1])
        self._known = {style: own / self._scale for style, own in rows.items()}

    def see(self, pictures: Tensor) -> Tensor:
        """Rows of pictures. # uint8 [n, 3, h, w] -> [n, d]"""
        return self._sight(pictures) / self._scale

    def found(self, rows: Tensor, style: str, concepts: Tensor) -> Tensor:
        """Whether the nearest of all pictures of a style is that of the concept. # [n, d], [n] -> bool [n]"""
        return torch.cdist(rows, self._known[style]).argmin(1) == concepts

    def apart(self, rows: Tensor, style: str, concepts: Tensor) -> Tensor:
        """How far rows are from the concepts' own pictures in a style. # [n, d], [n] -> [n]"""
        found: Tensor = (rows - self._known[style][concepts]).norm(dim=1)
        return found
