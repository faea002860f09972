"""`limner train-upscaler`: what enlarges works, learned from a collection at full resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import checked_options, print_json
from limner.cli.options import CollectionName, grouped
from limner.cli.tables import show, table
from limner.cli.train_options import LearningRequest, going_on, option_values, record_training
from limner.cli.training_bar import TerminalReporter
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.training.upscaling import UpscalerOptions

_COLUMNS = ("psnr", "features", "teacher")


@dataclass(kw_only=True)
class _Request(LearningRequest):
    minutes: Annotated[float | None, typer.Option(help="Length by the clock (10 if left out).")] = None
    collection: CollectionName
    name: Annotated[str | None, typer.Option(help="Name of the up-scaler; the collection's by default.")] = None
    model: Annotated[str | None, typer.Option(help="Also learn from how this model paints.")] = None
    crisp: Annotated[bool, typer.Option(help="Learn against a discriminator, so that texture appears.")] = True


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train-upscaler", rich_help_panel="Learn")(grouped(_train))


def _train(context: typer.Context, request: _Request) -> None:
    """Train an up-scaler on a collection at full resolution, for [bold]limner enlarge[/bold].

    Example: [bold]limner train-upscaler paintings --model landscapes --minutes 10[/bold]

    Example: [bold]limner train-upscaler paintings --model landscapes --resume[/bold]
    """
    from limner.collection import Collection
    from limner.models.superseded import load_usable
    from limner.models.upscaler import save_upscaler, upscalers_of
    from limner.training.upscaling import train_upscaler

    workspace = Workspace.default()
    opened = Collection.open(request.collection, workspace)
    options = _options(context, request, opened.name, workspace)
    painter = None if request.model is None else load_usable(request.model, workspace)[0]
    with TerminalReporter(request.quiet or request.as_json) as reporter:
        network, card = train_upscaler(opened, options, workspace, reporter, painter, resume=request.resume)
    path = upscalers_of(workspace) / f"{options.name}.safetensors"
    digest = save_upscaler(path, network, card)
    record_training(workspace, "train-upscaler", (opened.digest, *card.parents), digest, options)
    if request.as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
    else:
        _show(path, card.quality)


def _options(context: typer.Context, request: _Request, collection: str, workspace: Workspace) -> UpscalerOptions:
    from limner.training.upscaling import UpscalerOptions

    values = {"name": f"{collection}-upscaler", **option_values(request, ("model", "collection", "crisp"))}
    values |= {} if request.crisp else {"adversarial": 0.0}
    options = checked_options(UpscalerOptions, "train-upscaler", values)
    return going_on(context, f"{options.name}{options.run_suffix}", workspace, options) if request.resume else options


def _show(path: Path, quality: dict[str, Any]) -> None:
    rows = table("held-out pictures", "by", "PSNR, dB", "features", "teacher", gap=2, title=str(path))
    for factor, found in quality.items():
        for prefix, by in (("", "learned"), ("lanczos_", "Lanczos")):
            cells = [f"{found[prefix + one]['value']:.3f}" if prefix + one in found else "" for one in _COLUMNS]
            rows.add_row(f"{factor} ({found['psnr']['count']})", by, *cells)
    show(rows)
