"""Train the models that ship with limner, and put small files of them into the package.

    python scripts/train_models.py --emoji ../shared/data/emoji-styles
    python scripts/train_models.py --only landscapes --minutes 240

Each GAN starts from the VAE of the same pictures and goes on with the adversarial stage. Kill it whenever you like:
called again, it goes on where it was. What is done already stays as it is, unless `--again` is given. `--device cuda`
uses a graphics card (not tried yet).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from limner.cli.common import progress_bar
from limner.cli.training_bar import TerminalReporter
from limner.collection import PAINTINGS, Collection, import_collection
from limner.errors import LimnerError
from limner.latent.directions import shipped_directions
from limner.latent.finding import find_directions
from limner.latent.pipeline import Pipeline
from limner.machine import probe
from limner.models.bundle import SHIPPED, load_model, save_model
from limner.models.prior import PriorConfig
from limner.training.options import TrainOptions
from limner.training.run import open_run
from limner.training.trainer import Training
from limner.workspace import Workspace

SHAPE = PriorConfig(channels=96, width=192, layers=4)
"""A flow of 3 M parameters: with painter and encoder in a file of 8 MB."""
LARGEST = 8_000_000
"""Bytes that a shipped model may have."""


@dataclass(frozen=True)
class Recipe:
    """How one shipped model is made.

    Attributes:
        size: height of a composition, and its width where none is told, px.
        minutes: of training; more is better, slowly.
        parent: the shipped model that it starts from.
        prior, crisp: what draws latents; whether the painter has an adversarial stage.
    """

    name: str
    collection: str
    family: str
    size: int
    minutes: float
    label: str | None = None
    parent: str | None = None
    where: tuple[str, ...] = ()
    width: int | None = None
    prior: str = "flow"
    crisp: bool = True


RECIPES = (
    # Compositions only: what is painted finely comes from the exemplars.
    Recipe("landscapes", "paintings", "vae", 64, 6, None, None, ("kind=landscape",), 96, "mixture", crisp=False),
    Recipe("emoji-vae", "emoji", "vae", 64, 80, label="style"),
    Recipe("emoji-gan", "emoji", "gan", 64, 22, label="style", parent="emoji-vae"),
)


def collection_of(recipe: Recipe, emoji: Path, workspace: Workspace) -> Collection:
    """The recipe's collection, imported where it is not there yet."""
    if not (workspace.root / "collections" / recipe.collection).is_dir():
        if recipe.collection == "paintings":
            import_collection(PAINTINGS, "paintings", workspace)
        else:
            # A concept is unseen in all of its styles, or in none.
            names = {"creator": "style"}
            import_collection(emoji / "labels.csv", "emoji", workspace, columns=names, together="codepoints")
    return Collection.open(recipe.collection, workspace)


def train(recipe: Recipe, told: argparse.Namespace, collection: Collection, workspace: Workspace) -> Path:
    """Train one model, or go on with it."""
    # The file that ships, so that anyone can check which model the card means.
    parent = None if recipe.parent is None else str(told.to / f"{recipe.parent}.safetensors")
    side = told.size or recipe.size
    options = TrainOptions.model_validate(
        {
            "name": recipe.name, "family": recipe.family, "height": side, "width": recipe.width or side,
            "minutes": told.minutes or recipe.minutes, "label": recipe.label, "where": recipe.where,
            "parent": parent,
            "shape": SHAPE, "prior": recipe.prior, "crisp": recipe.crisp,
            "threads": told.threads, "device": told.device,
        }
    )  # fmt: skip
    try:
        begun = open_run(recipe.name, workspace, TrainOptions)
        resume = begun.options == options and begun.digest == collection.digest
    except LimnerError:
        resume = False
    with TerminalReporter() as reporter:
        clock = time.process_time if told.own_time else time.monotonic
        return Training(options, collection, workspace, reporter, resume=resume, clock=clock).run()


def ship(path: Path, folder: Path) -> Path:
    """Write the small file of a trained model.

    Raises:
        SystemExit: it is larger than a shipped model may be.
    """
    model, to = load_model(path), folder / path.name
    save_model(to, model.generator, model.card, small=True)
    to.chmod(0o644)
    size = to.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{to}: {size:,} bytes are more than {LARGEST:,}; make its prior smaller")
    print(f"{to}: {size / 1e6:.1f} MB")
    return to


def find_the_way(path: Path) -> None:
    """Find the directions of a model that ships, so that it can be steered at once; those that are known stay."""
    pipeline = Pipeline(load_model(path), probe(None, None))
    to = path.parent / "directions" / shipped_directions(pipeline.model.digest).name
    if to.is_file():
        return
    to.parent.mkdir(exist_ok=True)
    known = {shipped_directions(load_model(other).digest).name for other in path.parent.glob("*.safetensors")}
    for old in to.parent.glob("*.safetensors"):
        if old.name not in known:
            old.unlink()
    with progress_bar() as bar:
        task = bar.add_task(f"directions of {path.stem}", total=None)
        found = find_directions(
            pipeline, "attribute", progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    found.save(to, small=True)
    to.chmod(0o644)
    print(f"{to}: {to.stat().st_size / 1e6:.1f} MB, of {path.stem}")


def main() -> None:
    """Train what is asked for, in the recipes' order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emoji", type=Path, default=Path("../shared/data/emoji-styles"), help="emoji and their table")
    parser.add_argument("--only", nargs="*", choices=[r.name for r in RECIPES], help="these alone")
    parser.add_argument("--minutes", type=float, help="of each, in place of the recipe's")
    parser.add_argument("--size", type=int, help="side in pixels, in place of the recipe's")
    parser.add_argument("--threads", type=int, help="in place of what the probe finds")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--own-time", action="store_true", help="minutes of the processor, where others use it, too")
    parser.add_argument("--workspace", type=Path, default=Path("build/models"), help="where trainings are kept")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="where the small files go")
    parser.add_argument("--directions", action="store_true", help="find directions of what ships already, no more")
    parser.add_argument("--again", action="store_true", help="train what is done already, too")
    told = parser.parse_args()
    workspace = Workspace(told.workspace.absolute())
    told.to.mkdir(parents=True, exist_ok=True)
    if told.directions:
        for path in sorted(told.to.glob("*.safetensors")):
            find_the_way(path)
        return
    for recipe in RECIPES:
        if told.only and recipe.name not in told.only:
            continue
        path = workspace.models / f"{recipe.name}.safetensors"
        if told.again or not path.is_file():
            path = train(recipe, told, collection_of(recipe, told.emoji, workspace), workspace)
        find_the_way(ship(path, told.to))


if __name__ == "__main__":
    main()
