"""The last stage: the painter, and a GAN's mapping, learn against a discriminator, and pictures get crisp."""

from __future__ import annotations

import copy
from collections.abc import Mapping as Table
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from limner.errors import TrainingError
from limner.machine import Machine
from limner.models.discriminators import Discriminator, PixelDiscriminator, TeacherDiscriminator, scales_of
from limner.models.feature_distances import kid
from limner.models.features import RandomFeatures
from limner.models.latent_model import LatentModel, seeded_noise, to_unit
from limner.models.prior import Mapping
from limner.models.similarity import psnr
from limner.pictures.fitting import centred
from limner.training.adversarial_objective import AdversarialObjective, coarse
from limner.training.data import TrainingData
from limner.training.diffaugment import DiffAugment
from limner.training.options import TrainOptions
from limner.training.prior_stage import draw_new
from limner.training.stage import Stage, seed_of

_FRESH_EVERY = 16
_AT_ONCE = 64
_MOST_DRAWN = 8192
_SEED = 5_000_011
_JUDGED = 128
_COLLAPSED = 0.35
_FIRST_STRENGTH = 0.4
_STRENGTHS = (0.2, 1.0)
_OVERFIT = 0.5
_STRONGER = 1.3


class Drawings:
    """New latents of the prior, with what the painter made of them before the stage; more of them as time goes.

    Drawing is dearer than painting, so each latent is used several times. Number i depends on the seed and i alone, so
    a resumed run finds the same ones.
    """

    def __init__(self, model: LatentModel, machine: Machine, seed: int) -> None:
        self.whitening, self.machine, self.seed = model.whitening, machine, seed
        # Copies: the model's own change as the stage goes.
        self.painter = copy.deepcopy(model.painter).requires_grad_(False)
        self.prior = copy.deepcopy(model.prior).requires_grad_(False)
        self.parts: dict[str, Tensor] = {}

    def at(self, step: int, count: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Some of those that are there at a step.

        Whitened latents `rows` [n, numbers] and small pictures `coarse`; for a GAN also what they were drawn from:
        `noise` [n, numbers], `labels` [n], `embeddings` [n, width].
        """
        there = min(_MOST_DRAWN, _AT_ONCE * (2 + step // _FRESH_EVERY))
        while (have := len(self.parts.get("rows", ()))) < there:
            for name, more in self._draw(have).items():
                self.parts[name] = torch.cat([self.parts[name], more]) if have else more
        chosen = torch.randint(there, (count,), generator=generator)
        return {name: part[chosen] for name, part in self.parts.items()}

    @torch.no_grad()
    def _draw(self, first: int) -> dict[str, Tensor]:
        prior, found = self.prior, {}
        noise = seeded_noise(_AT_ONCE, prior.noise_numbers, seed=_SEED + self.seed, first=first)
        noise = noise.to(self.whitening.mean.device)
        with self.machine.autocast():
            if isinstance(prior, Mapping):
                found["noise"], for_embeddings = noise.split([prior.painter.numbers, prior.embeddings.drawn], dim=1)
                found["embeddings"], found["labels"] = prior.embeddings.draw(for_embeddings)
                found["rows"] = prior.carry(found["noise"], found["labels"], found["embeddings"])
            else:
                found["rows"] = prior(noise)
            painted = self.painter(self.whitening.back(found["rows"]))
        found["coarse"] = coarse(painted.float())
        return {name: part.clone() for name, part in found.items()}


class AdversarialStage(Stage):
    """Painter and, in a GAN, mapping against a discriminator; the encoder stays as it is.

    Attributes:
        changed: how the names of the model's weights begin that it changes.
        collapse_remedy: what to try where the pictures become all alike.
    """

    name, momentum = "adversarial", 0.0
    remedy = "go on with --resume and a lower --adversarial-rate"
    collapse_remedy = "try more pictures, or other minutes"
    learning_rate_factors: Table[str, float] = {"discriminator.": 1.7, "networks.prior.": 0.5}

    def __init__(
        self, model: LatentModel, data: TrainingData, options: TrainOptions, machine: Machine, folder: Path
    ) -> None:
        self.model, self.data, self.machine, self.folder, self.seed = model, data, machine, folder, options.seed
        self.together, self.learning_rate = options.adversarial_batch, options.adversarial_rate
        mapping = isinstance(model.prior, Mapping)
        self.title = f"adversarial ({'mapping and painter' if mapping else 'painter'})"
        self.changed = ("painter.", "prior.") if mapping else ("painter.",)
        model.requires_grad_(False)
        model.painter.requires_grad_(True)
        model.prior.requires_grad_(mapping)
        # A run that is resumed before the first checkpoint begins with the same discriminator.
        torch.manual_seed(seed_of(options.seed, "discriminator"))
        model.painter.start_noise()
        discriminator: Discriminator
        if options.teacher == "none":
            discriminator = PixelDiscriminator()
        else:
            dtype = torch.bfloat16 if machine.precision == "bf16" else torch.float32
            discriminator = TeacherDiscriminator(options.teacher, dtype, scales_of(options.height, options.width))
        discriminator.to(machine.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.discriminator, self.augment = discriminator, DiffAugment(_FIRST_STRENGTH)
        self.objective = AdversarialObjective(model, discriminator, options.adversarial, self.augment)
        self.drawings = Drawings(model, machine, options.seed)
        self.features = RandomFeatures(seed=1)
        self.real = self.features(data.chooses)
        spread = torch.linspace(0, len(data.cache) - 1, min(_JUDGED, len(data.cache))).long().tolist()
        self.learned = torch.stack([centred(data.cache[i], data.size) for i in spread])
        self.known = self.features(self.learned)
        self.before, self.diversity = self._distance()

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """Views of training pictures, and latents of the prior for half as many."""
        generator = torch.Generator().manual_seed(seed_of(self.seed, "adversarial batch", step))
        drawn = self.together // 2
        shown = self.data.adversarial_batch(step, self.together, self.together - drawn)
        return {**shown, **self.drawings.at(step, drawn, generator)}

    def check(self) -> dict[str, float]:
        """Distance of new pictures from the half of the hold-out that chooses, by features that no discriminator looks
        at.

        Raises:
            TrainingError: the pictures have become all alike.
        """
        model = self.model
        with self.machine.autocast():
            shown = self.data.chooses[:_JUDGED]
            kept = float(psnr(model.paint(model.encode(shown)), shown).mean())
        distance, diversity = self._distance()
        # What hardly differed before the stage (a training of seconds) is not its doing.
        if diversity < min(_COLLAPSED, self.diversity / 2):
            raise TrainingError(
                self.title,
                f"collapsed: new pictures differ among themselves {diversity:.0%} as much as real ones do",
                self.collapse_remedy,
            )
        # No adversarial loss falls as pictures get better, and the distance of so few pictures is too rough to choose
        # by: the latest weights are kept, unless the pictures have clearly become worse.
        worse = distance > 1.5 * self.before + 0.1
        found = {"score": distance if worse else 0.0, "kid": distance, "psnr": kept, "diversity": diversity}
        return found | {"overfit": self._overfit(), "strength": self.augment.strength}

    def adapt(self, checks: Sequence[Table[str, float]]) -> None:
        """Augment what the discriminator sees more as it over-fits, less as it does not (Karras et al. 2020, "ADA").

        The strength follows from the checks so far alone, so a resumed run finds the same one.
        """
        strength = _FIRST_STRENGTH
        for check in checks:
            strength *= _STRONGER if check["overfit"] > _OVERFIT else 1 / _STRONGER
            strength = min(_STRENGTHS[1], max(_STRENGTHS[0], strength))
        self.augment.strength = strength

    def _overfit(self) -> float:
        """Where the discriminator puts unseen real pictures, from 0 (with those it learned from) to 1 (with painted
        ones).

        This is r_v of "ADA", equation 1.
        """
        with self.machine.autocast():
            painted = self.model.paint(self.model.sample(_JUDGED, seed=78))
            learned, unseen, new = (
                float(torch.stack([head.mean() for head in self._output(shown)]).mean())
                for shown in (self.learned, self.data.chooses[:_JUDGED], painted)
            )
        return min(1.0, max(0.0, (learned - unseen) / max(learned - new, 0.05)))

    def _output(self, shown: Tensor) -> list[Tensor]:
        crops = self.discriminator.crops(to_unit(shown.to(self.machine.device)))
        found: list[Tensor] = self.discriminator(self.discriminator.see(crops))
        return found

    def _distance(self) -> tuple[float, float]:
        """KID of new pictures, and their diversity."""
        with self.machine.autocast():
            found = self.features(self.model.paint(self.model.sample(_JUDGED, seed=77)))
        return kid(self.real, found, by=self.known).value, _diversity(found, self.real)

    def draw(self, name: str) -> None:
        """64 pictures of fixed noise."""
        draw_new(self.model, self.data, self.machine, self.folder / "sheets" / f"samples-{name}.png")


def _diversity(new: Tensor, real: Tensor) -> float:
    """How much new pictures differ among themselves, as a share of how much real ones do (64 each)."""
    mean, deviation = real.mean(0), real.std(0).clamp_min(1e-6)
    spans = [torch.pdist((rows[:64] - mean) / deviation).mean() for rows in (new, real)]
    return float(spans[0] / spans[1].clamp_min(1e-6))
