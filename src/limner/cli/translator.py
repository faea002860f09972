"""`limner train-translator`: what `limner restyle` and `limner mix` reach the style of a label by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limner.cli.common import checked_options, print_json
from limner.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train-translator", rich_help_panel="Learn")(_train)


def _train(
    model: Annotated[str, typer.Argument(help="Name or file of a model that was trained with labels.")],
    collection: Annotated[str, typer.Argument(help="Name or folder of a collection with pairs.")],
    pairs: Annotated[str, typer.Option(help="Column that says which pictures show the same thing.")],
    label: Annotated[str, typer.Option(help="Column that names the styles: the model's labels.")] = "style",
    minutes: Annotated[float | None, typer.Option(help="Length by the clock (12 where nothing is said).")] = None,
    steps: Annotated[int | None, typer.Option(help="Length in steps.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="Choose pictures: column=value; repeatable.")] = None,
    teacher: Annotated[str, typer.Option(help="efficientnet-lite0, or none: only my pictures.")] = "efficientnet-lite0",
    crisp: Annotated[bool, typer.Option(help="Play against a discriminator: one answer, not the mean of all.")] = True,
    flip: Annotated[bool, typer.Option(help="Whether pictures may be mirrored; not for writing.")] = True,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
    precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; chosen by a probe otherwise.")] = None,
    only_cleared: Annotated[bool, typer.Option("--only-cleared", help="Leave held pictures out.")] = False,
    accept_unknown: Annotated[str | None, typer.Option(help="Use held pictures, for this reason.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the translator's card as JSON.")] = False,
) -> None:
    """Learn to translate between a model's styles, from the same things drawn in several of them.

    [bold]limner restyle[/bold] and [bold]limner mix[/bold] use it from then on. The model stays as it is; a translator
    that was there stays until the new one is done. Hold out whole things when you import: [bold]--together[/bold].

    Example: [bold]limner train-translator emoji-vae emoji --label style --pairs codepoints[/bold]
    """
    from limner.cli.training_bar import TerminalReporter
    from limner.collection import Collection
    from limner.latent.translating import translator_file
    from limner.ledger import Ledger
    from limner.models.bundle import find_model, load_model
    from limner.models.translator import save_translator
    from limner.training.translating import TranslatorOptions, train_translator
    from limner.workspace import Workspace

    if minutes is not None and steps is not None:
        raise UsageError("--minutes, --steps", "say the same thing twice", "give one of them")
    workspace = Workspace.default()
    painter = load_model(find_model(model, workspace))
    opened = Collection.open(collection, workspace)
    told: dict[str, Any] = {"minutes": minutes, "steps": steps, "precision": precision, "threads": threads}
    told |= {"accept_unknown": accept_unknown, "pull": None if crisp else 0.0}
    told |= {"label": label, "pairs": pairs, "where": tuple(where or ()), "teacher": teacher, "flip": flip}
    told |= {"seed": seed, "only_cleared": only_cleared}
    given = {name: value for name, value in told.items() if value is not None}
    options = checked_options(TranslatorOptions, "train-translator", given)
    with TerminalReporter(quiet or as_json) as reporter:
        network, card = train_translator(painter, opened, options, workspace, reporter)
    path = translator_file(painter.digest, workspace)
    digest = save_translator(path, network, card)
    Ledger.open(workspace.ledger).record(
        "algorithm",
        "train-translator",
        inputs=[f"sha256:{opened.digest}", card.model],
        outputs=[f"sha256:{digest}"],
        parameters=options.model_dump(mode="json"),
    )
    if as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
    else:
        _show(path, card.quality)


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
