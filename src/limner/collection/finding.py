"""Finding the pictures of a folder or of a table, and what tables say about them; nothing is decoded here."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from limner.collection.kinds import PICTURES, foreign_kind, is_system
from limner.collection.tables import ENDINGS, STYLEGAN, Entry, agreed, check_columns, merge, read_table
from limner.errors import CollectionError
from limner.pictures.plugins import NAMES, extra_formats
from limner.pictures.structure import sniff
from limner.text import composed, visible

_TABLES = ("rights", "metadata", "pictures", "labels")
"""Names of tables that are read, in this order."""
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers", ".ndjson", ".json")
_SIDECAR = ".xmp"
_SPLITS = {
    **dict.fromkeys(("train", "training", "trainset", "train_set"), "train"),
    **dict.fromkeys(("test", "testing", "val", "valid", "validation", "eval", "dev", "holdout", "hold-out"), "holdout"),
}
"""Sides of a split, by the names that folders have for them."""


@dataclass
class Found:
    """What lies in a source.

    Attributes:
        root: the folder that all pictures lie in.
        entries: pictures to read, by their path inside `root` with `/`, sorted; the path on the disk may have bytes
            that are no text, so it is kept apart in `paths`.
        paths: the path of each entry on the disk.
        sidecars: the XMP files beside a picture, by the picture's name.
        splits: `train` or `holdout` by name, for pictures in folders that are called so.
        tables: the tables that were read, inside `root` where they lie there, in the order in which they count.
        unread: what looks like a table or a sidecar, and was not read.
        refused: (file, kind, reason) of what is seen to be no picture without opening it.
        foreign: how many files there are of each kind that limner cannot read.
        system: how many files lie in folders of the system (recycle bins, thumbnails), by folder.
        others: how many files are no pictures and do not claim to be.
    """

    root: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    sidecars: dict[str, tuple[str, ...]] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    foreign: Counter[str] = field(default_factory=Counter)
    system: Counter[str] = field(default_factory=Counter)
    others: int = 0


def find(source: Path, rights_table: Path | None = None, columns: Mapping[str, str] | None = None) -> Found:
    """Find the pictures of `source`.

    In each folder the tables `rights`, `metadata`, `pictures` and `labels` are read, in this order, whatever the case
    of their names, and StyleGAN's dataset.json; rows that contradict one another hold the picture. Names of pictures
    match in any of Unicode's forms, and in another case where only one picture can be meant.

    Args:
        source: a folder, searched with all folders in it, links to folders not followed, folders of the system and
            names with a leading dot left out; or a table (.csv, .tsv, .jsonl, .parquet) beside its pictures.
        rights_table: a table whose rows go before what the folder's own tables say.
        columns: as in `read_table`.

    Raises:
        CollectionError: the source does not exist, or a table cannot be read.
    """
    seen: set[str] = set()
    if source.is_dir():
        found = Found(source)
        said = _from_folder(found, columns, seen)
    elif source.is_file() and source.suffix.lower() in ENDINGS:
        found = Found(source.parent, tables=[source.name])
        said = read_table(source, columns, seen)
        _beside(found, said)
    elif source.exists():
        raise CollectionError(source, "is neither a folder nor a table", f"give a folder, or {', '.join(ENDINGS)}")
    else:
        raise CollectionError(source, "does not exist", "check its name")
    entries = _by_picture(found, said)
    if rights_table is not None:
        found.tables.insert(0, str(rights_table))
        over = _by_picture(found, read_table(rights_table, columns, seen, str(rights_table)))
        entries |= {name: _settled(entry, entries.get(name)) for name, entry in over.items()}
    check_columns(columns or {}, seen)
    for name in entries:
        found.paths.setdefault(name, os.path.join(found.root, name))  # noqa: PTH118 (a Path would clean `..` away)
    found.splits, apart = _kept_apart(found.paths)
    for name in sorted(found.paths):
        entry = entries.get(name) or Entry(name)
        found.entries[name] = entry if entry.labels else replace(entry, labels=_folder_label(name, apart))
    return found


def _kept_apart(names: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """The split that folders called train, test, val and the like make, by name, and these folders.

    A folder of such a name alone says nothing (steam trains are trained on, too): only where one to train on stands
    beside one to hold out, in the same folder, are they a split.
    """
    sides: dict[str, dict[str, str]] = {}  # parent: folder's path: side
    for folder in {folder for name in names for folder in _folders_of(name)}:
        parent, _, own = folder.rpartition("/")
        if side := _SPLITS.get(own.casefold()):
            sides.setdefault(parent, {})[folder] = side
    apart = {
        folder: side for beside in sides.values() if len({*beside.values()}) == 2 for folder, side in beside.items()
    }
    outermost = {name: next((folder for folder in _folders_of(name) if folder in apart), "") for name in names}
    return {name: apart[folder] for name, folder in outermost.items() if folder}, {*apart}


def _folder_label(name: str, apart: set[str]) -> dict[str, str]:
    """The label `folder` of a picture of which no table has labels: where it lies, without the folders of a split."""
    parts = [folder.rpartition("/")[2] for folder in _folders_of(name) if folder not in apart]
    return {"folder": composed("/".join(parts))} if parts else {}


def _folders_of(name: str) -> list[str]:
    """The paths of the folders that a picture lies in, outermost first."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


class _Names:
    """The names of the pictures that there are: names differ by Unicode's forms and by case between systems."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = set(names)
        self._composed: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        for name in sorted(self._exact):
            self._composed.setdefault(composed(name), []).append(name)
            self._folded.setdefault(composed(composed(name).casefold()), []).append(name)

    def meant(self, said: str) -> list[str]:
        """The pictures that `said` may mean: one where that is clear, none, or several that it could be.

        An exact name wins over one in another form of Unicode, and that over one in another case.
        """
        if said in self._exact:
            return [said]
        form = composed(said)
        return self._composed.get(form) or self._folded.get(composed(form.casefold()), [])


def _settled(over: Entry, under: Entry | None) -> Entry:
    """A table that goes before the folder's own settles what these contradict one another about."""
    if under is None:
        return over
    about = [f"disagree on the {what}" for what in ("creator", "licence") if getattr(over.stated, what)]
    left = tuple(reason for reason in under.held if not any(words in reason for words in about))
    return merge(over, replace(under, held=left))


def _by_picture(found: Found, said: Sequence[Entry]) -> dict[str, Entry]:
    """What tables say, by the picture that each row means; an ambiguous row is refused, and holds the pictures."""
    names = _Names(found.paths)
    rows: dict[str, list[Entry]] = {}
    doubtful: dict[str, str] = {}
    for entry in said:
        meant = names.meant(entry.file) or [entry.file]
        if len(meant) > 1:
            reason = f"the row may mean {' or '.join(meant)[:200]}"
            found.refused.append((entry.file, "ambiguous", f"{reason}; name it exactly in {entry.origin}"))
            doubtful |= dict.fromkeys(meant, f"a row of {entry.origin} may mean it: {entry.file[:100]}")
        else:
            rows.setdefault(meant[0], []).append(replace(entry, file=meant[0]))
    entries = {name: agreed(said_of_it) for name, said_of_it in rows.items()}
    for name, reason in doubtful.items():
        entry = entries.get(name) or Entry(name)
        entries[name] = replace(entry, held=(*entry.held, reason))
    return entries


def _from_folder(found: Found, columns: Mapping[str, str] | None, seen: set[str]) -> list[Entry]:
    said: list[Entry] = []
    for folder, _, files in _walk(found):
        inside = os.path.relpath(folder, found.root)
        prefix = "" if inside == "." else _name(inside) + "/"
        tables = _tables_of(files)
        for table in tables:
            found.tables.append(prefix + table)
            for entry in read_table(Path(folder, table), columns, seen, prefix + table):
                said.append(replace(entry, file=str(PurePosixPath(prefix + entry.file))))
        _take_all(found, folder, prefix, [file for file in files if file not in tables])
    return said


def _walk(found: Found) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, files in os.walk(found.root):
        kept = []
        for name in sorted(folders):
            path = Path(folder, name)
            inside = _name(os.path.relpath(path, found.root))
            if linked := path.is_symlink():
                found.refused.append((inside, "not-a-file", "is a link to a folder, which is not followed"))
            if is_system(name):
                found.system[_name(name)] += sum(len(within) for _, _, within in os.walk(path))
            elif not linked:
                kept.append(name)
                if path.suffix.lower() in PICTURES:
                    found.refused.append((inside, "not-a-file", "is a folder with the name of a picture"))
        folders[:] = kept
        yield folder, folders, sorted(name for name in files if not is_system(name))


def _tables_of(files: Sequence[str]) -> list[str]:
    """The tables among the files of one folder, in the order in which they count."""
    names = [*(stem + ending for stem in _TABLES for ending in ENDINGS), STYLEGAN]
    return [file for name in names for file in files if file.lower() == name]


def _take_all(found: Found, folder: str, prefix: str, files: Sequence[str]) -> None:
    """Sort the files of one folder: pictures, sidecars, tables of other names, what cannot be read, the rest."""
    taken: list[str] = []
    sidecars: list[str] = []
    for file in files:
        path, ending = f"{folder}/{file}", Path(file).suffix.lower()
        kind = foreign_kind(file)
        if ending == _SIDECAR:
            sidecars.append(file)
        elif ending in ENDINGS or (ending in _SPREADSHEETS and Path(file).stem.lower() in _TABLES):
            found.unread.append(prefix + _name(file))
        elif ending in PICTURES or (not kind and _promises_picture(path)) or (kind and _read_by_plugin(kind)):
            found.paths[prefix + _name(file)] = path
            taken.append(file)
        elif kind:
            found.foreign[kind] += 1
        else:
            found.others += 1
    for sidecar in sidecars:
        owners = [file for file in taken if _is_sidecar(sidecar, file)]
        for file in owners:
            name = prefix + _name(file)
            found.sidecars[name] = (*found.sidecars.get(name, ()), f"{folder}/{sidecar}")
        if not owners:
            found.unread.append(prefix + _name(sidecar))


def _beside(found: Found, said: Sequence[Entry]) -> None:
    """The pictures that a table names, with their sidecars, where the table itself is the source."""
    folders: dict[str, list[str]] = {}
    for entry in said:
        folders.setdefault(entry.file.rpartition("/")[0], [])
    for inside in folders:
        folder = Path(found.root, inside)
        try:
            files = sorted(path.name for path in folder.iterdir() if not is_system(path.name))
        except OSError:
            continue
        prefix = f"{inside}/" if inside else ""
        known = _Names(_name(file) for file in files)
        wanted = {
            name for e in said if e.file.rpartition("/")[0] == inside for name in known.meant(e.file[len(prefix) :])
        }
        apart = Found(found.root)
        _take_all(apart, str(folder), prefix, [f for f in files if _name(f) in wanted or f.lower().endswith(_SIDECAR)])
        found.paths |= apart.paths
        found.sidecars |= apart.sidecars


def _is_sidecar(sidecar: str, file: str) -> bool:
    """Whether `a.xmp` or `a.jpg.xmp` belongs to `a.jpg`, in any case."""
    stem = _Names([sidecar[: -len(_SIDECAR)]])
    return bool(stem.meant(file) or stem.meant(Path(file).stem))


def _read_by_plugin(kind: str) -> bool:
    """Whether files of this kind can be read here by a plug-in."""
    return kind in NAMES.values() and kind in {NAMES[name] for name in extra_formats()}


def _promises_picture(path: str) -> bool:
    """Whether a regular file begins like a picture, whatever its name says."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        with open(path, "rb") as file:  # noqa: PTH123 (called for every file of a folder)
            return sniff(file.read(64)) is not None
    except OSError:
        return False


def _name(path: str) -> str:
    """A path as text: `/` between folders, bytes that are no text and control characters written out."""
    return visible(path.replace(os.sep, "/").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
