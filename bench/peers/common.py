"""What every program of the bench offers, and what all of them share."""

from __future__ import annotations

import os
import random
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

__all__ = [
    "SIDE",
    "Clock",
    "Peer",
    "Stage",
    "TimeUp",
    "lerp",
    "now",
    "own_time",
    "picture_bytes",
    "read_pictures",
    "seed_all",
    "slerp",
]

SIDE = 64
"""Side of every picture of the bench, px."""

Pictures = NDArray[np.uint8]
"""Pictures of the bench. # uint8 [n, 64, 64, 3]"""


def own_time() -> bool:
    """Whether a training's minutes are the processor's own (BENCH_OWN_TIME), so that other work beside costs nobody."""
    return os.environ.get("BENCH_OWN_TIME") == "1"


def now() -> float:
    """Seconds by the clock that a training's minutes are counted by: the processor's own time of this process, all its
    threads together, or the wall's."""
    return time.process_time() if own_time() else time.monotonic()


class TimeUp(BaseException):
    """The clock says that training ends; no `except Exception` of any program catches it."""


@dataclass
class Stage:
    """How fast one part of a training went.

    Attributes:
        name: what learns in it.
        pictures: how many training pictures (or latents) were shown to it, repeats counted.
        steps: optimiser steps.
        seconds: by the wall, or the processor's own (`now`).
    """

    name: str
    pictures: int
    steps: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with the rate."""
        return asdict(self) | {"per_second": self.pictures / self.seconds if self.seconds else 0.0}


@dataclass
class Clock:
    """Ends a training after its minutes; starts with the first step, so that loading and building cost nobody anything.

    Attributes:
        seconds: how long.
        batch: pictures a step.
    """

    seconds: float
    batch: int = 0
    steps: int = 0
    started: float = field(default=0.0)
    stopped: float = field(default=0.0)

    def begin(self) -> None:
        """Called before each step; only the first starts the clock."""
        self.started = self.started or now()

    def tick(self) -> None:
        """Called after each step.

        Raises:
            TimeUp: the minutes are over.
        """
        self.steps += 1
        self.stopped = now()
        if self.stopped - self.started >= self.seconds:
            raise TimeUp

    def stage(self, name: str = "training") -> Stage:
        """What was counted."""
        return Stage(name, self.steps * self.batch, self.steps, self.stopped - self.started)


class Peer(Protocol):
    """One program: it trains by its own loop, and paints from latents of its own kind."""

    choices: list[str]
    """Where it was not run as it comes, each with the reason; patches of its text are listed apart."""

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """Learn from the PNG files in `folder`; keep what it writes in `place`."""
        ...

    def draw(self, count: int) -> Any:
        """New latents by the program's own distribution."""
        ...

    def paint(self, latents: Any) -> Pictures:
        """Pictures of latents."""
        ...

    def between(self, first: Any, last: Any, share: float) -> Any:
        """Latents on the way from some to others."""
        ...

    def reconstruct(self, pictures: Pictures) -> Pictures | None:
        """Pictures encoded and painted again; None where the program has no encoder."""
        ...

    def parameters(self) -> dict[str, int]:
        """How many numbers each network holds."""
        ...


def read_pictures(folder: Path) -> Pictures:
    """The PNG files of a folder, in the order of their names."""
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))])


def picture_bytes(pictures: Tensor) -> Pictures:
    """From 0..1 to bytes, rounded. # float [n, 3, 64, 64]"""
    found: Pictures = (pictures.detach().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return found


def seed_all(seed: int) -> None:
    """Seed every generator that any of the programs draws from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def lerp(first: Tensor, last: Tensor, share: float) -> Tensor:
    """A point on the straight line."""
    return first + share * (last - first)


def slerp(first: Tensor, last: Tensor, share: float) -> Tensor:
    """A point on the great circle (Shoemake 1985), for latents that are standard normal. # [n, d]"""
    norms = first.norm(dim=1, keepdim=True), last.norm(dim=1, keepdim=True)
    angle = ((first / norms[0]) * (last / norms[1])).sum(1, keepdim=True).clamp(-1, 1).acos().clamp_min(1e-6)
    return (torch.sin((1 - share) * angle) * first + torch.sin(share * angle) * last) / torch.sin(angle)
