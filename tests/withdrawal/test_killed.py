"""A killed withdrawal goes on when it is repeated: killed at every step in turn, all is done once in the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from helpers import limner
from limner.collection import Collection
from limner.ledger import Ledger
from limner.workspace import Workspace
from withdrawal_made import begun, learned, sources_of, works_of


@pytest.mark.slow
def test_killed_at_every_step_it_is_done_once_in_the_end(workspace: Workspace, tmp_path: Path) -> None:
    former = begun(workspace, tmp_path)
    learned(workspace.models / "m.safetensors", former)
    (work,) = works_of("m", 1)
    before, title = work.read_bytes(), max(sources_of(work), key=sources_of(work).__getitem__)
    limner("model", "pack", "m", "--exemplars", "--megabytes", 0.2, "--size", 32, "--to", tmp_path / "away", "-q")
    picture = next(row for row in former.rows() if row.title == title)

    program = Path(__file__).with_name("killing.py")
    command = ["withdraw", picture.file, "--from", "A", "--finish-anew", "--yes", "-q"]
    ended = subprocess.run([sys.executable, program, *command], capture_output=True, text=True, check=True)
    points = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [how for _, how in points] == [*["killed"] * 5, "status 0"], ended.stderr

    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    counts = Counter(act.what for act in ledger.acts())
    steps = ("withdraw", "pack anew", "supersede", "finish anew", "state withdrawal")
    assert {what: counts[what] for what in steps} == dict.fromkeys(steps, 1)
    assert Collection.names(workspace) == ["A", "A-2"]
    assert Collection.open("A-2", workspace).check() == []
    assert not [path for path in workspace.collections.iterdir() if path.name.startswith(".")], "no half-made version"
    assert work.read_bytes() == before
    (new,) = work.parent.glob("*-anew-*.png")
    assert title not in sources_of(new)
    (statement,) = (workspace.root / "withdrawals").glob("*/*")
    assert not list((tmp_path / "away").glob(".*")), "no half-made pack"
    assert "The statement holds" in limner("withdraw", "--verify", statement)
    assert "✓" in limner("ledger", "verify")
