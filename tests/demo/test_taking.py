from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from limner.demo.planning import Plan
from limner.demo.taking import take
from limner.errors import CollectionError, RightsError
from limner.workspace import Workspace
from pictures_made import made_folder, made_picture


def plan(pictures: Path, **told: str) -> Plan:
    return Plan(pictures.parent / "demo", 1, (32, 32), pictures=pictures, **told)  # type: ignore[arg-type]


def bare(folder: Path, count: int) -> Path:
    """Pictures without a table."""
    folder.mkdir()
    for number in range(count):
        Image.fromarray(made_picture(number)).save(folder / f"{number}.png")
    return folder


def nothing(done: int, total: int) -> None:
    return


def test_held_pictures_stop_the_demo_and_the_options_that_release_them_are_named(
    tmp_path: Path, workspace: Workspace
) -> None:
    folder = bare(tmp_path / "Ada's drawings", 10)
    with pytest.raises(RightsError, match=r"10 of 10 pictures in .*Ada's drawings: are held back") as caught:
        take(plan(folder), workspace, nothing)
    assert "--creator" in caught.value.remedy and "--licence" in caught.value.remedy
    with pytest.raises(RightsError) as caught:
        take(plan(folder, creator="Ada Example"), workspace, nothing)
    assert "--creator" not in caught.value.remedy and "--licence CC-BY-4.0" in caught.value.remedy

    collection, rows = take(plan(folder, creator="Ada Example", licence="CC0-1.0"), workspace, nothing)
    assert collection.name == "Ada-s-drawings"
    assert {(row.creator, row.licence) for row in rows} == {("Ada Example", "CC0-1.0")}


def test_an_opt_out_is_not_released_by_naming_a_creator(tmp_path: Path, workspace: Workspace) -> None:
    folder = bare(tmp_path / "drawings", 10)
    (folder / "ai.txt").write_text("User-Agent: *\nDisallow: /\n")
    with pytest.raises(RightsError, match=r"take them out, or see .*--consent") as caught:
        take(plan(folder, creator="Ada Example", licence="CC0-1.0"), workspace, nothing)
    assert "--creator" not in caught.value.remedy


def test_too_few_pictures_and_conditions_of_the_folders_own_table(tmp_path: Path, workspace: Workspace) -> None:
    folder = made_folder(tmp_path / "few", 5).parent
    with pytest.raises(CollectionError, match=r"few: has 5 pictures that differ: too few .* give 8 or more"):
        take(plan(folder), workspace, nothing)
    folder = made_folder(tmp_path / "many", 24).parent
    chosen = Plan(tmp_path / "demo", 1, (32, 32), ("kind=matt",), pictures=folder)
    assert {row.labels["kind"] for row in take(chosen, workspace, nothing)[1]} == {"matt"}
    made_folder(folder, 30)
    assert len(take(plan(folder), workspace, nothing)[1]) == 30, "pictures that were added are taken the next time"
