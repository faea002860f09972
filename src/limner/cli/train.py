"""`limner train`: from a collection to a model."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import console_error, print_json
from limner.cli.options import AllowSuperseded, CollectionName, grouped
from limner.cli.tables import facts, plain, show
from limner.cli.train_options import LearningRequest, given_options, record_training, resumed_train, train_options
from limner.cli.training_bar import TerminalReporter
from limner.errors import UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.collection import Collection as Pictures
    from limner.training.options import TrainOptions

_FEW = 20
"""Pictures of a label, of which fewer are hard to learn from."""


@dataclass(kw_only=True)
class _Request(LearningRequest):
    minutes: Annotated[float | None, typer.Option(help="Length by the clock (20 if left out).")] = None
    collection: CollectionName
    name: Annotated[str | None, typer.Option(help="Name of the model; COLLECTION-FAMILY-SIZE by default.")] = None
    family: Annotated[str | None, typer.Option(help="vae or gan; with --from the parent's, otherwise vae.")] = None
    size: Annotated[
        str | None,
        typer.Option(
            help="Such as 64, or WIDTHxHEIGHT; multiples of 32 up to 512; with --from the parent's, otherwise 64."
        ),
    ] = None
    pictures: Annotated[
        int | None, typer.Option(help="Length in pictures that the painter sees (at both its sizes).")
    ] = None
    label: Annotated[str | None, typer.Option(help="Column whose values are learned as labels.")] = None
    label_is_style: Annotated[
        bool,
        typer.Option("--label-is-style", help="The label says how pictures look, not what: styles can be swapped."),
    ] = False
    pairs: Annotated[
        str | None,
        typer.Option(help="Column whose equal values show the same thing in several styles; needs --label-is-style."),
    ] = None
    prior: Annotated[str, typer.Option(help="VAE: best, flow or mixture.")] = "best"
    crisp: Annotated[
        bool | None,
        typer.Option(
            "--crisp/--no-crisp",
            help="End a VAE's training with an adversarial stage (the default); a GAN always has one.",
        ),
    ] = None
    adversarial_rate: Annotated[
        float | None, typer.Option(help="Learning rate of the painter in the adversarial stage.")
    ] = None
    flip: Annotated[bool, typer.Option(help="Pictures may be mirrored; --no-flip where pictures hold writing.")] = True
    batch: Annotated[int, typer.Option(help="Pictures a step; a third of it at first.")] = 48
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate of the painter.")] = None
    device: Annotated[str, typer.Option(help="cpu, or cuda for a graphics card.")] = "cpu"
    parent: Annotated[str | None, typer.Option("--from", help="Model to start from.")] = None
    allow_superseded: AllowSuperseded = None
    model_watermark: Annotated[
        bool,
        typer.Option("--model-watermark", help="Add the model's watermark to whatever it paints (128 px and up)."),
    ] = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", rich_help_panel="Learn")(grouped(_train))


def _train(context: typer.Context, request: _Request) -> None:
    """Train a model on a collection.

    A run that was stopped goes on with --resume; --adversarial-rate and --no-crisp may then be new.

    Example: [bold]limner train paintings --where kind=landscape --size 64 --minutes 20[/bold]
    """
    from limner.collection import Collection as Pictures
    from limner.models.superseded import load_usable
    from limner.training.trainer import Training

    workspace = Workspace.default()
    opened = Pictures.open(request.collection, workspace)
    options = _options(context, request, opened.name, workspace)
    if options.parent is not None:
        load_usable(options.parent, workspace, request.allow_superseded)
    if options.model_watermark:
        _check_watermark(options)
    _warn_of_few(opened, options)
    if sys.stderr.isatty() and not (request.quiet or request.as_json):
        _say_risk(opened, options)
    with TerminalReporter(request.quiet or request.as_json) as reporter:
        path = Training(options, opened, workspace, reporter, resume=request.resume).run()
    _record(opened, options, path, workspace)
    _show(path, request.as_json)


def _options(context: typer.Context, request: _Request, collection: str, workspace: Workspace) -> TrainOptions:
    from limner.training.options import TrainOptions
    from limner.training.run import open_run

    aside = ("collection", "allow_superseded", "resume", "quiet", "as_json")
    values = {one.name: getattr(request, one.name) for one in fields(request) if one.name not in aside}
    options = train_options(collection, values, workspace)
    if not request.resume:
        return options
    begun = open_run(options.name, workspace, TrainOptions)
    return resumed_train(begun.options, options, given_options(context), request.pictures)


def _record(opened: Pictures, options: TrainOptions, path: Path, workspace: Workspace) -> None:
    from limner.ledger import Ledger
    from limner.models.bundle import read_card
    from limner.models.files import sha256_of
    from limner.papers.watermark.model_watermark import add_model_watermark

    card = read_card(path)
    record_training(workspace, "train", (opened.digest, *card.parents), sha256_of(path), options)
    if options.model_watermark:  # the model that marks what it paints takes the place of the one that was trained
        add_model_watermark(path, path, card.name, Ledger.open(workspace.ledger))


def _check_watermark(options: TrainOptions) -> None:
    """Refuse, before the training, a model that could not be given a watermark after it."""
    from limner.models.bundle import read_card
    from limner.papers.watermark.model_watermark import SMALLEST

    if min(options.height, options.width) < SMALLEST:
        size = f"{options.width}x{options.height}"
        remedy = "give 128 or leave --model-watermark out"
        raise UsageError(f"--size {size}", "is too small for a model watermark", remedy)
    parent = read_card(Path(options.parent)) if options.parent else None
    if parent is not None and parent.model_watermark:
        has = f"{parent.name} has a mark already ({parent.model_watermark}), which what is trained from it keeps"
        raise UsageError("--model-watermark", has, "leave it out")


def _warn_of_few(opened: Pictures, options: TrainOptions) -> None:
    """Say which labels have too few pictures to be learned."""
    rows = opened.rows(options.where, split="train") if options.label else []
    if not options.label or (options.pairs and not any(row.labels.get(options.pairs) for row in rows)):
        return  # what is wrong with that is said by the training
    counts = Counter(row.labels.get(options.label, "") for row in rows)
    if few := sorted((count, name) for name, count in counts.items() if name and count < _FEW):
        named = ", ".join(f"{name} ({count})" for count, name in few[:8]) + (" and more" if len(few) > 8 else "")
        console_error(f"labels of fewer than {_FEW} pictures are learned badly, or by heart: {named}")


def _say_risk(opened: Pictures, options: TrainOptions) -> None:
    """Say how likely copies are, before the training."""
    from limner.gate.forecast import forecast

    found = forecast(opened.rows(options.where))
    line = f"copying risk: {found.risk} ({found.different:,} different pictures, a rule of thumb); {found.advice}"
    console_error(line)


def _show(path: Path, as_json: bool) -> None:
    from limner.models.bundle import read_card

    card = read_card(path)
    if as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
        return
    quality, training = card.quality, card.training
    learned = f"{training.pictures_seen:,} pictures, {training.latents_seen:,} latents, {training.minutes} min"
    rows = [("learned", learned)]
    for name, unit in (("psnr", " dB"), ("ssim", ""), ("kid", ""), ("kid_floor", "")):
        if one := quality.get(name):
            within = f"(95 %: {one['low']:.3f} to {one['high']:.3f}, {one['count']} pictures)"
            rows.append((name, f"{one['value']:.3f}{unit}  {within}"))
    if "kid_says" in quality:
        rows.append(("", f"so new pictures, before they are finished, are {quality['kid_says']}"))
    if "kid" not in quality:
        rows.append(("kid", "too few pictures are held out to measure how far new ones are from real ones"))
    rows.append(("memorised", f"{quality['memorised']:.1%} of new pictures (1 % is none)"))
    show(plain(f"{card.name}: {path}"), facts(rows), f"paint with it: [bold]limner sample {card.name} -n 16[/bold]")
