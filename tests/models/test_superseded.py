"""A superseded model: refused by what paints or learns with it, unless for a reason that papers and ledger keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import limner, refused
from limner.errors import ModelError
from limner.ledger import Ledger
from limner.models.bundle import load_model, save_model
from limner.models.superseded import USE_SUPERSEDED, check_tool, superseded, superseding
from limner.papers import Identity, verify
from limner.workspace import Workspace
from models_made import made_model

WHY = "sea.png was withdrawn by Ada Example"


@pytest.fixture
def models(workspace: Workspace) -> tuple[str, str]:
    """Digests of a model `old`, which is superseded, and of its child `young`."""
    folder = workspace.make(workspace.models)
    made_model(folder / "old.safetensors", labels=())
    old = load_model(folder / "old.safetensors")
    card = old.card.model_copy(update={"name": "young", "parents": (old.digest,)})
    young = save_model(folder / "young.safetensors", old.generator, card)
    marks = superseding(f"sha256:{old.digest}", "old", WHY, replaced_by="new")
    Ledger.open(workspace.ledger).record_many([marks])
    Identity.new(workspace, "Ada Example")
    return old.digest, young


def test_the_ledger_says_it_of_a_model_and_of_its_children(models: tuple[str, str], workspace: Workspace) -> None:
    old, young = models
    ledger = Ledger.open(workspace.ledger)
    found = superseded(ledger, old)
    assert found is not None
    assert (found.name, found.reason, found.replaced_by) == ("old", WHY, "new")
    assert superseded(ledger, young) is None
    assert superseded(ledger, young, (old,)) == found
    assert "superseded" in limner("model", "list")
    assert WHY in limner("model", "show", "young")


def test_nobody_paints_or_learns_with_it(
    models: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (
        ("sample", "old", "-n", 1),
        ("sample", "young", "-n", 1),
        ("move", "1:1", "--model", "old", "--along", "x=1"),
        ("mix", "1:1", "1:2", "--model", "young", "--weights", "1,1"),
        ("restyle", "1:1", "--model", "old", "--style", "1:2"),
        ("evolve", "old"),
        ("landscape", "--model", "old"),
        ("walk", "1:1", "1:2", "--model", "old", "--to", "film.mp4"),
        ("directions", "find", "old"),
        ("merge", "old", "young", "--name", "both"),
        ("model", "pack", "old", "--to", "away"),
    ):
        said = refused(*command)
        assert WHY in said, command
        assert "use new, or say why with --allow-superseded" in said, command
        if "old" not in command:
            assert "with old, from which it descends" in said, command
    assert not list(tmp_path.glob("film.mp4"))


def test_a_superseded_tool_is_refused_too(workspace: Workspace) -> None:
    tool = "sha256:" + "5" * 64
    check_tool("up-scaler u", tool, workspace, "train another")
    Ledger.open(workspace.ledger).record_many([superseding(tool, "up-scaler u", WHY)])
    with pytest.raises(ModelError, match=r"up-scaler u: was superseded on .*; train another"):
        check_tool("up-scaler u", tool, workspace, "train another")


def test_a_reason_lets_it_paint_and_stands_in_papers_and_ledger(
    models: tuple[str, str], workspace: Workspace, tmp_path: Path
) -> None:
    assert "is an empty reason" in refused("sample", "old", "-n", 1, "--allow-superseded", " ")
    limner("sample", "old", "-n", 1, "--to", tmp_path / "out", "--allow-superseded", "for the\ncourt")
    (work,) = (tmp_path / "out").glob("*.png")
    said = verify(work).generation["parameters"]["superseded"]
    assert (said["why"], said["used_because"], said["replaced_by"]) == (WHY, "for the court", "new")
    assert "used all the same: for the court" in " ".join(limner("verify", work).split())
    (act,) = Ledger.open(workspace.ledger).acts(what=USE_SUPERSEDED)
    assert act.inputs == [f"sha256:{models[0]}"]
    assert act.parameters["reason"] == "for the court"
    # To be looked at it needs no reason: nothing new is made.
    assert "every pixel is the same" in limner("reproduce", work)
