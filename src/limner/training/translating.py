"""Learning to translate: the same things in several styles (`pairs.py`), in the space of a model that stays as it is.

First the squared error of whitened latents, which is quick and finds where the answer lies; then what the frozen
painter makes of them: likeness by L1 and by a teacher's features, which gives the mean of all answers that would do,
against a discriminator that is told the label and sees the picture that was translated beside the result, which asks
for one of them (as Isola et al. 2017, "pix2pix"; losses of the game as in `games.py`).
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from limner.collection import Collection, Row
from limner.collection.cache import cache_side, open_cache
from limner.errors import TrainingError
from limner.machine import Machine, probe
from limner.models.bundle import Model
from limner.models.painter import Latent
from limner.models.teacher import Teacher, load_teacher
from limner.models.translator import PairDiscriminator, Translator, TranslatorCard, TranslatorConfig
from limner.rights import clear, credit_line, summary
from limner.training.games import relativistic
from limner.training.loop import Reporter
from limner.training.notes import collection_note, now, rights_with, teacher_note, training_note
from limner.training.pairs import Pairs, paired_rows
from limner.training.translating_report import measure_translator
from limner.workspace import Workspace

__all__ = ["TranslatingObjective", "TranslatorOptions", "passed_on", "train_translator"]

_UNKNOWN = 0.15
"""Share of the pictures of which the translator is not told the label."""
_NOISE = 0.1
"""Deviation of the noise on what is translated, in deviations of the latents."""
_SQUARES, _TEACHER = 0.1, 0.3
"""How much the squared error of latents and the teacher count beside L1 of what is painted."""
_GAMMA, _SIGMA = 0.03, 0.1
_TAPS = (2, 4, 10)
"""The teacher's layers: strides 4, 8 and 16."""


class TranslatorOptions(BaseModel):
    """One training of a translator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = "style"
    """Column that names the styles; its values are the model's labels."""
    pairs: str
    """Column that says which pictures show the same thing."""
    minutes: float = Field(12.0, gt=0, le=10_000)
    """Length by the clock, or by the processor's where that is asked for."""
    own_time: bool = False
    """Count the processor's time of this process, not the clock's."""
    steps: int | None = Field(None, ge=1)
    """Length in steps, in place of the minutes."""
    where: tuple[str, ...] = ()
    """Conditions that choose a part of the collection."""
    teacher: Literal["efficientnet-lite0", "none"] = "efficientnet-lite0"
    """Whose features say how alike two pictures look."""
    quick: float = Field(0.25, ge=0, le=1)
    """Share of the training by the squared error of latents alone."""
    calm: float = Field(0.3, ge=0, le=1)
    """Share of the training before the discriminator joins in."""
    pull: float = Field(1.0, ge=0, le=10)
    """Length of the discriminator's gradient, as a share of that of likeness; 0 plays no game."""
    things: int = Field(6, ge=2, le=64)
    """Things a step, all pictures of each; three times as many while nothing is painted."""
    rate: float = Field(8e-4, gt=0, le=1)
    """Learning rate of the translator."""
    discriminator_rate: float = Field(3e-4, gt=0, le=1)
    """Learning rate of the discriminator."""
    channels: int = Field(96, ge=8, le=512, multiple_of=8)
    """Of the translator's convolutions."""
    width: int = Field(160, ge=40, le=1024, multiple_of=40)
    """Of the translator's transformer."""
    flip: bool = True
    """Whether pictures may be mirrored; not for writing."""
    seed: int = Field(0, ge=0, le=2**62)
    """Of every random choice."""
    precision: Literal["bf16", "fp32"] | None = None
    """Skips the choice by the probe."""
    threads: int | None = Field(None, ge=1)
    """Skips the choice by the probe."""
    only_cleared: bool = False
    """Leave held pictures out."""
    accept_unknown: str | None = None
    """Why held pictures are used."""


@dataclass
class _Shown:
    """What the painter made of rows, and what the teacher sees in it."""

    pictures: Tensor
    maps: list[Tensor]

    def of(self, chosen: Tensor | slice) -> _Shown:
        """Some of them."""
        return _Shown(self.pictures[chosen], [m[chosen] for m in self.maps])

    def still(self) -> _Shown:
        """Without a way back for gradients."""
        return _Shown(self.pictures.detach(), [m.detach() for m in self.maps])

    def shaken(self) -> _Shown:
        """With a little noise."""
        near = self.pictures + _SIGMA / 2 * torch.randn_like(self.pictures)
        return _Shown(near, [m + _SIGMA * torch.randn_like(m) for m in self.maps])


class TranslatingObjective(nn.Module):
    """The translator against its discriminator: like the true picture, and one of those that would do.

    The batch holds `rows`, `labels`, `source` (`Pairs.batch`), and `phase`: 0 for latents alone, 1 for what is painted,
    2 for the game.
    """

    def __init__(
        self,
        networks: Translator,
        discriminator: PairDiscriminator,
        model: Model,
        teacher: Teacher | None,
        options: TranslatorOptions,
    ) -> None:
        super().__init__()
        self.networks, self.discriminator, self.options = networks, discriminator, options
        # In a list: what is frozen is no part of what is trained or saved.
        self._frozen = [model.generator], [teacher]

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch."""
        truth, labels, source, phase = batch["rows"], batch["labels"], batch["source"], int(batch["phase"])
        rows, own = truth[source], labels[source]
        count = len(self.networks.config.labels)
        told = torch.where(torch.rand(len(own), device=own.device) < _UNKNOWN, count, own)
        made = self.networks(rows + _NOISE * torch.randn_like(rows), told, labels)
        leaf = made.detach().requires_grad_()
        squares = (leaf - truth).square().mean()
        losses = {"squares": squares.detach()}
        if phase == 0:
            (gradient,) = torch.autograd.grad(squares, leaf)
            return self._carried(made, gradient, losses)
        with torch.no_grad():
            right = self._show(truth)
        shown = self._show(leaf)
        l1 = (shown.pictures - right.pictures).abs().mean()
        losses["l1"], likeness = l1.detach(), l1 + _SQUARES * squares
        if shown.maps:
            apart = [((a - b).float() ** 2).mean() for a, b in zip(shown.maps, right.maps, strict=True)]
            likeness = likeness + _TEACHER * torch.stack(apart).sum()
            losses["teacher"] = torch.stack(apart).sum().detach()
        (gradient,) = torch.autograd.grad(likeness, leaf, retain_graph=phase == 2)
        loss = torch.zeros((), device=leaf.device)
        if phase == 2 and self.options.pull:
            played, loss, towards_real = self._play(right.of(source), right, shown, labels, leaf)
            losses |= played
            share = self.options.pull * gradient.norm() / towards_real.norm().clamp_min(1e-12)
            gradient = gradient + share * towards_real
        return self._carried(made, gradient, losses, loss)

    def _carried(
        self, made: Tensor, gradient: Tensor, losses: dict[str, Tensor], loss: Tensor | float = 0.0
    ) -> dict[str, Tensor]:
        """A loss whose gradient at what was made is the given one, of unit length."""
        carried = (made * (gradient / gradient.norm().clamp_min(1e-12))).sum()
        return {"loss": loss + carried - carried.detach(), **losses}

    def _show(self, rows: Tensor) -> _Shown:
        """What the painter makes of rows. # [n, numbers]"""
        (generator,), (teacher,) = self._frozen
        latent = generator.whitening.back(rows)
        pictures = generator.painter(Latent(latent.content, latent.style)).float()
        if teacher is None:
            return _Shown(pictures, [])
        with torch.autocast(pictures.device.type, enabled=False):
            # The teacher's vectors have length 1; a head wants numbers of about that size each.
            maps = [m * m.shape[1] ** 0.5 for m in teacher(pictures.to(teacher.stem.weight.dtype))]
        return _Shown(pictures, maps)

    def _play(
        self, before: _Shown, right: _Shown, shown: _Shown, labels: Tensor, leaf: Tensor
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """What is logged, the discriminator's loss, and the gradient towards what looks real."""
        still = shown.still()
        on_real, on_made = self._judged(before, right, labels), self._judged(before, still, labels)
        # Each is held against another thing's than its own: against its own the discriminator wins at once.
        game = relativistic([j.roll(1, 0) for j in on_made], on_real)
        few = slice(0, -(-len(labels) // 3))
        slopes = [
            ((a[few] - b) ** 2).mean() / _SIGMA**2
            for one, judged in ((right, on_real), (still, on_made))
            for a, b in zip(judged, self._judged(before.of(few), one.of(few).shaken(), labels[few]), strict=True)
        ]
        fixed = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        seen = (before.maps, shown.maps, shown.pictures, labels)
        on_shown = torch.func.functional_call(self.discriminator, fixed, seen)
        fooled = relativistic([j.detach().roll(1, 0) for j in on_real], on_shown)
        (towards_real,) = torch.autograd.grad(fooled, leaf)
        told = {"discriminator": game.detach(), "fooled": fooled.detach()}
        return told, game + _GAMMA * torch.stack(slopes).mean(), towards_real

    def _judged(self, before: _Shown, shown: _Shown, labels: Tensor) -> list[Tensor]:
        found: list[Tensor] = self.discriminator(before.maps, shown.maps, shown.pictures, labels)
        return found


def train_translator(
    model: Model, collection: Collection, options: TranslatorOptions, workspace: Workspace, reporter: Reporter
) -> tuple[Translator, TranslatorCard]:
    """Learn to translate between the labels of a model; the network, and the card that goes with it.

    Raises:
        CollectionError, RightsError: as for a model.
        TrainingError: the model has no labels, or the collection too few pairs.
    """
    names = model.card.config.labels
    if len(names) < 2:
        raise TrainingError(model.card.name, "has no labels to translate between", "train it with `--label COLUMN`")
    rows, accepted = clear(
        collection.rows(options.where), only_cleared=options.only_cleared, accept_unknown=options.accept_unknown
    )
    learned, unseen = paired_rows(rows, options.label, options.pairs, names, collection.name)
    machine = probe(options.precision, options.threads)
    reporter.note(f"computing: {machine.reason}")
    model.generator.to(machine.device)
    if machine.precision == "bf16":
        model.generator.keep_casts()
    reporter.stage("encoding pictures")
    cache = open_cache(collection, learned, _side(learned, model), workspace)
    columns = options.label, options.pairs
    pairs = Pairs.of(model, cache, learned, columns, machine, reporter, flip=options.flip, seed=options.seed)
    start = time.monotonic()
    network, steps, seen = _learn(model, pairs, options, machine, reporter)
    seconds = time.monotonic() - start
    quality = _measured(network, model, collection, unseen, columns, workspace, machine, reporter)
    rights = rights_with(summary(learned, accepted), model.card, collection, options.where)
    card = TranslatorCard(
        model=f"sha256:{model.digest}",
        model_name=model.card.name,
        config=network.config,
        pairs=options.pairs,
        label=options.label,
        collection=collection_note(collection, options.where, learned=len(learned), held_out=len(unseen)),
        rights=rights,
        credit=credit_line(rights),
        teacher=teacher_note(options.teacher),
        training=training_note(options, machine, seconds=seconds, steps={"translator": steps}, latents=seen),
        quality=quality,
        created=now(),
    )
    return network, card


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
    quality = _measured(network, other, collection, unseen, (card.label, card.pairs), workspace, machine, reporter)
    told = {"model": f"sha256:{other.digest}", "model_name": other.card.name, "quality": quality}
    return card.model_copy(update=told)


def _measured(
    network: Translator,
    model: Model,
    collection: Collection,
    unseen: list[Row],
    columns: tuple[str, str],
    workspace: Workspace,
    machine: Machine,
    reporter: Reporter,
) -> dict[str, Any]:
    """What is known of it from pictures that it never saw; nothing where there are none."""
    if not unseen:
        return {}
    reporter.stage("measuring")
    cache = open_cache(collection, unseen, _side(unseen, model), workspace)
    pairs = Pairs.of(model, cache, unseen, columns, machine, reporter, count=1)
    return measure_translator(network, model, pairs, machine)


def _side(rows: list[Row], model: Model) -> int:
    return cache_side(rows, (model.card.config.painter.height, model.card.config.painter.width))


def _learn(
    model: Model, pairs: Pairs, options: TranslatorOptions, machine: Machine, reporter: Reporter
) -> tuple[Translator, int, int]:
    """The mean of the last weights, how many steps were made, and how many latents were seen."""
    torch.manual_seed(options.seed)
    config = TranslatorConfig(
        painter=model.card.config.painter,
        labels=model.card.config.labels,
        channels=options.channels,
        width=options.width,
    )
    network = Translator(config).to(machine.device)
    teacher = None
    if options.teacher != "none":
        teacher = load_teacher(options.teacher, taps=_TAPS).to(machine.device)
        teacher.to(torch.bfloat16 if machine.precision == "bf16" else torch.float32)
    discriminator = PairDiscriminator(teacher.widths if teacher else [], len(config.labels)).to(machine.device)
    objective = TranslatingObjective(network, discriminator, model, teacher, options)
    groups = [
        {"params": list(network.parameters()), "most": options.rate},
        {"params": list(discriminator.parameters()), "most": options.discriminator_rate},
    ]
    optimiser = torch.optim.AdamW(groups, options.rate, (0.8, 0.98), weight_decay=0.02)
    mean = copy.deepcopy(network).requires_grad_(False).eval()
    reporter.stage("learning to translate")
    clock = time.process_time if options.own_time else time.monotonic
    start, step, seen, told = clock(), 0, 0, 0.0
    while True:
        spent = clock() - start
        share = step / options.steps if options.steps else spent / (60 * options.minutes)
        if share >= 1 and step:
            return mean, step, seen
        phase = 0 if share < options.quick else 1 if share < options.calm else 2
        batch = pairs.batch(step, options.things if phase else 3 * options.things)
        batch = {name: one.to(machine.device) for name, one in batch.items()} | {"phase": torch.tensor(phase)}
        for group in optimiser.param_groups:
            group["lr"] = group["most"] * min(1.0, (step + 1) / 50, 2.05 - 2 * min(1.0, share))
        with machine.autocast():
            losses = objective(batch)
        optimiser.zero_grad()
        losses.pop("loss").backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step, seen = step + 1, seen + len(batch["labels"])
        _follow(mean, network, min(0.99, step / (step + 9)))
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            shown = {name: float(value) for name, value in losses.items()}
            if not all(np.isfinite(value) for value in shown.values()):
                raise TrainingError(model.card.name, "came to no number", "train again with another --seed")
            reporter.tick(min(share, 1.0), spent * (1 - share) / max(share, 1e-3), seen / max(spent, 1e-3), shown)


@torch.no_grad()
def _follow(mean: Translator, network: Translator, keep: float) -> None:
    for own, new in zip(mean.parameters(), network.parameters(), strict=True):
        own.lerp_(new, 1 - keep)
