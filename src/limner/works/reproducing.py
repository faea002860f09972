"""Painting a work again from its latent, and saying how like the file the picture is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PictureError, UsageError
from limner.ledger import Act
from limner.models.bundle import Model
from limner.models.similarity import psnr
from limner.works.enlarging import enlarged_again, enlarging_of, latent_of
from limner.works.origins import Origins, file_digest
from limner.workspace import Workspace

__all__ = ["Reproduction", "reproduce"]

Finishes = Callable[[dict[str, Any], Model, Workspace, "str | None", NDArray[np.uint8]], NDArray[np.uint8]]
Marks = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
_SAME_TO_THE_EYE = 40.0


@dataclass(frozen=True)
class Reproduction:
    """What came of painting a work again.

    Attributes:
        identical: every pixel is the same.
        psnr: likeness in dB; infinite where identical.
        lossy: the file's format does not keep every pixel, so that more than like it cannot be told.
        precision, was: what it was painted in now, and then.
        enlarged: whether it was enlarged after it was painted, then and now.
        verdict: all of that in words.
    """

    path: Path
    model: str
    latent: str
    identical: bool
    psnr: float
    lossy: bool
    precision: str
    was: str | None
    enlarged: bool = False

    @property
    def same(self) -> bool:
        """Whether the picture is the same, as far as the file can tell."""
        return self.identical or self.psnr >= _SAME_TO_THE_EYE

    @property
    def verdict(self) -> str:
        """One line in words."""
        done = "painted again from its latent" + (" and enlarged" if self.enlarged else "")
        if self.identical:
            return f"{done}, every pixel is the same"
        why = "the file's format keeps no exact pixels" if self.lossy else f"painted in {self.was} then"
        if self.same:
            return f"{done}, the same to the eye ({self.psnr:.1f} dB; {why})"
        return f"{done}, it is another picture ({self.psnr:.1f} dB)"


def reproduce(
    path: Path, workspace: Workspace, marked: Marks, finished: Finishes, model: str | None = None
) -> Reproduction:
    """Paint a work again, enlarge and mark it again where it was, and compare.

    Args:
        marked: puts a work's number into a picture, as was done when it was published.
        finished: finishes a composition, as the act says that it was done.
        model: name or file of the one that painted it, where that lies outside of the workspace.

    Raises:
        UsageError: the model is another one, the file is no work of this workspace, or its latent, model or up-scaler
            is gone.
    """
    origins, digest = Origins(workspace), file_digest(path)
    act = origins.published(digest)
    if act is None:
        raise UsageError(path, "was not published here, or was changed since", "check it with `limner verify`")
    if "edition" in act.parameters:
        where = _first_edition(origins, act)
        raise UsageError(path, "is a further edition of a work, made from its file", f"reproduce that: {where}")
    was = act.parameters.get("precision")
    origins = Origins(workspace, model, precision=was)
    if model is not None and origins.model_digest != act.inputs[0]:
        raise UsageError(f"--model {model}", "is not the model that painted it", f"give {act.inputs[0][:19]}")
    latent, enlarging = latent_of(origins, digest), enlarging_of(origins, digest)
    if latent is None:
        raise UsageError(
            path, "its latent is not kept here and its seed gives another", "paint it on the machine it is from"
        )
    try:
        kept = torch.from_numpy(pictures.read(path).pixels.copy()).permute(2, 0, 1)[None]
    except PictureError as error:
        raise UsageError(error.value, error.reason, error.remedy) from None
    how = act.parameters.get("finish")
    if enlarging is None or how:
        painted = origins.pipeline.paint(latent)
        if how:
            composition = painted[0].permute(1, 2, 0).contiguous().numpy()
            label = act.parameters.get("label")
            again = finished(how, origins.pipeline.model, workspace, label, composition)
            painted = torch.from_numpy(again.copy()).permute(2, 0, 1)[None]
    else:
        painted = torch.from_numpy(enlarged_again(origins, latent, enlarging).copy()).permute(2, 0, 1)[None]
    if mark := act.parameters.get("watermark"):
        again = marked(painted[0].permute(1, 2, 0).contiguous().numpy(), int(mark, 16))
        painted = torch.from_numpy(again).permute(2, 0, 1)[None]
    if painted.shape != kept.shape:
        raise UsageError(path, "has another size than the model paints", "its act of enlarging is not in the ledger")
    identical = bool(torch.equal(painted, kept))
    return Reproduction(
        path,
        origins.pipeline.model.card.name,
        act.inputs[-1],
        identical,
        float("inf") if identical else float(psnr(painted, kept)[0]),
        path.suffix.lower() != ".png",
        origins.pipeline.machine.precision,
        was,
        enlarging is not None,
    )


def _first_edition(origins: Origins, act: Act) -> str:
    """Where the work lies that an edition was made from, however often it was published again."""
    where, met = "", set[str]()
    while (of := str(act.parameters.get("edition", {}).get("of", ""))) and of not in met:
        met.add(of)
        former = origins.published(of)
        if former is None:
            return of
        act, where = former, str(former.parameters.get("path"))
    return where
