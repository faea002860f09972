"""`limner verify`: its exit status, its JSON, and that a stranger's texts stay texts."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import ran
from limner.errors import UsageError
from limner.ledger import Ledger
from limner.papers import Identity, Provenance, Publisher
from limner.workspace import Workspace

TITLE = "Dusk \x1b[31m[red]\u202e"


@pytest.fixture
def works(workspace: Workspace) -> Path:
    """A folder with a genuine work, a changed one and one that was saved again."""
    folder = workspace.make(workspace.works)
    told = Provenance(
        TITLE,
        "Ada",
        "landscapes",
        "sha256:aa",
        "vae",
        "paintings",
        "sha256:bb",
        "sha256:cc",
        1,
        7,
        0.7,
        credit="C. Line",
    )
    with Publisher(Identity.new(workspace, "Ada"), Ledger.open(workspace.ledger)) as publisher:
        publisher.publish(np.zeros((16, 16, 3), np.uint8), folder / "genuine.png", told)
    data = bytearray((folder / "genuine.png").read_bytes())
    data[-30] ^= 1
    (folder / "changed.png").write_bytes(data)
    with Image.open(folder / "genuine.png") as image:
        image.save(folder / "saved-again.png")
    return folder


run = partial(ran, "verify", columns=120)


def test_exit_status(works: Path) -> None:
    assert run(works / "genuine.png").exit_code == 0
    assert run(works / "genuine.png", works / "changed.png").exit_code == 1
    assert run(works / "saved-again.png").exit_code == 1
    assert run(works / "genuine.png", works / "missing.png").exit_code == 2
    assert run(works / "changed.png", works / "missing.png").exit_code == 2


def test_trust_can_be_asked_for(
    works: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (root,) = workspace.identities.glob("*/root.pem")
    assert run("--trusted", works / "genuine.png").exit_code == 0
    monkeypatch.setenv("LIMNER_HOME", str(tmp_path / "elsewhere"))
    assert run(works / "genuine.png").exit_code == 0
    assert run("--trusted", works / "genuine.png").exit_code == 1
    assert run("--trusted", "--anchor", root, works / "genuine.png").exit_code == 0


def test_what_is_shown(works: Path) -> None:
    shown = run(works / "genuine.png").stdout
    for text in (
        "genuine: not a byte changed",
        "a key of this workspace",
        "sha256:aa",
        "number 7 of seed 1",
        "C. Line",
        "XMP",
    ):
        assert text in shown
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert "[red]" in shown
    changed = run(works / "changed.png").stdout
    assert "tampered" in changed
    assert "C. Line" not in changed.split("what it proves")[0]
    assert "no papers: nothing proves where it comes from" in run(works / "saved-again.png").stdout


def test_json_has_one_entry_a_file(works: Path) -> None:
    result = run("--json", works)
    told = {Path(one["path"]).name: one["state"] for one in json.loads(result.stdout)}
    assert told == {"changed.png": "tampered", "genuine.png": "valid", "saved-again.png": "none"}
    assert result.exit_code == 1


def test_many_files_are_a_table(works: Path) -> None:
    result = run(*[works / "genuine.png"] * 7, works)
    assert "8 of 10 genuine" in result.stdout


def test_quiet_says_nothing(works: Path) -> None:
    result = run("--quiet", works / "changed.png")
    assert (result.stdout, result.exit_code) == ("", 1)


def test_a_folder_without_pictures_is_a_mistake(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code != 0
    assert "is a folder without pictures" in str(result.exception)


def test_odd_files_never_raise(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(b"")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "could not be checked" in " ".join(result.stdout.split()) or "unreadable" in result.stdout


def test_a_picture_of_what_was_checked(works: Path, tmp_path: Path) -> None:
    from limner import pictures

    name = works / "\u674e \u0645.png"
    (works / "genuine.png").rename(name)
    assert run("--quiet", "--picture", tmp_path / "checked.png", works).exit_code == 1
    drawn = pictures.read(tmp_path / "checked.png").pixels
    assert drawn.shape[1] == 1400
    assert drawn.shape[0] > 900
    for wrong in (["--picture", tmp_path / "checked.jpg", name], ["--picture", tmp_path / "x.png", *[name] * 21]):
        assert run("--quiet", *wrong).exit_code != 0
    assert isinstance(run("--picture", tmp_path / "x.png", *[name] * 21).exception, UsageError)


def test_a_page_for_a_site(tmp_path: Path) -> None:
    result = run("--page", tmp_path / "site", "--endpoint", "https://check.museum.example")
    assert result.exit_code == 0
    assert "https://check.museum.example/verify" in (tmp_path / "site" / "index.html").read_text()
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["index.html"]


def test_what_does_not_go_together(works: Path, tmp_path: Path) -> None:
    for wrong in ([], ["--serve", works], ["--page", tmp_path, works], ["--serve", "--page", tmp_path]):
        assert isinstance(run(*wrong).exception, UsageError)
