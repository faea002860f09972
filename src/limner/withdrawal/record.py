"""What is found of withdrawn pictures, and what was done, as the statement keeps it; plain data."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

FORMAT: Literal["limner withdrawal statement 1"] = "limner withdrawal statement 1"
State = Literal["there", "changed", "gone"]
"""Of a file: as it was written, another file in its place, or nothing there."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Picture(_Frozen):
    """A withdrawn picture."""

    pixel_sha256: str
    file_sha256: str
    file: str
    title: str
    creator: str
    licence: str
    split: Literal["train", "holdout"]
    why: Literal["named", "alike"]
    """Whether it was meant by name or creator, or is a copy of one that was."""


class Subject(_Frozen):
    """Who or what was withdrawn, as it was named."""

    kind: Literal["picture", "creator"]
    name: str
    pictures: tuple[Picture, ...]

    @property
    def digests(self) -> tuple[str, ...]:
        """The pixel_sha256 of all of them."""
        return tuple(one.pixel_sha256 for one in self.pictures)


class Version(_Frozen):
    """A version of a collection. # digest of its contents, hexadecimal"""

    name: str
    digest: str
    pictures: int


class Elsewhere(_Frozen):
    """Another collection of the workspace that holds some of the pictures."""

    name: str
    digest: str
    holds: int
    earlier_version: bool
    """Whether it is an earlier version of the collection that they are withdrawn from."""


class FoundModel(_Frozen):
    """A model that has to do with the pictures."""

    name: str
    digest: str
    path: str
    """Empty where its file is not here any more."""
    family: str
    relation: Literal["learned", "descends", "held out", "left out"]
    learned: int
    """How many of the pictures it learned from itself."""
    collection: str
    through: tuple[str, ...] = ()
    """Names of the models that it descends from and that learned from the pictures."""
    ships: bool = False
    superseded: str = ""
    """When it was marked as superseded, UTC, ISO 8601."""
    replaced_by: str = ""
    retrain: tuple[str, ...] = ()
    """The command line that trains it anew without the pictures."""
    retrain_lacks: tuple[str, ...] = ()
    """Settings that no option of the command line gives."""

    @property
    def affected(self) -> bool:
        """Whether something of the pictures may be in its weights."""
        return self.relation in ("learned", "descends")


class FoundTool(_Frozen):
    """Directions, a translator or an up-scaler that has to do with the pictures."""

    kind: Literal["directions", "translator", "up-scaler"]
    name: str
    path: str
    digest: str
    learned: int
    """How many of the pictures it learned from itself."""
    model: str
    """The affected model that it belongs to; empty for none."""


class File(_Frozen):
    """A file that was given a place."""

    path: str
    digest: str
    state: State


class Piece(_Frozen):
    """What one of the pictures gave to a work. # shares of the area, 0 to 1"""

    picture: str
    """Its pixel_sha256."""
    area: float | None
    """Of the whole area; None where only papers are left, which count what is not flat."""
    share: float
    """Of what is not flat."""


class FoundWork(_Frozen):
    """A work that has to do with the pictures."""

    digest: str
    title: str
    made: str
    time: str
    model: str
    """Digest of the model that painted it."""
    model_name: str
    file: File
    relation: Literal["piece", "made from it", "painted"]
    """A piece of a picture is in it; a picture was what it was made from; an affected model painted it, no more."""
    pieces: tuple[Piece, ...] = ()
    from_file: bool = False
    """Whether one of the pictures was what it was made from: inverted, restyled, mixed."""
    by: Literal["source map", "papers", ""] = ""
    """How the pieces are known."""
    editions: tuple[File, ...] = ()
    """Files that `limner publish` made of it."""
    evidence: tuple[File, ...] = ()
    outside: bool = False
    """Whether its file was put outside of the workspace."""
    registered: str = ""
    """Its number in the registry."""
    anew: str = ""
    """The file of the work that replaces it."""
    replaces: str = ""
    """Digest of the work that it replaces."""

    @property
    def published(self) -> bool:
        """Whether it went further than the workspace, as far as limner knows."""
        return bool(self.editions or self.evidence or self.outside)

    @property
    def area(self) -> float:
        """How much of it comes from the pictures: of its area, or of what is not flat where only that is known."""
        return sum(one.share if one.area is None else one.area for one in self.pieces)


class FoundFilm(_Frozen):
    """A film that has to do with the pictures."""

    path: str
    state: Literal["there", "gone"]
    time: str
    model_name: str
    share: float
    """Of what is not flat, over all frames; 0 where an affected model painted it and no piece is in it."""


class FoundPack(_Frozen):
    """A pack of exemplars that holds some of the pictures."""

    path: str
    digest: str
    holds: tuple[str, ...]
    pictures: int
    ships: bool = False
    """Whether it came with limner, and is not written to."""


class Place(_Frozen):
    """Where something of the pictures stays on this machine."""

    what: Literal["stored picture", "training run", "evolution", "cache"]
    path: str


class Findings(_Frozen):
    """All that was found of the pictures in a workspace."""

    subject: Subject
    collection: Version
    """That they are withdrawn from: the last version that holds one of them, or the one that was named."""
    elsewhere: tuple[Elsewhere, ...] = ()
    models: tuple[FoundModel, ...] = ()
    tools: tuple[FoundTool, ...] = ()
    works: tuple[FoundWork, ...] = ()
    films: tuple[FoundFilm, ...] = ()
    packs: tuple[FoundPack, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def affected(self) -> tuple[FoundModel, ...]:
        """The models in whose weights something of the pictures may be."""
        return tuple(one for one in self.models if one.affected)

    @property
    def only_painted(self) -> tuple[FoundWork, ...]:
        """The works that an affected model painted, that show no piece, and that replace no other."""
        return tuple(one for one in self.works if one.relation == "painted" and not one.replaces)

    @property
    def with_pieces(self) -> tuple[FoundWork, ...]:
        """The works that show a piece of a picture."""
        return tuple(one for one in self.works if one.relation == "piece")


class Done(_Frozen):
    """One act of the ledger by which something was done."""

    act: int
    hash: str
    time: str
    what: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: dict[str, Any]


class Left(_Frozen):
    """Something that was not done."""

    text: str
    command: str = ""
    """That does it."""


class LedgerHead(_Frozen):
    """How far the ledger went when the statement was written."""

    acts: int
    head: str


class Statement(_Frozen):
    """What was done about withdrawn pictures, and what cannot be undone."""

    format: Literal["limner withdrawal statement 1"] = FORMAT
    withdrawal: str
    """What names the withdrawal: 12 hexadecimal digits."""
    number: int
    """Of the statements about it, from 1."""
    follows: str = ""
    """Digest of the statement before."""
    made: str
    """UTC, ISO 8601."""
    by: str
    """The name under which it is signed."""
    certificate: str
    """sha256 of the signer's certificate."""
    limner: str
    note: str = ""
    """In the artist's words."""
    subject: Subject
    former: Version
    next: Version
    elsewhere: tuple[Elsewhere, ...]
    models: tuple[FoundModel, ...]
    tools: tuple[FoundTool, ...]
    works: tuple[FoundWork, ...]
    films: tuple[FoundFilm, ...]
    packs: tuple[FoundPack, ...]
    """Those that still hold one of the pictures."""
    places: tuple[Place, ...]
    done: tuple[Done, ...]
    left: tuple[Left, ...]
    """What was not done, and how it can be."""
    cannot: tuple[str, ...]
    """What cannot be undone."""
    ledger: LedgerHead
