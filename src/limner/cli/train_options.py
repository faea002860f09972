"""From what `limner train` is told to the options of a training, or of one that goes on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limner.cli.common import checked_options
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.training.options import TrainOptions
    from limner.workspace import Workspace

__all__ = ["options_of", "parse_size", "resumed"]

_MAY_CHANGE = ("game_rate", "crisp", "threads", "device", "model_watermark")
"""What a run that goes on may be told anew; anything else would make another run of it."""
_FIELDS = {"size": ("height", "width"), "pictures": ("steps",), "name": ()}
"""Fields of the options that an option of the command sets, where they are not called like it."""


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of `64` or `192x128` (width x height).

    Raises:
        UsageError: not of this form, or not multiples of 32 from 32 to 512.
    """
    parts = text.lower().split("x")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or any(n % 32 or not 32 <= n <= 512 for n in numbers):
        raise UsageError(
            f"--size {text}",
            "is no size limner can train",
            "give 32, 64, 128, 256, 512 or WIDTHxHEIGHT, multiples of 32",
        )
    width, height = numbers[0], numbers[-1]
    return height, width


def options_of(collection: str, given: dict[str, Any], workspace: Workspace) -> TrainOptions:
    """The options of a new training.

    Args:
        collection: its name, from which the model's is made where none is given.
        given: what the command was told, by the names of its parameters; None where nothing was said.

    Raises:
        UsageError: they contradict each other, or there is no such parent.
    """
    from limner.models.bundle import find_model, read_card
    from limner.training.options import TrainOptions

    told = {k: v for k, v in given.items() if v is not None}
    if sum(key in told for key in ("minutes", "steps", "pictures")) > 1:
        raise UsageError("--minutes, --steps, --pictures", "say the same thing twice", "give one of them")
    if (pictures := told.pop("pictures", None)) is not None and pictures < 1:
        raise UsageError(f"--pictures {pictures}", "is no number of pictures to see", "give 1 or more")
    size, parent = told.pop("size", None), None
    if "parent" in told:
        told["parent"] = str(find_model(told["parent"], workspace))
        parent = read_card(Path(told["parent"]))
    told.setdefault("family", parent.family if parent else "vae")
    if size is None and parent is not None:
        height, width = parent.config.painter.height, parent.config.painter.width
    else:
        height, width = parse_size(size or "64")
    told["name"] = (
        told.get("name") or f"{collection}-{told['family']}-{width if width == height else f'{width}x{height}'}"
    )
    told["where"] = tuple(told.get("where", ()))
    options = checked_options(TrainOptions, "train", {"height": height, "width": width, **told})
    if pictures is None:
        return options
    return _of_pictures(options, pictures)


def resumed(kept: TrainOptions, told: TrainOptions, said: Collection[str], pictures: int | None) -> TrainOptions:
    """The options of a run that goes on.

    Args:
        said: options of the command that were given.
        pictures: what `--pictures` says.

    Raises:
        UsageError: it is told something else than it was begun with.
    """
    changed: dict[str, Any] = {}
    if pictures is not None:
        told = told.model_copy(update={"steps": _of_pictures(kept, pictures).steps})
    for option in said:
        for field in _FIELDS.get(option, (option,)):
            before, now = getattr(kept, field), getattr(told, field)
            if now == before:
                continue
            if field not in _MAY_CHANGE:
                name = "--" + {"parent": "from"}.get(option, option).replace("_", "-")
                begun = f"the run {kept.name} was begun with another value ({field} {before})"
                raise UsageError(name, begun, "leave it out, or train anew without --resume")
            changed[field] = now
    return kept.model_copy(update=changed)


def _of_pictures(options: TrainOptions, pictures: int) -> TrainOptions:
    """As many steps as the painter needs to see so many pictures, in place of minutes."""
    from limner.training.sharing import steps_for

    return options.model_copy(update={"minutes": None, "steps": steps_for(pictures, options)})
