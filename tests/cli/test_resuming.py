"""Trainings of the command line that are stopped by a signal go on, and end as unbroken ones do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from helpers import as_in_a_terminal, limner, refused
from limner.latent.restyling import translator_file
from limner.ledger import Ledger
from limner.models.bundle import load_model
from limner.models.upscaler import upscalers_of
from limner.workspace import Workspace
from models_made import made_model

_CHILD = """
import sys
from limner.cli import main, training_bar

def tick(self, share, seconds_left, rate, losses):
    if share > 0.2 and losses:
        print("learned", file=sys.stderr, flush=True)

training_bar.TerminalReporter.tick = tick
main()
"""
_PLAIN = "--precision", "fp32", "--threads", "1", "--teacher", "none", "--quiet"


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> str:
    """Squares by day and by night, large enough to be enlarged."""
    folder, table = tmp_path / "squares", ["file,creator,licence,thing,hour"]
    folder.mkdir()
    for number in range(20):
        rng = np.random.default_rng(number)
        for hour, ground in (("a", 255), ("b", 0)):
            picture = np.full((144, 144, 3), ground, np.uint8)
            picture[20 + number : 90, 16:80] = rng.integers(40, 215, 3)
            Image.fromarray(picture).save(folder / f"{number}-{hour}.png")
            table.append(f"{number}-{hour}.png,Ada,CC0-1.0,{number},{hour}")
    (folder / "pictures.csv").write_text("\n".join(table) + "\n")
    limner("collection", "add", folder, "--name", "squares", "--together", "thing")
    return "squares"


def interrupted(*arguments: str) -> int:
    """Run a command in a process of its own and press Ctrl-C once it has learned for a while; its status."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
        preexec_fn=as_in_a_terminal,
    )
    assert process.stderr is not None
    while (line := process.stderr.readline()) and line != "learned\n":
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    return process.returncode


@pytest.mark.slow
def test_an_up_scaler_that_was_interrupted_goes_on(workspace: Workspace, collection: str) -> None:
    by = "train-upscaler", collection, "--name", "u", "--steps", "40", *_PLAIN
    assert interrupted(*by) == 130
    assert (workspace.runs / "u.train-upscaler" / "checkpoint.safetensors").is_file()
    path = upscalers_of(workspace) / "u.safetensors"
    assert not path.exists()
    assert "steps 40" in refused("train-upscaler", collection, "--name", "u", "--resume", "--steps", "61", "--quiet")
    limner("train-upscaler", collection, "--name", "u", "--resume", "--quiet")
    broken = load_file(path)
    limner(*by)
    whole = load_file(path)
    assert all(torch.equal(broken[name], whole[name]) for name in whole)
    assert [act.what for act in Ledger.open(workspace.ledger).acts()].count("train-upscaler") == 2


@pytest.mark.slow
def test_a_translator_that_was_interrupted_goes_on(workspace: Workspace, collection: str) -> None:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    by = "train-translator", "m", collection, "--pairs", "thing", "--label", "hour"
    assert interrupted(*by, "--steps", "40", *_PLAIN) == 130
    assert (workspace.runs / "m.train-translator" / "checkpoint.safetensors").is_file()
    path = translator_file(load_model(workspace.models / "m.safetensors").digest, workspace)
    assert not path.exists()
    assert "label hour" in refused(*by[:-1], "thing", "--resume", "--quiet")
    limner(*by, "--resume", "--quiet")
    broken = load_file(path)
    limner(*by, "--steps", "40", *_PLAIN)
    whole = load_file(path)
    assert all(torch.equal(broken[name], whole[name]) for name in whole)


@pytest.mark.slow
def test_a_merge_that_was_interrupted_goes_on(workspace: Workspace) -> None:
    for name, seed in (("m", 1), ("s", 9)):
        made_model(workspace.make(workspace.models) / f"{name}.safetensors", labels=(), seed=seed)
    by = "merge", "m", "s", "--name", "both", "--quiet"
    length = "--steps", "40", "--threads", "1"
    assert interrupted(*by, *length) == 130
    path = workspace.models / "both.safetensors"
    assert not path.exists()
    assert "another" in refused("merge", "s", "m", "--name", "both", "--quiet", "--resume")
    limner(*by, "--resume")
    broken = load_file(path)
    path.unlink()
    limner(*by, *length)
    whole = load_file(path)
    assert all(torch.equal(broken[name], whole[name]) for name in whole)


def test_what_was_never_begun_cannot_go_on(workspace: Workspace, collection: str) -> None:
    assert "nothing to resume" in refused("train-upscaler", collection, "--resume", "--quiet")
    made_model(workspace.make(workspace.models) / "m.safetensors")
    assert "nothing to resume" in refused(
        "train-translator", "m", collection, "--pairs", "thing", "--label", "hour", "--resume", "--quiet"
    )
