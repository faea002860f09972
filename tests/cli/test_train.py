"""`limner train`: a user's mistake gives one line that names value, reason and remedy."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from limner.cli.main import main
from limner.workspace import Workspace
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
