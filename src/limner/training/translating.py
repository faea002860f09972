"""Learning to translate: the same things in several styles (`pairs.py`), in the space of a model that stays as it is.

First the squared error of whitened latents, which is quick and finds where the answer lies; then what the frozen
painter makes of them: likeness by L1 and by a teacher's features, which gives the mean of all answers that would do,
against a discriminator that is conditioned on the label and on the picture that was translated, which asks for one of
them (as Isola et al. 2017, "pix2pix"; adversarial loss as in `adversarial.py`).
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from limner.collection import Collection, Row
from limner.collection.cache import cache_side, open_cache
from limner.errors import TrainingError
from limner.machine import Machine, probe
from limner.models.bundle import Model
from limner.models.latent_model import LatentModel
from limner.models.painter import Latent
from limner.models.translator import PairDiscriminator, Translator, TranslatorCard, TranslatorConfig
from limner.training.adversarial import Judged, carrying, judged, scale
from limner.training.notes import learned_notes, rights_with, training_note
from limner.training.objectives import FrozenTeacher, frozen_teacher
from limner.training.options import RunOptions
from limner.training.pairs import Pairs, paired_rows
from limner.training.permitted import permitted
from limner.training.run import Run, typed_collection, typed_model
from limner.training.stage import Reporter, Stage
from limner.training.translating_report import measure_translator
from limner.workspace import Workspace

_UNKNOWN = 0.15
"""Share of the pictures whose label the translator does not get."""
_NOISE = 0.1
"""Deviation of the noise on what is translated, in deviations of the latents."""
_SQUARES, _TEACHER = 0.1, 0.3
"""How much the squared error of latents and the teacher count beside L1 of what is painted."""
_GAMMA, _SIGMA = 0.03, 0.1
_TAPS = (2, 4, 10)
"""The teacher's layers: strides 4, 8 and 16."""
_LATENTS, _PAINTED, _ADVERSARIAL = range(3)
"""Phases of a training."""


class TranslatorOptions(RunOptions):
    """One training of a translator."""

    command = "train-translator"
    run_suffix = ".train-translator"
    usual_minutes = 12.0

    label: str = "style"
    """Column that names the styles; its values are the model's labels."""
    pairs: str
    """Column that says which pictures show the same thing."""
    latent_share: float = Field(0.25, ge=0, le=1)
    """Share of the training by the squared error of latents alone."""
    adversarial_from: float = Field(0.3, ge=0, le=1)
    """Share of the training before the discriminator joins in."""
    adversarial: float = Field(1.0, ge=0, le=10)
    """Length of the adversarial gradient, as a share of that of likeness; 0 leaves the discriminator out."""
    things: int = Field(6, ge=2, le=64)
    """Things a step, all pictures of each; three times as many while nothing is painted."""
    learning_rate: float = Field(8e-4, gt=0, le=1)
    """Of the translator."""
    discriminator_learning_rate: float = Field(3e-4, gt=0, le=1)
    """Of the discriminator."""
    channels: int = Field(96, ge=8, le=512, multiple_of=8)
    """Of the translator's convolutions."""
    width: int = Field(160, ge=40, le=1024, multiple_of=40)
    """Of the translator's transformer."""
    flip: bool = True
    """Whether pictures may be mirrored; not for writing."""


class _Shown(NamedTuple):
    """What the painter made of rows, and what the teacher sees in it."""

    pictures: Tensor
    maps: list[Tensor]

    def each(self, change: Callable[[Tensor], Tensor]) -> _Shown:
        """All of it, changed."""
        return _Shown(change(self.pictures), [change(m) for m in self.maps])

    def perturbed(self) -> _Shown:
        """With noise."""
        near = self.pictures + _SIGMA / 2 * torch.randn_like(self.pictures)
        return _Shown(near, [m + _SIGMA * torch.randn_like(m) for m in self.maps])


class TranslatingObjective(nn.Module):
    """The translator against its discriminator: like the true picture, and one of those that would do.

    The batch holds `rows`, `labels`, `source` (`Pairs.batch`), and `phase`: 0 for latents alone, 1 for what is painted,
    2 with the discriminator.
    """

    def __init__(
        self,
        networks: Translator,
        discriminator: PairDiscriminator,
        generator: LatentModel,
        teacher: FrozenTeacher | None,
        options: TranslatorOptions,
    ) -> None:
        super().__init__()
        self.networks, self.discriminator, self.options, self.teacher = networks, discriminator, options, teacher
        # In a list: what is frozen is no part of what is trained or saved.
        self._frozen = [generator]

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch."""
        truth, labels, source, phase = batch["rows"], batch["labels"], batch["source"], int(batch["phase"])
        rows, own = truth[source], labels[source]
        unknown = torch.rand(len(own), device=own.device) < _UNKNOWN
        given = torch.where(unknown, len(self.networks.config.labels), own)
        made = self.networks(rows + _NOISE * torch.randn_like(rows), given, labels)
        leaf = made.detach().requires_grad_()
        squares = (leaf - truth).square().mean()
        losses, loss = {"squares": squares.detach()}, torch.zeros((), device=leaf.device)
        if phase == _LATENTS:
            (gradient,) = torch.autograd.grad(squares, leaf)
        else:
            with torch.no_grad():
                right = self._show(truth)
            shown = self._show(leaf)
            likeness = self._likeness(shown, right, losses) + _SQUARES * squares
            (gradient,) = torch.autograd.grad(likeness, leaf, retain_graph=phase == _ADVERSARIAL)
            if phase == _ADVERSARIAL and self.options.adversarial:
                found = self._judged(right.each(lambda one: one[source]), right, shown, labels, leaf)
                losses |= found.logged
                factor = scale(found.towards_real, gradient, self.options.adversarial)
                loss, gradient = found.loss, gradient + factor * found.towards_real
        # Of unit length, whatever the phase.
        return {"loss": loss + carrying(made, gradient / gradient.norm().clamp_min(1e-12)), **losses}

    def _show(self, rows: Tensor) -> _Shown:
        """What the painter makes of rows. # [n, numbers]"""
        (generator,) = self._frozen
        latent = generator.whitening.back(rows)
        pictures = generator.painter(Latent(latent.content, latent.style)).float()
        # The teacher's vectors have length 1; a head wants numbers of about that size each.
        maps = [m * m.shape[1] ** 0.5 for m in self.teacher.maps(pictures)] if self.teacher else []
        return _Shown(pictures, maps)

    def _likeness(self, shown: _Shown, right: _Shown, losses: dict[str, Tensor]) -> Tensor:
        """L1 of the pictures and, with a teacher, the squared distance of its features; logged in `losses`."""
        l1 = (shown.pictures - right.pictures).abs().mean()
        losses["l1"] = l1.detach()
        if not shown.maps:
            return l1
        pairs = zip(shown.maps, right.maps, strict=True)
        distance = torch.stack([((a - b).float() ** 2).mean() for a, b in pairs]).sum()
        losses["teacher"] = distance.detach()
        return l1 + _TEACHER * distance

    def _judged(self, before: _Shown, right: _Shown, shown: _Shown, labels: Tensor, leaf: Tensor) -> Judged:
        """What the discriminator says of translations, which it sees beside what was translated."""
        see = self.discriminator.see
        few = -(-len(labels) // 3)
        near = [
            see(before.each(lambda m: m[:few]).maps, *one.each(lambda m: m[:few].detach()).perturbed(), labels[:few])
            for one in (right, shown)
        ]
        real, painted = (see(before.maps, *one, labels) for one in (right, shown))
        return judged(self.discriminator, real, painted, leaf, (near[0], near[1]), gamma=_GAMMA, sigma=_SIGMA)


class TranslatorStage(Stage):
    """The translator learns from pairs; the latest averaged weights are kept; the hold-out is for the report."""

    name, title = "translator", "learning to translate"
    momentum, weight_decay = 0.8, 0.02
    decay_share, average_power = 0.5, 8.0

    def __init__(self, model: Model, pairs: Pairs, options: TranslatorOptions, machine: Machine) -> None:
        self.pairs, self.options, self.learning_rate = pairs, options, options.learning_rate
        if machine.precision == "bf16":
            model.generator.keep_casts()
        torch.manual_seed(options.seed)
        self.network = Translator(
            TranslatorConfig(
                painter=model.card.config.painter,
                labels=model.card.config.labels,
                channels=options.channels,
                width=options.width,
            )
        )
        teacher = frozen_teacher(options.teacher, machine, _TAPS)
        widths = teacher.teacher.widths if teacher else []
        discriminator = PairDiscriminator(widths, len(model.card.config.labels))
        self.objective = TranslatingObjective(self.network, discriminator, model.generator, teacher, options)
        self.learning_rate_factors = {"discriminator.": options.discriminator_learning_rate / options.learning_rate}

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """Pictures of some things, and the phase."""
        options = self.options
        phase = _LATENTS if share < options.latent_share else _PAINTED
        phase = _ADVERSARIAL if phase and share >= options.adversarial_from else phase
        things = options.things if phase else 3 * options.things
        return self.pairs.batch(step, things) | {"phase": torch.tensor(phase)}


def run_name(model: Model) -> str:
    """The name of the run in which a translator of this model is trained."""
    return f"{model.name}{TranslatorOptions.run_suffix}"


def train_translator(
    model: Model,
    collection: Collection,
    options: TranslatorOptions,
    workspace: Workspace,
    reporter: Reporter,
    *,
    resume: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Translator, TranslatorCard]:
    """Learn to translate between the labels of a model; the network, and the card that goes with it.

    Args:
        resume: go on where the run of this model was interrupted.
        clock: seconds that count as the minutes of the options.

    Raises:
        CollectionError, RightsError: as for a model.
        TrainingError: the model has no labels, the collection too few pairs, or there is nothing to resume.
    """
    names, name = model.card.config.labels, model.card.name
    if len(names) < 2:
        raise TrainingError(name, "has no labels to translate between", "train it with `--label COLUMN`")
    pictures = permitted(collection, options, workspace, reporter)
    learned, unseen = paired_rows(pictures.rows, options.label, options.pairs, names, collection.name)
    again = _command(model, collection, options, workspace)
    run = Run(run_name(model), options, collection, model.digest, workspace, reporter, clock=clock, again=again)
    run.start(resume=resume)
    machine = probe(options.precision, options.threads)
    reporter.note(f"computing: {machine.reason}")
    model.generator.to(machine.device)
    reporter.stage("encoding pictures")
    source = _Source(model, collection, (options.label, options.pairs), machine, workspace, reporter)
    stage = TranslatorStage(model, source.pairs(learned, flip=options.flip, seed=options.seed), options, machine)
    run.train_alone(stage, stage.network, machine)
    rights = rights_with(pictures.rights(learned), model.card, collection, options.where)
    training = training_note(options, machine, run.states)
    card = TranslatorCard(
        **learned_notes(
            options, collection, rights, training, learned=len(learned), held_out=len(unseen), use=pictures.use
        ),
        model=f"sha256:{model.digest}",
        model_name=name,
        config=stage.network.config,
        pairs=options.pairs,
        label=options.label,
        quality=source.quality(stage.network, unseen),
    )
    return stage.network, card


def _command(model: Model, collection: Collection, options: TranslatorOptions, workspace: Workspace) -> str:
    """The command line that goes on with the run."""
    given = f"{typed_model(model, workspace)} {typed_collection(collection, workspace)}"
    columns = shlex.join(["--pairs", options.pairs, "--label", options.label])
    return f"limner train-translator {given} {columns} --resume"


class _Source(NamedTuple):
    """Where pairs come from: a collection, seen by a model; `columns` are those of the labels and of the things."""

    model: Model
    collection: Collection
    columns: tuple[str, str]
    machine: Machine
    workspace: Workspace
    reporter: Reporter

    def pairs(self, rows: list[Row], **how: Any) -> Pairs:
        """The pairs of some rows; `how` as for `Pairs.of`."""
        painter = self.model.card.config.painter
        cache = open_cache(self.collection, rows, cache_side(rows, (painter.height, painter.width)), self.workspace)
        return Pairs.of(self.model, cache, rows, self.columns, self.machine, self.reporter, **how)

    def quality(self, network: Translator, unseen: list[Row]) -> dict[str, Any]:
        """What is known of a translator from pictures that it never saw; nothing where there are none."""
        if not unseen:
            return {}
        self.reporter.stage("measuring")
        return measure_translator(network, self.model, self.pairs(unseen, count=1), self.machine)


def passed_on(
    network: Translator,
    card: TranslatorCard,
    model: Model,
    other: Model,
    collection: Collection,
    workspace: Workspace,
    reporter: Reporter,
) -> TranslatorCard:
    """The card of the same translator for another model of the same space, as a GAN is that began as a VAE.

    Args:
        model: that it learned with.

    Raises:
        TrainingError: the other model encodes pictures in another way.
    """
    known, there = (one.generator.state_dict() for one in (model, other))
    space = [name for name in known if name.startswith(("encoder.", "whitening."))]
    if any(name not in there or not torch.equal(known[name], there[name].to(known[name])) for name in space):
        raise TrainingError(other.card.name, f"has another space than {model.card.name}", "train one of its own")
    rows = collection.rows(card.collection.where)
    _, unseen = paired_rows(rows, card.label, card.pairs, card.config.labels, collection.name)
    machine = Machine("cpu", "fp32", torch.get_num_threads(), "", 0.0)
    source = _Source(other, collection, (card.label, card.pairs), machine, workspace, reporter)
    return card.model_copy(
        update={
            "model": f"sha256:{other.digest}",
            "model_name": other.card.name,
            "quality": source.quality(network, unseen),
        }
    )
