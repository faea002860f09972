"""`limner merge`: one model from two."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import checked_options, print_json
from limner.cli.completing import models
from limner.cli.making import Json
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.models.bundle import Model
    from limner.models.card import Card
    from limner.training.options import TrainOptions
    from limner.workspace import Workspace

__all__ = ["register"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MINUTES = 20.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("merge", rich_help_panel="Learn")(_merge)


def _merge(
    model_a: Annotated[str, typer.Argument(help="Name or file of a model.", autocompletion=models)],
    model_b: Annotated[str, typer.Argument(help="Name or file of another.")],
    name: Annotated[str, typer.Option(help="Name of the new model.")],
    at: Annotated[
        int | None, typer.Option(help="Coarse layers up to this size are A's, finer ones B's, e.g. 16.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="How much of each, e.g. 0.6,0.4.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Let a new model learn from both for so long; for any two of one size.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="File for the model; the workspace's models by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of every random choice in learning.")] = 0,
    threads: Annotated[int | None, typer.Option(help="Threads for learning; chosen by a probe otherwise.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Merge two models into one.

    Models of one family (one learned on from the other with [bold]train --from[/bold], or both from a third) are merged
    in seconds, by level or by weight; half and half where nothing is said. Of any others a new model learns, from
    pictures that both draw, what both paint, told apart by label.

    Example: [bold]limner merge emoji-vae emoji-gan --weights 0.5,0.5 --name emoji-between[/bold]

    Example: [bold]limner merge landscapes my-landscapes --minutes 20 --name both[/bold]
    """
    from limner.ledger import Ledger
    from limner.models.bundle import find_model, load_model
    from limner.models.merging import merged_rights
    from limner.workspace import Workspace

    workspace = Workspace.default()
    share = _share(at, weights, minutes)
    target = _target(name, to, workspace)
    paths = (find_model(model_a, workspace), find_model(model_b, workspace))
    models = (load_model(paths[0]), load_model(paths[1]))
    if models[0].digest == models[1].digest:
        raise UsageError(f"{model_a} and {model_b}", "are the same model", "give two different ones")
    merged_rights(*models)
    start = time.monotonic()
    if minutes is not None or not _kin(models, at, weights):
        options = _options(name, models, minutes or _MINUTES, seed, threads)
        how = _taught(options, models, target, workspace, quiet=quiet or as_json)
    else:
        how = _weighed(name, models, target, at, share)
    merged = load_model(target)
    card, digest = merged.card, f"sha256:{merged.digest}"
    Ledger.open(workspace.ledger).record(
        "artist",
        "merge",
        inputs=[f"sha256:{model.digest}" for model in models],
        outputs=[digest],
        parameters={"name": name, **how},
    )
    if as_json:
        print_json({"path": str(target), "digest": digest, "card": card.model_dump(mode="json")})
    else:
        _show(card, target, name if to is None else str(to), time.monotonic() - start)


def _share(at: int | None, told: str | None, minutes: float | None) -> float:
    """How much of the second model there shall be; half where nothing is said."""
    if sum(one is not None for one in (at, told, minutes)) > 1:
        raise UsageError("--at, --weights, --minutes", "exclude each other", "give one of them")
    if minutes is not None and not 0 < minutes < math.inf:
        raise UsageError(f"--minutes {minutes:g}", "is no length", "give e.g. 20")
    if told is None:
        return 0.5
    try:
        numbers = [float(one) for one in told.split(",")]
    except ValueError:
        raise UsageError(f"--weights {told}", "are no numbers", "give e.g. 0.6,0.4") from None
    if len(numbers) != 2:
        raise UsageError(f"--weights {told}", f"is {len(numbers)} for 2 models", "give one for each, e.g. 0.6,0.4")
    if not all(0 <= number < math.inf for number in numbers):
        raise UsageError(f"--weights {told}", "are no shares", "give numbers from 0 on, e.g. 0.6,0.4")
    if not 0 < sum(numbers) < math.inf:
        raise UsageError(f"--weights {told}", "sum to nothing", "give e.g. 0.6,0.4")
    return numbers[1] / sum(numbers)


def _target(name: str, to: Path | None, workspace: Workspace) -> Path:
    """Where the model will lie; nothing is there yet."""
    from limner.models.bundle import SHIPPED

    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name}", "is no name for a model", "use letters, digits, dot, dash, at most 64")
    if to is None:
        taken = [f / f"{name}.safetensors" for f in (workspace.models, SHIPPED)]
        if any(file.exists() for file in taken):
            raise UsageError(f"--name {name}", "there is a model of this name already", "give another name")
        return workspace.make(workspace.models) / f"{name}.safetensors"
    if to.suffix != ".safetensors":
        raise UsageError(f"--to {to}", "is no model's file", "end it in .safetensors")
    if to.exists():
        raise UsageError(f"--to {to}", "is there already", "give another file")
    return workspace.make(to.parent) / to.name


def _kin(models: tuple[Model, Model], at: int | None, weights: str | None) -> bool:
    """Whether weights can be merged; refused where that was asked for and they cannot."""
    from limner.models.merging import is_kin, same_painter

    same_painter(*models)
    if is_kin(*models):
        return True
    if at is None and weights is None:
        return False
    asked = f"--at {at}" if at is not None else f"--weights {weights}"
    names = " and ".join(model.card.name for model in models)
    raise UsageError(
        asked,
        f"weights of {names} do not come from one start and mean different things",
        "leave it out: a new model then learns from both (--minutes)",
    )


def _weighed(name: str, models: tuple[Model, Model], target: Path, at: int | None, share: float) -> dict[str, Any]:
    """Merge by level or by weight, and save."""
    from limner.models.bundle import save_model
    from limner.models.merging import average, merged_card, swap_levels
    from limner.training.merging import repainted

    how: dict[str, Any]
    if at is not None:
        generator, how = swap_levels(*models, at), {"way": "levels", "at": at}
    else:
        generator, how = average(*models, share), {"way": "weights", "weights": [round(1 - share, 6), round(share, 6)]}
    card = merged_card(name, generator, models, how)
    save_model(target, generator, card.model_copy(update={"quality": repainted(generator, models)}))
    return how


def _options(name: str, models: tuple[Model, Model], minutes: float, seed: int, threads: int | None) -> TrainOptions:
    from limner.training.options import TrainOptions

    painter = models[0].card.config.painter
    told = {"name": name, "height": painter.height, "width": painter.width, "prior": "flow"}
    # Who was promised "only my pictures" by both is promised it still.
    if all(model.card.teacher.name == "none" for model in models):
        told["teacher"] = "none"
    return checked_options(TrainOptions, "merge", {**told, "minutes": minutes, "seed": seed, "threads": threads})


def _taught(
    options: TrainOptions, models: tuple[Model, Model], target: Path, workspace: Workspace, *, quiet: bool
) -> dict[str, Any]:
    """Let a new model learn from both, and save it."""
    from limner.cli.training_bar import TerminalReporter
    from limner.training.merging import Distillation

    with TerminalReporter(quiet) as reporter:
        reporter.note(f"one model learns from both for {options.minutes:g} minutes (--minutes)")
        Distillation(options, models, workspace, reporter).run(target)
    return {"way": "distillation", "minutes": options.minutes, "seed": options.seed}


def _show(card: Card, path: Path, reference: str, seconds: float) -> None:
    merged = card.training.settings["merge"]
    print(f"{card.name}: {path} ({merged['way']}, made in {seconds:.0f} s)")
    if card.config.labels:
        print(f"labels: {', '.join(card.config.labels)}")
    for name, value in card.quality.items():
        if name.startswith("psnr_of_"):
            print(f"paints again what {name.removeprefix('psnr_of_')} draws: {value['value']:.1f} dB")
    if owed := card.rights.obligations:
        print(f"owes: {', '.join(owed)}")
    if card.credit:
        print(card.credit)
    print(f"paint with it: limner sample {reference} -n 16")
