"""One model taught by two (distillation): from pictures that both draw it learns what both paint, label by label.

Models that do not descend from one have spaces of their own, in which no weight of the one means what it means in the
other. So a third model looks at pictures of both and finds one space for them, by the same stages as any training
(Hinton et al. 2015, "Distilling the Knowledge in a Neural Network": learn from what a model says, not from what it
learned from). Its encoder and painter begin as those of the first model.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.collection.cache import PictureCache
from limner.collection.views import Augmentation
from limner.machine import Machine, probe
from limner.models.bundle import Model, save_model
from limner.models.card import Card
from limner.models.latent_model import DRAWN, LatentModel, LatentModelConfig
from limner.models.merging import merged_card, merged_rights, same_painter
from limner.models.prior import PriorConfig
from limner.models.similarity import psnr, ssim
from limner.statistics import interval
from limner.training.adversarial_stage import AdversarialStage
from limner.training.beginning import prior_shape, take_over
from limner.training.data import TrainingData
from limner.training.notes import teacher_note, training_note
from limner.training.options import MergeOptions
from limner.training.painter_stage import PainterStage
from limner.training.prior_stage import PriorStage
from limner.training.run import Run
from limner.training.sharing import budget_until
from limner.training.stage import Reporter, StageState
from limner.workspace import Workspace

_MOST = 6144
_DRAWING_SHARE = 0.15
_PAINTER_SHARE = 0.55
_REMEDY = "try another --seed, or other --minutes"
"""What to try where the losses of a stage are no numbers."""
_ADVERSARIAL_MINUTES = 5.0
"""The adversarial stage of a shorter distillation would last less than a minute, and change nothing."""
_DRAWING = "drawing"
_KEPT = 8
"""Of each so many pictures two are kept out: one chooses, one reports."""
_REPAINTED = 64
_SEED = 3_000_017


class DrawnPictures(PictureCache):
    """Pictures that a model drew, in the place of a collection's."""

    def __init__(self, pictures: Tensor) -> None:
        self._drawn = pictures.permute(0, 2, 3, 1).contiguous().numpy()  # [n, h, w, 3]
        self.shapes = np.tile(np.array(self._drawn.shape[1:3], dtype=np.int64), (len(pictures), 1))

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """One picture. # uint8 [height, width, 3]"""
        picture: NDArray[np.uint8] = self._drawn[index]
        return picture


def joint_labels(a: Model, b: Model) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of both in one model; a model without any becomes one itself, and what both know is distinguished."""
    ours, theirs = (model.card.config.labels or (model.card.name,) for model in (a, b))
    twice = {*ours} & {*theirs}
    first, second = (
        tuple(f"{mark}/{label}" if label in twice else label for label in labels)
        for mark, labels in zip(_marks(a, b), (ours, theirs), strict=True)
    )
    return first, second


def _marks(a: Model, b: Model) -> tuple[str, str]:
    names = a.card.name, b.card.name
    return names if names[0] != names[1] else (f"{names[0]}-1", f"{names[1]}-2")


@torch.inference_mode()
def repainted(generator: LatentModel, models: tuple[Model, Model]) -> dict[str, Any]:
    """How well a merged model paints again what each of its parents draws: PSNR of 64 pictures each, with intervals.

    No real picture is looked at, so this says nothing of how good either is.
    """
    found = {}
    for mark, model in zip(_marks(*models), models, strict=True):
        drawn = model.generator.paint(model.generator.sample(_REPAINTED, seed=_SEED))
        found[f"psnr_of_{mark}"] = psnr(generator.paint(generator.encode(drawn)), drawn)
    return _estimates(found)


def _estimates(found: dict[str, Tensor]) -> dict[str, Any]:
    estimates: dict[str, Any] = {"psnr": interval(torch.cat(list(found.values()))).as_dict()}
    estimates |= {name: interval(values).as_dict() for name, values in found.items()}
    return estimates | {"psnr_pictures": "drawn by the models that were merged, not real ones"}


class Distillation:
    """One distillation, in a run's folder of its name.

    Args:
        options: name, size, minutes or steps; what else says how a model learns. No collection is used.
        models: who teaches; the first lends its weights to begin with, and its size.
        resume: go on where the run of this name was interrupted.
        again: the command line that goes on with it.

    Raises:
        UsageError: their pictures differ in size.
        RightsError: their licences exclude each other.
        TrainingError: there is nothing to resume, or it began with other models.
    """

    def __init__(
        self,
        options: MergeOptions,
        models: tuple[Model, Model],
        workspace: Workspace,
        reporter: Reporter,
        *,
        resume: bool = False,
        again: str = "",
    ) -> None:
        same_painter(*models)
        merged_rights(*models)
        self.options, self.models, self.reporter = options, models, reporter
        digests = " ".join(model.digest for model in models)
        self.record = Run(options.name, options, None, digests, workspace, reporter, again=again)
        self.record.start(resume=resume)

    def run(self, to: Path) -> Path:
        """Learn, and save the model at `to` in one step; whoever is killed leaves no model, and can go on."""
        options, record = self.options, self.record
        machine = probe(options.precision, options.threads)
        self.reporter.note(f"machine: {machine.reason}")
        for teaching in self.models:
            teaching.generator.to(machine.device)
        finished = record.weights()
        data = self._draw(machine)
        torch.manual_seed(options.seed)
        model = self._begun(data).to(machine.device)
        if finished:
            model.load_state_dict(finished)
        self._learn(model, data, machine)
        model.eval()
        card = self._card(model, data, machine)
        save_model(to, model.cpu(), card)
        return to

    def _learn(self, model: LatentModel, data: TrainingData, machine: Machine) -> None:
        options, record = self.options, self.record
        crisp = options.crisp and (options.minutes is None or options.minutes >= _ADVERSARIAL_MINUTES)
        left = 1 - options.adversarial_share if crisp else 1.0
        stages = {"painter": (PainterStage, left * _PAINTER_SHARE), "prior": (PriorStage, left)}
        stages |= {"adversarial": (AdversarialStage, 1.0)} if crisp else {}
        for name, (kind, share) in stages.items():
            if not record.done(name):
                stage = kind(model, data, options, machine, record.folder)
                if isinstance(stage, PainterStage):
                    # It begins well, and a first loss of the one model's pictures for the other's is no over-fitting.
                    stage.ends_early = False
                stage.remedy = _REMEDY
                state = record.train(stage, budget_until(options, record.states, share), machine)
                record.finish(state, model.state_dict())
            model.eval()
        if crisp:
            model.load_state_dict(record.weights_of("adversarial"))

    def _draw(self, machine: Machine) -> TrainingData:
        """Pictures of both models in equal number, label by label in turn, until there are enough or time is up."""
        names, start = joint_labels(*self.models), time.monotonic()
        own = [range(len(names[0])), range(len(names[0]), len(names[0]) + len(names[1]))]
        pictures, labels = [], []
        limit = _DRAWING_SHARE * 60 * (self.options.minutes or math.inf)
        turns = _MOST // (2 * DRAWN) if self.options.steps is None else max(2, *map(len, names))
        # A run that goes on draws what it drew before.
        if known := next((state for state in self.record.states if state.stage == _DRAWING), None):
            turns, limit = known.pictures // (2 * DRAWN), math.inf
        self.reporter.stage(_DRAWING)
        for turn in range(turns):
            for model, indices in zip(self.models, own, strict=True):
                label = turn % len(indices)
                pictures.append(self._drawn(model, label, turn // len(indices), machine))
                labels.append(torch.full((DRAWN,), indices[label]))
            spent = time.monotonic() - start
            share = max((turn + 1) / turns, spent / limit)
            self.reporter.tick(min(1.0, share), spent / share - spent, len(pictures) * DRAWN / spent, {})
            # Each label is seen once, whatever it takes.
            if spent > limit and turn + 1 >= max(len(one) for one in own):
                break
        if not known:
            seconds, count = time.monotonic() - start, len(pictures) * DRAWN
            self.record.finish(StageState(_DRAWING, seconds=seconds, pictures=count), None)
        self.reporter.note(f"pictures drawn: {len(pictures) * DRAWN // 2} by each")
        return self._data(torch.cat(pictures), torch.cat(labels), (*names[0], *names[1]))

    def _drawn(self, model: Model, label: int, number: int, machine: Machine) -> Tensor:
        generator = model.generator
        known = label if model.card.config.labels else None
        with machine.autocast():
            latent = generator.sample(DRAWN, seed=_SEED + self.options.seed, label=known, first=number * DRAWN)
            return generator.paint(latent)

    def _data(self, pictures: Tensor, labels: Tensor, names: tuple[str, ...]) -> TrainingData:
        """As if drawn pictures were a collection; they are shown as they are, since more can always be drawn."""
        turn = torch.arange(len(pictures)) % _KEPT
        learned, chooses, reports = turn < _KEPT - 2, turn == _KEPT - 2, turn == _KEPT - 1
        return TrainingData(
            cache=DrawnPictures(pictures[learned]),
            rows=(),
            labels=labels[learned].numpy(),
            names=names,
            chooses=pictures[chooses],
            reports=pictures[reports],
            chooses_labels=labels[chooses],
            size=(self.options.height, self.options.width),
            augmentation=Augmentation(zoom=(1.0, 1.0), flip=False),
            seed=self.options.seed,
            unseen=DrawnPictures(pictures[~learned]),
        )

    def _begun(self, data: TrainingData) -> LatentModel:
        first = self.models[0].generator
        flows = [m.card.config.prior for m in self.models if m.card.config.prior.kind != "mixture"]
        shape = PriorConfig().with_sizes_of(flows[0]) if flows else PriorConfig()
        shape = shape.model_copy(update={"embedding_width": PriorConfig().embedding_width})
        prior = prior_shape(shape, len(data.cache), len(data.cache))
        model = LatentModel(LatentModelConfig(painter=first.config.painter, prior=prior, labels=data.names))
        take_over(model, first)
        return model

    def _card(self, model: LatentModel, data: TrainingData, machine: Machine) -> Card:
        options = self.options
        card = merged_card(
            options.name,
            model,
            self.models,
            {"way": "distillation", "drawn": len(data.cache) + len(data.unseen)},
            training=training_note(options, machine, self.record.states, leave_out=frozenset({"name", "parent"})),
            teacher=None if options.teacher == "none" else teacher_note(options.teacher),
        )
        return card.model_copy(update={"quality": self._quality(model, data, machine)})

    def _quality(self, model: LatentModel, data: TrainingData, machine: Machine) -> dict[str, Any]:
        """How well drawn pictures that chose nothing are painted again, by who drew them."""
        with machine.autocast():
            painted = model.paint(model.encode(data.reports))
        found = psnr(painted, data.reports)
        # Kept in the order in which they were drawn: a row of the one, a row of the other.
        by = torch.arange(len(found)) // (DRAWN // _KEPT) % 2
        quality = _estimates({f"psnr_of_{mark}": found[by == n] for n, mark in enumerate(_marks(*self.models))})
        return quality | {"ssim": interval(ssim(painted, data.reports)).as_dict()}
