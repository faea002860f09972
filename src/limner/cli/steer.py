"""`limner move`, `limner mix`, `limner restyle`: new works from works, seeds and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.making import Identity, Json, Label, Model, Title, To, make, origins_of
from limner.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from limner.latent.origins import Origin, Origins
    from limner.models.painter import Latent

__all__ = ["parse_steps", "register"]

_LETTERS = "ABCDEFGH"


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
    along: Annotated[list[str], typer.Option(help="Direction and how far, e.g. warmth=+1.5; repeatable.")],
    blocks: Annotated[str | None, typer.Option(help="Only in these blocks, e.g. 3-6; 0 is the content.")] = None,
    model: Model = None,
    label: Label = None,
    to: To = None,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Move a picture along directions of its model.

    Find directions first: [bold]limner directions find MODEL[/bold]

    Example: [bold]limner move 7:3 --model paintings-vae --along warmth=+1.5 --along horizon=-1[/bold]
    """
    from limner.latent.directions import directions_of
    from limner.latent.mixing import parse_range
    from limner.papers.making import Deed

    steps = parse_steps(along)
    origins = origins_of(model)
    origin = origins.find(work, label)
    brush = origins.brush
    chosen = None if blocks is None else parse_range(blocks, brush.model.card.config.painter.blocks)
    directions = directions_of(brush, origins.workspace)
    latent = directions.moved(brush, origin.latent, steps, chosen)
    how = {"along": steps, **({"blocks": blocks} if blocks else {})}
    make(origins, [(latent, Deed("move", [origin], how))], to=to, title=title, identity=identity, as_json=as_json)


def _mix(
    works: Annotated[list[str], typer.Argument(help="Works, SEED:NUMBER or pictures: A, B, and up to H.")],
    content: Annotated[str | None, typer.Option(help="Whose content: A, B, ...")] = None,
    style: Annotated[str | None, typer.Option(help="Whose style: A, B, ...")] = None,
    blocks: Annotated[str | None, typer.Option(help="Whose blocks, e.g. 0-2:A,3-6:B; 0 is the content.")] = None,
    weights: Annotated[str | None, typer.Option(help="One weight for each, e.g. 0.7,0.3.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Where B is, in A: ellipse:0.2,0.1,0.8,0.6 or rectangle:...")
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="Where B is, in A: a picture, white is B.")] = None,
    feather: Annotated[float, typer.Option(help="Soft edge of a region, a share of the shorter side.")] = 0.1,
    model: Model = None,
    label: Label = None,
    to: To = None,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Mix two or more pictures: content of one and style of another, by block, by weight, or by region.

    Example: [bold]limner mix sea.png dusk.png --content A --style B[/bold]

    Example: [bold]limner mix 7:3 7:9 --model paintings-vae --region ellipse:0.2,0.1,0.8,0.6[/bold]
    """
    from limner.latent.origins import file_digest
    from limner.papers.making import Deed

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
    origins = origins_of(model)
    found = [origins.find(one, label) for one in works]
    letters = _LETTERS[: len(found)]
    if content or style or blocks:
        given = blocks or f"0:{content or 'A'},1-{_styles(origins)}:{style or 'A'}"
        latent, how = _by_blocks(origins, found, given, letters), {"blocks": given}
    elif weights:
        latent, how = _by_weights(origins, found, weights), {"weights": weights}
    else:
        latent = _by_region(origins, found, region, mask, feather)
        how = {"region": region, "feather": f"{feather:g}"} if region else {"mask": file_digest(Path(str(mask)))}
    make(origins, [(latent, Deed("mix", found, how))], to=to, title=title, identity=identity, as_json=as_json)


def _restyle(
    picture: Annotated[str, typer.Argument(help="A work's file, SEED:NUMBER, or another picture.")],
    style: Annotated[str, typer.Option(help="A label of the model, or a work, SEED:NUMBER or picture.")],
    strength: Annotated[float, typer.Option(help="0 leaves the picture as it is, 1 takes the whole style.")] = 1.0,
    model: Model = None,
    label: Label = None,
    to: To = None,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Give a picture the look of a work or of a label; the place of things stays.

    Example: [bold]limner restyle cat.png --model emoji-vae --style openmoji[/bold]
    """
    from limner.latent.restyling import label_style, restyle
    from limner.papers.making import Deed

    origins = origins_of(model)
    origin = origins.find(picture, label)
    taken = [origin]
    if style in origins.brush.model.card.config.labels:
        look = label_style(origins.brush, style)
    else:
        taken.append(origins.find(style, label))
        look = taken[1].latent
    latent = restyle(origin.latent, look, strength)
    how = {"style": style if len(taken) == 1 else "that of the second picture", "strength": strength}
    make(origins, [(latent, Deed("restyle", taken, how))], to=to, title=title, identity=identity, as_json=as_json)


def _styles(origins: Origins) -> int:
    return origins.brush.model.card.config.painter.blocks


def _by_blocks(origins: Origins, found: list[Origin], blocks: str, letters: str) -> Latent:
    from limner.latent.mixing import mix_blocks, parse_blocks

    return mix_blocks([one.latent for one in found], parse_blocks(blocks, letters, _styles(origins)))


def _by_weights(origins: Origins, found: list[Origin], weights: str) -> Latent:
    from limner.latent.mixing import mix_weights

    try:
        numbers = [float(weight) for weight in weights.split(",")]
    except ValueError:
        raise UsageError(f"--weights {weights}", "are no numbers", "give e.g. 0.7,0.3") from None
    return mix_weights(origins.brush, [one.latent for one in found], numbers)


def _by_region(origins: Origins, found: list[Origin], region: str | None, mask: Path | None, feather: float) -> Latent:
    from limner.latent.mixing import Region, mix_region

    if len(found) != 2:
        raise UsageError(f"{len(found)} pictures", "do not fit a region", "give 2: around it, and within it")
    config = origins.brush.model.card.config.painter
    if region:
        shape = Region.parse(region, feather).mask(config.height, config.width)
    else:
        assert mask is not None
        shape = _read_mask(mask, config.height, config.width)
    return mix_region(found[1].latent, found[0].latent, shape)


def _read_mask(path: Path, height: int, width: int) -> Tensor:
    import torch

    from limner import pictures
    from limner.errors import PictureError

    try:
        pixels = pictures.read(path).pixels
    except PictureError as error:
        raise UsageError(error.value, error.reason, error.remedy or "give another mask") from None
    if pixels.shape[:2] != (height, width):
        raise UsageError(
            f"--mask {path}",
            f"is {pixels.shape[1]}x{pixels.shape[0]}, the model's pictures are {width}x{height}",
            "make it as large as them",
        )
    return torch.from_numpy(pixels.copy()).float().mean(2) / 255
