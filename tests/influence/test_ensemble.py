"""Ensembles of small models: what is kept, what a kill loses, what each model sees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from influence_made import banded, made_learned
from limner.errors import UsageError
from limner.influence import ensemble as module
from limner.influence.compositions import describe
from limner.influence.ensemble import WHOLE, Ensemble, EnsembleOptions
from limner.influence.estimate import composed_alike, distances_to, estimate
from limner.influence.groups import grouping
from limner.influence.shares import Verdict, influence
from limner.influence.sources import Learned
from limner.machine import Machine
from limner.workspace import Workspace

MACHINE = Machine("cpu", "fp32", 1, "", 0.0)
TINY = EnsembleOptions(each=2, whole=2, steps=8, compositions=64)
LEARNS = TINY.model_copy(update={"steps": 32, "compositions": 96})


@pytest.fixture
def learned(tmp_path: Path) -> Learned:
    return made_learned(tmp_path / "learned")


def opened(learned: Learned, workspace: Workspace, options: EnsembleOptions = TINY) -> Ensemble:
    return Ensemble("sha256:" + "ab" * 32, learned, grouping(learned.rows), workspace, options)


def band(number: int = 1000) -> torch.Tensor:
    return describe(torch.from_numpy(banded(number)).permute(2, 0, 1)[None])[0]


def test_who_alone_paints_bands_is_named_for_a_band(learned: Learned, workspace: Workspace) -> None:
    ensemble = opened(learned, workspace, LEARNS)
    assert not ensemble.status().complete
    ensemble.train(MACHINE, workspace)
    assert ensemble.status().complete
    found = influence(band(), ensemble.load(), ensemble.groups)
    assert found.shares[0].name == "Bo" and found.models == 8
    assert found.shares[0].without is not None and found.shares[0].without < 0.2
    assert [one.share.count for one in found.shares if one.name == "Bo"] == [
        sum(row.creator == "Bo" for row in learned.rows)
    ]


def test_an_estimate_needs_no_model(learned: Learned) -> None:
    groups = grouping(learned.rows)
    found = estimate(distances_to(band(), learned), groups)
    assert found.shares[0].name == "Bo" and found.verdict is Verdict.FIRST and found.models == 0
    assert [one.row.creator for one in composed_alike(distances_to(band(), learned), learned, 2)] == ["Bo", "Bo"]


def test_a_model_never_sees_the_group_that_it_goes_without(
    learned: Learned, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []

    def watched(which_learned: Learned, which: np.ndarray, **more: object) -> torch.Tensor:
        seen.append({which_learned.rows[int(i)].creator for i in which})
        return torch.zeros(TINY.compositions, 3, 32, 32, dtype=torch.uint8)

    monkeypatch.setattr(module, "painted_without", watched)
    ensemble = opened(learned, workspace)
    ensemble.train(MACHINE, workspace)
    names = [one.name for one in ensemble.groups.groups]
    for member, creators in zip(ensemble.members, seen, strict=True):
        assert creators == {"Ada", "Bo", "Cy"} - ({names[member.without]} if member.without != WHOLE else set())


def test_what_is_there_is_not_trained_again_and_a_larger_ensemble_goes_on(
    learned: Learned, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(*_: object, **more: object) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return torch.zeros(TINY.compositions, 3, 32, 32, dtype=torch.uint8)

    monkeypatch.setattr(module, "painted_without", counted)
    ensemble = opened(learned, workspace)
    with pytest.raises(KeyboardInterrupt):
        ensemble.train(MACHINE, workspace)
    status = ensemble.status()
    assert (status.done, status.total, status.running) == (2, 8, False) and status.seconds_left is not None
    ensemble.train(MACHINE, workspace)
    assert len(calls) == 9, "the two that were there were kept"
    opened(learned, workspace, TINY.model_copy(update={"each": 3})).train(MACHINE, workspace)
    assert len(calls) == 12, "one more without each of three creators"


def test_a_damaged_model_is_found_and_trained_again(
    learned: Learned, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = torch.zeros(TINY.compositions, 3, 32, 32, dtype=torch.uint8)
    monkeypatch.setattr(module, "painted_without", lambda *_, **__: zeros)
    ensemble = opened(learned, workspace)
    ensemble.train(MACHINE, workspace)
    file = next(ensemble.folder.glob("without-1-*.safetensors"))
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UsageError, match="missing or damaged"):
        ensemble.load()
    assert ensemble.status().done == 7
    ensemble.train(MACHINE, workspace)
    assert len(ensemble.load()[WHOLE]) == 2


_SCRIPT = """
import sys
from pathlib import Path
from influence_made import learned_at
from limner.workspace import Workspace
from test_ensemble import MACHINE, opened
workspace = Workspace(Path(sys.argv[1]))
ensemble = opened(learned_at(Path(sys.argv[2])), workspace)
print(ensemble.folder, flush=True)
ensemble.train(MACHINE, workspace)
"""


def test_killed_it_goes_on_and_finds_what_an_unbroken_one_finds(
    learned: Learned, workspace: Workspace, tmp_path: Path
) -> None:
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    with subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(workspace.root), str(tmp_path / "learned")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        assert process.stdout is not None
        folder, ensemble = Path(process.stdout.readline().strip()), opened(learned, workspace)
        assert folder == ensemble.folder
        end = time.monotonic() + 120
        while ensemble.status().done < 2 and time.monotonic() < end:
            time.sleep(0.02)
        assert ensemble.status().running
        with pytest.raises(UsageError, match="by another process"):
            ensemble.train(MACHINE, workspace)
        process.send_signal(signal.SIGKILL)
    assert 2 <= ensemble.status().done < 8 and not ensemble.status().running
    ensemble.train(MACHINE, workspace)
    one = ensemble.load()
    for file in folder.glob("*-0.safetensors"):
        file.unlink()
    ensemble.train(MACHINE, workspace)
    again = ensemble.load()
    assert all(torch.equal(a, b) for kind in one for a, b in zip(one[kind], again[kind], strict=True))
