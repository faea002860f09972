"""`limner summary` and `limner model card`: a model for the public, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.collection_card import CardFile, write_card
from limner.cli.collection_export import AboutFile
from limner.cli.options import Json, ModelName, Overwrite
from limner.errors import check_range
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.reports.model_card import ModelFacts


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("summary", rich_help_panel="Publish and check")(summary)


def card(
    model: ModelName,
    to: CardFile = None,
    about: AboutFile = None,
    samples: Annotated[int, typer.Option(help="How many pictures a page shows.")] = 24,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write the card of a model: what it paints, from whose pictures, what that asks, how well, what it is not fit for.

    Example: [bold]limner model card landscapes --to landscapes.html[/bold]
    """
    from limner.exchange.about import read_about
    from limner.models.bundle import find_model, read_card
    from limner.reports.model_card import model_card

    check_range("--samples", samples, 0, 256)
    path, said = find_model(model, Workspace.default()), read_about(about)
    own, page = read_card(path), to is not None and to.suffix.lower() == ".html"
    write_card(lambda: model_card(own, _known(path, samples if page else 0), said), to, overwrite, as_json)


def summary(
    model: ModelName,
    to: CardFile = None,
    about: AboutFile = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write the public summary of a model's training content, in the sections of the European Commission's template.

    What limner knows is filled in; what it cannot know stays open, unless --about says it. Models as small as limner's
    are hardly general-purpose AI models: then this is voluntary.

    Example: [bold]limner summary landscapes --to landscapes-summary.html[/bold]
    """
    import datetime as dt

    from limner.collection import Collection
    from limner.errors import CollectionError
    from limner.exchange.about import read_about
    from limner.models.bundle import find_model, read_card
    from limner.reports.training_summary import training_summary

    workspace, said = Workspace.default(), read_about(about)
    path = find_model(model, workspace)
    own = read_card(path)
    try:
        found = Collection.open(own.collection.name, workspace)
        collection = found.card if found.digest == own.collection.digest else None
    except CollectionError:
        collection = None
    today = dt.datetime.now(dt.UTC).date()
    write_card(lambda: training_summary(own, _known(path, 0), collection, said, today), to, overwrite, as_json)


def _known(path: Path, samples: int) -> ModelFacts:
    """What is to know of a model beside its card, with the first pictures of a seed."""
    from limner.latent.pipeline import Pipeline
    from limner.models.superseded import superseded_here
    from limner.reports.model_card import ModelFacts
    from limner.reports.record import shown

    workspace = Workspace.default()
    pipeline = Pipeline.open(str(path), workspace, looks=True)
    painted = pipeline.samples(samples, seed=ModelFacts.seed) if samples else ()
    pictures = [shown(one.pixels, f"Number {one.index} of seed {ModelFacts.seed}") for one in painted]
    model = pipeline.model
    return ModelFacts.of(model, pictures, superseded_here(workspace, f"sha256:{model.digest}", model.card.parents))
