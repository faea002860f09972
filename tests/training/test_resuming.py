"""Interrupted and resumed equals uninterrupted; kill -9 loses nothing that was reported as done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers import Silent
from limner.collection import Collection
from limner.errors import TrainingError
from limner.models.bundle import find_digest, load_model
from limner.models.files import sha256_of
from limner.training import adversarial_stage
from limner.training.options import TrainOptions
from limner.training.run import open_run, typed_model
from limner.training.trainer import Training
from limner.training.translating import run_name
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_collection

_STEPS = 44

_CHILD = """
import sys
from limner.cli.training_bar import TerminalReporter
from limner.collection import Collection
from limner.training import adversarial_stage
from limner.training.options import TrainOptions
from limner.training.run import open_run
from limner.training.trainer import Training
from limner.workspace import Workspace

adversarial_stage._JUDGED = 16

class Slow(TerminalReporter):
    def tick(self, share, seconds_left, rate, losses):
        print("step", flush=True)

workspace = Workspace.default()
begun = open_run("broken", workspace, TrainOptions)
Training(begun.options, Collection.open(begun.collection, workspace), workspace, Slow(quiet=True), resume=True).run()
"""


def options(name: str, **more: object) -> TrainOptions:
    told: dict[str, object] = {
        "height": 32, "width": 32, "steps": _STEPS, "teacher": "none", "prior": "flow", "precision": "fp32",
        "threads": 1, "batch": 8, "latents": 16, "checkpoint_seconds": 0.05, "label": "kind",
        "shape": {"channels": 16, "width": 32, "layers": 1, "steps": 2, "embedding_width": 8},
    }  # fmt: skip
    return TrainOptions.model_validate({"name": name, **told, **more})


@pytest.fixture(autouse=True)
def few_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of ten checks of the adversarial stage judges few pictures; the child does the same."""
    monkeypatch.setattr(adversarial_stage, "_JUDGED", 16)


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    return made_collection(workspace, tmp_path / "made")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", ["vae", "gan"])
def test_killed_and_resumed_training_ends_with_the_same_weights(
    family: str, workspace: Workspace, collection: Collection
) -> None:
    whole = Training(options("whole", family=family), collection, workspace, Silent(), resume=False).run()

    Training(options("broken", family=family), collection, workspace, Silent(), resume=False)
    kills = 0
    # In the painter's, the prior's and the adversarial stage: a line comes at the first and at every tenth step.
    for lines in (2, 2, 1):
        child = subprocess.Popen([sys.executable, "-c", _CHILD], stdout=subprocess.PIPE, env=os.environ.copy())
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
        child.stdout.close()
    assert kills == 3
    reporter = Silent()
    broken = Training(options("broken", family=family), collection, workspace, reporter, resume=True).run()

    assert any("resumed at step" in note for note in reporter.notes) or "painter" not in reporter.stages
    ours, theirs = load_file(whole), load_file(broken)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different
    assert load_model(broken).card.training.steps == load_model(whole).card.training.steps


@pytest.mark.slow
def test_a_bad_number_goes_back_halves_the_learning_rate_and_says_so(
    workspace: Workspace, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limner.training import painter_stage as stages

    plain = stages.PainterStage.batch
    spoiled: list[int] = []

    def batch(self: stages.PainterStage, step: int, share: float = 0.0) -> dict[str, torch.Tensor]:
        found = plain(self, step, share)
        if step == 12 and not spoiled:
            spoiled.append(step)
            found["pictures"][0, 0, 0, 0] = float("nan")
        return found

    monkeypatch.setattr(stages.PainterStage, "batch", batch)
    reporter = Silent()
    path = Training(options("nan", prior="mixture"), collection, workspace, reporter, resume=False).run()
    told = [note for note in reporter.notes if "is not a number" in note]
    assert len(told) == 1
    assert "halved the learning rate" in told[0]
    assert all(torch.isfinite(tensor).all() for tensor in load_file(path).values())


def test_a_new_run_of_the_same_name_moves_the_old_one_aside(workspace: Workspace, collection: Collection) -> None:
    Training(options("twice"), collection, workspace, Silent(), resume=False)
    reporter = Silent()
    newer = Training(options("twice", seed=1), collection, workspace, reporter, resume=False)
    assert any("moved to" in note for note in reporter.notes)
    (aside,) = (folder for folder in workspace.runs.glob("twice*") if folder != newer.folder)
    older = open_run(aside.name, workspace, TrainOptions).options
    assert (older.name, older.seed) == (aside.name, 0)
    gone_on = Training(older, collection, workspace, Silent(), resume=True)
    assert gone_on.folder == aside
    assert open_run("twice", workspace, TrainOptions).options.seed == 1, "the newer run was told to be the older one"


def test_a_run_does_not_go_on_with_other_pictures(workspace: Workspace, collection: Collection, tmp_path: Path) -> None:
    Training(options("begun"), collection, workspace, Silent(), resume=False)
    other = made_collection(workspace, tmp_path / "others", 40, name="others")
    with pytest.raises(TrainingError, match=r"other pictures than others has now.*without --resume"):
        Training(options("begun"), other, workspace, Silent(), resume=True)
    Training(options("begun"), collection, workspace, Silent(), resume=True)


def test_how_to_go_on_is_said_so_that_it_can_be_typed(
    workspace: Workspace, collection: Collection, tmp_path: Path
) -> None:
    inside = Training(options("m"), collection, workspace, Silent(), resume=False)
    assert inside.record.again == "limner train made --name m --resume"
    elsewhere = collection.folder.rename(tmp_path / "elsewhere")
    outside = Training(options("n"), Collection.open(elsewhere, workspace), workspace, Silent(), resume=False)
    assert outside.record.again == f"limner train {elsewhere} --name n --resume"


def test_a_mistake_in_what_is_learned_leaves_an_older_run_where_it_is(
    workspace: Workspace, collection: Collection
) -> None:
    older = Training(options("m"), collection, workspace, Silent(), resume=False)
    with pytest.raises(TrainingError, match="--pairs"):
        Training(options("m", label_is_style=True, pairs="x"), collection, workspace, Silent(), resume=False)
    assert [folder.name for folder in workspace.runs.iterdir()] == [older.folder.name]


@pytest.mark.slow
def test_a_label_of_which_nothing_is_learned_and_a_model_of_the_same_name(
    workspace: Workspace, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    short: dict[str, object] = {"steps": 6, "prior": "mixture", "crisp": False}
    first = Training(options("m", **short), collection, workspace, Silent(), resume=False).run()
    digest = sha256_of(first)
    workspace.make(workspace.works / "m")
    (workspace.works / "m" / "m-1-00000.png").write_bytes(b"a work of it")
    rows = [replace(row, split="holdout" if row.labels["kind"] == "matt" else row.split) for row in collection.rows()]
    monkeypatch.setattr(Collection, "rows", lambda self, where=(): rows)
    reporter = Silent()
    again = Training(options("m", **short), collection, workspace, reporter, resume=False).run()
    assert any(note.startswith("nothing is learned of matt") for note in reporter.notes)
    assert torch.isfinite(load_model(again).generator.sample(4, seed=0, label=0).content).all()
    kept = find_digest(digest, workspace)
    assert kept is not None
    assert kept.name == f"m.{digest[:8]}.safetensors"
    assert any(kept.stem in note for note in reporter.notes)
    assert (workspace.works / kept.stem / "m-1-00000.png").read_bytes() == b"a work of it"
    assert not (workspace.works / "m").exists()


@pytest.mark.parametrize("name", ["sky.train", "sky.merge"])
def test_a_name_that_ends_like_a_command_is_kept(name: str, workspace: Workspace, collection: Collection) -> None:
    Training(options(name), collection, workspace, Silent(), resume=False)
    assert open_run(name, workspace, TrainOptions).options.name == name


def test_a_model_is_named_so_that_it_can_be_typed_and_its_card_chooses_no_folder(
    workspace: Workspace, tmp_path: Path
) -> None:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    made_model(tmp_path / "else where.safetensors")
    inside, outside = (
        load_model(folder) for folder in (workspace.models / "m.safetensors", tmp_path / "else where.safetensors")
    )
    assert typed_model(inside, workspace) == "m"
    assert typed_model(outside, workspace) == f"'{outside.path}'"
    assert run_name(outside) == "else where.train-translator"
