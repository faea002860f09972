"""`limner train`: from a collection to a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import console_error, print_json
from limner.cli.completing import collections
from limner.cli.train_options import options_of, resumed
from limner.cli.training_bar import TerminalReporter
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.collection import Collection as Pictures
    from limner.training.options import TrainOptions
    from limner.workspace import Workspace

__all__ = ["register"]

_FEW = 20
"""Pictures of a label, of which fewer are hard to learn from."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(rich_help_panel="Learn")
    def train(
        context: typer.Context,
        collection: Annotated[str, typer.Argument(help="Name or folder of a collection.", autocompletion=collections)],
        name: Annotated[
            str | None, typer.Option(help="Name of the model; the collection's and size's by default.")
        ] = None,
        family: Annotated[
            str | None, typer.Option(help="vae or gan; with --from the parent's, otherwise vae.", show_default=False)
        ] = None,
        size: Annotated[
            str | None,
            typer.Option(
                help="Such as 64, or WIDTHxHEIGHT; multiples of 32 up to 512; with --from the parent's, otherwise 64."
            ),
        ] = None,
        minutes: Annotated[float | None, typer.Option(help="Length by the clock (20 where nothing is said).")] = None,
        steps: Annotated[int | None, typer.Option(help="Length in steps; repeatable to the bit.")] = None,
        pictures: Annotated[
            int | None,
            typer.Option(help="Length in pictures that the painter sees (at both its sizes)."),
        ] = None,
        where: Annotated[list[str] | None, typer.Option(help="Choose pictures: column=value; repeatable.")] = None,
        label: Annotated[str | None, typer.Option(help="Column whose values are learned as labels.")] = None,
        label_is_style: Annotated[
            bool,
            typer.Option("--label-is-style", help="The label says how pictures look, not what: styles can be swapped."),
        ] = False,
        pairs: Annotated[
            str | None,
            typer.Option(
                help="Column whose equal values show the same thing in several styles; needs --label-is-style."
            ),
        ] = None,
        teacher: Annotated[
            str, typer.Option(help="efficientnet-lite0, or none: only my pictures.")
        ] = "efficientnet-lite0",
        prior: Annotated[str, typer.Option(help="VAE: best, flow or mixture.")] = "best",
        crisp: Annotated[
            bool | None,
            typer.Option(
                "--crisp/--no-crisp",
                help="Whether a VAE's painter plays against a discriminator at the end (it does); a GAN always does.",
            ),
        ] = None,
        game_rate: Annotated[float | None, typer.Option(help="Learning rate of the painter in that game.")] = None,
        flip: Annotated[bool, typer.Option(help="Pictures may be mirrored; --no-flip for writing.")] = True,
        seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
        batch: Annotated[int, typer.Option(help="Pictures a step; a third of it at first.")] = 48,
        rate: Annotated[float | None, typer.Option(help="Learning rate of the painter.")] = None,
        precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None,
        threads: Annotated[int | None, typer.Option(min=1, help="Threads; chosen by a probe otherwise.")] = None,
        device: Annotated[str, typer.Option(help="cpu, or cuda for a graphics card (not tried yet).")] = "cpu",
        only_cleared: Annotated[bool, typer.Option("--only-cleared", help="Leave held pictures out.")] = False,
        accept_unknown: Annotated[str | None, typer.Option(help="Use held pictures, for this reason.")] = None,
        parent: Annotated[str | None, typer.Option("--from", help="Model to start from.")] = None,
        model_watermark: Annotated[
            bool,
            typer.Option("--model-watermark", help="Add the model's watermark to whatever it paints (128 px and up)."),
        ] = False,
        resume: Annotated[
            bool,
            typer.Option(
                "--resume", help="Go on where the run of this name stopped; --game-rate and --no-crisp may be new."
            ),
        ] = False,
        quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the model's card as JSON.")] = False,
    ) -> None:
        """Train a model on a collection.

        Example: [bold]limner train paintings --where kind=landscape --size 64 --minutes 20[/bold]
        """
        from limner.workspace import Workspace

        given = {
            k: v
            for k, v in locals().items()
            if k not in ("Workspace", "context", "collection", "resume", "quiet", "as_json")
        }
        sources = {name: context.get_parameter_source(name) for name in given}
        said = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
        workspace = Workspace.default()
        silent = quiet or as_json
        path = _train(collection, given, said, resume=resume, quiet=silent, workspace=workspace)
        _show(path, as_json)


def _add_watermark(path: Path, workspace: Workspace) -> None:
    """Put a model that marks what it paints in the place of the one that was trained."""
    from limner.ledger import Ledger
    from limner.models.bundle import read_card
    from limner.papers.watermark.model_watermark import add_model_watermark

    add_model_watermark(path, path, read_card(path).name, Ledger.open(workspace.ledger))


def _check_watermark(options: TrainOptions) -> None:
    """Refuse, before the training, a model that could not be given a watermark after it."""
    from limner.models.bundle import read_card
    from limner.papers.watermark.model_watermark import SMALLEST

    if min(options.height, options.width) < SMALLEST:
        size = f"{options.width}x{options.height}"
        raise UsageError(
            f"--size {size}", "is too small for a model watermark", "give 128 or leave --model-watermark out"
        )
    parent = read_card(Path(options.parent)) if options.parent else None
    if parent is not None and parent.model_watermark:
        has = f"{parent.name} has a mark already ({parent.model_watermark}), which what is trained from it keeps"
        raise UsageError("--model-watermark", has, "leave it out")


def _train(
    collection: str,
    given: dict[str, Any],
    said: Collection[str],
    *,
    resume: bool,
    quiet: bool,
    workspace: Workspace,
) -> Path:
    from limner.collection import Collection as Pictures
    from limner.ledger import Ledger
    from limner.models.bundle import read_card
    from limner.models.files import sha256_of
    from limner.training.record import open_run
    from limner.training.trainer import Training

    opened = Pictures.open(collection, workspace)
    options = options_of(opened.name, given, workspace)
    if resume:
        options = resumed(open_run(options.name, workspace).options, options, said, given["pictures"])
    if options.model_watermark:
        _check_watermark(options)
    _warn_of_few(opened, options)
    with TerminalReporter(quiet) as reporter:
        path = Training(options, opened, workspace, reporter, resume=resume).run()
    card = read_card(path)
    Ledger.open(workspace.ledger).record(
        "algorithm",
        "train",
        inputs=[f"sha256:{digest}" for digest in (opened.digest, *card.parents)],
        outputs=[f"sha256:{sha256_of(path)}"],
        parameters=options.model_dump(mode="json"),
    )
    if options.model_watermark:
        _add_watermark(path, workspace)
    return path


def _warn_of_few(opened: Pictures, options: TrainOptions) -> None:
    """Say which labels have too few pictures to be learned."""
    rows = opened.rows(options.where, split="train") if options.label else []
    if not options.label or (options.pairs and not any(row.labels.get(options.pairs) for row in rows)):
        return  # what is wrong with that is said by the training
    counts = Counter(row.labels.get(options.label, "") for row in rows)
    if few := sorted((count, name) for name, count in counts.items() if name and count < _FEW):
        named = ", ".join(f"{name} ({count})" for count, name in few[:8]) + (" and more" if len(few) > 8 else "")
        console_error(f"labels of fewer than {_FEW} pictures are learned badly, or by heart: {named}")


def _show(path: Path, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from limner.models.bundle import read_card

    card = read_card(path)
    if as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
        return
    table = Table(title=f"{card.name}: {path}", title_justify="left", show_header=False, box=None)
    quality, training = card.quality, card.training
    table.add_row(
        "learned", f"{training.pictures_seen:,} pictures, {training.latents_seen:,} latents, {training.minutes} min"
    )
    for name, unit in (("psnr", " dB"), ("ssim", ""), ("kid", ""), ("kid_floor", "")):
        if name not in quality:
            continue
        one = quality[name]
        shown = f"{one['value']:.3f}{unit}  (95 %: {one['low']:.3f} to {one['high']:.3f}, {one['count']} pictures)"
        table.add_row(name, shown)
    if "kid_says" in quality:
        table.add_row("", f"so new pictures, before they are finished, are {quality['kid_says']}")
    if "kid" not in quality:
        table.add_row("kid", "too few pictures are held out to tell how far new ones are from real ones")
    table.add_row("memorised", f"{quality['memorised']:.1%} of new pictures (1 % is none)")
    Console().print(table)
    Console().print(f"paint with it: [bold]limner sample {card.name} -n 16[/bold]", highlight=False)
