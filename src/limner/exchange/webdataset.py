"""WebDataset: shards of pictures as tar files, each picture with a JSON file of the same name."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from limner.errors import CollectionError
from limner.exchange.sample import Sample
from limner.pictures.files import MAX_BYTES
from limner.text import visible

FOLDER = "shards"
COLLECTION = "collection"
"""Field of each JSON that names the collection by its digest, since shards travel alone."""
_SHARD_BYTES = 256 << 20
_LARGEST_JSON = 1 << 20
_LARGEST_READ = 16 << 20  # of one read of the tar's own structure: headers made to fill the memory are refused
_MOST_MEMBERS = 10_000_000
_PIECE = 1 << 20


class Shards:
    """Shards that are being written: `train-000000.tar`, `test-000000.tar`, and so on; always the same bytes."""

    def __init__(self, folder: Path, digest: str) -> None:
        self._folder, self._digest = folder, digest
        self._open: dict[str, tarfile.TarFile] = {}
        self._counts: dict[str, int] = {}
        folder.mkdir()

    def __enter__(self) -> Shards:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for tar in self._open.values():
            tar.close()

    def add(self, sample: Sample, picture: bytes, record: Mapping[str, Any]) -> None:
        """Write one picture with its record."""
        text = json.dumps({**record, COLLECTION: f"sha256:{self._digest}"}, ensure_ascii=False, indent=1).encode()
        tar = self._shard(sample.folder)
        for ending, data in (("png", picture), ("json", text)):
            member = tarfile.TarInfo(f"{sample.name}.{ending}")  # time, owner and group are zero
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

    def _shard(self, side: str) -> tarfile.TarFile:
        tar = self._open.get(side)
        if tar is not None and tar.offset < _SHARD_BYTES:
            return tar
        if tar is not None:
            tar.close()
        number = self._counts.get(side, 0)
        self._counts[side] = number + 1
        shard = self._folder / f"{side}-{number:06d}.tar"
        self._open[side] = tarfile.open(shard, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 (closed by __exit__)
        return self._open[side]


@dataclass(frozen=True)
class Member:
    """One sample of a stranger's shard.

    Attributes:
        name: what its picture is called; only to be shown.
        picture: where its picture was unpacked to.
        record: what its JSON says; empty where there is none.
    """

    name: str
    picture: Path
    record: Mapping[str, Any]


def unpacked(shard: Path, folder: Path) -> Iterator[Member]:
    """Unpack the pictures of a shard into `folder`, under numbers: no name of the shard becomes a path.

    Compressed shards, links, devices and sparse files are refused: nothing unfolds to more than lies there.

    Raises:
        CollectionError: it is no plain tar, or made to do harm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, Path] = {}
    records: dict[str, Mapping[str, Any]] = {}
    try:
        with shard.open("rb") as file, tarfile.open(fileobj=_Bounded(file), mode="r:") as tar:
            for number, member in enumerate(_members(tar, shard)):
                name, _, ending = member.name.rpartition("/")[2].partition(".")
                key = f"{member.name.rpartition('/')[0]}/{name}"
                data = tar.extractfile(member)
                if data is None:
                    raise _unfit(shard, f"{visible(member.name)[:80]} is no file")
                if ending.lower() == "json":
                    records[key] = _record(data, member)
                elif ending.lower() in _PICTURES and key not in pictures:
                    pictures[key] = folder / f"{number:07d}.{ending.lower()}"
                    _copy(data, pictures[key])
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise _unfit(shard, f"is no whole tar ({' '.join(str(error).split())[:100]})") from None
    except OSError as error:
        raise _unfit(shard, f"cannot be read ({error.strerror or error})") from None
    for key, picture in pictures.items():
        yield Member(visible(key.strip("/")) + picture.suffix, picture, records.get(key, {}))


_PICTURES = ("png", "jpg", "jpeg", "webp")


def _members(tar: tarfile.TarFile, shard: Path) -> Iterator[tarfile.TarInfo]:
    for count, member in enumerate(tar):
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise _unfit(shard, f"holds {visible(member.name)[:80]}, which is no plain file")
        if member.size > MAX_BYTES or count > _MOST_MEMBERS:
            raise _unfit(shard, "holds more than limner takes")
        yield member
        vars(tar)["members"] = []  # which would otherwise grow with the shard


def _record(data: IO[bytes], member: tarfile.TarInfo) -> Mapping[str, Any]:
    if member.size > _LARGEST_JSON:
        return {}
    try:
        said = json.loads(data.read())
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _copy(data: IO[bytes], to: Path) -> None:
    with to.open("wb") as out:
        while piece := data.read(_PIECE):
            out.write(piece)


class _Bounded(io.RawIOBase):
    """A file of which no one read takes more than a header may hold."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise ValueError("a header that is too large")
        return self._file.read(size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _unfit(shard: Path, reason: str) -> CollectionError:
    return CollectionError(shard, reason, "unpack it with another program, look at it, and import the folder")
