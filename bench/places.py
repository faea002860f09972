"""Where the bench keeps things; nothing is imported here, so that every Python can read it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BENCH", "RESULTS", "VENVS", "WORK"]

BENCH = Path(__file__).resolve().parent
VENVS = BENCH / ".venvs"
"""Environments of the other programs; not kept with the code."""
WORK = BENCH / ".work"
"""Pictures, weights, logs; not kept with the code."""
RESULTS = BENCH / "results"
"""One JSON file and one sheet for each training; kept with the code."""
