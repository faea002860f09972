"""Measuring a limner model: new pictures of it against the collection that it learned from, seen as training saw it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limner.collection import Collection
from limner.collection.cache import PictureCache, cache_side, open_cache
from limner.collection.splitting import choosing_half
from limner.collection.views import augmentation_for, views
from limner.errors import UsageError
from limner.latent.pipeline import Pipeline
from limner.measure.distances import perceptual_path_length
from limner.measure.findings import Finding, QualityReport
from limner.measure.quality import FEATURES, RealPictures, measure_sets
from limner.models.bundle import load_model
from limner.models.card import Card
from limner.models.feature_distances import nearest, standardised
from limner.models.learned import rows_of
from limner.models.painter import Latent
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.workspace import Workspace

_WANTED = 256
_MOST_VIEWS = 8
_PATHS = 256


@dataclass(frozen=True)
class ModelMeasurement:
    """What `measure_model` finds.

    Attributes:
        generated: the pictures that were measured. # uint8 [n, 3, h, w]
        nearest: of each, the nearest view of a training picture, in the first features. # uint8 [n, 3, h, w]
        distances: how far that is: root mean square over features, in deviations of the training pictures. # [n]
    """

    report: QualityReport
    generated: Tensor
    nearest: Tensor
    distances: Tensor


def measure_model(
    pipeline: Pipeline,
    collection: Collection,
    count: int = 2000,
    seed: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    workspace: Workspace,
    features: Sequence[str] = FEATURES,
) -> ModelMeasurement:
    """Paint `count` new pictures and measure them against the collection that the model learned from.

    Args:
        seed: of the new pictures and of every random choice; take another than any that chose the model.

    Raises:
        UsageError: the collection is another than the model's card names, or too small.
    """
    tell = progress or (lambda *_: None)
    card = pipeline.model.card
    check_collection(card, collection)
    real = real_pictures(card, collection, workspace)
    painter = card.config.painter
    generated = torch.empty(count, 3, painter.height, painter.width, dtype=torch.uint8)
    for i, painted in enumerate(pipeline.samples(count, seed=seed)):
        generated[i] = torch.from_numpy(painted.pixels).permute(2, 0, 1)
        tell("painting", i + 1, count)
    rows: dict[str, Mapping[str, Tensor]] = {}  # by features; the tensors are small beside the pictures
    done = {name: i for i, name in enumerate((*features, "patches"))}
    report = measure_sets(
        real,
        generated,
        features,
        seed,
        progress=lambda name: tell("measuring", done[name], len(done) + 1),
        seen=rows.__setitem__,
    )
    tell("measuring", len(done), len(done) + 1)
    length = _path_length(pipeline, real.training, seed)
    report = report.model_copy(update={"model": f"sha256:{pipeline.model.digest}", "path_length": length})
    tell("measuring", len(done) + 1, len(done) + 1)
    known = rows[features[0]]["training"]
    distances, found = nearest(standardised(rows[features[0]]["generated"], known), standardised(known, known))
    distances = distances / known.shape[1] ** 0.5
    return ModelMeasurement(report, generated, real.training[found], distances)


def check_collection(card: Card, collection: Collection) -> None:
    """That the collection is the one the model learned from.

    Raises:
        UsageError: it is another, or has changed; names both digests.
    """
    if collection.digest != card.collection.digest:
        raise UsageError(
            f"collection {collection.name} ({collection.digest[:12]})",
            f"is not the one {card.name} learned from ({card.collection.name}, {card.collection.digest[:12]})",
            "name that one with --collection, or import its pictures again",
        )


def real_pictures(card: Card, collection: Collection, workspace: Workspace) -> RealPictures:
    """The pictures a model learned from and those kept from it, in crops and mirrorings as its prior learned them.

    Where fewer than 256 pictures are held out and training shows crops, each is shown in up to eight. Training pictures
    are there mirrored too, where training mirrors: a copy may be of either.
    """
    settings, rows = card.training.settings, rows_of(card, collection, workspace)
    training = [row for row in rows if row.split == "train"]
    held_out = sorted((row for row in rows if row.split == "holdout"), key=lambda row: row.group)
    size = card.config.painter.height, card.config.painter.width
    side = cache_side(training, size)
    known, kept = (open_cache(collection, some, side, workspace) for some in (training, held_out))
    how = augmentation_for(known.shapes, size, settings.get("flip", True))

    def seen(cache: PictureCache, which: Tensor, first: int) -> tuple[Tensor, Tensor]:
        times = 1 if how.zoom_prior == (1.0, 1.0) else min(_MOST_VIEWS, -(-_WANTED // len(which)))
        drawn = (np.random.default_rng([card.training.seed, 6, first + i]) for i in range(times))
        shown = [views(cache, which.numpy(), size, rng, zoom=how.zoom_prior, flip=how.flip) for rng in drawn]
        return torch.cat(shown), which.repeat(times)

    half = torch.from_numpy(choosing_half([row.group for row in held_out]))
    learned, of = seen(known, torch.arange(len(known)), 0)
    reports, reports_of = seen(kept, torch.arange(len(kept))[~half], _MOST_VIEWS)
    chose, _ = seen(kept, torch.arange(len(kept))[half], 2 * _MOST_VIEWS)
    if how.flip:
        learned, of = torch.cat([learned, learned.flip(3)]), of.repeat(2)
    return RealPictures.of(learned, reports, chose[: int(half.sum())], of, reports_of)


def _path_length(pipeline: Pipeline, training: Tensor, seed: int) -> Finding:
    """Perceptual path length of the straight way between two latents, in float32 from the model's own file.

    The distance is the mean square over the self-supervised features, in deviations of the training pictures.
    """
    generator = load_model(pipeline.model.path).generator
    features = SelfSupervisedFeatures()
    deviation: Tensor = features(training[:2048]).std(0).clamp_min(1e-3)
    latents = generator.sample(2 * _PATHS, seed=seed + 1)

    def paint(paths: Tensor, at: Tensor) -> Tensor:
        mixed = [torch.lerp(part[paths], part[paths + _PATHS], at.view(-1, *[1] * (part.ndim - 1))) for part in latents]
        found: Tensor = generator.painter(Latent(*mixed))
        return found.float()

    def distance(one: Tensor, other: Tensor) -> Tensor:
        moved: Tensor = ((features.of_unit(one) - features.of_unit(other)) / deviation) ** 2
        return moved.mean(1)

    return Finding.of(perceptual_path_length(paint, distance, _PATHS, seed=seed))
