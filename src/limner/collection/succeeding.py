"""The next version of a collection: the same pictures but some, in a collection that names the former one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from limner import __version__
from limner.collection.rows import Row, digest_of, holdout_digest_of, write_manifest
from limner.collection.store import CARD, MANIFEST, Collection, stored_path
from limner.errors import CollectionError
from limner.rights import summary
from limner.workspace import Workspace, clear_parts, replace_file, sync_folder

_NUMBER = re.compile(r"^(.+)-([1-9][0-9]{0,3})$")
_LONGEST = 64


def opened_collections(workspace: Workspace) -> Iterator[Collection]:
    """The collections of a workspace, by name; what is damaged is passed over."""
    for name in Collection.names(workspace):
        with contextlib.suppress(CollectionError):
            yield Collection.open(name, workspace)


def latest_version(collection: Collection, workspace: Workspace) -> Collection:
    """The last of the versions that were made of a collection, one of the other; itself where there is none."""
    known = list(opened_collections(workspace))
    met = {collection.digest}
    while True:
        later = [one for one in known if parent_digest(one) == collection.digest and one.digest not in met]
        if not later:
            return collection
        collection = max(later, key=lambda one: str(one.card.get("made", "")))
        met.add(collection.digest)


def parent_digest(collection: Collection) -> str:
    """Digest of the version that a collection was made of; empty for one that was imported."""
    parent = collection.card.get("parent")
    return str(parent.get("digest", "")) if isinstance(parent, dict) else ""


def next_name(collection: Collection, workspace: Workspace) -> str:
    """The name of the next version: `NAME-2`, `NAME-3`; one that is free."""
    found = _NUMBER.match(collection.name) if parent_digest(collection) else None
    stem, number = (found[1], int(found[2]) + 1) if found else (collection.name, 2)
    while True:
        name = f"{stem[: _LONGEST - 5]}-{number}"
        if not (workspace.collections / name).exists():
            return name
        number += 1


def rows_without(collection: Collection, pixels: Sequence[str]) -> list[Row]:
    """The rows of a collection but those with these pixels; groups and hold-out stay as they were drawn.

    Raises:
        CollectionError: nothing is left.
    """
    gone = set(pixels)
    rows = [row for row in collection.rows() if row.pixel_sha256 not in gone]
    if not rows:
        remedy = f"remove the collection instead: limner collection remove {collection.name}"
        raise CollectionError(collection.name, "would have no picture left", remedy)
    return rows


def make_next(
    collection: Collection, rows: Sequence[Row], name: str, workspace: Workspace, **parent: Any
) -> Collection:
    """Write a version of a collection that has only these of its rows, in one step.

    Stored pictures are linked, not copied, where the disk can do that. A version with the same contents that is there
    already is given back.

    Args:
        name: one that is free, as `next_name` gives it.
        parent: what the card is to say beside name and digest of the former version; plain JSON.

    Raises:
        CollectionError: the name is taken by other contents, or it cannot be written.
    """
    wanted = digest_of(rows)
    for one in opened_collections(workspace):
        if one.digest == wanted and parent_digest(one) == collection.digest:
            return one
    place = workspace.make(workspace.collections) / name
    if place.exists():
        raise CollectionError(name, "is a collection with other contents", "choose another name with --name")
    card = _card(collection, rows, name, parent)
    clear_parts(place)
    part = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=workspace.collections))
    try:
        for row in rows:
            _link(collection.picture_path(row), stored_path(part, row.pixel_sha256, row.width, row.height))
        with replace_file(part / MANIFEST) as file:
            write_manifest(rows, file)
        with replace_file(part / CARD) as file:
            file.write_text(json.dumps(card, indent=2, ensure_ascii=False), "utf-8")
        part.chmod(0o755)
        part.rename(place)
        sync_folder(place.parent)
    except OSError as error:
        reason = f"cannot be written ({error.strerror})"
        raise CollectionError(error.filename or place, reason, "make room; the former version is unchanged") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Collection(place)


def _card(collection: Collection, rows: Sequence[Row], name: str, parent: dict[str, Any]) -> dict[str, Any]:
    labels = sorted({label for row in rows for label in row.labels})
    former = {"name": collection.name, "digest": collection.digest}
    return {
        **collection.card,
        "name": name,
        "digest": digest_of(rows),
        "holdout_digest": holdout_digest_of(rows),
        "pictures": len(rows),
        "holdout": sum(row.split == "holdout" for row in rows),
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "made_by": f"limner {__version__}",
        "labels": {label: len({row.labels[label] for row in rows if label in row.labels}) for label in labels},
        "rights": summary(rows).model_dump(),
        "parent": {**former, **parent},
    }


def _link(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, to)
    except FileNotFoundError:
        raise CollectionError(source, "a stored picture is missing", "see: limner collection check") from None
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, to)
