"""What the commands that train are asked for, and the options of a training, or of one that goes on, that follow."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from limner.cli.common import checked_options
from limner.cli.options import AcceptUnknown, Json, Quiet, Where
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.training.options import RunOptions, TrainOptions
    from limner.workspace import Workspace

_MAY_CHANGE = ("adversarial_rate", "crisp", "threads", "device", "model_watermark")
"""What may be another when a run goes on; anything else would make another run of it."""
_FIELDS = {"size": ("height", "width"), "pictures": ("steps",), "crisp": ("adversarial",)}
"""Fields of the options that an option of the command sets, where they are not called like it."""

_Options = TypeVar("_Options", bound="RunOptions")


@dataclass(kw_only=True)
class Length:
    """How long a training may be, and how it goes on."""

    minutes: Annotated[float | None, typer.Option(help="Length by the clock.")] = None
    steps: Annotated[int | None, typer.Option(help="Length in steps; the same steps give the same weights.")] = None
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0
    threads: Annotated[int | None, typer.Option(help="Threads; chosen by a probe otherwise.")] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on where the run was stopped; give its --name, if it had one; other options may be left out.",
        ),
    ] = False
    quiet: Quiet = False
    as_json: Json = False


@dataclass(kw_only=True)
class LearningRequest(Length):
    """What every training from a collection can be asked for."""

    where: Where = None
    teacher: Annotated[str, typer.Option(help="efficientnet-lite0, or none: only my pictures.")] = "efficientnet-lite0"
    precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None
    only_cleared: Annotated[bool, typer.Option("--only-cleared", help="Leave out pictures that are held back.")] = False
    accept_unknown: AcceptUnknown = None


def given_options(context: typer.Context) -> list[str]:
    """The options, by their names as parameters, that stand on the command line of a command."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]


def option_values(request: LearningRequest, leave_out: Iterable[str]) -> dict[str, Any]:
    """What was asked for, by the names of the options; without what was left out.

    Raises:
        UsageError: minutes and steps were given.
    """
    if request.minutes is not None and request.steps is not None:
        raise UsageError("--minutes, --steps", "exclude each other", "give one of them")
    aside = {"resume", "quiet", "as_json", *leave_out}
    values = {field.name: getattr(request, field.name) for field in fields(request) if field.name not in aside}
    values["where"] = tuple(request.where or ())
    return {name: value for name, value in values.items() if value is not None}


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of `64` or `192x128` (width x height).

    Raises:
        UsageError: not of this form, or not multiples of 32 from 32 to 512.
    """
    sides = re.fullmatch(r"([0-9]{1,4})(?:x([0-9]{1,4}))?", text.lower())
    width, height = (int(sides[1]), int(sides[2] or sides[1])) if sides else (0, 0)
    if any(side % 32 or not 32 <= side <= 512 for side in (width, height)):
        remedy = "give 32, 64, 128, 256, 512 or WIDTHxHEIGHT, multiples of 32"
        raise UsageError(f"--size {text}", "is no size limner can train", remedy)
    return height, width


def train_options(collection: str, given: dict[str, Any], workspace: Workspace) -> TrainOptions:
    """The options of a new training.

    Args:
        collection: its name, from which the model's is made where none is given.
        given: what was asked for, by the names of the parameters; None where nothing was.

    Raises:
        UsageError: they contradict each other, or there is no such parent.
    """
    from limner.models.bundle import find_model, read_card
    from limner.training.options import TrainOptions

    values = {k: v for k, v in given.items() if v is not None}
    if sum(key in values for key in ("minutes", "steps", "pictures")) > 1:
        raise UsageError("--minutes, --steps, --pictures", "exclude each other", "give one of them")
    if (pictures := values.pop("pictures", None)) is not None and pictures < 1:
        raise UsageError(f"--pictures {pictures}", "is no number of pictures to see", "give 1 or more")
    size, parent = values.pop("size", None), None
    if "parent" in values:
        values["parent"] = str(find_model(values["parent"], workspace))
        parent = read_card(Path(values["parent"]))
    values.setdefault("family", parent.family if parent else "vae")
    if size is None and parent is not None:
        height, width = parent.config.painter.height, parent.config.painter.width
    else:
        height, width = parse_size(size or "64")
    usual = f"{collection}-{values['family']}-{width if width == height else f'{width}x{height}'}"
    values |= {"name": values.get("name") or usual, "where": tuple(values.get("where", ()))}
    options = checked_options(TrainOptions, "train", {"height": height, "width": width, **values})
    return options if pictures is None else _of_pictures(options, pictures)


def resumed_train(kept: TrainOptions, now: TrainOptions, given: Collection[str], pictures: int | None) -> TrainOptions:
    """The options of a training that goes on.

    Args:
        given: options of the command that were given.
        pictures: what `--pictures` says.

    Raises:
        UsageError: they are others than it was begun with.
    """
    if pictures is not None:
        now = now.model_copy(update={"steps": _of_pictures(kept, pictures).steps})
    return resumed(kept, now, given)


def resumed(kept: _Options, now: _Options, given: Collection[str]) -> _Options:
    """The options of a run that goes on: those with which it was begun, and what may be another.

    Args:
        given: options of the command that were given.

    Raises:
        UsageError: one that may not change is another than it was begun with.
    """
    changed: dict[str, Any] = {}
    for option in given:
        for field in (option,) if option in type(kept).model_fields else _FIELDS.get(option, ()):
            if (before := getattr(kept, field)) == getattr(now, field):
                continue
            if field not in _MAY_CHANGE:
                name = "--" + {"parent": "from"}.get(option, option).replace("_", "-")
                begun = f"the run was begun with another value ({field} {before})"
                raise UsageError(name, begun, "leave it out, or train anew without --resume")
            changed[field] = getattr(now, field)
    return kept.model_copy(update=changed)


def going_on(context: typer.Context, name: str, workspace: Workspace, options: _Options) -> _Options:
    """The options of the run of that name, which goes on as it was begun, but for what may be another.

    Raises:
        UsageError: an option that may not change is another than it was begun with.
        TrainingError: there is no such run.
    """
    from limner.training.run import open_run

    return resumed(open_run(name, workspace, type(options)).options, options, given_options(context))


def record_training(workspace: Workspace, what: str, inputs: Iterable[str], output: str, options: RunOptions) -> None:
    """Record what was learned from, and what came of it. # sha256 of each"""
    from limner.ledger import Ledger

    Ledger.open(workspace.ledger).record(
        "algorithm",
        what,
        inputs=[f"sha256:{one.removeprefix('sha256:')}" for one in inputs],
        outputs=[f"sha256:{output}"],
        parameters=options.model_dump(mode="json"),
    )


def _of_pictures(options: TrainOptions, pictures: int) -> TrainOptions:
    """As many steps as the painter needs to see so many pictures, in place of minutes."""
    from limner.training.sharing import steps_for

    return options.model_copy(update={"minutes": None, "steps": steps_for(pictures, options)})
