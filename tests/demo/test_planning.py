from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from limner.demo.planning import Plan, plan_own, plan_paintings
from limner.errors import LimnerError, UsageError
from shipped_made import ship


def own(tmp_path: Path, pictures: Path, **told: Any) -> Plan:
    asked = {"minutes": None, "size": None, "where": (), "creator": "", "licence": "", **told}
    return plan_own(tmp_path / "demo", pictures, **asked)


def drawings(tmp_path: Path) -> Path:
    folder = tmp_path / "drawings"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    return folder


def names(plan: Plan) -> list[tuple[str, bool]]:
    return [(opener.path.stem, opener.by_label) for opener in plan.opening]


def test_of_each_kind_one_model_opens_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(tmp_path / "shipped", monkeypatch, "landscapes", "emoji-vae", "emoji-gan")
    plan = plan_paintings(tmp_path, minutes=None, size=None, where=())
    assert names(plan) == [("landscapes", False), ("emoji-gan", True)]
    assert (plan.minutes, plan.size, plan.where, plan.parent) == (2, (64, 96), ("kind=landscape",), None)


def test_without_shipped_models_there_is_no_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(tmp_path / "shipped", monkeypatch)
    assert plan_paintings(tmp_path, minutes=None, size=None, where=()).opening == ()
    plan = own(tmp_path, drawings(tmp_path))
    assert plan.parent is None and plan.opening == () and "starts from nothing" in plan.aside


def test_own_pictures_go_on_from_the_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ship(tmp_path / "shipped", monkeypatch, "landscapes", "emoji-gan")
    pictures = drawings(tmp_path)
    plan = own(tmp_path, pictures, licence="cc by 4.0", creator=" Ada Example ")
    assert plan.parent == folder / "landscapes.safetensors"
    assert (plan.minutes, plan.size, plan.where, plan.aside) == (5, (32, 32), (), "")
    assert (plan.creator, plan.licence) == ("Ada Example", "CC-BY-4.0")
    assert names(plan) == [("landscapes", False)]
    assert own(tmp_path, pictures, size=(32, 32)).parent == plan.parent

    other = own(tmp_path, pictures, size=(64, 96))
    assert other.parent is None and other.size == (64, 96)
    assert other.aside == "--size 96x64: landscapes paints 32x32, so the training starts from nothing"
    assert names(other) == [("landscapes", False), ("emoji-gan", True)]


def test_what_is_wrong_with_a_folder_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.png").write_bytes(b"x")
    for name, words in (("gone", "there is no such folder"), ("empty", "is empty"), ("a.png", "is a file")):
        with pytest.raises(UsageError, match=words):
            own(tmp_path, tmp_path / name)
    with pytest.raises(LimnerError, match="is no SPDX expression"):
        own(tmp_path, drawings(tmp_path), licence="mine, all mine")


def test_the_demo_never_takes_its_own_pictures_for_yours(tmp_path: Path) -> None:
    pictures = drawings(tmp_path)
    told = {"minutes": None, "size": None, "where": (), "creator": "", "licence": ""}
    for folder in (pictures, pictures / "demo", tmp_path):
        with pytest.raises(UsageError, match=r"take its own pictures for yours.*--to"):
            plan_own(folder, pictures, **told)  # type: ignore[arg-type]
