"""`limner train-upscaler`: what enlarges works, learned from a collection at full resolution."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limner.cli.common import checked_options, print_json
from limner.errors import UsageError

__all__ = ["register"]

_COLUMNS = ("psnr", "features", "teacher")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train-upscaler", rich_help_panel="Learn")(_train)


def _train(
    collection: Annotated[str, typer.Argument(help="Name or folder of a collection.")],
    name: Annotated[str | None, typer.Option(help="Name of the up-scaler; the collection's by default.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Length by the clock (10 where nothing is said).")] = None,
    steps: Annotated[int | None, typer.Option(help="Length in steps.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="Choose pictures: column=value; repeatable.")] = None,
    model: Annotated[str | None, typer.Option(help="Also learn from how this model paints.")] = None,
    teacher: Annotated[str, typer.Option(help="efficientnet-lite0, or none: only my pictures.")] = "efficientnet-lite0",
    crisp: Annotated[bool, typer.Option(help="Play against a discriminator, so that texture appears.")] = True,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
    precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; chosen by a probe otherwise.")] = None,
    only_cleared: Annotated[bool, typer.Option("--only-cleared", help="Leave held pictures out.")] = False,
    accept_unknown: Annotated[str | None, typer.Option(help="Use held pictures, for this reason.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the up-scaler's card as JSON.")] = False,
) -> None:
    """Train an up-scaler on a collection at full resolution, for [bold]limner enlarge[/bold].

    Example: [bold]limner train-upscaler paintings --model landscapes --minutes 10[/bold]
    """
    from limner.cli.training_bar import TerminalReporter
    from limner.collection import Collection
    from limner.ledger import Ledger
    from limner.models.bundle import find_model, load_model
    from limner.models.upscaler import save_upscaler, upscalers_of
    from limner.training.upscaling import UpscalerOptions, train_upscaler
    from limner.workspace import Workspace

    if minutes is not None and steps is not None:
        raise UsageError("--minutes, --steps", "say the same thing twice", "give one of them")
    workspace = Workspace.default()
    opened = Collection.open(collection, workspace)
    told: dict[str, Any] = {"minutes": minutes, "steps": steps, "precision": precision, "threads": threads}
    told |= {"accept_unknown": accept_unknown, "pull": None if crisp else 0.0}
    told |= {"name": name or f"{opened.name}-upscaler", "where": tuple(where or ()), "teacher": teacher}
    told |= {"seed": seed, "only_cleared": only_cleared}
    given = {option: value for option, value in told.items() if value is not None}
    options = checked_options(UpscalerOptions, "train-upscaler", given)
    painter = None if model is None else load_model(find_model(model, workspace))
    with TerminalReporter(quiet or as_json) as reporter:
        network, card = train_upscaler(opened, options, workspace, reporter, painter)
    path = upscalers_of(workspace) / f"{options.name}.safetensors"
    digest = save_upscaler(path, network, card)
    Ledger.open(workspace.ledger).record(
        "algorithm",
        "train-upscaler",
        inputs=[f"sha256:{one}" for one in (opened.digest, *card.parents)],
        outputs=[f"sha256:{digest}"],
        parameters=options.model_dump(mode="json"),
    )
    if as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
    else:
        _show(path, card.quality)


def _show(path: Path, quality: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("held-out pictures", "by", "PSNR, dB", "features", "teacher", title=str(path), box=None)
    table.title_justify = "left"
    for factor, found in quality.items():
        for prefix, by in (("", "learned"), ("lanczos_", "Lanczos")):
            cells = [f"{found[prefix + one]['value']:.3f}" if prefix + one in found else "" for one in _COLUMNS]
            table.add_row(f"{factor} ({found['psnr']['count']})", by, *cells)
    Console().print(table)
