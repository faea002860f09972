"""Small composition models, each trained without one group of pictures; kept, and trained on where a kill broke off."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from limner.errors import UsageError
from limner.influence.compositions import NUMBERS, describe
from limner.influence.groups import Grouping
from limner.influence.learning import painted_without
from limner.influence.sources import Learned
from limner.machine import Machine
from limner.training.stage import seed_of
from limner.workspace import Workspace, replace_file

Progress = Callable[[int, int], None]
_RECIPE = 1
"""Counts up when models are trained, or compositions described, in another way."""
_TENSOR = "compositions"
WHOLE = -1
"""Stands in the place of the group of a model that learned from all pictures."""


class EnsembleOptions(BaseModel):
    """How an ensemble is trained; frozen, part of what names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    each: int = Field(3, ge=2, le=64)
    """Models without a group, each with a seed of its own."""
    whole: int = Field(6, ge=2, le=128)
    """Models that learn from all pictures."""
    steps: int = Field(200, ge=4, le=100_000)
    """Steps of each model."""
    compositions: int = Field(1024, ge=16, le=65_536)
    """That each model paints."""
    seed: int = Field(0, ge=0, le=2**31)
    """Of all random choices."""


@dataclass(frozen=True)
class Member:
    """One model: without which group (`WHOLE` for none), and its number among those."""

    without: int
    number: int


@dataclass(frozen=True)
class Status:
    """How far an ensemble is.

    Attributes:
        seconds_left: by how long the last ones took; None where none was trained yet.
        running: whether a process trains it now.
    """

    done: int
    total: int
    seconds_left: float | None
    running: bool

    @property
    def complete(self) -> bool:
        """Whether all models are there."""
        return self.done == self.total


class Ensemble:
    """The ensemble of a model's collection, grouped in one way; lies in the workspace's cache, by model.

    Args:
        model: sha256 of the model whose works are traced.
        learned: what that learned from.
    """

    def __init__(
        self, model: str, learned: Learned, groups: Grouping, workspace: Workspace, options: EnsembleOptions
    ) -> None:
        self.learned, self.groups, self.options = learned, groups, options
        names = [[one.name, [learned.rows[i].pixel_sha256 for i in one.members]] for one in groups.groups]
        # Not by how many models: a larger ensemble goes on from a smaller one.
        own = options.model_dump(mode="json", exclude={"each", "whole"})
        how = [learned.size, learned.augmentation.model_dump(mode="json"), own]
        key = hashlib.sha256(json.dumps([_RECIPE, learned.digest, groups.by, names, how]).encode()).hexdigest()
        self.folder = workspace.cache / "influence" / model.removeprefix("sha256:")[:32] / key[:32]

    @property
    def members(self) -> list[Member]:
        """All models, in the order in which they are trained: each round has one of every kind."""
        options, kinds = self.options, range(len(self.groups.groups))
        found = []
        for number in range(max(options.each, options.whole)):
            found += [Member(group, number) for group in kinds if number < options.each]
            found += [Member(WHOLE, number)] if number < options.whole else []
        return found

    def status(self) -> Status:
        """How far it is."""
        members = self.members
        done = [file for one in members if (file := self._file(one)).is_file()]
        return Status(len(done), len(members), self._seconds_left(len(members) - len(done)), self._is_running())

    def train(self, machine: Machine, workspace: Workspace, progress: Progress | None = None) -> None:
        """Train the models that are missing; may be broken off at any moment and called again.

        Raises:
            UsageError: another process is training them.
        """
        workspace.make(self.folder)
        with self._locked():
            members = self.members
            missing = [one for one in members if not self._file(one).is_file()]
            for done, one in enumerate(missing):
                if progress:
                    progress(len(members) - len(missing) + done, len(members))
                self._train_one(one, machine)
            if progress:
                progress(len(members), len(members))

    def load(self) -> dict[int, list[Tensor]]:
        """What the models paint, described, by the group that they did not see.

        # each float32 [compositions, 171]

        Raises:
            UsageError: it is not complete.
        """
        found: dict[int, list[Tensor]] = {}
        for one in self.members:
            found.setdefault(one.without, []).append(self._described(one))
        return found

    def _train_one(self, member: Member, machine: Machine) -> None:
        began = time.monotonic()
        painted = painted_without(
            self.learned,
            self._pictures(member),
            seed=seed_of(self.options.seed, member.without, member.number),
            steps=self.options.steps,
            count=self.options.compositions,
            folder=self.folder,
            machine=machine,
        )
        metadata = {"seconds": f"{time.monotonic() - began:.2f}"}
        with torch.inference_mode(False), replace_file(self._file(member)) as part:
            save_file({_TENSOR: describe(painted.clone()).half()}, part, metadata=metadata)
        self._note_seconds(time.monotonic() - began)

    def _pictures(self, member: Member) -> NDArray[np.int64]:
        everything = np.arange(len(self.learned.rows))
        if member.without == WHOLE:
            return everything
        return np.setdiff1d(everything, np.array(self.groups.groups[member.without].members, dtype=np.int64))

    def _file(self, member: Member) -> Path:
        kind = "all" if member.without == WHOLE else f"without-{member.without}"
        return self.folder / f"{kind}-{member.number}.safetensors"

    def _described(self, member: Member) -> Tensor:
        file = self._file(member)
        try:
            found = load_file(file)[_TENSOR].float()
        except (OSError, SafetensorError, KeyError):
            found = torch.empty(0)
        if found.shape != (self.options.compositions, NUMBERS) or not torch.isfinite(found).all():
            file.unlink(missing_ok=True)
            raise UsageError(file, "is missing or damaged", "train it again: limner trace with --measure")
        return found

    def _note_seconds(self, seconds: float) -> None:
        with replace_file(self.folder / "seconds.json", sync=False) as part:
            part.write_text(json.dumps([*self._seconds()[-7:], round(seconds, 2)]))

    def _seconds(self) -> list[float]:
        try:
            return [float(one) for one in json.loads((self.folder / "seconds.json").read_text())]
        except (OSError, ValueError, TypeError):
            return []

    def _seconds_left(self, missing: int) -> float | None:
        seconds = self._seconds()
        return missing * sum(seconds) / len(seconds) if seconds else None

    def _is_running(self) -> bool:
        try:
            with (self.folder / "lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:  # nobody ever trained it
            return False
        return False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """While this is open, nobody else trains it."""
        with (self.folder / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError(
                    "the ensemble", "is being trained by another process", "look again later: limner trace WORK"
                ) from None
            yield
