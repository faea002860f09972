"""`limner move`, `limner mix`, `limner restyle`: new works from works, seeds and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.completing import directions
from limner.cli.making import (
    Borrow,
    Exemplars,
    Finish,
    Fit,
    Identity,
    Json,
    Label,
    Model,
    Place,
    Sheet,
    Size,
    Title,
    To,
    finish_request,
    make,
    origins_of,
)
from limner.cli.options import Overwrite
from limner.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from limner.models.painter import Latent
    from limner.works.origins import Origin, Origins
    from limner.workspace import Workspace

__all__ = ["parse_steps", "register"]

_LETTERS = "ABCDEFGH"
_KEPT = 96
"""Shorter side at which a picture that is restyled by patches is kept, px."""
Way = Annotated[
    str | None,
    typer.Option(help="translator, swap (of style vectors) or patches; what suits the style otherwise."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("move", rich_help_panel="Steer")(_move)
    app.command("mix", rich_help_panel="Steer")(_mix)
    app.command("restyle", rich_help_panel="Steer")(_restyle)


def parse_steps(told: list[str]) -> dict[str, float]:
    """`warmth=+1.5` and the like as names and sizes of steps.

    Raises:
        UsageError: one of them is none.
    """
    found: dict[str, float] = {}
    for one in told:
        name, _, size = one.partition("=")
        try:
            found[name] = float(size)
        except ValueError:
            raise UsageError(f"--along {one}", "is no step", "give e.g. warmth=+1.5") from None
        if not abs(found[name]) <= 20:
            raise UsageError(f"--along {one}", "is too far", "give -20 to 20; the safe range is told by the table")
    return found


def _move(
    work: Annotated[str, typer.Argument(help="A work's file, SEED:NUMBER, or another picture.")],
    along: Annotated[
        list[str], typer.Option(help="Direction and how far, e.g. warmth=+1.5; repeatable.", autocompletion=directions)
    ],
    blocks: Annotated[str | None, typer.Option(help="Only in these blocks, e.g. 3-6; 0 is the content.")] = None,
    model: Model = None,
    label: Label = None,
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    fit: Fit = "crop",
    to: To = None,
    sheet: Sheet = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Move a picture along directions of its model.

    Find directions first: [bold]limner directions find MODEL[/bold]

    Example: [bold]limner move 7:3 --model landscapes --along warmth=+1.5 --along horizon=-1[/bold]
    """
    from limner.latent.directions import directions_of
    from limner.latent.mixing import parse_range
    from limner.works.making import Deed

    steps, wish = parse_steps(along), finish_request(finish, size, borrow, exemplars)
    origins = origins_of(model, fit)
    origin = origins.find(work, label)
    pipeline = origins.pipeline
    chosen = None if blocks is None else parse_range(blocks, pipeline.model.card.config.painter.blocks)
    directions = directions_of(pipeline, origins.workspace)
    latent = directions.moved(pipeline, origin.latent, steps, chosen)
    how = {"along": steps, **({"blocks": blocks} if blocks else {})}
    made = [(latent, Deed("move", [origin], how))]
    make(
        origins,
        made,
        at=Place(to, overwrite, sheet),
        title=title,
        identity=identity,
        as_json=as_json,
        wish=wish,
    )


def _mix(
    works: Annotated[list[str], typer.Argument(help="Works, SEED:NUMBER or pictures: A, B, and up to H.")],
    content: Annotated[str | None, typer.Option(help="Whose content: A, B, ...")] = None,
    style: Annotated[str | None, typer.Option(help="Whose style: A, B, ..., or a label of the model.")] = None,
    blocks: Annotated[str | None, typer.Option(help="Whose blocks, e.g. 0-2:A,3-6:B; 0 is the content.")] = None,
    weights: Annotated[str | None, typer.Option(help="One weight for each, e.g. 0.7,0.3.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Where B is, in A: ellipse:0.2,0.1,0.8,0.6 or rectangle:...")
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="Where B is, in A: a picture, white is B.")] = None,
    feather: Annotated[float, typer.Option(help="Soft edge of a region, a share of the shorter side.")] = 0.1,
    way: Way = None,
    model: Model = None,
    label: Label = None,
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    fit: Fit = "crop",
    to: To = None,
    sheet: Sheet = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Mix two or more pictures: content of one and style of another, by block, by weight, or by region.

    Where the two are of different labels, and the model has a translator, content and style are brought together by it;
    [bold]--way swap[/bold] takes the style vectors as they are.

    Example: [bold]limner mix sea.png dusk.png --content A --style B[/bold]

    Example: [bold]limner mix 7:3 7:9 --model landscapes --region ellipse:0.2,0.1,0.8,0.6[/bold]
    """
    from limner.works.making import Deed
    from limner.works.origins import file_digest

    if not 2 <= len(works) <= len(_LETTERS):
        raise UsageError(f"{len(works)} pictures", "cannot be mixed", f"give 2 to {len(_LETTERS)}")
    ways = {
        "--content and --style": content or style,
        "--blocks": blocks,
        "--weights": weights,
        "--region": region,
        "--mask": mask,
    }
    asked = [name for name, value in ways.items() if value]
    if len(asked) != 1:
        told = " and ".join(asked) or "no way to mix"
        raise UsageError(told, "is not one way to mix", f"give one of: {', '.join(ways)}")
    wish = finish_request(finish, size, borrow, exemplars)
    origins = origins_of(model, fit)
    found = [origins.find(one, label) for one in works]
    letters = _LETTERS[: len(found)]
    how: dict[str, Any]
    if content or style:
        latent, how = _by_style(origins, found, content or "A", style or "A", letters, way)
    elif blocks:
        latent, how = _by_blocks(origins, found, blocks, letters), {"blocks": blocks}
    elif weights:
        latent, how = _by_weights(origins, found, weights), {"weights": weights}
    else:
        latent = _by_region(origins, found, region, mask, feather)
        how = {"region": region, "feather": f"{feather:g}"} if region else {"mask": file_digest(Path(str(mask)))}
    made = [(latent, Deed("mix", found, how))]
    make(
        origins,
        made,
        at=Place(to, overwrite, sheet),
        title=title,
        identity=identity,
        as_json=as_json,
        wish=wish,
    )


def _restyle(
    picture: Annotated[str, typer.Argument(help="A work's file, SEED:NUMBER, or another picture.")],
    style: Annotated[str, typer.Option(help="A label of the model, a model, a picture, a work, or SEED:NUMBER.")],
    strength: Annotated[
        float, typer.Option(help="Of a style that is not painted by patches: 0 leaves the picture, 1 takes the whole.")
    ] = 1.0,
    way: Way = None,
    model: Model = None,
    label: Label = None,
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    fit: Fit = "crop",
    to: To = None,
    sheet: Sheet = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Give a picture the look of a model's pictures, of a label, of one picture or of a work; what is where stays.

    In the hand of a model or of one picture it is painted anew from patches of those. A label is reached by the model's
    translator, where it has one ([bold]limner train-translator[/bold]), and finished from pictures of the label.

    Example: [bold]limner restyle photo.jpg --style landscapes[/bold]

    Example: [bold]limner restyle cat.png --model emoji-vae --style openmoji[/bold]
    """
    from limner.latent.restyling import restyle, to_label
    from limner.works.making import Deed

    hand = _hand_of(picture, style, way, model)
    # In the hand of a model that model paints, whichever other one was named.
    origins = origins_of(style if hand == "model" else model, fit)
    origin = origins.find(picture, label)
    taken, told = [origin], style
    more: dict[str, Any] = {}
    composition = None
    by_label = style in origins.pipeline.model.card.config.labels and way != "patches"
    if by_label:
        latent, more = to_label(
            origins.pipeline, origins.workspace, origin.latent, style, source=origin.label, strength=strength, way=way
        )
    elif hand or way == "patches":
        _check_patches(strength, finish, exemplars)
        if hand == "picture":
            taken.append(origins.find(style, label))
            told = "that of the second picture"
        latent, composition = origin.latent, _shown(origin)
        strength, exemplars, more = 1.0, None if hand == "model" else style, {"way": "patches"}
    else:
        if way == "translator":
            raise UsageError("--way translator", "leads to a label", f"give --style one of: {_labels(origins)}")
        if not Path(style).is_file() and ":" not in style:
            told = f"{origins.pipeline.model.card.name} has no such label, and there is no such file"
            raise UsageError(f"--style {style}", told, f"labels: {_labels(origins)}; or give a picture, or SEED:NUMBER")
        taken.append(origins.find(style, label))
        told = "that of the second picture"
        latent = restyle(origin.latent, taken[1].latent, strength)
    how = {"style": told, "strength": strength, **more}
    wish = finish_request(finish, size, borrow, exemplars, faithful=by_label or composition is not None)
    made = [(latent, Deed("restyle", taken, how, composition))]
    make(
        origins,
        made,
        at=Place(to, overwrite, sheet),
        title=title,
        identity=identity,
        as_json=as_json,
        wish=wish,
    )


def _hand_of(picture: str, style: str, way: str | None, model: str | None) -> str:
    """Whether a style is painted by patches, and of what: `model`, `picture`, or empty where it is not."""
    from limner.errors import ModelError
    from limner.models.bundle import find_model
    from limner.works.origins import Origins, file_digest
    from limner.workspace import Workspace

    if way not in (None, "patches"):
        return ""
    workspace, path = Workspace.default(), Path(style)
    if path.is_file() and path.suffix != ".safetensors":
        # A work has a latent, and with it a style of its own.
        work = Origins(workspace).published(file_digest(path)) is not None
        return "" if work and way is None else "picture"
    if ":" in style or (model is not None and way is None):
        return ""
    try:
        find_model(style, workspace)
    except ModelError as error:
        if model is None and not _knows_its_model(picture, workspace):
            reason = "is no model and no picture that is here"
            raise UsageError(f"--style {style}", reason, f"for a label give --model, too; {error.remedy}") from None
        return ""
    return "model"


def _knows_its_model(picture: str, workspace: Workspace) -> bool:
    """Whether a picture is a work that was published here."""
    from limner.works.origins import Origins, file_digest

    return Path(picture).is_file() and Origins(workspace).published(file_digest(Path(picture))) is not None


def _check_patches(strength: float, finish: str, exemplars: str | None) -> None:
    """Refuse what a style by patches cannot be."""
    if strength != 1:
        raise UsageError(f"--strength {strength:g}", "is not for a style by patches", "leave it out")
    if finish == "none":
        raise UsageError("--finish none", "leaves nothing of a style by patches", "leave it out")
    if exemplars is not None:
        raise UsageError(f"--exemplars {exemplars}", "and --style both say whose patches", "leave one of them out")


def _shown(origin: Origin) -> NDArray[np.uint8] | None:
    """A picture from outside, small, as what is composed; of works and seeds the model knows that. # uint8 [h, w, 3]"""
    from limner import pictures
    from limner.synthesis.resampling import fitted

    return None if origin.kind != "picture" else fitted(pictures.read(Path(origin.told)).pixels, _KEPT)


def _labels(origins: Origins) -> str:
    return ", ".join(origins.pipeline.model.card.config.labels) or "none; this model has no labels"


def _styles(origins: Origins) -> int:
    return origins.pipeline.model.card.config.painter.blocks


def _by_style(
    origins: Origins, found: list[Origin], content: str, style: str, letters: str, way: str | None
) -> tuple[Latent, dict[str, Any]]:
    """The content of one with the style of another, or of a label."""
    from limner.latent.restyling import to_label

    labels = origins.pipeline.model.card.config.labels
    if style not in letters and style not in labels:
        raise UsageError(f"--style {style}", "is none of them", f"use {', '.join((*letters, *labels))}")
    if content not in letters:
        raise UsageError(f"--content {content}", "is none of them", f"use {', '.join(letters)}")
    own = found[letters.index(content)]
    label = style if style in labels else found[letters.index(style)].label
    if style in labels or (way != "swap" and label is not None and label != own.label):
        latent, more = to_label(origins.pipeline, origins.workspace, own.latent, str(label), source=own.label, way=way)
        if more or style in labels:
            return latent, {"content": content, "style": style, **more}
    elif way == "translator":
        raise UsageError(
            "--way translator", f"{style} is of no other label than {content}", "give a label with --style"
        )
    blocks = f"0:{content},1-{_styles(origins)}:{style}"
    # Finished in the hand of the style's label.
    hand = {"label": label} if label is not None and label != own.label else {}
    return _by_blocks(origins, found, blocks, letters), {"blocks": blocks, **hand}


def _by_blocks(origins: Origins, found: list[Origin], blocks: str, letters: str) -> Latent:
    from limner.latent.mixing import mix_blocks, parse_blocks

    return mix_blocks([one.latent for one in found], parse_blocks(blocks, letters, _styles(origins)))


def _by_weights(origins: Origins, found: list[Origin], weights: str) -> Latent:
    from limner.latent.mixing import mix_weights

    try:
        numbers = [float(weight) for weight in weights.split(",")]
    except ValueError:
        raise UsageError(f"--weights {weights}", "are no numbers", "give e.g. 0.7,0.3") from None
    return mix_weights(origins.pipeline, [one.latent for one in found], numbers)


def _by_region(origins: Origins, found: list[Origin], region: str | None, mask: Path | None, feather: float) -> Latent:
    from limner.latent.mixing import Region, mix_region

    if len(found) != 2:
        raise UsageError(f"{len(found)} pictures", "do not fit a region", "give 2: around it, and within it")
    config = origins.pipeline.model.card.config.painter
    if region:
        shape = Region.parse(region, feather).mask(config.height, config.width)
    else:
        assert mask is not None
        shape = _read_mask(mask, config.height, config.width)
    return mix_region(found[1].latent, found[0].latent, shape)


def _read_mask(path: Path, height: int, width: int) -> Tensor:
    """White is B, black and what is transparent is A; values of 0 and 1 alone count as black and white. # [h, w]

    Raises:
        UsageError: no picture, of another size, or one value everywhere.
    """
    import torch

    from limner import pictures
    from limner.errors import PictureError

    try:
        pixels = pictures.read(path, background=(0, 0, 0)).pixels
    except PictureError as error:
        raise UsageError(error.value, error.reason, error.remedy or "give another mask") from None
    if pixels.shape[:2] != (height, width):
        raise UsageError(
            f"--mask {path}",
            f"is {pixels.shape[1]}x{pixels.shape[0]}, the model's pictures are {width}x{height}",
            "make it as large as them",
        )
    shape = torch.from_numpy(pixels.copy()).float().mean(2)
    shape = shape / (1 if shape.max() <= 1 else 255)
    if shape.min() == shape.max():
        whole = "A, the first picture" if shape.max() < 0.5 else "B, the second picture"
        raise UsageError(f"--mask {path}", f"has one value everywhere: all would be {whole}", "paint B white, A black")
    return shape
