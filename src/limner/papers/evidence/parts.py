"""What an evidence file gathers about one work: its family of acts, its rights, what was measured of its model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from limner.digests import digest_of
from limner.errors import CollectionError, ModelError
from limner.ledger import Act, Ledger
from limner.papers.evidence.compliance import Report
from limner.papers.publishing.published import PUBLISH, Published
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.collection import Row
    from limner.models.card import Card
    from limner.papers.watermark.keys import MarkKey

_MOST_ACTS = 500
_ROW = ("title", "creator", "licence", "source", "consent", "notice", "split", "held", "flags", "pixel_sha256", "file")


@dataclass(frozen=True)
class RightsTable:
    """The licences and the credit of what a work's model learned from."""

    csv: str
    source: str
    rows: int


def family_acts(ledger: Ledger, digest: str, signer: str = "") -> list[Act]:
    """The acts that a work came of, those that used it, and those about its signer's key, in the order of the chain."""
    found: dict[int, Act] = {}
    waiting, met = [digest], {digest}
    while waiting and len(found) < _MOST_ACTS:
        for act in ledger.made(waiting.pop(0)):
            found[act.id] = act
            fresh = [one for one in act.inputs if one not in met]
            met.update(fresh)
            waiting += fresh
    about = [*ledger.used(digest), *(ledger.used(f"sha256:{signer}") if signer else ())]
    found.update((act.id, act) for act in about)
    return [found[place] for place in sorted(found)]


def web_copy(ledger: Ledger, digest: str) -> tuple[str, bytes] | None:
    """The last smaller or lighter edition that was published of a work and is unchanged: its ending and its bytes."""
    for act in reversed(ledger.used(digest)):
        if act.what != PUBLISH or not (edition := Published.of(act)).path.is_file():
            continue
        data = edition.path.read_bytes()
        if digest_of(data) == edition.digest:
            return edition.path.suffix.lower(), data
    return None


def registry_report(workspace: Workspace, digest: str) -> Report | None:
    """What the workspace's registry knows of a work's file; None where there is no registry."""
    from limner.papers.registry.registry import open_registry

    registry = open_registry(workspace)
    if registry is None:
        return None
    found = registry.with_digest(digest)
    editions = [{name: value for name, value in one.details().items() if name != "path"} for one in found]
    if not found:
        return Report(False, "The registry of this workspace does not hold this file.", {"editions": []})
    how = "without fingerprints: the picture is too plain for them."
    if any(one.look or one.layout for one in found):
        how = "with fingerprints by which a copy without papers can be found. A match is likeness, not proof."
    words = f"The registry of this workspace holds it as work {found[0].name}, {how}"
    return Report(True, words, {"editions": editions})


def watermark_report(data: bytes, generation: dict[str, Any], signer: str, keys: Sequence[MarkKey] = ()) -> Report:
    """What a reader reads from a work's pixels, with the public key or one of the publisher's own.

    Args:
        keys: of the publisher's own.
    """
    from limner import pictures
    from limner.papers.registry.store import work_identifier, work_name
    from limner.papers.watermark import Prepared
    from limner.papers.watermark.marking import read_mark

    picture = Prepared(pictures.decode(data, "work").pixels)
    key = next((one for one in keys if one.fingerprint == generation.get("mark_key")), None)
    read = read_mark(picture, key.secret) if key else read_mark(picture)
    whose = f"the publisher's own key {key.fingerprint}" if key else "limner's public key"
    details: dict[str, Any] = {
        "key": key.fingerprint if key else "public",
        "deviations": round(read.statistic, 2),
        "size": [picture.width, picture.height],
    }
    if read.message is None:
        return Report(False, f"Looked for with {whose}; no watermark was read from this file.", details)
    own = work_identifier(str(generation.get("latent_digest")), str(generation.get("model_digest")), signer)
    same, name = read.message == own, work_name(read.message)
    which = "which is this work" if same else "which is not what this work's papers give"
    words = f"Read from this file's pixels with {whose}: it names work {name}, {which}."
    return Report(True, words, {**details, "work": name, "is_this_work": same}, is_this_work=same)


def card_of_work(model_digest: str, workspace: Workspace) -> Card | None:
    """The card of the model that painted a work; None where that model is not here, or is damaged."""
    from limner.models.bundle import find_digest, read_card

    path = find_digest(model_digest, workspace) if model_digest else None
    try:
        return None if path is None else read_card(path)
    except ModelError:
        return None


def rights_table(generation: dict[str, Any], card: Card | None, workspace: Workspace) -> RightsTable:
    """One row a training picture where the collection is in the workspace; else what the card or the manifest counts.

    Args:
        generation: what the work's manifest says of how it was made.
    """
    digest = str(generation.get("collection_digest", "")).removeprefix("sha256:")
    rows = _rows(digest, card.collection.where if card else (), workspace)
    if rows is not None:
        lines = [[_cell(getattr(row, name)) for name in _ROW] for row in rows]
        return RightsTable(_written(_ROW, lines), "the collection in this workspace, one row a picture", len(lines))
    counted = list(_counted(generation, card))
    source = "the model's card, which counts them" if card else "the work's manifest, which counts them"
    return RightsTable(_written(("kind", "name", "pictures"), counted), source, len(counted))


def copies_and_bias(card: Card | None, model_digest: str, workspace: Workspace) -> dict[str, Any]:
    """What was measured of the model, in its card and by `limner measure`, and what was not."""
    quality = dict(card.quality) if card else {}
    missing = [
        "Whether this one picture resembles a training picture more than chance gives was not measured.",
        "Bias (how people, places or things are shown, and who is missing) was not measured.",
    ]
    if "memorised" not in quality:
        missing.insert(0, "How often the model repeats training pictures was not measured, or its card is not here.")
    if "kid" not in quality:
        missing.append("How far the model's pictures lie from real ones as a group (KID) was not measured.")
    found: dict[str, Any] = {
        "model": card.name if card else None,
        "measured_at_training": quality,
        "memorised_means": (
            "share of new pictures that lie closer to a training picture than nearly all held-out ones do; "
            "about 0.01 is what chance gives; the card holds no interval for it"
        ),
        "not_measured": missing,
    }
    if card and (report := _measured(model_digest, workspace)):
        found["limner_measure"] = report
    return found


def _measured(model_digest: str, workspace: Workspace) -> dict[str, Any] | None:
    """What `limner measure` found of this model; None where it was not asked."""
    for path in sorted(workspace.measured.glob("*/quality.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and found.get("model") == model_digest:
            return found
    return None


def _rows(digest: str, where: tuple[str, ...], workspace: Workspace) -> list[Row] | None:
    from limner.collection import Collection

    for name in Collection.names(workspace):
        try:
            collection = Collection.open(name, workspace)
            if collection.digest == digest:
                return collection.rows(where)
        except CollectionError:
            continue
    return None


def _counted(generation: dict[str, Any], card: Card | None) -> Iterator[list[str]]:
    licences = card.rights.licences if card else generation.get("licences")
    for name, count in (licences if isinstance(licences, dict) else {}).items():
        yield ["licence", _cell(name), str(count)]
    for name, count in (card.rights.creators if card else {}).items():
        yield ["creator", _cell(name), str(count)]
    credit = card.credit if card else generation.get("credit")
    if credit:
        yield ["credit line", _cell(credit), ""]


def _written(header: tuple[str, ...], lines: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(header), *lines])
    return text.getvalue()


def _cell(value: object) -> str:
    """`value` so that no spreadsheet takes it for a formula: these are the words of strangers."""
    text = "; ".join(value) if isinstance(value, tuple) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
