"""What an act is, and the hash that ties it to the act before."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from limner.errors import LedgerError

Who = Literal["artist", "algorithm"]
GENESIS = "0" * 64
"""The parent of the first act."""


def _plain(value: Any) -> Any:
    """Paths and array scalars as JSON knows them."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def canonical_json(value: Any) -> str:
    """The one JSON text of `value`: keys sorted, no spaces, ASCII only, no NaN and no infinity.

    ASCII (other characters as `\\uXXXX`) because a file name may hold bytes that are no UTF-8, which Python carries
    as lone surrogates: escaped they survive every database, and the hash stays derivable.

    Raises:
        TypeError, ValueError: `value` holds something that JSON cannot.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _are_texts(names: object) -> bool:
    return isinstance(names, Sequence) and not isinstance(names, str) and all(isinstance(name, str) for name in names)


@dataclass(frozen=True)
class Entry:
    """What somebody did, before the ledger has given it a place in the chain."""

    who: Who
    what: str
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """One thing that the artist or the algorithm did.

    Attributes:
        id: place in the chain, from 1 without gaps.
        who: `artist` or `algorithm`.
        what: a verb or short phrase such as `publish`.
        inputs, outputs: digests or paths of what went in and came out.
        parameters: whatever else is needed to do it again; plain JSON.
        time: UTC, ISO 8601 with microseconds.
        parent: `hash` of the act before, `GENESIS` for the first.
        hash: sha256 (hexadecimal) over the canonical JSON of all the above, the parent's hash included.
    """

    id: int
    who: Who
    what: str
    inputs: list[str]
    outputs: list[str]
    parameters: dict[str, Any]
    time: str
    parent: str
    hash: str

    @classmethod
    def following(cls, id: int, parent: str, entry: Entry) -> Act:
        """The act that `entry` becomes at place `id`, after the act whose hash is `parent`.

        Raises:
            LedgerError: `entry` holds something that cannot be recorded.
        """
        if entry.who not in get_args(Who):
            raise LedgerError(entry.who, "is nobody who acts", 'say "artist" or "algorithm"')
        if not entry.what or not entry.what.isprintable():
            raise LedgerError(repr(entry.what), "is no name of an act", "use printable characters")
        try:
            parameters = json.loads(canonical_json(dict(entry.parameters)))
        except (TypeError, ValueError) as error:
            remedy = "record plain numbers, texts, lists"
            raise LedgerError(f"parameters of {entry.what!r}", str(error), remedy) from error
        if not _are_texts(entry.inputs) or not _are_texts(entry.outputs):
            raise LedgerError(f"inputs and outputs of {entry.what!r}", "are not all texts", "record digests or paths")
        time = datetime.now(UTC).isoformat(timespec="microseconds")
        act = cls(id, entry.who, entry.what, [*entry.inputs], [*entry.outputs], parameters, time, parent, hash="")
        return replace(act, hash=act.derive_hash())

    def derive_hash(self) -> str:
        """The sha256 (hexadecimal) that this act's contents and parent give."""
        contents = {name: value for name, value in vars(self).items() if name != "hash"}
        return hashlib.sha256(canonical_json(contents).encode()).hexdigest()
