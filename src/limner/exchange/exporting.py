"""Writing a collection for other programs: pictures once, lossless, and beside them what each format asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from limner import __version__
from limner.collection import Collection
from limner.collection.likeness import hash_pixels
from limner.collection.rows import digest_of, holdout_digest_of
from limner.digests import digest_of_file
from limner.errors import CollectionError, UsageError
from limner.exchange import croissant, webdataset
from limner.exchange.about import About
from limner.exchange.passing import Passed
from limner.exchange.sample import Sample, label_columns, record, samples_of
from limner.pictures import encode, read
from limner.workspace import replace_folder

NOTE = "limner.json"
"""What an export says of itself: whose digest is stated, in which formats, what was left out."""
METADATA = "metadata.jsonl"
README = "README.md"
_AHEAD = 64
_THREADS = 4


class Format(StrEnum):
    """What other programs read."""

    CROISSANT = "croissant"
    IMAGEFOLDER = "imagefolder"
    WEBDATASET = "webdataset"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        digest: of the rows that are in it: what an import of it is called by.
        size: of all files, in bytes.
        left_out: pictures that did not go along, for each reason.
        not_for_others: pictures that went along and may not be passed on, for each reason.
    """

    folder: Path
    formats: tuple[Format, ...]
    digest: str
    collection_digest: str
    pictures: int
    held_out: int
    size: int
    left_out: dict[str, int]
    not_for_others: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether an import of it has the collection's own digest."""
        return self.digest == self.collection_digest


def check_target(folder: Path, *, overwrite: bool = False) -> None:
    """See that an export may be written to `folder`.

    Raises:
        UsageError: something else lies there; an earlier export is replaced only if asked.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / NOTE).is_file():
        raise UsageError(f"--to {folder}", "is there already and no export of limner", "give a new folder")
    if not overwrite:
        raise UsageError(f"--to {folder}", "holds an earlier export", "give a new folder, or add --overwrite")


def export(
    collection: Collection,
    passed: Passed,
    folder: Path,
    formats: Sequence[Format],
    *,
    about: About | None = None,
    readme: str = "",
    why: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write pictures and rows; killed at any moment, the folder is not there, or whole.

    Args:
        passed: the rows that go out.
        about: what a person says of the collection.
        readme: the text of README.md.
        why: in the words of who decided that pictures are written which may not be passed on without more ado.
        progress: called with (done, total).

    Raises:
        CollectionError: a stored picture is damaged.
        UsageError: the place cannot be written to.
    """
    samples, columns = samples_of(passed.rows), label_columns(passed.rows)
    digest, kinds = digest_of(passed.rows), tuple(dict.fromkeys(formats))
    try:
        with replace_folder(folder) as part:
            _write_pictures(collection, samples, columns, digest, part, kinds, progress)
            if Format.IMAGEFOLDER in kinds:
                _write_metadata(samples, columns, part)
            if Format.CROISSANT in kinds:
                _write_croissant(collection, samples, columns, digest, about or About(), part)
            _write_json(_note(collection, passed, digest, kinds, why), part / NOTE)
            if readme:
                (part / README).write_text(readme, "utf-8")
            size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
    except OSError as error:
        raise UsageError(folder, f"cannot be written ({error.strerror or error})", "choose another folder") from error
    return Exported(
        folder=folder,
        formats=kinds,
        digest=digest,
        collection_digest=collection.digest,
        pictures=len(samples),
        held_out=sum(one.row.split == "holdout" for one in samples),
        size=size,
        left_out=passed.left_out,
        not_for_others=passed.not_for_others,
    )


def _write_pictures(
    collection: Collection,
    samples: Sequence[Sample],
    columns: dict[str, str],
    digest: str,
    folder: Path,
    formats: Sequence[Format],
    progress: Callable[[int, int], None] | None,
) -> None:
    with ExitStack() as stack:
        shards = None
        if Format.WEBDATASET in formats:
            shards = stack.enter_context(webdataset.Shards(folder / webdataset.FOLDER, digest))
        plain = Format.WEBDATASET not in formats or len(formats) > 1
        if plain:
            for side in {one.folder for one in samples}:
                (folder / side).mkdir()
        for done, (sample, data) in enumerate(_encoded(collection, samples), 1):
            if plain:
                (folder / sample.path).write_bytes(data)
            if shards:
                shards.add(sample, data, record(sample, columns))
            if progress is not None:
                progress(done, len(samples))


def _encoded(collection: Collection, samples: Sequence[Sample]) -> Iterator[tuple[Sample, bytes]]:
    """Each picture as a PNG, in order; a bounded window of them is in memory at once."""

    def one(sample: Sample) -> bytes:
        path = collection.picture_path(sample.row)
        pixels = read(path).pixels
        if hash_pixels(pixels) != sample.row.pixel_sha256:
            raise CollectionError(path, "has other pixels than its name says", "import the collection again")
        return encode(pixels, "png", quick=True)

    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(samples), _AHEAD):
            window = samples[start : start + _AHEAD]
            yield from zip(window, threads.map(one, window), strict=True)


def _write_metadata(samples: Sequence[Sample], columns: dict[str, str], folder: Path) -> None:
    """`metadata.jsonl` beside the pictures of each side, as Hugging Face's imagefolder reads it."""
    for side in sorted({one.folder for one in samples}):
        with (folder / side / METADATA).open("w", encoding="utf-8") as file:
            for one in samples:
                if one.folder == side:
                    file.write(json.dumps(record(one, columns), ensure_ascii=False) + "\n")


def _write_croissant(
    collection: Collection, samples: Sequence[Sample], columns: dict[str, str], digest: str, about: About, folder: Path
) -> None:
    table = folder / croissant.TABLE
    croissant.write_table(samples, columns, table)
    named = digest_of_file(table).removeprefix("sha256:"), table.stat().st_size
    _write_json(croissant.describe(collection, samples, columns, digest, named, about), folder / croissant.FILE)


def _note(collection: Collection, passed: Passed, digest: str, formats: Sequence[Format], why: str) -> dict[str, Any]:
    card = collection.card
    return {
        "export": 1,
        "made_by": f"limner {__version__}",
        "name": collection.name,
        "digest": f"sha256:{digest}",
        "holdout_digest": f"sha256:{holdout_digest_of(passed.rows)}",
        "pictures": len(passed.rows),
        "formats": list(formats),
        "collection": {
            "digest": f"sha256:{collection.digest}",
            **{name: card[name] for name in ("made", "made_by", "override_rights") if card.get(name)},
        },
        "left_out": passed.left_out,
        "not_for_others": passed.not_for_others,
        "why": why,
    }


def _write_json(value: object, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
