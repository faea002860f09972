"""Croissant 1.1: what a collection is, as JSON-LD that data set search and loaders read, with responsible-AI fields.

Source: MLCommons, "Croissant Format Specification 1.1" (2026) and "Croissant RAI specification 1.0" (2024).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limner.collection import Collection, Row
from limner.collection.likeness import NEAR
from limner.exchange.about import About
from limner.exchange.sample import FOLDERS, ROW, Sample, record

FILE = "croissant.json"
TABLE = "records.parquet"
_VERSIONS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_CR = {
    name: f"cr:{name}"
    for name in (
        *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
        *("fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
        *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
        *("separator", "source", "subField", "transform"),
    )
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **_CR,
}
_SAYS = {
    "title": "Title.",
    "creator": "Who made it; empty where unknown.",
    "license": "SPDX expression; empty where unknown.",
    "source": "Where it comes from.",
    "consent": "What shows that the creator agrees to training.",
    "copyright_notice": "The copyright notice inside the file that was imported.",
    "held_back": "Why it should not be trained on; empty is cleared.",
    ROW: "All of limner's row, as JSON; the collection's digest is taken of it.",
}
_MEANS = {"title": "sc:name", "creator": "sc:creator", "license": "sc:license", "source": "sc:isBasedOn"}
_SOME = 5
_LARGEST = 4 << 30
_MOST = 10_000_000


def write_table(samples: Sequence[Sample], columns: Mapping[str, str], path: Path) -> None:
    """Write the records of all pictures as Parquet, every column text: no reader has to guess."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = [{"split": one.folder} | record(one, columns) for one in samples]
    schema = pa.schema([(name, pa.string()) for name in records[0]])
    pq.write_table(pa.Table.from_pylist(records, schema), path, compression="zstd")


def read_table(path: Path) -> list[dict[str, Any]]:
    """Side, file and row of each picture, as `write_table` wrote them.

    Raises:
        pyarrow.ArrowException: it is no such table, or unfolds to more than limner takes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > _LARGEST or file.metadata.num_rows > _MOST:
            raise pa.ArrowInvalid("it unfolds to more than limner takes")
        found: list[dict[str, Any]] = file.read(columns=["split", "file_name", ROW]).to_pylist()
    return found


def describe(
    collection: Collection,
    samples: Sequence[Sample],
    columns: Mapping[str, str],
    digest: str,
    table: tuple[str, int],
    about: About,
) -> dict[str, Any]:
    """The Croissant of an export. What limner does not know and nobody said is left out.

    Args:
        columns: of the labels.
        digest: of the rows that are in it.
        table: sha256 and size in bytes of `TABLE`.
    """
    rows = [one.row for one in samples]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _VERSIONS,
        "name": collection.name,
        "description": about.description or f"{len(rows):,} pictures with their rights, imported by limner.",
        "identifier": f"sha256:{digest}",
        "dateCreated": str(collection.card.get("made", ""))[:10],
        "license": [licence_address(one) for one in sorted({row.licence for row in rows if row.licence})],
        "creator": [{"@type": "Person", "name": name} for name in sorted({row.creator for row in rows if row.creator})],
        **_given(about),
        **_responsible(collection, rows, about),
        "distribution": _distribution(*table),
        "recordSet": [_splits(), _pictures(columns)],
    }


def licence_address(licence: str) -> str:
    """The address of a licence at SPDX; an expression of several, or a licence of one's own, as it stands."""
    plain = not licence.startswith("LicenseRef-") and " " not in licence
    return f"https://spdx.org/licenses/{licence}.html" if plain else licence


def _given(about: About) -> dict[str, Any]:
    """What a person said."""
    said: dict[str, Any] = {"url": about.url, "version": about.version, "citeAs": about.cite_as}
    said["publisher"] = {"@type": "Organization", "name": about.publisher} if about.publisher else None
    said["datePublished"] = about.published.isoformat() if about.published else None
    return {name: value for name, value in said.items() if value}


def _responsible(collection: Collection, rows: Sequence[Row], about: About) -> dict[str, Any]:
    """The responsible-AI fields: facts that limner counted, and what a person said."""
    period = [day.isoformat() for day in (about.collected_from, about.collected_until) if day]
    said: dict[str, Any] = {
        "rai:dataCollection": " ".join(filter(None, (about.data_collection, _imported(collection)))),
        "rai:dataCollectionTimeFrame": period,
        "rai:dataPreprocessingProtocol": _preprocessing(collection),
        "rai:dataAnnotationProtocol": _annotation(collection, rows),
        "rai:dataBiases": [*filter(None, [about.data_biases]), *_counted(rows)],
        "rai:dataLimitations": [*filter(None, [about.data_limitations]), *_limits(rows)],
        "rai:personalSensitiveInformation": [*filter(None, [about.personal_sensitive_information])],
        "rai:dataUseCases": [*filter(None, [about.data_use_cases])],
        "rai:dataSocialImpact": about.data_social_impact,
        "rai:dataReleaseMaintenancePlan": " ".join(
            filter(None, (about.maintenance, "A collection never changes: its digest names what is in it."))
        ),
    }
    return {name: value for name, value in said.items() if value}


def _imported(collection: Collection) -> str:
    card = collection.card
    report = card.get("report") or {}
    if not (made := str(card.get("made", ""))[:10]):
        return ""
    merged = f"; {report['merged']:,} files with the same pixels as another were merged" if report.get("merged") else ""
    refused = f"; {len(report['refused']):,} were refused" if report.get("refused") else ""
    return f"Imported by limner on {made}: {int(report.get('files', 0)):,} files looked at{merged}{refused}."


def _preprocessing(collection: Collection) -> list[str]:
    ground = collection.card.get("background") or [255, 255, 255]
    return [
        "Every picture was decoded to 8-bit sRGB, upright; what was transparent lies on the colour "
        f"rgb({', '.join(map(str, ground))}). Files here are lossless.",
        f"Near-duplicates (PDQ hashes that differ in at most {NEAR} of 256 bits) and copies that are mirrored, turned "
        "or cropped form a group; a group is wholly in train or wholly in test.",
    ]


def _annotation(collection: Collection, rows: Sequence[Row]) -> list[str]:
    if not any(row.labels for row in rows):
        return []
    tables = (collection.card.get("report") or {}).get("tables") or []
    named = f"the tables {', '.join(map(str, tables[:_SOME]))}" if tables else "the names of folders"
    return [f"Labels, titles and rights are as {named} that came with the pictures say; limner added none."]


def _counted(rows: Sequence[Row]) -> list[str]:
    """How the pictures are spread, counted and not judged."""
    said = [_spread("creator", [row.creator or "unknown" for row in rows])]
    for label in sorted({name for row in rows for name in row.labels}):
        values = [row.labels[label] for row in rows if label in row.labels]
        if len({*values}) <= max(20, len(values) // 20):
            said.append(_spread(f"label {label}", values))
    return said


def _spread(what: str, values: Sequence[str]) -> str:
    counts = Counter(values)
    most = ", ".join(f"{name[:80]} {100 * count / len(values):.0f} %" for name, count in counts.most_common(_SOME))
    return f"Counted, not judged: {what}, {len(counts):,} values in {len(values):,} pictures; most frequent {most}."


def _limits(rows: Sequence[Row]) -> list[str]:
    said = ["Licences and creators are as tables, files and the person who imported them say; nobody checked them."]
    if held := sum(bool(row.held) for row in rows):
        said.append(f"{held:,} pictures are held back from training; the column held_back says why.")
    return said


def _distribution(sha256: str, size: int) -> list[dict[str, Any]]:
    table = {"contentUrl": TABLE, "contentSize": f"{size} B", "encodingFormat": "application/x-parquet"}
    about_table = "A row for each picture: rights, labels, and all that limner knows of it."
    return [
        {
            "@type": "cr:FileObject",
            "@id": "table",
            "name": TABLE,
            "description": about_table,
            **table,
            "sha256": sha256,
        },
        {
            "@type": "cr:FileSet",
            "@id": "files",
            "name": "files",
            "description": "The pictures, lossless.",
            "encodingFormat": "image/png",
            "includes": [f"{folder}/*.png" for folder in FOLDERS.values()],
        },
    ]


def _splits() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "What training may see, and what is held out of it.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{"splits/name": folder} for folder in FOLDERS.values()],
    }


def _pictures(columns: Mapping[str, str]) -> dict[str, Any]:
    fields = [_column(name, says) for name, says in _SAYS.items()]
    fields += [_column(column, f"Label {label[:200]}.") for label, column in columns.items()]
    return {
        "@type": "cr:RecordSet",
        "@id": "pictures",
        "name": "pictures",
        "description": "The pictures with their rights and labels.",
        "key": {"@id": "pictures/file_name"},
        "field": [
            _column("file_name", "The picture's file, in the folder of its side of the split."),
            {
                "@type": "cr:Field",
                "@id": "pictures/image",
                "name": "image",
                "description": "The picture.",
                "dataType": "sc:ImageObject",
                "source": {"fileSet": {"@id": "files"}, "extract": {"fileProperty": "content"}},
            },
            {
                "@type": "cr:Field",
                "@id": "pictures/join",
                "name": "join",
                "description": "Joins the picture with its row.",
                "dataType": "sc:Text",
                "source": {"fileSet": {"@id": "files"}, "extract": {"fileProperty": "filename"}},
                "references": {"fileObject": {"@id": "table"}, "extract": {"column": "file_name"}},
            },
            {**_column("split", "Its side of the split."), "references": {"field": {"@id": "splits/name"}}},
            *fields,
        ],
    }


def _column(name: str, says: str) -> dict[str, Any]:
    found = {
        "@type": "cr:Field",
        "@id": f"pictures/{name}",
        "name": name,
        "description": says,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": "table"}, "extract": {"column": name}},
    }
    return found | {"equivalentProperty": _MEANS[name]} if name in _MEANS else found
