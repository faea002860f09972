"""`limner train`: a user's mistake gives one line that names value, reason and remedy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limner.cli.main import main
from limner.cli.train import _resumed
from limner.errors import UsageError
from limner.ledger import Ledger
from limner.papers.rooting import root
from limner.training.options import TrainOptions
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_collection, made_folder


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit status of `limner …` and its one line of complaint."""
    monkeypatch.setattr(sys, "argv", ["limner", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().err.strip()


MISTAKES = [
    (["train", "nowhere"], "nowhere"),
    (["train", "made", "--size", "65"], "--size 65"),
    (["train", "made", "--size", "64x"], "--size 64x"),
    (["train", "made", "--minutes", "0"], "--minutes 0"),
    (["train", "made", "--minutes", "1", "--steps", "3"], "--minutes, --steps, --pictures"),
    (["train", "made", "--family", "gan2"], "--family gan2"),
    (["train", "made", "--teacher", "resnet"], "--teacher resnet"),
    (["train", "made", "--prior", "x"], "--prior x"),
    (["train", "made", "--label", "colour"], "--label colour"),
    (["train", "made", "--label", "title"], "--label title"),
    (["train", "made", "--where", "kind=silk"], "--where kind=silk"),
    (["train", "made", "--where", "kin=matt"], "--where kin=matt"),
    (["train", "made", "--batch", "1"], "--batch 1"),
    (["train", "made", "--from", "nothing"], "nothing"),
    (["train", "made", "--resume", "--name", "never"], "run never"),
    (["train", "made", "--name", "../up"], "--name ../up"),
]


@pytest.mark.parametrize(("arguments", "named"), MISTAKES, ids=[" ".join(m[0][1:]) for m in MISTAKES])
def test_mistakes_get_one_line(
    arguments: list[str],
    named: str,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made_collection(workspace, tmp_path / "pictures", 16)
    status, line = run(monkeypatch, capsys, *arguments)
    assert status == 2
    assert "\n" not in line
    assert named in line
    assert ";" in line, "no remedy"
    assert not list(workspace.runs.glob("*")), "a mistake left a run behind"


def test_what_cannot_be_rooted_is_refused_before_it_is_trained(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_collection(workspace, tmp_path / "pictures", 16)
    status, line = run(monkeypatch, capsys, "train", "made", "--rooted-mark")
    assert (status, line.split(": ")[1]) == (2, "--size 64x64")
    made_model(workspace.make(workspace.models) / "plain.safetensors", labels=(), size=128)
    ledger = Ledger.open(workspace.ledger)
    rooted = root(workspace.models / "plain.safetensors", workspace.models / "rooted.safetensors", "rooted", ledger)
    line = run(monkeypatch, capsys, "train", "made", "--size", "128", "--from", "rooted", "--rooted-mark")[1]
    assert line.startswith(f"limner: --rooted-mark: rooted has a mark already ({rooted.mark})")
    assert not workspace.runs.exists(), "something was trained"


@pytest.mark.parametrize(("kept", "begun"), [(64, False), (128, True)])
def test_a_run_that_goes_on_is_rooted_by_its_own_size(
    kept: int,
    begun: bool,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made_collection(workspace, tmp_path / "pictures", 16)
    options = TrainOptions(name="begun", height=kept, width=kept)
    folder = workspace.make(workspace.runs / "begun")
    (folder / "options.json").write_text(json.dumps({"options": options.model_dump(mode="json"), "collection": "made"}))

    def training(*_: object, **__: object) -> None:
        raise UsageError("training", "was begun", "none")

    monkeypatch.setattr("limner.training.trainer.Training", training)
    arguments = ["train", "made", "--resume", "--name", "begun", "--rooted-mark"]
    line = run(monkeypatch, capsys, *arguments)[1]
    assert line.startswith("limner: training: was begun" if begun else "limner: --size 64x64: is too small")


def test_held_pictures_stop_a_training_until_somebody_decides(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from limner.collection import import_collection

    table = made_folder(tmp_path / "pictures", 16)
    table.write_text(table.read_text().replace("CC-BY-4.0", "", 3))
    import_collection(table, "made", workspace, processes=1)
    status, line = run(monkeypatch, capsys, "train", "made")
    assert status == 2
    assert "3" in line
    assert "--only-cleared" in line
    assert "--accept-unknown" in line


def test_help_is_quick() -> None:
    quickest = 9.0
    for _ in range(3):
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "limner", "--help"], check=True, stdout=subprocess.DEVNULL)
        quickest = min(quickest, time.monotonic() - start)
    assert quickest < 0.5


def test_a_model_to_start_from_tells_family_and_size(workspace: Workspace) -> None:
    from limner.cli.train import _options

    told = _options("made", {"parent": "paintings-gan"}, workspace)
    assert (told.family, told.height, told.width, told.name) == ("gan", 128, 128, "made-gan-128")
    told = _options("made", {"parent": "paintings-gan", "family": "vae", "size": "64"}, workspace)
    assert (told.family, told.height, told.name) == ("vae", 64, "made-vae-64")
    assert _options("made", {}, workspace).name == "made-vae-64"


def test_a_run_that_goes_on_takes_the_games_rate_and_refuses_what_would_make_it_another() -> None:
    kept = TrainOptions(name="m", minutes=20, where=("kind=matt",), seed=4)
    again = TrainOptions(name="m", minutes=20, where=("kind=matt",))
    assert _resumed(kept, again) == kept
    calmer = _resumed(kept, TrainOptions(name="m", game_rate=1e-4, crisp=False))
    assert calmer == kept.model_copy(update={"game_rate": 1e-4, "crisp": False})
    with pytest.raises(UsageError, match=r"--minutes 40.*begun with 20.*without --resume"):
        _resumed(kept, TrainOptions(name="m", minutes=40))
