"""Learning to enlarge: pictures made small, and the same pictures as they were (`crops.py`).

An up-scaler is held to the true picture by L1 and by a teacher's features, and plays against a discriminator of the
pixels, so that texture appears where likeness alone gives blur (Ledig et al. 2017, "SRGAN"; losses of the game as in
`games.py`).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from limner.collection import Collection, Row
from limner.collection.cache import open_cache
from limner.errors import TrainingError
from limner.machine import Machine, probe
from limner.models.bundle import Model
from limner.models.discriminators import PixelDiscriminator
from limner.models.similarity import feature_distance
from limner.models.teacher import Teacher, load_teacher
from limner.models.upscaler import Upscaler, UpscalerCard, UpscalerConfig
from limner.rights import clear, credit_line, summary
from limner.training.crops import SEEN, SMALLEST, Crops, middle, painted_pictures
from limner.training.games import relativistic
from limner.training.loop import Reporter
from limner.training.notes import collection_note, now, rights_with, teacher_note, training_note
from limner.training.upscaling_report import measure_upscaler
from limner.workspace import Workspace

__all__ = ["UpscalerOptions", "UpscalingObjective", "train_upscaler"]

_FEWEST = 4
_LARGEST = 1024
_EDGE = 4
"""What lies so near to the edge of a small picture, px, is enlarged and not judged."""
_GAMMA, _SIGMA = 0.005, 0.05


class UpscalerOptions(BaseModel):
    """One training of an up-scaler."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Name of the up-scaler."""
    minutes: float = Field(10.0, gt=0, le=10_000)
    """Length by the clock."""
    steps: int | None = Field(None, ge=1)
    """Length in steps, in place of the minutes."""
    where: tuple[str, ...] = ()
    """Conditions that choose a part of the collection."""
    teacher: Literal["efficientnet-lite0", "none"] = "efficientnet-lite0"
    """Whose features say how alike two pictures look."""
    likeness: float = Field(0.1, ge=0)
    """How much the teacher counts beside L1."""
    pull: float = Field(0.7, ge=0, le=10)
    """Length of the discriminator's gradient, as a share of that of likeness; 0 plays no game."""
    warm: float = Field(0.3, ge=0, le=1)
    """Share of the training by L1 alone, which is quick, before teacher and discriminator join in."""
    batch: int = Field(16, ge=4, le=256)
    """Crops a step, half of it once teacher and discriminator take part."""
    rate: float = Field(1.5e-3, gt=0, le=1)
    """Learning rate of the up-scaler; it comes down to a tenth."""
    discriminator_rate: float = Field(5e-4, gt=0, le=1)
    """Learning rate of the discriminator."""
    shape: UpscalerConfig = UpscalerConfig()
    """What shapes the network."""
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


class UpscalingObjective(torch.nn.Module):
    """The up-scaler against its discriminator: like the true picture, and crisp.

    The batch holds `small`, `large` and `late`: whether teacher and discriminator take part.
    """

    def __init__(
        self, networks: Upscaler, discriminator: PixelDiscriminator, teacher: Teacher | None, options: UpscalerOptions
    ) -> None:
        super().__init__()
        self.networks, self.discriminator, self.options = networks, discriminator, options
        # In a list: the teacher's weights are no part of what is trained or saved.
        self._teacher = [teacher] if teacher else []

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch. # small: float [n, 3, 40, 40], large: [n, 3, 80, 80] in -1..1"""
        small = batch["small"]
        noise = torch.randn(len(small), 1, *batch["large"].shape[2:], device=small.device)
        made = middle(self.networks(small, noise), 2 * (SEEN - 2 * _EDGE)).float()
        large = middle(batch["large"], made.shape[-1])
        leaf = made.detach().requires_grad_()
        losses, likeness = self._likeness(leaf, large, looks=bool(batch["late"]))
        (gradient,) = torch.autograd.grad(likeness, leaf)
        loss = torch.zeros((), device=small.device)
        if batch["late"] and self.options.pull:
            losses["discriminator"], losses["fooled"], loss, towards_real = self._play(leaf, large)
            share = self.options.pull * gradient.norm() / towards_real.norm().clamp_min(1e-12)
            gradient = gradient + share * towards_real
        carried = (made * gradient).sum()
        return {"loss": loss + carried - carried.detach(), **losses}

    def _likeness(self, made: Tensor, large: Tensor, *, looks: bool) -> tuple[dict[str, Tensor], Tensor]:
        """L1, and where it counts how it looks to the teacher."""
        l1 = (made - large).abs().mean()
        if not looks or not self._teacher:
            return {"l1": l1.detach()}, l1
        teacher = self._teacher[0]
        dtype = teacher.stem.weight.dtype
        with torch.autocast(made.device.type, enabled=False):
            with torch.no_grad():
                wanted = teacher(large.to(dtype))
            found = teacher(made.to(dtype))
        apart = feature_distance(found, wanted).mean()
        return {"l1": l1.detach(), "teacher": apart.detach()}, l1 + self.options.likeness * apart

    def _play(self, made: Tensor, large: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The discriminator's loss, how far it is fooled, the loss to minimise, the gradient towards real ones."""
        discriminator = self.discriminator
        real, seen = discriminator.see([large]), discriminator.see([made])
        # Each is held against another picture than its own: against its own the discriminator wins at once.
        on_real, on_made = [j.roll(1, 0) for j in discriminator(real)], discriminator([m.detach() for m in seen])
        game = relativistic(on_made, on_real)
        slope = self._slope(large, [j.roll(-1, 0) for j in on_real]) + self._slope(made.detach(), on_made)
        fixed = {name: p.detach() for name, p in discriminator.named_parameters()}
        fooled = relativistic([j.detach() for j in on_real], torch.func.functional_call(discriminator, fixed, (seen,)))
        (towards_real,) = torch.autograd.grad(fooled, made)
        return game.detach(), fooled.detach(), game + _GAMMA / 2 * slope, towards_real

    def _slope(self, shown: Tensor, judged: list[Tensor]) -> Tensor:
        """Mean square of the change of the discriminator's opinion under small noise, on a quarter of the batch."""
        count = -(-len(shown) // 4)
        other = self.discriminator(self.discriminator.see([shown[:count] + _SIGMA * torch.randn_like(shown[:count])]))
        return torch.stack(
            [((a[:count] - b) ** 2).mean() / _SIGMA**2 for a, b in zip(judged, other, strict=True)]
        ).mean()


def train_upscaler(
    collection: Collection,
    options: UpscalerOptions,
    workspace: Workspace,
    reporter: Reporter,
    model: Model | None = None,
) -> tuple[Upscaler, UpscalerCard]:
    """Learn to enlarge the pictures of a collection; the network, and the card that goes with it.

    Args:
        model: whose painted pictures it learns to enlarge, too.

    Raises:
        CollectionError, RightsError: as for a model.
        TrainingError: the pictures are too few or too small.
    """
    rows, accepted = clear(
        collection.rows(options.where), only_cleared=options.only_cleared, accept_unknown=options.accept_unknown
    )
    training, held_out = _large_enough(collection, rows)
    machine = probe(options.precision, options.threads)
    reporter.note(f"computing: {machine.reason}")
    reporter.stage("reading pictures")
    cache = open_cache(collection, training, _LARGEST, workspace)
    painted = [] if model is None else painted_pictures(model, cache, machine, options.seed)
    if model is not None and not painted:
        reporter.note(f"{model.card.name}: its pictures are not half as large as these; they are left out")
    start = time.monotonic()
    network, steps, seen = _learn(Crops(cache, painted, options.seed), options, machine, reporter)
    seconds = time.monotonic() - start
    reporter.stage("measuring")
    unseen = open_cache(collection, held_out, _LARGEST, workspace)
    quality = measure_upscaler(network, unseen, machine, options.teacher, model)
    rights = rights_with(summary(training, accepted), None if model is None else model.card, collection, options.where)
    card = UpscalerCard(
        name=options.name,
        config=network.config,
        collection=collection_note(collection, options.where, learned=len(training), held_out=len(held_out)),
        rights=rights,
        credit=credit_line(rights),
        teacher=teacher_note(options.teacher),
        training=training_note(options, machine, seconds=seconds, steps={"upscaler": steps}, pictures=seen),
        quality=quality,
        parents=() if model is None else (model.digest,),
        created=now(),
    )
    return network, card


def _large_enough(collection: Collection, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Training and held-out pictures that there is something to learn from."""
    fit = [row for row in rows if min(row.width, row.height) >= SMALLEST]
    training, held_out = ([row for row in fit if row.split == split] for split in ("train", "holdout"))
    if len(training) < _FEWEST or not held_out:
        raise TrainingError(
            f"{collection.name}: {len(training)} pictures to learn from and {len(held_out)} held out",
            f"are too few of {SMALLEST} px and more ({_FEWEST} and 1 are needed; {len(rows) - len(fit)} are smaller)",
            "import them at full resolution, or use the up-scaler that ships",
        )
    return training, held_out


def _learn(crops: Crops, options: UpscalerOptions, machine: Machine, reporter: Reporter) -> tuple[Upscaler, int, int]:
    """The mean of the last weights, how many steps were made, and how many crops were seen."""
    torch.manual_seed(options.seed)
    network = Upscaler(options.shape).to(machine.device)
    discriminator = PixelDiscriminator((24, 48)).to(machine.device)
    discriminator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    teacher = None
    if options.teacher != "none":
        teacher = load_teacher(options.teacher).to(machine.device)
        teacher.to(torch.bfloat16 if machine.precision == "bf16" else torch.float32)
    objective = UpscalingObjective(network, discriminator, teacher, options)
    groups = [
        {"params": list(network.parameters()), "most": options.rate},
        {"params": list(discriminator.parameters()), "most": options.discriminator_rate},
    ]
    optimiser = torch.optim.AdamW(groups, options.rate, (0.5, 0.99), weight_decay=0.0)
    mean = copy.deepcopy(network).requires_grad_(False)
    reporter.stage("learning to enlarge")
    start, step, seen, told = time.monotonic(), 0, 0, 0.0
    while True:
        spent = time.monotonic() - start
        share = step / options.steps if options.steps else spent / (60 * options.minutes)
        if share >= 1 and step:
            return mean, step, seen
        late = torch.tensor(share >= options.warm)
        # Teacher and discriminator cost more than the network itself.
        count = options.batch // 2 if late else options.batch
        small, large = crops.batch(step, count, mean, machine)
        batch = {"small": small.to(machine.device), "large": large.to(machine.device), "late": late}
        for group in optimiser.param_groups:
            group["lr"] = group["most"] * (0.55 + 0.45 * float(np.cos(np.pi * min(1.0, share))))
        with machine.autocast():
            losses = objective(batch)
        optimiser.zero_grad()
        losses.pop("loss").backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step, seen = step + 1, seen + count
        _follow(mean, network, min(0.995, step / (step + 9)))
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            left = spent * (1 - share) / max(share, 1e-3)
            shown = {name: float(value) for name, value in losses.items()}
            if not all(np.isfinite(value) for value in shown.values()):
                raise TrainingError(options.name, "came to no number", "train again with a smaller rate")
            reporter.tick(min(share, 1.0), left, seen / max(spent, 1e-3), shown)


@torch.no_grad()
def _follow(mean: Upscaler, network: Upscaler, keep: float) -> None:
    for own, new in zip(mean.parameters(), network.parameters(), strict=True):
        own.lerp_(new, 1 - keep)
