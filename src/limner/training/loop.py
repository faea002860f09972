"""The loop: it owns optimiser, device, precision, averages, checkpoints and the clock, and knows no family."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
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
from limner.training.stage import Budget, Observer, Reporter, Stage, StageState, seed_of

_AVERAGE_EVERY = 4
_WARMUP = 0.02
_RETRIES = 5


class Loop:
    """Trains one stage until its budget is used, its checks say that more is useless, or it is interrupted.

    Args:
        folder: of the run; holds `checkpoint.safetensors`.
        precision: `bf16` or `fp32`.
        seed: of every random choice, together with stage and step.
        checkpoint_seconds: longest time between two checkpoints.
        clock: seconds that count; a clock of the processor's leaves out what other programs took of it.
        observer: who watches.
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
        observer: Observer | None = None,
    ) -> None:
        self.stage, self.asked, self.folder, self.reporter, self.seed = stage, budget, folder, reporter, seed
        self.budget, self.observer = budget, observer
        self.checkpoint_seconds, self.clock = checkpoint_seconds, clock
        self.device = torch.device(device)
        self.autocast = torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")
        self.objective = stage.objective.to(self.device)
        self.networks: nn.Module = stage.objective.networks  # type: ignore[assignment]
        named = [(name, p) for name, p in self.objective.named_parameters() if p.requires_grad]
        self.names, self.live = [name for name, _ in named], [p for _, p in named]
        groups = _groups(named, stage)
        self.optimiser = torch.optim.AdamW(groups, stage.learning_rate, (stage.momentum, 0.99), fused=True)
        self.sides = [
            [p for g in groups if g["factor"] == factor for p in g["params"]]
            for factor in {g["factor"] for g in groups}
        ]
        self.average = [p.detach().clone() for p in self.live]
        stage.averages = dict(zip(self.names, self.average, strict=True))
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
        if self.observer:
            self.networks.eval()
            self.observer.begun(self.stage)
        self.networks.train()
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

    def _share(self, ahead: int = 0) -> float:
        return self.budget.share(self._spent(), self.state.step + ahead)

    def _spent(self) -> float:
        return self._spent_before + self.clock() - self._started

    def _step(self) -> dict[str, Tensor]:
        state = self.state
        learning_rate = self.stage.learning_rate * state.learning_rate_scale * self._schedule(self._share())
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate * group["factor"]
        batch = {name: tensor.to(self.device) for name, tensor in self._batch().items()}
        # Every random choice follows from seed, stage and step, so a resumed run draws what an unbroken one does.
        torch.manual_seed(seed_of(self.seed, state.stage, state.step))
        with self.autocast:
            losses: dict[str, Tensor] = self.objective(batch)
        self.optimiser.zero_grad()
        losses["loss"].backward()
        norms = [torch.nn.utils.clip_grad_norm_(own, 1.0) for own in self.sides]
        losses = {**losses, "gradient": torch.stack(norms).sum()}
        if all(math.isfinite(float(losses[key].detach())) for key in ("loss", "gradient")):
            self.optimiser.step()
        state.pictures += len(next(iter(batch.values())))
        state.step += 1
        return losses

    def _batch(self) -> dict[str, Tensor]:
        """The batch of this step; beside a graphics card that of the next one is made meanwhile.

        On a processor a thread that makes batches fights for its cores with those that train: 9 to 20 % slower.
        """
        step = self.state.step
        if self.device.type == "cpu":
            return self.stage.batch(step, self._share())
        if self._ahead is None or self._ahead[0] != step:
            self._ahead = step, self._maker.submit(self.stage.batch, step, self._share())
        found = self._ahead[1].result()
        self._ahead = step + 1, self._maker.submit(self.stage.batch, step + 1, self._share(ahead=1))
        return found

    def _schedule(self, share: float) -> float:
        """Warm up, stay, and come down at the end (Hu et al. 2024, "WSD"): so a stage can be ended early, well."""
        state = self.state
        start = state.decay_from if state.decay_from is not None else state.stop_at - self.stage.decay_share
        rise = min(1.0, (state.step + 1) / self.stage.warmup_steps, (share + 0.001) / _WARMUP)
        if share <= start:
            return rise
        return rise * max(0.01, (state.stop_at - share) / (state.stop_at - start))

    def _keep_average(self) -> None:
        """Average of weights by a power of time (Karras et al. 2024, section 3.1): long late, short early."""
        state = self.state
        if state.step % _AVERAGE_EVERY == 0:
            keep = (1 - 1 / (state.step / _AVERAGE_EVERY + 1)) ** (self.stage.average_power + 1)
            torch._foreach_lerp_(self.average, [p.detach() for p in self.live], 1 - keep)

    def _after_step(self, losses: dict[str, Tensor]) -> None:
        state, spent, share = self.state, self._spent(), self._share()
        if state.step % 10 == 0 or state.step == 1:
            numbers = {name: float(value.detach()) for name, value in losses.items()}
            state.history.append({"step": state.step, "seconds": spent, "pictures": state.pictures, **numbers})
            total = spent / max(share, 1e-6) if self.budget.steps else self.budget.seconds or spent
            left = max(0.0, total * state.stop_at - spent)
            self.reporter.tick(min(1.0, share / state.stop_at), left, state.pictures / spent, numbers)
        if share >= (state.checks_done + 1) / 10 and share < state.stop_at:
            state.checks_done = int(share * 10)
            self._check()
            self._judge_length(share)
        if spent - self._drawn >= 60:
            self._drawn = spent
            with self._averaged():
                self.stage.draw(f"{state.stage}-{round(spent / 60):04d}min")
        if spent - self._saved >= self.checkpoint_seconds:
            self.save()

    def _check(self) -> None:
        """Judge the averaged weights, keep the best, and stop early when nothing is gained any more."""
        state = self.state
        with self._averaged():
            found = self.stage.check()
            if self.observer:
                self.observer.checked(self.stage)
        state.checks.append(
            {"step": state.step, "seconds": self._spent(), "share": self._share(), "pictures": state.pictures, **found}
        )
        if state.best is None or found["score"] <= state.best:
            state.best, state.best_step = found["score"], state.step
            _copy(self.average, self.best)
        self.stage.adapt(state.checks)
        self._judge_use()

    def _judge_length(self, share: float) -> None:
        """After the first tenth: take longer where steps will be too few."""
        state, budget = self.state, self.budget
        if budget.longer and len(state.checks) == 1 and state.step / share < budget.fewest:
            state.longer = True
            self._allow()
            about = f"about {state.step / share:.0f} steps would fit, {budget.fewest} are wanted"
            self._note(f"{self.stage.title}: {about}: it takes the next stage's time, too")

    def _allow(self) -> None:
        """Set how long the stage may be by whether it takes longer."""
        self.budget = Budget(seconds=self.asked.longer) if self.state.longer else self.asked

    def _judge_use(self) -> None:
        state = self.state
        if not self.stage.ends_early or state.decay_from is not None or len(state.checks) < 4:
            return
        then, now = (min(c["score"] for c in part) for part in (state.checks[:-2], state.checks[-2:]))
        share = self._share()
        if now > then * 0.995 and share < state.stop_at - self.stage.decay_share:
            state.decay_from, state.stop_at = share, min(1.0, share + 0.15)
            worse = now > then * 1.02
            why = "gets worse while training gets better (over-fitting)" if worse else "no longer gains"
            remedy = "; more pictures, stronger crops or a smaller size would help" if worse else ""
            self._note(f"{self.stage.title}: the hold-out {why}: the learning rate comes down early{remedy}")

    def _finite(self, losses: dict[str, Tensor]) -> bool:
        """Whether the losses are numbers; otherwise go back to the last good checkpoint at half the learning rate."""
        bad = next((n for n, v in losses.items() if not math.isfinite(float(v.detach()))), None)
        if bad is None:
            return True
        former, spent, title = self.state, self._spent(), self.stage.title
        step, restored, scale = former.step, former.restored + 1, former.learning_rate_scale / 2
        if restored > _RETRIES:
            often = f"{bad} is not a number for the {restored}th time, at 1/{2**_RETRIES} of the learning rate"
            raise TrainingError(f"{title}, step {step}", often, self.stage.remedy)
        if self.saved():
            self.restore()
            back = f"step {self.state.step}"
        else:
            self._restart()
            back = f"the weights of step {former.best_step}"
        state = self.state
        state.restored, state.learning_rate_scale = restored, scale
        state.notes, state.longer = former.notes, former.longer
        self._allow()
        self._spent_before, self._started = spent, self.clock()
        self._note(f"{title}: {bad} is not a number at step {step}; went back to {back} and halved the learning rate")
        return False

    def _restart(self) -> None:
        """Nothing was saved yet: begin the stage again from its best weights so far."""
        for weights in (self.live, self.average):
            _copy(self.best, weights)
        self.optimiser.state.clear()

    def _finish(self) -> None:
        if 0 < self.state.step < _AVERAGE_EVERY:  # too few steps for an average
            _copy(self.live, self.average)
        self._check()
        _copy(self.best, self.live)
        self.networks.eval()
        self.stage.draw(f"{self.state.stage}-end")
        if self.observer:
            self.observer.ended(self.stage)
        self.state.seconds = self._spent()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The networks hold the averaged weights meanwhile, in evaluation mode and without gradients."""
        with torch.no_grad():
            own = [p.detach().clone() for p in self.live]
            _copy(self.average, self.live)
            self.networks.eval()
            try:
                yield
            finally:
                self.networks.train()
                _copy(own, self.live)

    def _note(self, text: str) -> None:
        self.state.notes.append(text)
        self.reporter.note(text)

    def save(self) -> None:
        """Write the checkpoint."""
        self._saved = self.state.seconds = self._spent()
        parts: Mapping[str, list[Any]] = {"live": self.live, "average": self.average, "best": self.best}
        tensors = {f"{part}/{n}": p for part, own in parts.items() for n, p in zip(self.names, own, strict=True)}
        tensors |= pack("optimiser", optimiser_tensors(self.optimiser))
        write_checkpoint(self.path, tensors, {"stage": asdict(self.state)})

    def saved(self) -> bool:
        """Whether the checkpoint is there and of this stage."""
        return self.path.is_file() and read_checkpoint(self.path)[1]["stage"]["stage"] == self.stage.name

    def restore(self) -> None:
        """Go on from the checkpoint."""
        tensors, state = read_checkpoint(self.path)
        for part, own in (("live", self.live), ("average", self.average), ("best", self.best)):
            found = unpack(part, tensors)
            _copy([found[name] for name in self.names], own)
        load_optimiser(self.optimiser, unpack("optimiser", tensors))
        self.state = StageState(**state["stage"])
        self._allow()
        self.stage.adapt(self.state.checks)
        self._spent_before, self._started = self.state.seconds, self.clock()
        self._drawn = self._saved = self._spent()


@torch.no_grad()
def _copy(weights: list[Any], to: list[Any]) -> None:
    torch._foreach_copy_(to, weights)


def _groups(named: list[tuple[str, nn.Parameter]], stage: Stage) -> list[dict[str, Any]]:
    """Parameters by their factor of the learning rate; matrices decay, vectors do not."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in named:
        factors = stage.learning_rate_factors.items()
        factor = next((own for prefix, own in factors if name.startswith(prefix)), 1.0)
        groups.setdefault((factor, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": own, "factor": factor, "weight_decay": stage.weight_decay if matrix else 0.0}
        for (factor, matrix), own in groups.items()
    ]
