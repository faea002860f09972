"""Learning to enlarge: pictures made small, and the same pictures as they were (`crops.py`).

An up-scaler is held to the true picture by L1 and by a teacher's features, and has a discriminator of the pixels, so
that texture appears where likeness alone gives blur (Ledig et al. 2017, "SRGAN"; adversarial loss as in
`adversarial.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

from limner.collection import Collection, Row
from limner.collection.cache import open_cache
from limner.errors import TrainingError
from limner.machine import Machine, probe
from limner.models.bundle import Model
from limner.models.discriminators import PixelDiscriminator
from limner.models.upscaler import Upscaler, UpscalerCard, UpscalerConfig
from limner.training.adversarial import Judged, carrying, judged, scale
from limner.training.crops import SEEN, SMALLEST, Crops, middle, painted_pictures
from limner.training.notes import learned_notes, rights_with, training_note
from limner.training.objectives import FrozenTeacher, frozen_teacher
from limner.training.options import RunOptions
from limner.training.permitted import permitted
from limner.training.run import Run, typed_collection, typed_model
from limner.training.stage import Reporter, Stage
from limner.training.upscaling_report import measure_upscaler
from limner.workspace import Workspace

_FEWEST = 4
_LARGEST = 1024
_EDGE = 4
"""What lies so near to the edge of a small picture, px, is enlarged and not judged."""
_GAMMA, _SIGMA = 0.005, 0.05


class UpscalerOptions(RunOptions):
    """One training of an up-scaler."""

    command = "train-upscaler"
    run_suffix = ".train-upscaler"
    usual_minutes = 10.0

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Name of the up-scaler."""
    teacher_weight: float = Field(0.1, ge=0)
    """How much the teacher counts beside L1."""
    adversarial: float = Field(0.7, ge=0, le=10)
    """Length of the adversarial gradient, as a share of that of likeness; 0 leaves the discriminator out."""
    l1_share: float = Field(0.3, ge=0, le=1)
    """Share of the training by L1 alone, which is quick, before teacher and discriminator join in."""
    batch: int = Field(16, ge=4, le=256)
    """Crops a step, half of it once teacher and discriminator take part."""
    learning_rate: float = Field(1.5e-3, gt=0, le=1)
    """Of the up-scaler."""
    discriminator_learning_rate: float = Field(5e-4, gt=0, le=1)
    """Of the discriminator."""
    shape: UpscalerConfig = UpscalerConfig()
    """What shapes the network."""


class UpscalingObjective(torch.nn.Module):
    """The up-scaler against its discriminator: like the true picture, and crisp.

    The batch holds `small`, `large` and `late`: whether teacher and discriminator take part.
    """

    def __init__(
        self,
        networks: Upscaler,
        discriminator: PixelDiscriminator,
        teacher: FrozenTeacher | None,
        options: UpscalerOptions,
    ) -> None:
        super().__init__()
        self.networks, self.discriminator, self.teacher, self.options = networks, discriminator, teacher, options

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch. # small: float [n, 3, 40, 40], large: [n, 3, 80, 80] in -1..1"""
        small, late = batch["small"], bool(batch["late"])
        noise = torch.randn(len(small), 1, *batch["large"].shape[2:], device=small.device)
        made = middle(self.networks(small, noise), 2 * (SEEN - 2 * _EDGE)).float()
        large = middle(batch["large"], made.shape[-1])
        leaf = made.detach().requires_grad_()
        likeness = (leaf - large).abs().mean()
        losses, loss = {"l1": likeness.detach()}, torch.zeros((), device=small.device)
        if late and self.teacher:
            distance = self.teacher.distance(leaf, large)
            losses["teacher"], likeness = distance.detach(), likeness + self.options.teacher_weight * distance
        (gradient,) = torch.autograd.grad(likeness, leaf)
        if late and self.options.adversarial:
            found = self._judged(large, leaf)
            losses |= found.logged
            factor = scale(found.towards_real, gradient, self.options.adversarial)
            loss, gradient = found.loss, gradient + factor * found.towards_real
        return {"loss": loss + carrying(made, gradient), **losses}

    def _judged(self, large: Tensor, made: Tensor) -> Judged:
        see, few = self.discriminator.see, -(-len(large) // 4)
        near = [see([one[:few].detach() + _SIGMA * torch.randn_like(one[:few])]) for one in (large, made)]
        return judged(
            self.discriminator, see([large]), see([made]), made, (near[0], near[1]), gamma=_GAMMA, sigma=_SIGMA
        )


class UpscalerStage(Stage):
    """The up-scaler learns from crops; the latest averaged weights are kept; the hold-out is for the report."""

    name, title = "upscaler", "learning to enlarge"
    momentum, weight_decay = 0.5, 0.0
    warmup_steps, decay_share, average_power = 5, 0.9, 8.0

    def __init__(self, crops: Crops, options: UpscalerOptions, machine: Machine) -> None:
        self.crops, self.options, self.machine = crops, options, machine
        self.learning_rate = options.learning_rate
        torch.manual_seed(options.seed)
        self.network = Upscaler(options.shape)
        discriminator = PixelDiscriminator((24, 48))
        discriminator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        teacher = frozen_teacher(options.teacher, machine)
        self.objective = UpscalingObjective(self.network, discriminator, teacher, options)
        self.learning_rate_factors = {"discriminator.": options.discriminator_learning_rate / options.learning_rate}

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """Crops, half of them enlarged once by the averaged network."""
        late = share >= self.options.l1_share
        # Teacher and discriminator cost more than the network itself.
        count = self.options.batch // 2 if late else self.options.batch
        small, large = self.crops.batch(step, count, self._enlarged, self.machine)
        return {"small": small, "large": large, "late": torch.tensor(late)}

    def _enlarged(self, small: Tensor, noise: Tensor) -> Tensor:
        prefix = "networks."
        own = {name.removeprefix(prefix): one for name, one in self.averages.items() if name.startswith(prefix)}
        found: Tensor = torch.func.functional_call(self.network, own, (small, noise))
        return found


def train_upscaler(
    collection: Collection,
    options: UpscalerOptions,
    workspace: Workspace,
    reporter: Reporter,
    model: Model | None = None,
    *,
    resume: bool = False,
) -> tuple[Upscaler, UpscalerCard]:
    """Learn to enlarge the pictures of a collection; the network, and the card that goes with it.

    Args:
        model: whose painted pictures it learns to enlarge, too.
        resume: go on where the run of this name was interrupted.

    Raises:
        CollectionError, RightsError: as for a model.
        TrainingError: the pictures are too few or too small, or there is nothing to resume.
    """
    pictures = permitted(collection, options, workspace, reporter)
    training, held_out = _large_enough(collection, pictures.rows)
    again = f"limner train-upscaler {typed_collection(collection, workspace)} --name {options.name} --resume"
    again += f" --model {typed_model(model, workspace)}" if model else ""
    parent = "" if model is None else model.digest
    run = Run(f"{options.name}{options.run_suffix}", options, collection, parent, workspace, reporter, again=again)
    run.start(resume=resume)
    machine = probe(options.precision, options.threads)
    reporter.note(f"computing: {machine.reason}")
    reporter.stage("reading pictures")
    cache = open_cache(collection, training, _LARGEST, workspace)
    painted = [] if model is None else painted_pictures(model, cache, machine, options.seed)
    if model is not None and not painted:
        reporter.note(f"{model.card.name}: its pictures are not half as large as these; they are left out")
    stage = UpscalerStage(Crops(cache, painted, options.seed), options, machine)
    run.train_alone(stage, stage.network, machine)
    reporter.stage("measuring")
    unseen = open_cache(collection, held_out, _LARGEST, workspace)
    quality = measure_upscaler(stage.network, unseen, machine, options.teacher, model)
    rights = rights_with(pictures.rights(training), None if model is None else model.card, collection, options.where)
    notes = training_note(options, machine, run.states)
    card = UpscalerCard(
        **learned_notes(
            options, collection, rights, notes, learned=len(training), held_out=len(held_out), use=pictures.use
        ),
        name=options.name,
        config=stage.network.config,
        quality=quality,
        parents=() if model is None else (model.digest,),
    )
    return stage.network, card


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
