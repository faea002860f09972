"""The loop: it owns optimiser, device, precision, averages, checkpoints and the clock, and knows no family."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from limner.errors import TrainingError
from limner.training.checkpoint import (
    load_optimiser,
    optimiser_tensors,
    pack,
    read_checkpoint,
    unpack,
    write_checkpoint,
)

__all__ = ["Budget", "Loop", "Reporter", "Stage", "StageState"]

_AVERAGE_EVERY = 4
_AVERAGE_POWER = 16.0
_WARMUP, _DECAY = 0.02, 0.3
_RETRIES = 5


class Reporter(Protocol):
    """Where a training says what happens."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def stage(self, title: str) -> None:
        """A new stage begins."""

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        """How far the stage is; `rate` in pictures or latents a second."""


class Stage(Protocol):
    """One part of a training: what is learned, from which batches, and how it is judged."""

    name: str
    title: str
    objective: nn.Module
    rate: float
    momentum: float
    ends_early: bool
    """Whether it may come down early when its score gains no more."""
    steadier: str
    """What to try where its losses are no numbers at any rate."""
    rates: Mapping[str, float]
    """What the rate is multiplied by for parameters of the objective whose names begin so."""

    def size(self, step: int) -> int:
        """Pictures or latents in the batch of a step."""
        ...

    def batch(self, step: int) -> dict[str, Tensor]:
        """The batch of a step; depends on the seed and the step alone."""
        ...

    def check(self) -> dict[str, float]:
        """Judge `objective.networks`; `score` (lower is better) chooses what is kept."""
        ...

    def adapt(self, checks: Sequence[Mapping[str, float]]) -> None:
        """Change what should change as training goes; what it becomes follows from the checks so far alone."""
        ...

    def draw(self, name: str) -> None:
        """Save sheets of what `objective.networks` paints now."""
        ...


@dataclass
class Budget:
    """How long a stage may be: by the clock or by steps.

    Attributes:
        seconds: by the clock, time of checks and sheets included.
        steps: by steps; the same steps give the same weights.
        longer: seconds in place of those, where too few steps would fit into them.
        fewest: steps that are not too few.
    """

    seconds: float | None = None
    steps: int | None = None
    longer: float | None = None
    fewest: int = 0

    def share(self, seconds: float, step: int) -> float:
        """How much is used up, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.seconds is not None
        return min(1.0, seconds / self.seconds)


@dataclass
class StageState:
    """Where a stage stands."""

    stage: str
    step: int = 0
    seconds: float = 0.0
    pictures: int = 0
    resumed: int = 0
    rate_scale: float = 1.0
    restored: int = 0
    decay_from: float | None = None
    stop_at: float = 1.0
    longer: bool = False
    best: float | None = None
    best_step: int = 0
    checks_done: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    checks: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Loop:
    """Trains one stage until its budget is used, its checks say that more is useless, or it is interrupted.

    Args:
        folder: of the run; holds `checkpoint.safetensors`.
        precision: `bf16` or `fp32`.
        seed: of every random choice, together with stage and step.
        checkpoint_seconds: longest time between two checkpoints.
        clock: seconds that count; a clock of the processor's leaves out what other programs took of it.
    """

    def __init__(
        self,
        stage: Stage,
        budget: Budget,
        folder: Path,
        reporter: Reporter,
        *,
        precision: str,
        device: str,
        seed: int,
        checkpoint_seconds: float = 110,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stage, self.told, self.folder, self.reporter, self.seed = stage, budget, folder, reporter, seed
        self.budget = budget
        self.checkpoint_seconds, self.clock = checkpoint_seconds, clock
        # Precision is ours: accelerate allows one a process, and a program may train twice.
        self.accelerator = Accelerator(cpu=device == "cpu")
        self.autocast = torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")
        networks: nn.Module = stage.objective.networks  # type: ignore[assignment]
        named = [(name, p) for name, p in stage.objective.named_parameters() if p.requires_grad]
        self.names, self.live = [name for name, _ in named], [p for _, p in named]
        groups = _groups(named, stage.rates)
        optimiser = torch.optim.AdamW(groups, stage.rate, (stage.momentum, 0.99), fused=True)
        self.objective, self.optimiser = self.accelerator.prepare(stage.objective, optimiser)
        self.sides = [
            [p for g in groups if g["factor"] == factor for p in g["params"]]
            for factor in {g["factor"] for g in groups}
        ]
        self.networks = networks
        self.average = [p.detach().clone() for p in self.live]
        self.best = copy.deepcopy(self.average)
        self.state = StageState(stage.name)
        self._spent_before = 0.0
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ahead: tuple[int, Future[dict[str, Tensor]]] | None = None

    @property
    def path(self) -> Path:
        """The checkpoint."""
        return self.folder / "checkpoint.safetensors"

    def run(self) -> StageState:
        """Train; on return the stage's networks hold the best averaged weights.

        Raises:
            KeyboardInterrupt: after a checkpoint was written.
            TrainingError: the loss is not a number again and again.
        """
        self.reporter.stage(self.stage.title)
        self._started = self.clock()
        self._drawn = self._saved = self._spent()
        try:
            while self._share() < self.state.stop_at:
                losses = self._step()
                if not self._finite(losses):
                    continue
                self._keep_average()
                self._after_step(losses)
        except KeyboardInterrupt:
            self.save()
            raise
        finally:
            self._maker.shutdown(cancel_futures=True)
        self._finish()
        return self.state

    def _share(self) -> float:
        return self.budget.share(self._spent(), self.state.step)

    def _spent(self) -> float:
        return self._spent_before + self.clock() - self._started

    def _step(self) -> dict[str, Tensor]:
        state, share = self.state, self._share()
        rate = self.stage.rate * state.rate_scale * self._schedule(share)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        batch = {name: tensor.to(self.accelerator.device) for name, tensor in self._batch().items()}
        # Every random choice follows from seed, stage and step, so a resumed run draws what an unbroken one does.
        torch.manual_seed(hash((self.seed, len(state.stage), state.step)) & (2**63 - 1))
        with self.autocast:
            losses: dict[str, Tensor] = self.objective(batch)
        self.optimiser.zero_grad()
        self.accelerator.backward(losses["loss"])
        # Each side of a game is clipped by its own length.
        norms = [self.accelerator.clip_grad_norm_(own, 1.0) for own in self.sides]
        losses = {**losses, "gradient": torch.stack([torch.as_tensor(norm) for norm in norms]).sum()}
        if all(math.isfinite(float(losses[key].detach())) for key in ("loss", "gradient")):
            self.optimiser.step()
        state.pictures += self.stage.size(state.step)
        state.step += 1
        return losses

    def _batch(self) -> dict[str, Tensor]:
        """The batch of this step; beside a graphics card that of the next one is made meanwhile.

        On a processor a thread that makes batches fights for its cores with those that train: 9 to 20 % slower.
        """
        step = self.state.step
        if self.accelerator.device.type == "cpu":
            return self.stage.batch(step)
        if self._ahead is None or self._ahead[0] != step:
            self._ahead = step, self._maker.submit(self.stage.batch, step)
        found = self._ahead[1].result()
        self._ahead = step + 1, self._maker.submit(self.stage.batch, step + 1)
        return found

    def _schedule(self, share: float) -> float:
        """Warm up, stay, and come down at the end (Hu et al. 2024, "WSD"): so a stage can be ended early, well."""
        start = self.state.decay_from if self.state.decay_from is not None else self.state.stop_at - _DECAY
        rise = min(1.0, (self.state.step + 1) / 50, (share + 0.001) / _WARMUP)
        if share <= start:
            return rise
        left = (self.state.stop_at - share) / (self.state.stop_at - start)
        return rise * max(0.01, left)

    def _keep_average(self) -> None:
        """Average of weights by a power of time (Karras et al. 2024, section 3.1): long late, short early."""
        state = self.state
        if state.step % _AVERAGE_EVERY == 0:
            keep = (1 - 1 / (state.step / _AVERAGE_EVERY + 1)) ** (_AVERAGE_POWER + 1)
            torch._foreach_lerp_(self.average, [p.detach() for p in self.live], 1 - keep)

    def _after_step(self, losses: dict[str, Tensor]) -> None:
        state, spent, share = self.state, self._spent(), self._share()
        if state.step % 10 == 0 or state.step == 1:
            numbers = {name: float(value.detach()) for name, value in losses.items()}
            state.history.append({"step": state.step, "seconds": spent, "pictures": state.pictures, **numbers})
            total = self.budget.seconds or spent / max(share, 1e-6)
            self.reporter.tick(share / state.stop_at, total * state.stop_at - spent, state.pictures / spent, numbers)
        if share >= (state.checks_done + 1) / 10 and share < state.stop_at:
            state.checks_done = int(share * 10)
            self._check()
            self._judge_length(share)
        if spent - self._drawn >= 60:
            self._drawn = spent
            self._with_average(lambda: self.stage.draw(f"{state.stage}-{round(spent / 60):04d}min"))
        if spent - self._saved >= self.checkpoint_seconds:
            self.save()

    def _check(self) -> None:
        """Judge the averaged weights, keep the best, and stop early when nothing is gained any more."""
        state = self.state
        found = self._with_average(self.stage.check)
        state.checks.append(
            {"step": state.step, "seconds": self._spent(), "share": self._share(), "pictures": state.pictures, **found}
        )
        if state.best is None or found["score"] <= state.best:
            state.best, state.best_step = found["score"], state.step
            for kept, now in zip(self.best, self.average, strict=True):
                kept.copy_(now)
        self.stage.adapt(state.checks)
        self._judge_use()

    def _judge_length(self, share: float) -> None:
        """After the first tenth: take longer where steps will be too few."""
        state, budget = self.state, self.budget
        if budget.longer and len(state.checks) == 1 and state.step / share < budget.fewest:
            state.longer = True
            self._allow()
            about = f"about {state.step / share:.0f} steps would fit, {budget.fewest} are wanted"
            self._say(f"{self.stage.title}: {about}: it takes the next stage's time, too")

    def _allow(self) -> None:
        """Set how long the stage may be by whether it takes longer."""
        self.budget = Budget(seconds=self.told.longer) if self.state.longer else self.told

    def _judge_use(self) -> None:
        state = self.state
        if not self.stage.ends_early or state.decay_from is not None or len(state.checks) < 4:
            return
        then, now = (min(c["score"] for c in part) for part in (state.checks[:-2], state.checks[-2:]))
        share = self._share()
        if now > then * 0.995 and share < state.stop_at - _DECAY:
            state.decay_from, state.stop_at = share, min(1.0, share + 0.15)
            worse = now > then * 1.02
            why = "gets worse while training gets better (over-fitting)" if worse else "no longer gains"
            remedy = "; more pictures, stronger crops or a smaller size would help" if worse else ""
            self._say(f"{self.stage.title}: the hold-out {why}: coming down early{remedy}")

    def _finite(self, losses: dict[str, Tensor]) -> bool:
        """Whether the losses are numbers; otherwise go back to the last good checkpoint at half the rate."""
        bad = next((n for n, v in losses.items() if not math.isfinite(float(v.detach()))), None)
        if bad is None:
            return True
        state = self.state
        step, scale, restored, notes = state.step, state.rate_scale / 2, state.restored + 1, state.notes
        longer = state.longer
        spent = self._spent()
        if restored > _RETRIES:
            often = f"{bad} is not a number for the {restored}th time, at 1/{2**_RETRIES} of the rate"
            raise TrainingError(f"{self.stage.title}, step {step}", often, self.stage.steadier)
        if self.path.is_file() and read_checkpoint(self.path)[1]["stage"]["stage"] == state.stage:
            self.restore()
            back = f"step {self.state.step}"
        else:
            self._restart()
            back = f"the weights of step {state.best_step}"
        self.state.rate_scale, self.state.restored, self.state.notes = scale, restored, notes
        self.state.longer = longer
        self._allow()
        self._spent_before, self._started = spent, self.clock()
        self._say(f"{self.stage.title}: {bad} is not a number at step {step}; went back to {back} and halved the rate")
        return False

    def _restart(self) -> None:
        """Nothing was saved yet: begin the stage again from its best weights so far."""
        with torch.no_grad():
            for live, average, kept in zip(self.live, self.average, self.best, strict=True):
                live.copy_(kept)
                average.copy_(kept)
        self.optimiser.state.clear()

    def _finish(self) -> None:
        self._check()
        with torch.no_grad():
            for live, kept in zip(self.live, self.best, strict=True):
                live.copy_(kept)
        self.stage.draw(f"{self.state.stage}-end")
        self.state.seconds = self._spent()

    def _with_average(self, act: Any) -> Any:
        """Run `act` while the networks hold the averaged weights."""
        with torch.no_grad():
            held = [p.detach().clone() for p in self.live]
            for live, average in zip(self.live, self.average, strict=True):
                live.copy_(average)
            self.networks.eval()
            try:
                return act()
            finally:
                self.networks.train()
                for live, own in zip(self.live, held, strict=True):
                    live.copy_(own)

    def _say(self, text: str) -> None:
        self.state.notes.append(text)
        self.reporter.note(text)

    def save(self) -> None:
        """Write the checkpoint."""
        self._saved = self.state.seconds = self._spent()
        parts: dict[str, list[Tensor]] = {"live": [*self.live], "average": self.average, "best": self.best}
        tensors = {f"{part}/{n}": p for part, own in parts.items() for n, p in zip(self.names, own, strict=True)}
        tensors |= pack("optimiser", optimiser_tensors(self.optimiser))
        write_checkpoint(self.path, tensors, {"stage": asdict(self.state)})

    def restore(self) -> None:
        """Go on from the checkpoint."""
        tensors, state = read_checkpoint(self.path)
        with torch.no_grad():
            for part, own in (("live", self.live), ("average", self.average), ("best", self.best)):
                found = unpack(part, tensors)
                for name, tensor in zip(self.names, own, strict=True):
                    tensor.copy_(found[name])
        load_optimiser(self.optimiser, unpack("optimiser", tensors))
        self.state = StageState(**state["stage"])
        self._allow()
        self.stage.adapt(self.state.checks)
        self._spent_before, self._started = self.state.seconds, self.clock()
        self._drawn = self._saved = self._spent()


def _groups(named: list[tuple[str, nn.Parameter]], rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameters by their factor of the rate; matrices decay, vectors do not."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in named:
        factor = next((own for prefix, own in rates.items() if name.startswith(prefix)), 1.0)
        groups.setdefault((factor, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": own, "factor": factor, "weight_decay": 1e-3 if matrix else 0.0}
        for (factor, matrix), own in groups.items()
    ]
