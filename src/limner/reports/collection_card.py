"""The card of a collection: what is in it, whose it is, what it is for, and what nobody said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection import Collection, Row
from limner.collection.rows import digest_of
from limner.exchange.about import About
from limner.exchange.exporting import Format
from limner.exchange.passing import Passed, kept_from_export
from limner.pictures import read
from limner.reports.document import Document, Fact, Section
from limner.reports.record import Shown, shown
from limner.reports.rights_parts import counted, creators_section, hub_licence, rights_section
from limner.rights import credit_line, summary

_SIZES = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000), ("100K<n<1M", 1_000_000))
_SHOWN = 24
_HEIGHT = 180


@dataclass(frozen=True)
class Export:
    """What a card in an exported folder says of it."""

    passed: Passed
    formats: Sequence[Format]
    why: str = ""


def collection_card(
    collection: Collection, rows: Sequence[Row], about: About, *, export: Export | None = None, pictures: bool = True
) -> Document:
    """The card.

    Args:
        rows: that it is about.
        about: what a person said.
        export: where it lies in an exported folder.
        pictures: whether it shows some of them; only such as may be passed on.
    """
    rights = summary(rows)
    sections = [
        Section("Some of the pictures", pictures=thumbnails(collection, rows)) if pictures else None,
        _what(collection, rows, about),
        *([_going(export)] if export else []),
        rights_section(rights, credit_line(rights, "Pictures"), made=False),
        creators_section(rights.creators),
        _labels(rows),
        _gathered(collection, about),
        _care(about, len(rows)),
        _loading(collection.name, export.formats if export else ()),
    ]
    held_out = sum(row.split == "holdout" for row in rows)
    lead = f"{len(rows):,} pictures with a row of rights for each; {held_out:,} of them are held out of training."
    notice = "This folder is a copy for its owner's own use: some of its pictures may not be passed on."
    return Document(
        over="A collection of pictures",
        title=collection.name,
        lead=f"{about.description} {lead}".strip(),
        notice=notice if export and export.passed.not_for_others else "",
        sections=[one for one in sections if one is not None],
        front=_front(collection, rows, export),
        data=_data(collection, rows, about),
    )


def thumbnails(collection: Collection, rows: Sequence[Row], count: int = _SHOWN) -> list[Shown]:
    """Some pictures, evenly chosen among those that may be passed on, small."""
    fit = [row for row in rows if not kept_from_export(row)]
    chosen = [fit[i * len(fit) // count] for i in range(count)] if len(fit) > count else fit
    return [_thumbnail(read(collection.picture_path(row)).pixels, _titled(row)) for row in chosen]


def _thumbnail(pixels: NDArray[np.uint8], alt: str) -> Shown:
    height, width = pixels.shape[:2]
    share = min(1.0, _HEIGHT / height, 3 * _HEIGHT / width)
    size = max(1, round(width * share)), max(1, round(height * share))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return shown(np.asarray(small), alt, quality=80)


def _titled(row: Row) -> str:
    return f"{row.title or row.file}{f', {row.creator}' if row.creator else ''} ({row.licence})"


def _what(collection: Collection, rows: Sequence[Row], about: About) -> Section:
    by_area = sorted(rows, key=lambda row: row.width * row.height)
    sizes = list(dict.fromkeys(f"{row.width} × {row.height}" for row in (by_area[0], by_area[-1])))
    facts = [
        Fact("Digest", (f"sha256:{digest_of(rows)}",)),
        Fact("Hold-out", (f"sha256:{collection.holdout_digest}",)) if digest_of(rows) == collection.digest else None,
        Fact("Imported", (f"{str(collection.card.get('made', ''))[:10]}, {collection.card.get('made_by', '')}",)),
        Fact("Sizes", (f"{' to '.join(sizes)} pixels",)),
        Fact("Files were", counted(dict(Counter(row.format for row in rows).most_common()))),
        Fact("Near-duplicates", (_groups(rows),)),
        Fact("Published by", (about.publisher,) if about.publisher else (), "who makes it available"),
        Fact("Contact", (about.contact,) if about.contact else (), "how to reach them"),
        Fact("Page", (about.url,)) if about.url else None,
        Fact("Cite as", (about.cite_as,)) if about.cite_as else None,
    ]
    return Section("What it is", facts=[fact for fact in facts if fact is not None])


def _groups(rows: Sequence[Row]) -> str:
    sizes = [size for size in Counter(row.group for row in rows).values() if size > 1]
    return f"{sum(sizes):,} pictures in {len(sizes):,} groups; a group is wholly learned from or wholly held out"


def _going(export: Export) -> Section:
    passed = export.passed
    facts = [Fact("Left out", counted(passed.left_out))] if passed.left_out else []
    if passed.not_for_others:
        facts.append(Fact("May not be passed on", counted(passed.not_for_others)))
    if export.why:
        facts.append(Fact("Decided by a person", (export.why,)))
    nothing = () if facts else ("Nothing was left out, and nothing in it may not be passed on.",)
    return Section("What is in this folder", nothing, facts, level=3)


def _labels(rows: Sequence[Row]) -> Section | None:
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.labels.items():
            values[name][value] += 1
    if not values:
        return None
    facts = [Fact(name, counted(dict(values[name].most_common()), 8)) for name in sorted(values)]
    text = "As the tables and folders say that came with the pictures; limner added none."
    return Section("Labels", (text,), facts)


def _gathered(collection: Collection, about: About) -> Section:
    report = collection.card.get("report") or {}
    refused = report.get("refused") or []
    period = [str(day) for day in (about.collected_from, about.collected_until) if day]
    sources = report.get("licences_from") or {}
    facts = [
        Fact("How", (about.data_collection,) if about.data_collection else (), "how the pictures were gathered"),
        Fact("When", (" to ".join(period),) if period else (), "when they were gathered"),
        Fact("Files looked at", (f"{int(report.get('files', 0)):,}",)),
        Fact("Merged", (f"{int(report.get('merged', 0)):,} with the same pixels as another",)),
        Fact("Refused", (f"{len(refused):,}",)),
        Fact("Licences from", counted({name or "nowhere": count for name, count in sources.items()}) or ("nowhere",)),
    ]
    if override := collection.card.get("override_rights"):
        facts.append(Fact("Rights set over what files say", (str(override),)))
    return Section("How it was gathered", facts=facts)


def _care(about: About, pictures: int) -> Section:
    """What a careful user asks, and what nobody said."""
    nobody = "Nobody checked licences and creators beyond what tables, files and the person who imported them say."
    wanted = (
        ("Meant for", about.data_use_cases, "what it is meant for"),
        ("Not fit for", about.data_limitations, "what it is not fit for"),
        ("One-sided in", about.data_biases, "in what its pictures are one-sided"),
        (
            "Persons and sensitive things",
            about.personal_sensitive_information,
            "who can be recognised, what is sensitive",
        ),
        ("What it may do to people", about.data_social_impact, "harm and good that it may do"),
        ("Looked after by", about.maintenance, "who looks after it, where complaints go"),
    )
    facts = [Fact(label, (said,) if said else (), what) for label, said, what in wanted]
    few: tuple[str, ...] = ()
    if pictures < 1000:
        few = (f"{pictures:,} pictures are few: a model learns their look, and may come close to single ones.",)
    return Section("With care", (nobody, *few), facts)


def _loading(name: str, formats: Sequence[Format]) -> Section:
    known = {
        Format.CROISSANT: 'mlcroissant.Dataset("FOLDER/croissant.json").records("pictures")',
        Format.IMAGEFOLDER: 'datasets.load_dataset("imagefolder", data_dir="FOLDER")',
        Format.WEBDATASET: 'webdataset.WebDataset("FOLDER/shards/train-000000.tar").decode("pil")',
    }
    if not formats:
        return Section(
            "To use it", code=[f"limner train {name}", f"limner collection export {name} --to FOLDER --as croissant"]
        )
    text = "limner takes it back with the same digest; other programs read pictures, rights and labels."
    return Section(
        "To use it", (text,), code=[f"limner collection add FOLDER --name {name}", *(known[f] for f in formats)]
    )


def _front(collection: Collection, rows: Sequence[Row], export: Export | None) -> dict[str, Any]:
    """As the Hub reads it."""
    size = next((name for name, most in _SIZES if len(rows) < most), "n>1M")
    front: dict[str, Any] = {
        **hub_licence(sorted({row.licence or "unknown" for row in rows})),
        "pretty_name": collection.name,
        "task_categories": ["unconditional-image-generation"],
        "size_categories": [size],
        "tags": ["image", "limner", "rights"],
    }
    if export and Format.IMAGEFOLDER in export.formats:
        sides = sorted({row.split for row in rows}, reverse=True)
        names = {"train": "train", "holdout": "test"}
        files = [{"split": names[side], "path": f"{names[side]}/**"} for side in sides]
        front["configs"] = [{"config_name": "default", "data_files": files}]
    return front


def _data(collection: Collection, rows: Sequence[Row], about: About) -> dict[str, Any]:
    rights = summary(rows)
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.labels.items():
            labels[name][value] += 1
    return {
        "kind": "collection",
        "name": collection.name,
        "digest": f"sha256:{digest_of(rows)}",
        "pictures": len(rows),
        "held_out": sum(row.split == "holdout" for row in rows),
        "rights": rights.model_dump(mode="json"),
        "credit": credit_line(rights, "Pictures"),
        "labels": {name: dict(values.most_common()) for name, values in sorted(labels.items())},
        "card": collection.card,
        "about": about.model_dump(mode="json", exclude_defaults=True),
    }
