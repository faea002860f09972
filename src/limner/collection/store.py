"""A collection as it lies on the disk: its card, its rows, its stored pictures; checking and removing it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from limner.collection.rows import Row, did_you_mean, digest_of, read_manifest, select
from limner.errors import CollectionError, PictureError, UsageError
from limner.workspace import Workspace

CARD = "card.json"
MANIFEST = "manifest.parquet"
VERSION = 1
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
_SHIPPED = "paintings"
"""The collection that comes with limner."""
_WEBP_SIDE = 16383
_WEBP_PIXELS = 25_000_000


class Collection:
    """An immutable set of pictures with a rights row for each, named by the digest of its contents.

    Attributes:
        folder: where it lies: `card.json`, `manifest.parquet`, `pictures/`.
        card: what `card.json` says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = _read_card(folder)

    @classmethod
    def open(cls, reference: str | Path, workspace: Workspace) -> Collection:
        """Open a collection by its name in the workspace, or by its folder.

        Raises:
            CollectionError: there is none, or it is damaged.
        """
        named = workspace.collections / str(reference)
        if _NAME.match(str(reference)) and (named / CARD).is_file():
            return cls(named)
        folder = Path(reference).expanduser()
        if (folder / CARD).is_file():
            return cls(folder)
        if folder.is_dir() and not _NAME.match(str(reference)):
            remedy = f"import it: limner collection add {folder} --name NAME"
            raise CollectionError(folder, "is a folder, not a collection", remedy)
        remedy = _what_there_is(str(reference), workspace)
        raise CollectionError(f"collection {str(reference)!r}", "does not exist", remedy)

    @staticmethod
    def names(workspace: Workspace) -> list[str]:
        """The names of all collections of the workspace, sorted."""
        names = (card.parent.name for card in workspace.collections.glob(f"*/{CARD}"))
        return sorted(name for name in names if _NAME.match(name))

    @property
    def name(self) -> str:
        """What the person who imported it called it."""
        return str(self.card["name"])

    @property
    def digest(self) -> str:
        """sha256 over the sorted rows, hexadecimal."""
        return str(self.card["digest"])

    @property
    def holdout_digest(self) -> str:
        """sha256 over the sorted pixel hashes of the hold-out, hexadecimal."""
        return str(self.card["holdout_digest"])

    @cached_property
    def _rows(self) -> list[Row]:
        return read_manifest(self.folder / MANIFEST)

    def rows(self, where: Sequence[str] = (), split: str | None = None) -> list[Row]:
        """The rows, sorted by pixel_sha256, that meet every condition.

        Args:
            where: `column=value` or `column!=value` on labels and columns (title, creator, licence, ...); several `=`
                on one column are alternatives.
            split: `train`, `holdout`, or None for both.

        Raises:
            CollectionError: no such column or value, or nothing left; the manifest is damaged.
        """
        rows = select(self._rows, where)
        return rows if split is None else [row for row in rows if row.split == split]

    def picture_path(self, row: Row) -> Path:
        """The stored picture of `row`: 8-bit sRGB, upright, without transparency, lossless (WebP; PNG if huge)."""
        return stored_path(self.folder, row.pixel_sha256, row.width, row.height)

    def check(self, progress: Callable[[int, int], None] | None = None) -> list[str]:
        """Everything that is wrong with the collection, one line each; empty when it is whole.

        Re-derives the digest from the rows and the name of every stored picture from its pixels.
        """
        try:
            rows = self._rows
        except CollectionError as error:
            return [str(error)]
        wrong = []
        if digest_of(rows) != self.digest:
            wrong.append(f"{self.folder / MANIFEST}: rows do not give the card's digest")
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            for done, found in enumerate(threads.map(_check_picture, map(self.picture_path, rows), rows), 1):
                wrong += found
                if progress is not None:
                    progress(done, len(rows))
        return wrong + [f"{path}: belongs to no row" for path in sorted(stray_pictures(self.folder, rows))]

    def remove(self) -> None:
        """Remove the collection: first its name, then its files; killed in between, nothing of it is found again.

        Raises:
            CollectionError: it cannot be removed.
        """
        trash = self.folder.with_name(f".{self.folder.name}.removed")
        try:
            shutil.rmtree(trash, ignore_errors=True)
            self.folder.rename(trash)
            shutil.rmtree(trash)
        except OSError as error:
            reason = f"cannot be removed ({error.strerror})"
            raise CollectionError(self.folder, reason, "change its permissions") from error


def check_name(name: str) -> str:
    """`name` if a collection can be called so.

    Raises:
        UsageError: it cannot.
    """
    if not _NAME.match(name):
        remedy = "use up to 64 letters, digits, dots, dashes, underscores"
        raise UsageError(f"--name {name!r}", "is no name for a collection", remedy)
    return name


def stored_path(folder: Path, pixel_sha256: str, width: int, height: int) -> Path:
    """Where the picture with these pixels is stored in the collection at `folder`."""
    webp = max(width, height) <= _WEBP_SIDE and width * height <= _WEBP_PIXELS
    return folder / "pictures" / pixel_sha256[:2] / f"{pixel_sha256}.{'webp' if webp else 'png'}"


def stray_pictures(folder: Path, rows: Sequence[Row]) -> list[Path]:
    """Stored pictures in the collection at `folder` that belong to none of these rows."""
    known = {stored_path(folder, row.pixel_sha256, row.width, row.height) for row in rows}
    return [path for path in (folder / "pictures").rglob("*") if path.is_file() and path not in known]


def _check_picture(path: Path, row: Row) -> list[str]:
    from limner.collection.likeness import hash_pixels
    from limner.pictures import read

    try:
        pixels = read(path).pixels
    except PictureError as error:
        return [str(error)]
    return [] if hash_pixels(pixels) == row.pixel_sha256 else [f"{path}: other pixels than its name says"]


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    try:
        card = json.loads(path.read_text("utf-8"))
        version = card["version"]
        str(card["name"]), str(card["digest"]), str(card["holdout_digest"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CollectionError(path, "is damaged or missing", "import the collection again") from None
    if not isinstance(version, int) or version > VERSION:
        raise CollectionError(folder, f"was made by a later limner (version {version})", "update limner")
    return dict(card)


def _what_there_is(reference: str, workspace: Workspace) -> str:
    names = Collection.names(workspace)
    if reference == _SHIPPED:
        return f"it ships with limner: limner collection add {_SHIPPED}"
    if not names:
        return "make one: limner collection add FOLDER --name NAME"
    return did_you_mean(reference, names).strip() or f"there are: {', '.join(names[:12])}"
