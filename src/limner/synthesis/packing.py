"""Packing the exemplars of a model: which of them may go along, and which of those do."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from limner import pictures
from limner.collection import Collection, Row
from limner.digests import digest_of_file
from limner.errors import RightsError, UsageError
from limner.models.bundle import Model
from limner.rights import kept_from_travelling
from limner.rights.consent import ConsentStore, Scope
from limner.rights.consent.wording import words
from limner.synthesis.choosing import descriptor
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.finding import learned_rows
from limner.synthesis.finishing import Finisher
from limner.synthesis.packs import MOST, NOTE, PackNote, PackRow, open_pack
from limner.workspace import Workspace, clear_parts, replace_file

_QUALITY = 80


@dataclass(frozen=True)
class PackedModel:
    """What went along."""

    note: PackNote
    size: int
    refused: dict[str, int]


def pack_exemplars(
    model: Model,
    workspace: Workspace,
    path: Path,
    *,
    side: int,
    most: int,
    accepted: str = "",
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> PackedModel:
    """Write what a model learned from into a file that travels with it, as far as rights allow and the bytes reach.

    The most unlike pictures come first, so that the variety of the whole is kept; drawings are kept to the bit.

    Args:
        side: shorter side of the pictures, px; smaller ones stay as they are.
        accepted: why pictures may go along whose terms only a person can read.
        progress: called with the bytes written, and how many there may be.

    Raises:
        UsageError: the collection is not in the workspace, or not even one picture fits.
        RightsError: none of the pictures may go along.
    """
    collection, free, refused = _free(model, workspace, read=bool(accepted))
    column = model.card.training.settings.get("label")
    labels = [row.labels.get(column, "") if column else "" for row in free]
    exemplars = Exemplars.of_collection(collection, free, workspace)
    with replace_file(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        rows = []
        for row, data, written in _packed(exemplars, labels, side=side, most=most):
            archive.writestr(_undated(row.file), data)
            rows.append(row)
            progress(written, most)
        if not rows:
            raise UsageError(f"{most / 1e6:g} MB", "is too little for one picture", "give more with --megabytes")
        note = PackNote(
            collection=collection.digest, name=collection.name, of=len(exemplars), accepted=accepted, rows=tuple(rows)
        )
        archive.writestr(_undated(NOTE), note.model_dump_json())
    return PackedModel(note, path.stat().st_size, dict(refused.most_common()))


def _packed(
    exemplars: Exemplars, labels: Sequence[str], *, side: int, most: int
) -> Iterator[tuple[PackRow, bytes, int]]:
    """Pictures as far as the bytes reach: each with its row, its file, and how many bytes there are by then."""
    flat, written = Finisher(exemplars).graphic, 0
    for number, index in enumerate(varied_order(exemplars, labels)):
        item = exemplars.items[index]
        pixels = exemplars.picture(index, min(side, item.height, item.width))
        data = pictures.encode(pixels, "webp" if flat else "avif", quality=_QUALITY, lossless=flat)
        kept = replace(item, height=pixels.shape[0], width=pixels.shape[1])
        file = f"pictures/{number:05d}.{'webp' if flat else 'avif'}"
        row = PackRow(file=file, label=labels[index], **vars(kept))
        written += len(data) + len(row.model_dump_json()) + 2 * len(row.file) + 200
        if written > most or number == MOST:
            return
        yield row, data, written


def _free(model: Model, workspace: Workspace, *, read: bool) -> tuple[Collection, list[Row], Counter[str]]:
    """The collection that a model learned from, its pictures that may go along, and why others may not."""
    found = learned_rows(model, workspace)
    if found is None:
        name = model.card.collection.name
        raise UsageError(model.name, f"learned from {name}, which is not in this workspace", "import it first")
    collection, rows = found
    blocked, rows = _blocked(rows, workspace)
    reasons = {row.pixel_sha256: blocked.get(row.pixel_sha256) or kept_from_travelling(row, read=read) for row in rows}
    refused = Counter(reason for reason in reasons.values() if reason)
    free = [row for row in rows if not reasons[row.pixel_sha256]]
    if not free:
        most_of, count = refused.most_common(1)[0]
        raise RightsError(
            f"{len(rows)} pictures of {collection.name}",
            f"may not go along ({count}: {most_of})",
            "say under which licence they are, or why with --accept-reserved",
        )
    return collection, free, refused


def _blocked(rows: Sequence[Row], workspace: Workspace) -> tuple[dict[str, str], list[Row]]:
    """Why consents keep pictures from going along: whoever gets the pack has them; and the rows as it was agreed."""
    uses = [ConsentStore(workspace.root).use(scope) for scope in (Scope.EXEMPLAR, Scope.PUBLISH)]
    found = [one for use in uses for one in use.parted(rows)[1]]
    return {one.row.pixel_sha256: words(one.reason, one.scope, one.consent) for one in found}, uses[0].as_agreed(rows)


def varied_order(exemplars: Exemplars, labels: Sequence[str]) -> Iterator[int]:
    """Exemplars, labels taking turns, of each label the one that is most unlike all before it (Gonzalez 1985)."""
    descriptors = np.stack([descriptor(exemplars.thumbnail(index)) for index in range(len(exemplars))])
    kinds = {label: np.flatnonzero(np.array(labels) == label) for label in sorted(set(labels))}
    # The first of each is the most usual one.
    usual = {label: descriptors[of].mean(axis=0) for label, of in kinds.items()}
    apart = {label: -np.square(descriptors[of] - usual[label]).sum(axis=1) for label, of in kinds.items()}
    begun: set[str] = set()
    for _ in range(max(len(of) for of in kinds.values())):
        for label, of in kinds.items():
            best = int(apart[label].argmax())
            if not np.isfinite(apart[label][best]):
                continue
            yield int(of[best])
            near = np.square(descriptors[of] - descriptors[of[best]]).sum(axis=1)
            taken = np.isinf(apart[label]) if label in begun else np.zeros(len(of), dtype=bool)
            apart[label] = np.minimum(apart[label], near) if label in begun else near
            begun.add(label)
            apart[label][taken] = -np.inf
            apart[label][best] = -np.inf


def repacked(path: Path, without: Container[str], record: Callable[[str], object]) -> None:
    """Write a pack anew without some of its pictures, in one step; a pack that holds no other is taken away.

    Args:
        without: digests of the pixels of these pictures.
        record: called just before with the sha256 of the new file, `sha256:` before it; empty where nothing is left.

    Raises:
        UsageError: it is no pack, or it cannot be written.
    """
    pack = open_pack(path)
    rows = tuple(row for row in pack.note.rows if row.digest not in without)
    if len(rows) == len(pack.note.rows):
        return
    try:
        if not rows:
            record("")
            path.unlink()
            return
        note = pack.note.model_copy(update={"rows": rows})
        clear_parts(path)
        with replace_file(path) as part:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
                for row in rows:
                    archive.writestr(_undated(row.file), pack.data(row))
                archive.writestr(_undated(NOTE), note.model_dump_json())
            record(digest_of_file(part))
    except OSError as error:
        raise UsageError(path, f"cannot be written ({error.strerror})", "change its permissions") from error


def _undated(name: str) -> zipfile.ZipInfo:
    """An entry without a date, so that the same pictures make the same file."""
    return zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
