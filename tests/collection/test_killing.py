"""What happens when a process dies: the import's own, or one that reads pictures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collection.conftest import Make
from limner.collection import Collection, import_collection
from limner.collection.journal import locked
from limner.errors import CollectionError
from limner.workspace import Workspace

_IMPORT = """
import sys
from pathlib import Path
from limner.collection import import_collection
from limner.workspace import Workspace
import_collection(Path(sys.argv[1]), "mine", Workspace(Path(sys.argv[2])), processes=2)
"""


def test_a_killed_import_goes_on_where_it_was(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(800)
    process = subprocess.Popen([sys.executable, "-c", _IMPORT, str(folder), str(workspace.root)])
    journal = workspace.collections / ".mine.import" / "journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 200:
        assert process.poll() is None, "the import was done before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert Collection.names(workspace) == []
    noted = journal.read_bytes().count(b"\n") - 1
    with journal.open("ab") as file:
        file.write(b'["0001.png", [1, 2')  # as if it had died while writing
    report = import_collection(folder, "mine", workspace)
    assert 199 <= report.remembered == noted < 800
    assert report.digest == import_collection(make_folder(800, "again"), "other", workspace).digest
    assert Collection.open("mine", workspace).check() == []


def test_what_changed_since_is_read_again(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(30)
    (folder / "pictures.csv").rename(folder / "later.csv")
    part = workspace.collections / ".mine.import"
    with pytest.raises(KeyboardInterrupt):
        import_collection(folder, "mine", workspace, progress=_interrupt_at(10), processes=1)
    noted = (part / "journal.jsonl").read_bytes().count(b"\n") - 1
    assert noted >= 10
    names = [json.loads(line)[0] for line in (part / "journal.jsonl").read_text().splitlines()[1:]]
    os.utime(folder / names[0], ns=(1, 1))
    stored = next((part / "pictures").rglob("*.webp"))
    stored.unlink()
    report = import_collection(folder, "mine", workspace, licence="CC0-1.0", creator="Ada")
    assert noted - 2 <= report.remembered <= noted - 1
    assert report.held_pictures == 0  # rights are judged anew, pictures are not read anew
    assert Collection.open("mine", workspace).check() == []


def _interrupt_at(count: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done >= count:
            raise KeyboardInterrupt

    return progress


def test_a_full_disk_says_so_and_blames_no_picture(
    make_folder: Make, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_FULL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    folder = make_folder(20)
    with pytest.raises(CollectionError, match=r"No space left on device.*goes on where it was"):
        import_collection(folder, "mine", workspace)
    monkeypatch.delenv("PYTHONPATH")
    report = import_collection(folder, "mine", workspace)
    assert (report.taken, report.refused) == (20, [])


_FULL = """
import errno, pathlib
def replace(self, target):
    raise OSError(errno.ENOSPC, "No space left on device")
pathlib.Path.replace = replace
"""


def test_two_imports_of_one_name_do_not_meet(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(2)
    part = workspace.make(workspace.collections / ".mine.import")
    with locked(part, "mine"), pytest.raises(CollectionError, match="being imported by another process"):
        import_collection(folder, "mine", workspace)


_SABOTAGE = """
import os, signal
import limner.pictures as pictures
decode = pictures.decode
def trapped(data, name, **options):
    if "0003" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "0005" in name:
        os.kill(os.getpid(), signal.SIGXCPU)
    if "0007" in name:
        while True:
            pass
    return decode(data, name, **options)
pictures.decode = trapped
"""


def test_a_file_that_crashes_or_hangs_its_reader_takes_no_other_along(
    make_folder: Make, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_SABOTAGE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    began = time.monotonic()
    report = import_collection(make_folder(40), "mine", workspace, processes=2)
    assert time.monotonic() - began < 30
    assert {one.file: one.kind for one in report.refused} == {
        "0003.png": "crashed",
        "0005.png": "too-slow",
        "0007.png": "too-slow",
    }
    assert report.taken == 37
