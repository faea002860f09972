"""The machine that a result was taken on: results of processors that differ are never put into one table."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch

__all__ = ["machine", "vectors"]


def vectors() -> str:
    """How wide this processor computes, by what torch found: `AVX2`, `AVX512`, `DEFAULT` and so on."""
    return torch.backends.cpu.get_cpu_capability()


def machine() -> dict[str, Any]:
    """What this machine is, for a result."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.is_file()
        else []
    )
    return {
        "processor": names[0] if names else platform.processor(),
        "vectors": vectors(),
        "cores": os.cpu_count(),
        "system": platform.system(),
    }
