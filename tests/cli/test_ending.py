"""How commands end: no status means two things, and output that cannot be written or shown ends nothing midway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from helpers import as_in_a_terminal
from limner.cli import main
from limner.workspace import Workspace
from published_made import artist, publish


def limner(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **{str(k): str(v) for k, v in options.items()}}
    command = [sys.executable, "-m", "limner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=100, env=environment)


@pytest.fixture
def work(workspace: Workspace) -> Path:
    return publish(workspace, "wörk.png", title="Dämmerung 夕暮れ").path


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_an_output_cannot_hold_is_replaced(encoding: str, work: Path) -> None:
    done = limner("verify", work, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"not a byte changed" in done.stdout.replace(b"\n", b" ")
    told = json.loads(limner("verify", "--json", work, PYTHONIOENCODING=encoding).stdout.decode(encoding))
    assert told[0]["title"] == "Dämmerung 夕暮れ"


def test_a_full_disk_behind_the_output_is_said(work: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    for arguments in (("verify", work), ("verify", "--json", work), ("ledger",)):
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" > /dev/full', "sh", sys.executable, "-m", "limner", *map(str, arguments)],
            capture_output=True,
            timeout=100,
        )
        assert done.returncode == 3
        assert b"No space left" in done.stderr
        assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_finding(work: Path) -> None:
    command = f"{sys.executable} -m limner ledger --json -n 100000; echo $? >&2"
    for _ in range(40):  # enough for more than a pipe holds
        publish(Workspace.default(), f"more-{_}.png")
    done = subprocess.run(["bash", "-c", f"({command}) | head -c 10"], capture_output=True, text=True, timeout=100)
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1] in ("141", "0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_asked_to_end_it_says_so_and_counts_as_no_verdict(number: signal.Signals, workspace: Workspace) -> None:
    artist(workspace)
    command = [sys.executable, "-m", "limner", "verify", "--serve", "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=as_in_a_terminal,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert b"Traceback" not in err
    assert process.returncode in (0, 128 + number)  # a server that was asked to end has done its work


def test_what_goes_wrong_inside_is_one_line_and_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, words in (
        (RuntimeError("nobody thought of this\x1b[31m"), "a fault of limner (RuntimeError"),
        (OSError(28, "No space left on device", "/somewhere"), "/somewhere: No space left on device; the disk is full"),
        (PermissionError(13, "Permission denied", "/there"), "change its permissions"),
        (MemoryError(), "there is not enough"),
    ):

        def fail(error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(sys.modules["limner.cli.main"], "app", fail)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 3
        assert words in said
        assert said.count("\n") == 1
        assert "\x1b" not in said


def test_a_new_workspace_is_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        done = limner("identity", "new", "--name", "Ada", LIMNER_HOME=tmp_path / "home")
    finally:
        os.umask(old)
    assert done.returncode == 0
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_works_left_behind_are_named_before_any_command(workspace: Workspace, work: Path) -> None:
    from limner.papers.publishing.pending import Announced, Session
    from limner.papers.publishing.published import Published

    stray = workspace.works / "stray.png"
    stray.write_bytes(work.read_bytes() + b"another")
    session = Session(workspace.root)
    digest = f"sha256:{sha256(stray.read_bytes()).hexdigest()}"
    published = Published(digest, stray, "Stray", "m", "c", "l")
    session.announce(Announced(published, stray.stat().st_size, None))
    assert b"unrecorded" not in limner("ledger").stderr  # while its publisher lives
    session.close()
    assert b"1 signed work of a command that was broken off lie unrecorded" in limner("ledger").stderr
    done = limner("works", "recover")
    assert b"stray.png: recorded" in done.stdout
    assert b"unrecorded" not in limner("ledger").stderr
