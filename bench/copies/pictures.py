"""Who is learned from and who is honest: pictures of two kinds dealt by a seed into a collection and outsiders."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.places import WORK
from limner import pictures
from limner.collection import Collection, Row, import_collection
from limner.workspace import Workspace, replace_folder

__all__ = ["PLACE", "SETS", "Dealt", "Outsider", "copies_workspace", "dealt"]

Pixels = NDArray[np.uint8]
PLACE = WORK / "copies"
SETS = "paintings", "emoji"
_SEED = 20261130
_PAINTINGS = 300
"""Of 484 paintings so many are imported; the others, often by the same hands, are outsiders."""
_CONCEPTS = 0.75
"""Of the emoji's concepts so many are imported, each in all four styles."""
_MARKS = {"200d", "fe0f", "2640", "2642", "27a1", "1f9b0", "1f9b1", "1f9b2", "1f9b3", *(f"1f3f{c}" for c in "bcdef")}
"""Code points of joiners, gender, direction, hair and tone of skin: they make no other concept."""
_PERSONS = {"1f468", "1f469", "1f9d1"}


@dataclass(frozen=True)
class Outsider:
    """A picture that is in no part of the collection.

    Attributes:
        family: pictures of the same concept, or of one painting; they are counted on one side.
        series: those of a family that one hand drew, in all tones of skin: what one shares, all share.
    """

    path: Path
    title: str
    family: str
    series: str

    def read(self) -> Pixels:
        """Its pixels. # uint8 [h, w, 3]"""
        return pictures.read(self.path).pixels


@dataclass(frozen=True)
class Dealt:
    """One kind of pictures, dealt.

    Attributes:
        training: rows of the collection that a model learns from.
    """

    name: str
    collection: Collection
    training: list[Row]
    outsiders: list[Outsider]

    def read(self, row: Row) -> Pixels:
        """Pixels of a picture of the collection. # uint8 [h, w, 3]"""
        return pictures.read(self.collection.picture_path(row)).pixels


def copies_workspace() -> Workspace:
    """limner's workspace of this bench."""
    return Workspace(PLACE / "home")


def dealt(name: str, data: Path) -> Dealt:
    """Deal, and import what is learned from where that is not done.

    Args:
        name: one of `SETS`.
        data: folder of `paintings-large`, `emoji-styles` and `emoji-people`.
    """
    folder = PLACE / f"{name}-files"
    table, outsiders = _paintings(data) if name == "paintings" else _emoji(data)
    workspace = copies_workspace()
    workspace.make(workspace.root)
    if name not in Collection.names(workspace):
        if not folder.is_dir():
            _laid_out(table, folder)
        # Emoji: a concept is learned from in all of its styles, or in none.
        more = {"columns": {"creator": "style"}, "together": "family"} if name == "emoji" else {}
        import_collection(folder / "pictures.csv", name, workspace, **more)  # type: ignore[arg-type]
    collection = Collection.open(name, workspace)
    training = [row for row in collection.rows(split="train") if not row.held]
    return Dealt(name, collection, training, outsiders)


def _laid_out(rows: Sequence[dict[str, str]], folder: Path) -> None:
    """A folder of these files, with their table. `path` says where a file lies."""
    with replace_folder(folder) as part:
        for row in rows:
            place = part / row["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(row["path"], place)
        with (part / "pictures.csv").open("w", newline="") as file:
            names = [name for name in rows[0] if name != "path"]
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def _read(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return [row | {"path": str(table.parent / row["file"])} for row in csv.DictReader(file)]


def _paintings(data: Path) -> tuple[list[dict[str, str]], list[Outsider]]:
    rows = sorted(_read(data / "paintings-large" / "pictures.csv"), key=lambda row: row["file"])
    order = np.random.default_rng(_SEED).permutation(len(rows))
    taken = [rows[i] for i in sorted(order[:_PAINTINGS])]
    left = [rows[i] for i in sorted(order[_PAINTINGS:])]
    return taken, [_outsider(row, row["creator"], row["file"]) for row in left]


def _emoji(data: Path) -> tuple[list[dict[str, str]], list[Outsider]]:
    rows = [row | {"family": family_of(row["codepoints"])} for row in _read(data / "emoji-styles" / "labels.csv")]
    people = [row | {"family": family_of(row["codepoints"])} for row in _read(data / "emoji-people" / "labels.csv")]
    families = sorted({row["family"] for row in rows})
    mixed = np.random.default_rng(_SEED).permutation(len(families))
    taken = {families[i] for i in mixed[: round(_CONCEPTS * len(families))]}
    known = {(row["codepoints"], row["style"]) for row in rows}
    left = [row for row in rows if row["family"] not in taken]
    left += [r for r in people if r["family"] not in taken and (r["codepoints"], r["style"]) not in known]
    outsiders = [_outsider(row, row["style"], row["family"]) for row in left]
    return [row for row in rows if row["family"] in taken], outsiders


def _outsider(row: dict[str, str], hand: str, family: str) -> Outsider:
    return Outsider(Path(row["path"]), f"{row['title']}, {hand}", family, f"{family}, {hand}")


def family_of(codepoints: str) -> str:
    """What a sequence of code points shows, without tone, gender, hair and direction: `1f3c3` for every runner."""
    parts = [part for part in codepoints.lower().split("-") if part not in _MARKS]
    return "-".join("1f9d1" if part in _PERSONS else part for part in parts)
