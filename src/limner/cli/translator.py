"""`limner train-translator`: what `limner restyle` and `limner mix` reach the style of a label by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import checked_options, print_json
from limner.cli.options import CollectionName, ModelName, grouped
from limner.cli.train_options import LearningRequest, going_on, option_values, record_training
from limner.cli.training_bar import TerminalReporter
from limner.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from limner.training.translating import TranslatorOptions


@dataclass(kw_only=True)
class _Request(LearningRequest):
    minutes: Annotated[float | None, typer.Option(help="Length by the clock (12 if left out).")] = None
    model: ModelName
    collection: CollectionName
    pairs: Annotated[str, typer.Option(help="Column that says which pictures show the same thing.")]
    label: Annotated[str, typer.Option(help="Column that names the styles: the model's labels.")] = "style"
    crisp: Annotated[bool, typer.Option(help="Learn against a discriminator: one answer, not the mean of all.")] = True
    flip: Annotated[bool, typer.Option(help="Whether pictures may be mirrored; not for writing.")] = True


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train-translator", rich_help_panel="Learn")(grouped(_train))


def _train(context: typer.Context, request: _Request) -> None:
    """Learn to translate between a model's styles, from the same things drawn in several of them.

    [bold]limner restyle[/bold] and [bold]limner mix[/bold] use it from then on. The model stays as it is; a translator
    that was there stays until the new one is done. Hold out whole things when you import: [bold]--together[/bold].

    Example: [bold]limner train-translator emoji-vae emoji --label style --pairs codepoints[/bold]

    Example: [bold]limner train-translator emoji-vae emoji --pairs codepoints --resume[/bold]
    """
    from limner.collection import Collection
    from limner.latent.restyling import translator_file
    from limner.models.superseded import load_usable
    from limner.models.translator import save_translator
    from limner.training.translating import run_name, train_translator

    workspace, options = Workspace.default(), _options(request)
    painter, _ = load_usable(request.model, workspace)
    opened = Collection.open(request.collection, workspace)
    if request.resume:
        options = going_on(context, run_name(painter), workspace, options)
    with TerminalReporter(request.quiet or request.as_json) as reporter:
        network, card = train_translator(painter, opened, options, workspace, reporter, resume=request.resume)
    path = translator_file(painter.digest, workspace)
    digest = save_translator(path, network, card)
    record_training(workspace, "train-translator", (opened.digest, card.model), digest, options)
    if request.as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
    else:
        _show(path, card.quality)


def _options(request: _Request) -> TranslatorOptions:
    from limner.training.translating import TranslatorOptions

    values = option_values(request, ("model", "collection", "crisp"))
    return checked_options(
        TranslatorOptions, "train-translator", values if request.crisp else {**values, "adversarial": 0.0}
    )


def _show(path: Path, quality: dict[str, Any]) -> None:
    print(path)
    if not quality:
        print("no pair was held out, so nothing was measured")
        return
    right, unchanged, far = quality["right"], quality["unchanged"], quality["distance"]
    print(f"{right['count']} translations of things that it never saw:")
    print(
        f"  {far['value']:.0%} as far from the right picture as the unchanged one is "
        f"({far['low']:.0%} to {far['high']:.0%})"
    )
    print(
        f"  the nearest of {quality['of']:.0f} in the other style is the right one in {right['value']:.0%} "
        f"({right['low']:.0%} to {right['high']:.0%}); of unchanged pictures in {unchanged['value']:.0%}"
    )
