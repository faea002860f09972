"""Evolving: what a generation holds, that it can be had again, and that a killed run leaves the old state."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from limner import pictures
from limner.errors import UsageError
from limner.latent.breeding import breed
from limner.latent.contact import draw_contact
from limner.latent.latents import latent_digest
from limner.models.painter import Latent
from limner.works import evolution as module
from limner.works.evolution import Evolution
from limner.works.origins import Origins
from limner.workspace import Workspace
from models_made import made_model


@pytest.fixture
def origins(workspace: Workspace) -> Origins:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    return Origins(workspace, "m", precision="fp32")


def digests(evolution: Evolution) -> list[str]:
    return [one.latent for one in evolution.now.members]


def test_kept_ones_stay_and_children_know_their_parents(origins: Origins) -> None:
    evolution = Evolution.begin(origins, "e", count=8, seed=3)
    before = digests(evolution)
    assert before[2] == latent_digest(origins.pipeline.sample(8, seed=3), 2)
    evolution.keep([2, 5])
    after = evolution.now.members
    assert [one.latent for one in after[:2]] == [before[1], before[4]]
    assert [one.kept for one in after] == [True] * 2 + [False] * 6
    assert all(set(one.parents) == {before[1], before[4]} for one in after[2:])
    assert len({one.latent for one in after}) == 8
    sheet = pictures.read(evolution.sheet).pixels
    assert sheet.shape[1] > 3 * 192


def test_the_same_choices_give_the_same_pictures(origins: Origins) -> None:
    told = []
    for name in ("one", "two", "three"):
        evolution = Evolution.begin(origins, name, count=6, seed=3)
        evolution.keep([1, 4], mutation=0.5)
        if name == "two":
            evolution.back()
            evolution.keep([1, 4], mutation=0.5)
        evolution.keep([3], seed=9 if name == "three" else None)
        told.append(digests(Evolution(origins, name)))
    assert told[0] == told[1]
    assert told[0][0] == told[2][0]
    assert not set(told[0][1:]) & set(told[2][1:])


def test_back_and_on_again(origins: Origins) -> None:
    evolution = Evolution.begin(origins, "e", count=4)
    first = digests(evolution)
    with pytest.raises(UsageError, match="no generation before"):
        evolution.back()
    evolution.keep([1])
    lost = evolution.sheet
    evolution.back()
    assert digests(Evolution(origins, "e")) == first
    evolution.keep([2])
    assert lost.is_file()
    assert evolution.sheet != lost
    assert evolution.now.depth == 1
    acts = [(act.who, act.what) for act in origins.ledger.acts()]
    generation = [("artist", "keep"), ("algorithm", "evolve")]
    assert acts == [("algorithm", "evolve"), *generation, ("artist", "go back"), *generation]
    kept = [act.parameters["kept"] for act in origins.ledger.acts(what="keep")]
    assert kept == [[1], [2]]


@pytest.mark.parametrize("at", ["replace_folder", "replace_file"])
def test_a_killed_run_leaves_the_old_state(at: str, origins: Origins, monkeypatch: pytest.MonkeyPatch) -> None:
    evolution = Evolution.begin(origins, "e", count=4)
    before = digests(evolution)

    def killed(path: Path, **_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, at, killed)
        evolution.keep([1])
    again = Evolution(origins, "e")
    assert digests(again) == before
    again.keep([1])
    assert again.now.depth == 1


def test_what_cannot_be_asked_for_changes_nothing(origins: Origins) -> None:
    evolution = Evolution.begin(origins, "e", count=4)
    before = digests(evolution)
    start = [origins.find(f"3:{i}") for i in range(2)]
    asked: list[tuple[str, Callable[[], object]]] = [
        ("number 5: is not on the sheet; give 1 to 4", lambda: evolution.keep([1, 5])),
        ("number 0: is not on the sheet", lambda: evolution.keep([0])),
        ("leave no room", lambda: evolution.keep([1, 2, 3, 4])),
        ("leave no room", lambda: evolution.keep([])),
        ("--mutation 1.1: is out of range", lambda: evolution.keep([1, 2], mutation=1.1)),
        ("--mutation nan: is out of range", lambda: evolution.keep([1, 2], mutation=float("nan"))),
        ("no other child", lambda: evolution.keep([2, 2], mutation=0)),
        ("--seed -1: is out of range", lambda: evolution.keep([1], seed=-1)),
        ("--seed -1: is out of range", lambda: Evolution.begin(origins, "b", seed=-1)),
        ("--count 1: is out of range", lambda: Evolution.begin(origins, "b", count=1)),
        ("--count 61: is out of range", lambda: Evolution.begin(origins, "b", count=61)),
        ("leave no room", lambda: Evolution.begin(origins, "b", count=2, start=start)),
    ]
    for told, act in asked:
        with pytest.raises(UsageError) as caught:
            act()
        assert told in str(caught.value)
    assert digests(Evolution(origins, "e")) == before
    assert len(origins.ledger.acts()) == 1
    assert not (evolution.sheet.parents[1].parent / "b").exists()


def test_what_is_damaged_is_said(origins: Origins) -> None:
    folder = Evolution.begin(origins, "e", count=4).sheet.parent
    state = folder.parent / "state.json"
    for text in (
        "",
        "[]",
        '{"format": 2}',
        "[" * 100_000,
        json.dumps({"model": "x", "now": -1, "last": 0, "format": 1}),
    ):
        kept = state.read_text()
        state.write_text(text)
        with pytest.raises(UsageError, match="damaged") as caught:
            Evolution(origins, "e")
        assert "\n" not in str(caught.value)
        state.write_text(kept)
    told = json.loads((folder / "generation.json").read_text())
    told["members"][0]["latent"] = "sha256:" + "0" * 64
    (folder / "generation.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match="other latents"):
        Evolution(origins, "e")


def test_no_mutation_is_crossing_alone_and_all_of_it_is_a_drawn_picture(origins: Origins) -> None:
    pipeline = origins.pipeline
    drawn = pipeline.sample(2, seed=1)
    parents = [Latent(drawn.content[i : i + 1], drawn.style[i : i + 1]) for i in range(2)]
    children, pairs = breed(pipeline, parents, 6, mutation=0.0, chances="x")
    assert {frozenset(pair) for pair in pairs} == {frozenset((0, 1))}
    for i in range(6):
        for block in range(children.style.shape[1]):
            own = children.style[i, block]
            assert any(torch.equal(own, one.style[0, block]) for one in parents)
    one, _ = breed(pipeline, parents[:1], 3, mutation=1.0, chances="x")
    other, _ = breed(pipeline, parents[1:], 3, mutation=1.0, chances="x")
    assert torch.allclose(one.content, other.content, atol=1e-5)
    near, _ = breed(pipeline, parents[:1], 3, mutation=0.1, chances="x")
    assert (near.content - parents[0].content).norm() < 0.5 * (one.content - parents[0].content).norm()


def test_a_sheet_marks_what_was_kept() -> None:
    shown = np.full((5, 32, 48, 3), 255, np.uint8)
    plain, marked = (draw_contact(shown, [kept, *[False] * 4], "title") for kept in (False, True))
    assert plain.shape == marked.shape
    changed = np.argwhere((plain != marked).any(2))
    # Only around the first picture: its frame reaches 5 px out, its number lies below.
    assert changed[:, 1].max() < 24 + 192 + 12
    assert (marked < 128).all(2).sum() > (plain < 128).all(2).sum() + 1000
