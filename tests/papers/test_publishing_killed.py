"""Whatever ends a publication, nothing reported done is lost, and nothing signed lies unrecorded and unnamed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("killing.py")
KILLS = 60


def run(script: str, *around: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[1])}
    done = subprocess.run([*around, "sh", "-c", script], capture_output=True, text=True, timeout=280, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def check(said: dict[str, Any]) -> None:
    assert said["missing"] == []
    assert (said["unrecorded"], said["unregistered"]) == ([], [])
    assert (said["parts"], said["pending"], said["twice"]) == ([], 0, 0)
    assert said["chain"]


def test_killed_at_random_moments(tmp_path: Path) -> None:
    said = run(f"{sys.executable} {PROGRAM} {KILLS} 1 {tmp_path}")
    check(said)
    assert said["done"] > KILLS
    assert said["left"] > 0  # some kills did fall between file and books


@pytest.mark.parametrize("kilobytes", [60, 110, 260])
def test_a_file_that_cannot_grow(kilobytes: int, tmp_path: Path) -> None:
    said = run(f"{sys.executable} {PROGRAM} full {kilobytes} {tmp_path}")
    check(said)
    assert len(said["said"]) == 1
    if said["before"]:
        assert "limner works recover" in said["said"][0]


def mounted() -> bool:
    """Whether a disk of one's own can be made here."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = "mount -t tmpfs -o size=64k tmpfs /mnt"
    return subprocess.run(["unshare", "-m", "sh", "-c", probe], capture_output=True).returncode == 0


@pytest.mark.skipif(not mounted(), reason="needs root and a namespace of its own to mount a small disk")
@pytest.mark.parametrize("kilobytes", [400, 700, 1300])
def test_a_full_disk(kilobytes: int, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    program = f"{sys.executable} {PROGRAM} full 0 {disk}"
    script = (
        f"mount -t tmpfs -o size={kilobytes}k tmpfs {disk} && head -c 40000 /dev/zero > {disk}/ballast && {program}"
    )
    said = run(script, "unshare", "-m")
    check(said)
    assert len(said["said"]) == 1
    assert "No space left" in said["said"][0] or "full" in said["said"][0]
