"""New works from works, seeds and pictures: moved along directions, mixed, or given another style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limner.errors import ModelError, UsageError
from limner.latent.directions import directions_of
from limner.latent.mixing import Region, mix_blocks, mix_region, mix_weights, parse_blocks, parse_range
from limner.latent.restyling import restyle, to_label
from limner.models.bundle import find_model
from limner.models.painter import Latent
from limner.pictures.fitting import Fit
from limner.synthesis.resampling import fitted
from limner.works.finishing import FinishRequest
from limner.works.making import WorkRequest
from limner.works.origins import Origin, Origins, file_digest, pixels_of
from limner.works.style_consent import check_label, check_picture
from limner.workspace import Workspace

_LETTERS = "ABCDEFGH"
_KEPT = 96
"""Shorter side at which a picture that is restyled by patches is kept, px."""
_OF_SECOND = "that of the second picture"
"""What acts and papers say of a style that has no name."""


def moved(origins: Origins, origin: Origin, steps: Mapping[str, float], blocks: str | None = None) -> WorkRequest:
    """A picture moved along directions of its model.

    Args:
        blocks: only in these, as `3-6`; 0 is the content.

    Raises:
        UsageError: there are no such directions or blocks.
    """
    chosen = None if blocks is None else parse_range(blocks, _styles(origins))
    latent = directions_of(origins.pipeline, origins.workspace).moved(origins.pipeline, origin.latent, steps, chosen)
    return WorkRequest(latent, "move", [origin], {"along": steps, **({"blocks": blocks} if blocks else {})})


@dataclass(frozen=True)
class MixRequest:
    """How pictures are mixed; one way of them.

    Attributes:
        content, style: whose, by their letters A to H; a style may be a label of the model, too.
        blocks: whose, as `0-2:A,3-6:B`; 0 is the content.
        region: where B is in A, as `ellipse:0.2,0.1,0.8,0.6`.
        mask: the same as a picture in which B is white.
        feather: soft edge of a region, as a share of the shorter side.
        way: how content and style of two labels are brought together: `translator` or `swap`; None for what there is.

    Raises:
        UsageError: it is not one way to mix.
    """

    content: str | None = None
    style: str | None = None
    blocks: str | None = None
    weights: str | None = None
    region: str | None = None
    mask: Path | None = None
    feather: float = 0.1
    way: str | None = None

    def __post_init__(self) -> None:
        ways = {"--content and --style": self.content or self.style}
        ways |= {f"--{name}": getattr(self, name) for name in ("blocks", "weights", "region", "mask")}
        asked = [name for name, value in ways.items() if value]
        if len(asked) != 1:
            given = " and ".join(asked) or "no way to mix"
            raise UsageError(given, "is not one way to mix", f"give one of: {', '.join(ways)}")


def mixed(origins: Origins, names: Sequence[str], request: MixRequest, label: str | None = None) -> WorkRequest:
    """Two or more pictures mixed: content of one and style of another, by block, by weight, or by region.

    Args:
        names: works, `SEED:NUMBER` or pictures, which are called A, B, ... in their order.

    Raises:
        UsageError: too few or too many pictures, or something in the request does not fit them.
    """
    if not 2 <= len(names) <= len(_LETTERS):
        raise UsageError(f"{len(names)} pictures", "cannot be mixed", f"give 2 to {len(_LETTERS)}")
    found = [origins.find(one, label) for one in names]
    how: dict[str, Any]
    if request.content or request.style:
        latent, how = _by_style(origins, found, request)
    elif request.blocks:
        latent, how = _by_blocks(origins, found, request.blocks), {"blocks": request.blocks}
    elif request.weights:
        latent, how = _by_weights(origins, found, request.weights), {"weights": request.weights}
    else:
        latent, how = _by_region(origins, found, request)
    return WorkRequest(latent, "mix", found, how)


def _by_style(origins: Origins, found: list[Origin], request: MixRequest) -> tuple[Latent, dict[str, Any]]:
    content, style, letters = request.content or "A", request.style or "A", _LETTERS[: len(found)]
    labels = origins.pipeline.model.card.config.labels
    if style not in letters and style not in labels:
        raise UsageError(f"--style {style}", "is none of them", f"use {', '.join((*letters, *labels))}")
    if content not in letters:
        raise UsageError(f"--content {content}", "is none of them", f"use {', '.join(letters)}")
    own = found[letters.index(content)]
    if style in labels:
        check_label(origins, style)
    else:
        check_picture(origins, found[letters.index(style)])
    label = style if style in labels else found[letters.index(style)].label
    another = label is not None and label != own.label
    if style in labels or (request.way != "swap" and another):
        how = {"content": content, "style": style}
        latent, more = to_label(
            origins.pipeline, origins.workspace, own.latent, str(label), source=own.label, way=request.way
        )
        if more or style in labels:
            return latent, {**how, **more}
    elif request.way == "translator":
        reason = f"{style} is of no other label than {content}"
        raise UsageError("--way translator", reason, "give a label with --style")
    blocks = f"0:{content},1-{_styles(origins)}:{style}"
    # Finished from the pictures of the style's label.
    return _by_blocks(origins, found, blocks), {"blocks": blocks, **({"label": label} if another else {})}


def _by_blocks(origins: Origins, found: list[Origin], blocks: str) -> Latent:
    chosen = parse_blocks(blocks, _LETTERS[: len(found)], _styles(origins))
    return mix_blocks([one.latent for one in found], chosen)


def _by_weights(origins: Origins, found: list[Origin], weights: str) -> Latent:
    try:
        numbers = [float(weight) for weight in weights.split(",")]
    except ValueError:
        raise UsageError(f"--weights {weights}", "are no numbers", "give e.g. 0.7,0.3") from None
    return mix_weights(origins.pipeline, [one.latent for one in found], numbers)


def _by_region(origins: Origins, found: list[Origin], request: MixRequest) -> tuple[Latent, dict[str, Any]]:
    if len(found) != 2:
        raise UsageError(f"{len(found)} pictures", "do not fit a region", "give 2: around it, and within it")
    config = origins.pipeline.model.card.config.painter
    how: dict[str, Any]
    if request.region:
        mask = Region.parse(request.region, request.feather).mask(config.height, config.width)
        how = {"region": request.region, "feather": f"{request.feather:g}"}
    else:
        assert request.mask is not None
        mask, how = read_mask(request.mask, config.height, config.width), {"mask": file_digest(request.mask)}
    return mix_region(found[1].latent, found[0].latent, mask), how


def read_mask(path: Path, height: int, width: int) -> Tensor:
    """White is B, black and what is transparent is A; values of 0 and 1 alone count as black and white. # [h, w]

    Raises:
        UsageError: no picture, of another size, or one value everywhere.
    """
    pixels = pixels_of(path, background=(0, 0, 0))
    if pixels.shape[:2] != (height, width):
        reason = f"is {pixels.shape[1]}x{pixels.shape[0]}, the model's pictures are {width}x{height}"
        raise UsageError(f"--mask {path}", reason, "make it as large as them")
    shape = torch.from_numpy(pixels.copy()).float().mean(2)
    shape = shape / (1 if shape.max() <= 1 else 255)
    if shape.min() == shape.max():
        whole = "A, the first picture" if shape.max() < 0.5 else "B, the second picture"
        raise UsageError(f"--mask {path}", f"has one value everywhere: all would be {whole}", "paint B white, A black")
    return shape


@dataclass(frozen=True)
class RestyleRequest:
    """A picture and the style that it is to have.

    Attributes:
        style: a label of the model, a model, a picture, a work, or `SEED:NUMBER`.
        strength: of a style that is not painted by patches: 0 leaves the picture, 1 takes the whole.
        way: `translator`, `swap` (of style vectors) or `patches`; None for what suits the style.
        allow_superseded: as in `Pipeline.open`.
    """

    picture: str
    style: str
    strength: float = 1.0
    way: str | None = None
    model: str | None = None
    label: str | None = None
    fit: Fit = "crop"
    finish: FinishRequest = field(default_factory=FinishRequest)
    allow_superseded: str | None = None


class _Patches(Enum):
    """Whose patches paint a style."""

    NONE = "none: the latent is given the style"
    MODEL = "the pictures that a model learned from"
    PICTURE = "one picture"


def restyled(workspace: Workspace, request: RestyleRequest) -> tuple[Origins, WorkRequest, FinishRequest]:
    """A picture with the look of a model's pictures, of a label, of one picture or of a work; what is where stays.

    Returns:
        Where the model and the pictures were found, the work, and how it is to be finished.

    Raises:
        UsageError: there is no such style, or it cannot be had in this way.
        ModelError: a translator's file is damaged.
    """
    style, way, finish = request.style, request.way, request.finish
    patches = _patches_of(workspace, request)
    # From patches of a model that model paints, whichever other one was named.
    model = style if patches is _Patches.MODEL else request.model
    origins = Origins(workspace, model, fit=request.fit, allow_superseded=request.allow_superseded)
    origin = origins.find(request.picture, request.label)
    how: dict[str, Any] = {"style": style, "strength": request.strength}
    if style in origins.pipeline.model.card.config.labels and way != "patches":
        check_label(origins, style)
        latent, more = to_label(
            origins.pipeline, workspace, origin.latent, style, source=origin.label, strength=request.strength, way=way
        )
        return origins, WorkRequest(latent, "restyle", [origin], {**how, **more}), _finish(finish, faithful=True)
    if patches is not _Patches.NONE or way == "patches":
        return origins, *_by_patches(origins, origin, request, patches)
    if way == "translator":
        raise UsageError("--way translator", "leads to a label", f"give --style one of: {_labels(origins)}")
    if not Path(style).is_file() and ":" not in style:
        reason = f"{origins.pipeline.model.card.name} has no such label, and there is no such file"
        remedy = f"labels: {_labels(origins)}; or give a picture, or SEED:NUMBER"
        raise UsageError(f"--style {style}", reason, remedy)
    second = origins.find(style, request.label)
    check_picture(origins, second)
    latent = restyle(origin.latent, second.latent, request.strength)
    return origins, WorkRequest(latent, "restyle", [origin, second], {**how, "style": _OF_SECOND}), finish


def _by_patches(
    origins: Origins, origin: Origin, request: RestyleRequest, patches: _Patches
) -> tuple[WorkRequest, FinishRequest]:
    finish, style, taken = request.finish, request.style, [origin]
    if request.strength != 1:
        raise UsageError(f"--strength {request.strength:g}", "is not for a style by patches", "leave it out")
    if finish.bare:
        raise UsageError("--finish none", "leaves nothing of a style by patches", "leave it out")
    if finish.exemplars is not None:
        reason = "and --style both say whose patches"
        raise UsageError(f"--exemplars {finish.exemplars}", reason, "leave one of them out")
    how = {"style": style, "strength": 1.0, "way": "patches"}
    if patches is _Patches.PICTURE:
        taken.append(origins.find(style, request.label))
        check_picture(origins, taken[-1])
        how["style"] = _OF_SECOND
    composition = None
    if origin.kind == "picture":
        # A picture from outside is what is composed; of works and seeds the model knows that.
        composition = fitted(pixels_of(Path(origin.name)), _KEPT)
    if patches is _Patches.MODEL:
        check_label(origins)
    exemplars = None if patches is _Patches.MODEL else style
    work = WorkRequest(origin.latent, "restyle", taken, how, composition)
    return work, _finish(replace(finish, exemplars=exemplars), faithful=composition is not None)


def _patches_of(workspace: Workspace, request: RestyleRequest) -> _Patches:
    style, way, path, origins = request.style, request.way, Path(request.style), Origins(workspace)
    if way not in (None, "patches"):
        return _Patches.NONE
    if path.is_file() and path.suffix != ".safetensors":
        # A work has a latent, and with it a style of its own.
        is_work = origins.published(file_digest(path)) is not None
        return _Patches.NONE if is_work and way is None else _Patches.PICTURE
    if ":" in style or (request.model is not None and way is None):
        return _Patches.NONE
    try:
        find_model(style, workspace)
    except ModelError as error:
        picture = Path(request.picture)
        knows_its_model = picture.is_file() and origins.published(file_digest(picture)) is not None
        if request.model is None and not knows_its_model:
            reason, remedy = "is no model and no picture that is here", f"for a label give --model, too; {error.remedy}"
            raise UsageError(f"--style {style}", reason, remedy) from None
        return _Patches.NONE
    return _Patches.MODEL


def _finish(finish: FinishRequest, *, faithful: bool) -> FinishRequest:
    """The same, keeping tones and all of what is composed where that is wanted."""
    return replace(finish, options=finish.options.model_copy(update={"faithful": faithful}))


def _labels(origins: Origins) -> str:
    return ", ".join(origins.pipeline.model.card.config.labels) or "none; this model has no labels"


def _styles(origins: Origins) -> int:
    return origins.pipeline.model.card.config.painter.blocks
