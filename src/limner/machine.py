"""What this machine does best: device, precision and threads, chosen by a short probe and said with the reason."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from limner.errors import UsageError

_SHOWN = 440.0
"""GFLOP/s by the probe of the machine on which the figures of limner's README were taken."""
_SLOW = 1.5
"""From what slowness on a training says that its minutes are worth less here than in the README."""
_BUSY = 0.75
"""Up to what share of the processor's time for limner other programs are mentioned."""
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1


@dataclass(frozen=True)
class Machine:
    """What was chosen, and why.

    Attributes:
        device: `cpu` or `cuda`.
        precision: `bf16` (autocast) or `fp32`.
        threads: for torch; set once by `probe`.
        peak: convolution speed measured by the probe in the chosen precision, GFLOP/s.
        given: share of its threads' time that the processor gave the probe, above 0 to 1; other programs had the rest.
    """

    device: str
    precision: str
    threads: int
    reason: str
    peak: float
    given: float = 1.0

    def slowness(self) -> float:
        """How many times as long it learns now as the machine of the README; 1 where it is as quick, or not known."""
        return max(1.0, _SHOWN / self.peak) if self.peak else 1.0

    def worth(self) -> str | None:
        """What its minutes are worth beside those of the README, in a line; None where it is nearly as quick."""
        times = self.slowness()
        if times < _SLOW:
            return None
        cause = "this machine takes" if self.given > _BUSY else "this machine, busy with other programs, takes now"
        return (
            f"{cause} about {times:.1f} times as long as the one of limner's README: "
            f"what is shown there after 20 minutes takes about {20 * times:.0f} here"
        )

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which networks run at the chosen precision."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")


def keep_memory() -> None:
    """Tell the C library to keep freed memory: by default every large tensor is mapped anew, page by page.

    Measured on the teacher's forward and backward pass: 20 % faster. Does nothing where there is no glibc.
    """
    if sys.platform.startswith("linux"):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(_M_MMAP_THRESHOLD, 1 << 30)
            mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises:
        UsageError: there is no such card.
    """
    if device != "cpu" and not torch.cuda.is_available():
        raise UsageError(f"--device {device}", "no such card is found by PyTorch", "use --device cpu")


def probe(precision: str | None = None, threads: int | None = None, device: str = "cpu") -> Machine:
    """Choose precision and threads by half a second of convolutions, the first time in a process.

    The processor, unless a card is asked for: everything that paints does it there, so that a picture does not depend
    on the card; and no card was at hand to try limner on.

    Args:
        precision, threads: given to skip the choice.
        device: `cpu` or `cuda`.

    Raises:
        UsageError: there is no such card.
    """
    keep_memory()
    if device != "cpu":
        check_device(device)
        chosen = precision or "bf16"
        return Machine(device, chosen, torch.get_num_threads(), f"{device}, {chosen}", 0.0)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    counts = (threads,) if threads else tuple(sorted({1, max(1, cores // 2), cores}))
    fastest = _fastest(counts, (precision,) if precision else ("fp32", "bf16"), cores)
    torch.set_num_threads(fastest.threads)
    return fastest


@functools.cache
def _fastest(counts: tuple[int, ...], kinds: tuple[str, ...], cores: int) -> Machine:
    """What the processor does best of these; measured once, so that a program that opens several models waits once."""
    speeds: dict[tuple[int, str], float] = {}
    given: dict[int, float] = {}
    # Best of several turns: another program's burst must not decide a training of hours.
    for _ in range(3):
        for count in counts:
            torch.set_num_threads(count)
            start, spent = time.perf_counter(), time.process_time()
            for kind in kinds:
                found = _speed(torch.bfloat16 if kind == "bf16" else torch.float32)
                speeds[count, kind] = max(found, speeds.get((count, kind), 0.0))
            share = (time.process_time() - spent) / (time.perf_counter() - start) / min(count, cores)
            given[count] = max(share, given.get(count, 0.0))
    # A thread more must pay: where another program keeps a core busy, threads wait for each other and lose.
    threads, kind = best = max(speeds, key=lambda key: speeds[key] * (1.0 if key[0] == counts[0] else 0.9))
    speeds_found = ", ".join(f"{kind} on {count}: {speed:.0f}" for (count, kind), speed in speeds.items())
    noun = "thread" if threads == 1 else "threads"
    reason = f"{kind} on {threads} {noun} (GFLOP/s by probe: {speeds_found})"
    return Machine("cpu", kind, threads, reason, speeds[best], min(1.0, given[threads]))


def _speed(dtype: torch.dtype, seconds: float = 0.04) -> float:
    """GFLOP/s of a 96-channel 3x3 convolution, the shape that painters are made of."""
    x = torch.randn(16, 96, 16, 16).to(dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(96, 96, 3, 3).to(dtype).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        for _ in range(3):
            F.conv2d(x, weight, padding=1)
        start, times = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            F.conv2d(x, weight, padding=1)
            times += 1
        spent = time.perf_counter() - start
    return times * 2 * 16 * 96 * 96 * 9 * 256 / spent / 1e9
