"""`limner merge`: one model from two."""

from __future__ import annotations

import math
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import checked_options, print_json
from limner.cli.options import AllowSuperseded, ModelName, grouped
from limner.cli.outputs import new_model
from limner.cli.train_options import Length, going_on
from limner.cli.training_bar import TerminalReporter
from limner.errors import UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.models.bundle import Model
    from limner.models.card import Card
    from limner.training.options import MergeOptions


@dataclass(kw_only=True)
class _Request(Length):
    model_a: ModelName
    model_b: ModelName
    name: Annotated[str, typer.Option(help="Name of the new model.")]
    at: Annotated[int | None, typer.Option(help="Coarse layers up to this size are A's, finer ones B's, e.g. 16.")] = (
        None
    )
    weights: Annotated[str | None, typer.Option(help="How much of each, e.g. 0.6,0.4.")] = None
    minutes: Annotated[
        float | None, typer.Option(help="Let a new model learn from both for so long; for any two of one size.")
    ] = None
    steps: Annotated[int | None, typer.Option(min=1, help="The same, for so many steps.")] = None
    to: Annotated[Path | None, typer.Option(help="File for the model; the workspace's models by default.")] = None
    allow_superseded: AllowSuperseded = None

    @property
    def learns(self) -> bool:
        """Whether a new model was asked to learn from both."""
        return self.resume or self.minutes is not None or self.steps is not None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("merge", rich_help_panel="Learn")(grouped(_merge))


def _merge(context: typer.Context, request: _Request) -> None:
    """Merge two models into one.

    Two models of one origin (one trained from the other with [bold]train --from[/bold], or both from a third) are
    merged in seconds, by level or by weight; half and half by default. Otherwise a new model learns from pictures that
    both paint, with a label for each. If that was stopped, it goes on with [bold]--resume[/bold].

    Example: [bold]limner merge emoji-vae emoji-gan --weights 0.5,0.5 --name emoji-between[/bold]

    Example: [bold]limner merge landscapes my-landscapes --minutes 20 --name both[/bold]

    Example: [bold]limner merge landscapes my-landscapes --name both --resume[/bold]
    """
    from limner.ledger import Ledger
    from limner.models.bundle import load_model
    from limner.models.merging import merged_rights

    workspace, start = Workspace.default(), time.monotonic()
    share = _share(request)
    target = new_model(request.name, workspace, request.to)
    models = _models(request, workspace)
    merged_rights(*models)
    if request.learns or not _kin(models, request.at, request.weights):
        how = _taught(context, request, models, target, workspace)
    else:
        how = _weighed(request.name, models, target, request.at, share)
    merged = load_model(target)
    card, digest = merged.card, f"sha256:{merged.digest}"
    parents, how = [f"sha256:{model.digest}" for model in models], {"name": request.name, **how}
    Ledger.open(workspace.ledger).record("artist", "merge", inputs=parents, outputs=[digest], parameters=how)
    if request.as_json:
        print_json({"path": str(target), "digest": digest, "card": card.model_dump(mode="json")})
    else:
        reference = request.name if request.to is None else str(request.to)
        _show(card, target, reference, time.monotonic() - start)


def _models(request: _Request, workspace: Workspace) -> tuple[Model, Model]:
    from limner.models.superseded import load_usable

    asked, allow = (request.model_a, request.model_b), request.allow_superseded
    first, second = (load_usable(one, workspace, allow)[0] for one in asked)
    if first.digest == second.digest:
        named = f"{request.model_a} and {request.model_b}"
        raise UsageError(named, "are the same model", "give two different ones")
    return first, second


def _share(request: _Request) -> float:
    """How much of the second model there shall be; half where nothing is said."""
    minutes, weights = request.minutes, request.weights
    if sum(one is not None for one in (request.at, weights, minutes, request.steps)) > 1:
        raise UsageError("--at, --weights, --minutes, --steps", "exclude each other", "give one of them")
    if request.resume and (request.at is not None or weights is not None):
        raise UsageError("--resume", "goes on with a model that learns", "leave out --at and --weights")
    if minutes is not None and not 0 < minutes < math.inf:
        raise UsageError(f"--minutes {minutes:g}", "is no length", "give e.g. 20")
    if weights is None:
        return 0.5
    try:
        numbers = [float(one) for one in weights.split(",")]
    except ValueError:
        raise UsageError(f"--weights {weights}", "are no numbers", "give e.g. 0.6,0.4") from None
    if len(numbers) != 2:
        raise UsageError(f"--weights {weights}", f"is {len(numbers)} for 2 models", "give one for each, e.g. 0.6,0.4")
    if not all(0 <= number < math.inf for number in numbers):
        raise UsageError(f"--weights {weights}", "are no shares", "give numbers from 0 on, e.g. 0.6,0.4")
    if not 0 < sum(numbers) < math.inf:
        raise UsageError(f"--weights {weights}", "sum to nothing", "give e.g. 0.6,0.4")
    return numbers[1] / sum(numbers)


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


def _options(
    context: typer.Context, request: _Request, models: tuple[Model, Model], workspace: Workspace
) -> MergeOptions:
    from limner.training.options import MergeOptions

    painter = models[0].card.config.painter
    values: dict[str, Any] = {"name": request.name, "height": painter.height, "width": painter.width, "prior": "flow"}
    # Who was promised "only my pictures" by both is promised it still.
    if all(model.card.teacher.name == "none" for model in models):
        values["teacher"] = "none"
    values |= {"minutes": request.minutes, "steps": request.steps, "seed": request.seed, "threads": request.threads}
    options = checked_options(MergeOptions, "merge", values)
    return going_on(context, request.name, workspace, options) if request.resume else options


def _taught(
    context: typer.Context, request: _Request, models: tuple[Model, Model], target: Path, workspace: Workspace
) -> dict[str, Any]:
    from limner.training.merging import Distillation

    options = _options(context, request, models, workspace)
    length = f"{options.minutes:g} minutes (--minutes)" if options.steps is None else f"{options.steps} steps (--steps)"
    to = "" if request.to is None else f" --to {shlex.quote(str(request.to))}"
    named = f"{shlex.quote(request.model_a)} {shlex.quote(request.model_b)} --name {request.name}{to}"
    with TerminalReporter(request.quiet or request.as_json) as reporter:
        reporter.note(f"one model learns from both for {length}")
        again = f"limner merge {named} --resume"
        Distillation(options, models, workspace, reporter, resume=request.resume, again=again).run(target)
    return {"way": "distillation", "minutes": options.minutes, "steps": options.steps, "seed": options.seed}


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
