from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limner.cli.main import app
from limner.errors import LimnerError, UsageError
from limner.reports.demonstration import prepare
from limner.workspace import Workspace


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    with pytest.raises(UsageError, match=r"holds other things than a demo.*--to"):
        run("demo", "--to", str(folder))
    assert [(one.name, one.read_text()) for one in folder.iterdir()] == [("index.html", "mine")]


def test_an_earlier_demos_folder_is_used_again(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo")
    (folder / "index.html").write_text("earlier")
    assert prepare(folder) == folder
    assert (folder / "index.html").read_text() == "earlier"


def test_mistakes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for arguments, words in (
        (["--to", str(tmp_path / "file")], "is a file"),
        (["--to", str(tmp_path / "file" / "demo")], "cannot be written to"),
        (["--to", str(tmp_path / "a"), "--minutes", "0"], "no length"),
        (["--to", str(tmp_path / "a"), "--size", "65"], "is no size"),
    ):
        with pytest.raises(LimnerError, match=words):
            run("demo", *arguments)
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.slow
def test_the_whole_road(tmp_path: Path, workspace: Workspace) -> None:
    folder = tmp_path / "demo"
    status, output = run("demo", "--to", str(folder), "--minutes", "0.2", "--json")
    told = json.loads(output)
    assert status == 0 and told["as_expected"]
    assert [work["state"] for work in told["works"]] == ["valid"] * 4
    assert [forged["state"] for forged in told["forgeries"]] == ["tampered", "none"]
    assert not workspace.root.exists(), "the demo keeps to its own workspace"

    page = (folder / "index.html").read_text("utf-8")
    assert page.count("<img") > 149 + 64
    assert 'src="http' not in page and "<script" not in page
    assert all(near["title"] and near["distance"] > 0 for near in told["nearest"])

    status, output = run("verify", str(folder / "works"), "--json")
    assert status == 0 and len(json.loads(output)) == 4
    status, output = run("verify", str(folder / "forgeries"), "--json")
    assert status == 1 and not any(verdict["genuine"] for verdict in json.loads(output))
