"""`limner publish`: from a published work to a further edition, by way of the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import limner
from limner.cli.main import app
from limner.errors import LimnerError
from limner.papers import verify
from limner.workspace import Workspace
from published_made import publish


@pytest.fixture
def work(workspace: Workspace) -> Path:
    return publish(workspace, "dusk.png", size=200).path


def test_an_edition_for_the_web(work: Path) -> None:
    told = limner("publish", work, "--as", "jpeg", "--long-edge", 160, "--label", "text", "--language", "de")
    path = work.with_name("dusk-160x160-text.jpg")
    assert told.startswith(f"{path} (160x160, ")
    assert 'label "KI-generiert"' in told
    assert verify(path).genuine
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (160, 160))
    shown = limner("verify", path)
    assert 'edition of        "Dusk no. 7", signed under the name "Ada Lovelace" (a key of this workspace)' in shown
    assert '"KI-generiert" is drawn into the picture' in shown
    assert "export" in limner("family", path)


def test_several_works_go_into_a_folder(work: Path, workspace: Workspace, tmp_path: Path) -> None:
    other = publish(workspace, "dawn.png", size=64).path
    told = json.loads(limner("publish", work, other, "--as", "webp", "--to", tmp_path / "web", "--json"))
    assert [Path(one["path"]).name for one in told["works"]] == ["dusk-200x200.webp", "dawn-64x64.webp"]
    assert all(verify(Path(one["path"])).genuine for one in told["works"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--as", "gif"], "gif"),
        (["--quality", "0"], "--quality 0"),
        (["--label", "big"], "--label big"),
        (["--language", "xx"], "--language xx"),
        (["--long-edge", "201"], "--long-edge 201"),
        (["--long-edge", "0"], "--long-edge 0"),
        (["--as", "jpeg", "--to", "x.png"], "--as jpeg"),
        (["--identity", "Bob"], "Bob"),
    ],
)
def test_mistakes_are_named(work: Path, arguments: list[str], named: str) -> None:
    with pytest.raises(LimnerError) as mistake:
        CliRunner().invoke(app, ["publish", str(work), *arguments], catch_exceptions=False)
    assert named in str(mistake.value)
    assert mistake.value.remedy
    assert [path.name for path in work.parent.iterdir()] == ["dusk.png"]
