"""Finding the pictures of a folder or of a table, and what tables say about them; nothing is decoded here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from limner.collection.tables import ENDINGS, Entry, check_columns, merge, read_table
from limner.errors import CollectionError
from limner.pictures.structure import sniff
from limner.pictures.text import visible
from limner.rights import Stated

__all__ = ["Found", "find"]

_TABLES = ("metadata", "pictures", "labels", "rights")
_PICTURES = frozenset(
    (".avif", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
)


@dataclass
class Found:
    """What lies in a source.

    Attributes:
        root: the folder that all pictures lie in.
        entries: pictures to read, by their path inside `root` with `/`, sorted; the path on the disk may have bytes
            that are no text, so it is kept apart in `paths`.
        paths: the path of each entry on the disk.
        tables: the tables that were read, inside `root` where they lie there.
        refused: (file, kind, reason) of what is seen to be no picture without opening it.
        others: how many files are no pictures and do not claim to be.
    """

    root: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    others: int = 0


def find(source: Path, rights_table: Path | None = None, columns: Mapping[str, str] | None = None) -> Found:
    """Find the pictures of `source`.

    Args:
        source: a folder, searched with all folders in it, links to folders not followed, names with a leading dot
            left out; or a table (.csv, .tsv, .jsonl, .parquet) beside its pictures.
        rights_table: a table whose rows go before what the folder's own tables say.
        columns: as in `read_table`.

    Raises:
        CollectionError: the source does not exist, or a table cannot be read.
    """
    seen: set[str] = set()
    if source.is_dir():
        found = Found(source)
        told = _from_folder(found, columns, seen)
    elif source.is_file() and source.suffix.lower() in ENDINGS:
        found = Found(source.parent, tables=[source.name])
        told = {entry.file: entry for entry in read_table(source, columns, seen)}
    elif source.exists():
        raise CollectionError(source, "is neither a folder nor a table", f"give a folder, or {', '.join(ENDINGS)}")
    else:
        raise CollectionError(source, "does not exist", "check its name")
    if rights_table is not None:
        found.tables.append(str(rights_table))
        over = {entry.file: entry for entry in read_table(rights_table, columns, seen)}
        told = {name: merge(over[name], told.get(name)) if name in over else told[name] for name in {*told, *over}}
    check_columns(columns or {}, seen)
    for name in told:
        found.paths.setdefault(name, os.path.join(found.root, name))  # noqa: PTH118 (a Path would clean `..` away)
    names, nothing = sorted(found.paths), Stated()
    found.entries = {name: told.get(name) or Entry(name, nothing, _folder_label(name)) for name in names}
    return found


def _folder_label(name: str) -> dict[str, str]:
    folder = name.rpartition("/")[0]
    return {"folder": folder} if folder else {}


def _from_folder(found: Found, columns: Mapping[str, str] | None, seen: set[str]) -> dict[str, Entry]:
    told: dict[str, Entry] = {}
    for folder, _, files in _walk(found):
        inside = os.path.relpath(folder, found.root)
        prefix = "" if inside == "." else _name(inside) + "/"
        table = _table_of(files, is_root=not prefix)
        if table:
            found.tables.append(prefix + table)
            for entry in read_table(Path(folder, table), columns, seen):
                told.setdefault(prefix + entry.file, Entry(prefix + entry.file, entry.stated, entry.labels))
        for file in files:
            if file != table:
                _take(found, folder, prefix, file)
    return told


def _walk(found: Found) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, files in os.walk(found.root):
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        for name in linked:
            inside = _name(os.path.relpath(Path(folder, name), found.root))
            found.refused.append((inside, "not-a-file", "is a link to a folder, which is not followed"))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in linked)
        for name in folders:
            if Path(name).suffix.lower() in _PICTURES:
                inside = _name(os.path.relpath(Path(folder, name), found.root))
                found.refused.append((inside, "not-a-file", "is a folder with the name of a picture"))
        yield folder, folders, sorted(name for name in files if not name.startswith("."))


def _table_of(files: list[str], is_root: bool) -> str | None:
    stems = _TABLES if is_root else _TABLES[:1]  # Hugging Face's imagefolder has a metadata table in any folder
    present = set(files)
    return next((stem + end for stem in stems for end in ENDINGS if stem + end in present), None)


def _take(found: Found, folder: str, prefix: str, file: str) -> None:
    path = f"{folder}/{file}"
    if Path(file).suffix.lower() in _PICTURES or _promises_picture(path):
        name = prefix + _name(file)
        found.paths[name] = path
    else:
        found.others += 1


def _promises_picture(path: str) -> bool:
    """Whether a regular file begins like a picture, whatever its name says."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        with open(path, "rb") as file:  # noqa: PTH123 (called for every file of a folder)
            return sniff(file.read(16)) is not None
    except OSError:
        return False


def _name(path: str) -> str:
    """A path as text: `/` between folders, bytes that are no text and control characters written out."""
    return visible(path.replace(os.sep, "/").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
