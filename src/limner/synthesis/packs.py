"""Packs: exemplars that travel with a model, each with its rights, in one file.

A zip whose entries are stored as they are: `pack.json` and the pictures. It comes from outside like any other file: it
is read entry by entry, nothing is unpacked onto the disk, and what does not fit its description is refused.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from limner import pictures
from limner.collection.importing import Progress
from limner.errors import PictureError, UsageError
from limner.synthesis.exemplars import THUMBNAIL, Exemplar, Exemplars
from limner.synthesis.resampling import fitted
from limner.workspace import Workspace, replace_file

SUFFIX = ".exemplars.zip"
NOTE = "pack.json"
MOST = 20_000
"""Pictures of a pack."""
_LARGEST_NOTE, _LARGEST_PICTURE = 32 << 20, 16 << 20
_REMEDY = "get the pack anew, or make one with `limner model pack`"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackRow(_Frozen):
    """One picture of a pack, and its rights."""

    file: str = Field(pattern=r"^pictures/[0-9]{5}\.(avif|webp)$")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    """sha256 of the pixels of the picture that it was made from, as its collection names it."""
    title: str = ""
    creator: str = ""
    licence: str = ""
    source: str = ""
    credit: str = ""
    """The words by which its rights holder wants to be credited; empty for the usual ones."""
    label: str = ""
    """The label that the model knows it by, where it was taught labels."""
    height: int = Field(ge=8, le=8192)
    width: int = Field(ge=8, le=8192)
    """Of the picture in the pack, px."""


class PackNote(_Frozen):
    """What a pack says of itself."""

    format: Literal["limner exemplars 1"] = "limner exemplars 1"
    collection: str
    """Digest of the collection that the pictures are from: a model that learned from it may be finished from them."""
    name: str
    """What that collection was called."""
    of: int = Field(ge=1)
    """How many pictures the model learned from."""
    accepted: str = ""
    """Why pictures with terms that only a person can read are among them."""
    rows: tuple[PackRow, ...] = Field(min_length=1, max_length=MOST)


class Pack:
    """A pack that was opened: its note was read, its pictures are read when they are needed."""

    def __init__(self, path: Path, note: PackNote) -> None:
        self.path, self.note = path, note
        self._lock = Lock()

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        # Opened once: its list of entries is long.
        return zipfile.ZipFile(self.path)

    def exemplars(self, workspace: Workspace, label: str | None = None, progress: Progress | None = None) -> Exemplars:
        """Its pictures, or those of a label.

        Raises:
            UsageError: none has this label, or one does not fit its description.
        """
        rows = [row for row in self.note.rows if not label or row.label == label]
        items = [Exemplar(**row.model_dump(exclude={"file", "label"})) for row in rows]
        sha = hashlib.sha256(self.path.read_bytes()).hexdigest()
        key = hashlib.sha256(f"{sha} {label or ''}".encode()).hexdigest()
        kept = workspace.make(workspace.root / "cache" / "packs") / f"{key[:32]}.npz"
        if not kept.is_file():
            self._keep_thumbnails(rows, kept, progress)
        thumbnails = np.load(kept, allow_pickle=False)
        return Exemplars(items, lambda k: self._picture(rows[k]), lambda k: thumbnails[rows[k].file], sha)

    def _keep_thumbnails(self, rows: Sequence[PackRow], to: Path, progress: Progress | None) -> None:
        found = {}
        for number, row in enumerate(rows, start=1):
            found[row.file] = fitted(self._picture(row), THUMBNAIL)
            if progress:
                progress(number, len(rows))
        with replace_file(to, sync=False) as part, part.open("wb") as file:
            np.savez(file, **found)  # type: ignore[arg-type]

    def data(self, row: PackRow) -> bytes:
        """The file of one of its pictures, as it is stored.

        Raises:
            UsageError: it is missing or damaged.
        """
        with self._lock:
            return _entry(self._archive, row.file, _LARGEST_PICTURE, self.path)

    def _picture(self, row: PackRow) -> NDArray[np.uint8]:
        data = self.data(row)
        try:
            pixels = pictures.decode(data, row.file).pixels
        except PictureError as error:
            raise UsageError(self.path, f"holds no picture as {row.file} ({error.reason})", _REMEDY) from None
        if pixels.shape[:2] != (row.height, row.width):
            raise UsageError(self.path, f"holds another picture than it says as {row.file}", _REMEDY)
        return pixels


def open_pack(path: Path) -> Pack:
    """A pack, its note read and checked.

    Raises:
        UsageError: it is none, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            note = PackNote.model_validate_json(_entry(archive, NOTE, _LARGEST_NOTE, path))
    except (OSError, zipfile.BadZipFile, ValidationError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise UsageError(path, f"is no pack of exemplars ({first})", _REMEDY) from None
    return Pack(path, note)


def _entry(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise UsageError(path, f"lacks {name}", _REMEDY) from None
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > most or info.file_size != info.compress_size:
        raise UsageError(path, f"holds {name} in another way than limner writes it", _REMEDY)
    try:
        return archive.read(info)
    except zipfile.BadZipFile:
        raise UsageError(path, f"is damaged at {name}", _REMEDY) from None
