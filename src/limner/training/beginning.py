"""The weights that a training begins with: new ones, or a parent's, of whom nothing is learned again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from limner.collection import Collection
from limner.errors import TrainingError
from limner.models.bundle import Model
from limner.models.card import Card
from limner.models.instance_embeddings import MOST_EMBEDDINGS
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.training.data import TrainingData
from limner.training.options import TrainOptions
from limner.training.prior_stage import view_count

_PICTURES_AN_AXIS = 12
"""An embedding has one number for so many training pictures: of few, a finer one would single each of them out."""
_FEWEST_AXES = 16


def check_parent(options: TrainOptions, parent: Model | None, path: Path) -> None:
    """Refuse a parent that would be overwritten, or paints other sizes.

    Args:
        path: where the new model goes.

    Raises:
        TrainingError: it is so.
    """
    if parent is None:
        return
    if parent.path.resolve() == path.resolve():
        raise TrainingError(f"--name {options.name}", "is the model to start from", "give another --name")
    theirs = parent.card.config.painter
    if (theirs.height, theirs.width) != (options.height, options.width):
        raise TrainingError(
            f"--from {options.parent}",
            f"its pictures are {theirs.width}x{theirs.height}, not {options.width}x{options.height}",
            f"use --size {theirs.width}x{theirs.height}",
        )


def prior_shape(
    shape: PriorConfig, pictures: int, embeddings: int, kind: Literal["mixture", "flow"] = "flow"
) -> PriorConfig:
    """The shape of a prior that learns from so many pictures.

    Args:
        embeddings: instance embeddings, at most as many as a prior keeps.
    """
    width = min(shape.embedding_width, max(_FEWEST_AXES, pictures // _PICTURES_AN_AXIS))
    embeddings = min(MOST_EMBEDDINGS, embeddings)
    return shape.model_copy(update={"kind": kind, "embeddings": embeddings, "embedding_width": width})


def begun_model(options: TrainOptions, data: TrainingData, parent: Model | None) -> LatentModel:
    """A new model with a parent's weights, as far as they fit.

    A child paints as its parent does, also where new painters are of another shape.
    """
    # What a parent has learned fits into its own shape alone.
    shape = options.shape if parent is None else options.shape.with_sizes_of(parent.card.config.prior)
    count = len(data.cache)
    model = LatentModel(
        LatentModelConfig(
            painter=parent.card.config.painter if parent else painter_config(options.height, options.width),
            prior=prior_shape(
                shape, count, count * view_count(data), "mixture" if options.prior == "mixture" else "flow"
            ),
            labels=data.names,
        )
    )
    if parent is not None:
        take_over(model, parent.generator)
    return model


def take_over(model: LatentModel, of: LatentModel) -> None:
    """Give a model those weights of another that have the same name and shape."""
    own = model.state_dict()
    fitting = {n: t for n, t in of.state_dict().items() if n in own and own[n].shape == t.shape}
    model.load_state_dict(fitting, strict=False)


def inherited_stages(
    options: TrainOptions, collection: Collection, model: LatentModel, parent: Model | None
) -> frozenset[str]:
    """Stages that a parent has learned already from the same pictures.

    A GAN takes painter and flow of a VAE and goes on with the adversarial stage; the same family goes on with
    everything.
    """
    if parent is None or not _same_pictures(options, collection, parent.card):
        return frozenset()
    if parent.card.family != "vae" or options.family != "gan":
        return frozenset()
    # Which label is which is not in the weights.
    own, theirs = model.state_dict(), parent.generator.state_dict()
    whole = all(name in theirs and theirs[name].shape == own[name].shape for name in own)
    same_labels = parent.card.config.labels == model.config.labels
    return frozenset({"painter", "prior"} if whole and same_labels else {"painter"})


def _same_pictures(options: TrainOptions, collection: Collection, card: Card) -> bool:
    own = (collection.digest, collection.holdout_digest, options.where)
    return own == (card.collection.digest, card.collection.holdout_digest, card.collection.where)
