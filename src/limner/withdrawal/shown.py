"""Which works and films show pieces of withdrawn pictures, and which others an affected model painted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from limner.digests import digest_of_file
from limner.errors import UsageError
from limner.ledger import Ledger
from limner.papers.publishing.published import PUBLISH, Published
from limner.papers.registry.registry import Registry
from limner.synthesis.stores import SourceStore
from limner.withdrawal.record import File, FoundFilm, FoundWork, Piece, State
from limner.works.refinishing import REFINISH
from limner.workspace import Workspace

Progress = Callable[[int, int], object]
MOVE = "move away"
"""The act by which the file of a work that has a successor was moved."""
_ABOUT = ("evidence", MOVE)
"""Acts that say something about what goes in, and make nothing of it."""
Relation = Literal["piece", "made from it", "painted"]
Pieces = dict[str, tuple[tuple[Piece, ...], Literal["source map", "papers"]]]


@dataclass(frozen=True)
class _Books:
    """What the ledger says of all works, by the digests of their files.

    Attributes:
        editions: those that go back to a work, by its digest.
        anew, replaces: the work that replaces another, and the other way round.
        moved: where files lie that were moved away.
    """

    published: Mapping[str, Published]
    editions: Mapping[str, Sequence[Published]]
    anew: Mapping[str, str]
    replaces: Mapping[str, str]
    moved: Mapping[str, Path]
    evidence: Mapping[str, Sequence[Path]]

    @classmethod
    def of(cls, ledger: Ledger) -> _Books:
        """All of it."""
        works = [Published.of(act) for act in ledger.acts(what=PUBLISH)]
        published = {one.digest: one for one in works}
        editions: dict[str, list[Published]] = defaultdict(list)
        for one in published.values():
            if one.former:
                editions[_first(one, published)].append(one)
        anew = {act.inputs[0]: act.outputs[0] for act in ledger.acts(what=REFINISH)}
        evidence: dict[str, list[Path]] = defaultdict(list)
        for act in ledger.acts(what="evidence"):
            evidence[act.inputs[0]].append(Path(str(act.parameters.get("path"))))
        moved = {act.inputs[0]: Path(act.outputs[0]) for act in ledger.acts(what=MOVE)}
        return cls(published, editions, anew, {made: of for of, made in anew.items()}, moved, evidence)


class Shown:
    """Looks through the works of a workspace.

    Args:
        known: pixel_sha256 of each withdrawn picture by every digest that exemplars may call it by.
        files: sha256 of the pictures' files.
        models: names of the affected models, by digest.
        pieces: what was found before, by source map; added to.
    """

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        known: Mapping[str, str],
        files: Iterable[str],
        models: Mapping[str, str],
        registry: Registry | None,
        pieces: Pieces,
    ) -> None:
        self._workspace, self._ledger, self._registry = workspace, ledger, registry
        self._sources, self._known, self._models = SourceStore(workspace), known, models
        self._pieces_of = pieces
        self._from_files = self._made_from(files)

    def works(self, progress: Progress = lambda done, total: None) -> list[FoundWork]:
        """The works that have to do with the pictures, oldest first; editions stand with the work they are of.

        Args:
            progress: called with (done, total) as works are looked at.
        """
        books = _Books.of(self._ledger)
        firsts = [one for one in books.published.values() if not one.former]
        found = []
        for number, one in enumerate(firsts, 1):
            progress(number, len(firsts))
            pieces, by = self._pieces(one.finish)
            if (relation := self._relation(one, pieces)) is not None:
                found.append(self._work(one, relation, pieces, by if pieces else "", books))
        return found

    def _work(
        self,
        one: Published,
        relation: Relation,
        pieces: tuple[Piece, ...],
        by: Literal["source map", "papers", ""],
        books: _Books,
    ) -> FoundWork:
        replacing = books.published.get(books.anew.get(one.digest, ""))
        return FoundWork(
            digest=one.digest,
            title=one.title,
            made=one.made,
            time=one.time,
            model=one.model,
            model_name=self._models.get(one.model.removeprefix("sha256:"), ""),
            file=_file(books.moved.get(one.digest, one.path), one.digest),
            relation=relation,
            pieces=pieces,
            from_file=self._is_from_file(one),
            by=by,
            editions=tuple(_file(edition.path, edition.digest) for edition in books.editions.get(one.digest, ())),
            evidence=tuple(_folder(path) for path in dict.fromkeys(books.evidence.get(one.digest, ()))),
            outside=not one.path.is_relative_to(self._workspace.root.absolute()),
            registered=self._number(one.digest),
            anew=str(replacing.path) if replacing else "",
            replaces=books.replaces.get(one.digest, ""),
        )

    def films(self) -> list[FoundFilm]:
        """The films that have to do with the pictures, oldest first."""
        found = []
        for act in self._ledger.acts(what="walk"):
            shares = act.parameters.get("finish", {}).get("shares", ())
            share = sum(float(one["share"]) for one in shares if self._picture(one["digest"]))
            model = self._models.get(act.inputs[-1].removeprefix("sha256:"), "") if act.inputs else ""
            if not share and not model:
                continue
            path = Path(act.outputs[0])
            state: Literal["there", "gone"] = "there" if path.is_file() else "gone"
            found.append(FoundFilm(path=str(path), state=state, time=act.time, model_name=model, share=share))
        return found

    def _relation(self, one: Published, pieces: tuple[Piece, ...]) -> Relation | None:
        if pieces:
            return "piece"
        if self._is_from_file(one):
            return "made from it"
        return "painted" if one.model.removeprefix("sha256:") in self._models else None

    def _is_from_file(self, one: Published) -> bool:
        return one.latent in self._from_files or one.digest in self._from_files

    def _pieces(self, finish: Mapping[str, Any]) -> tuple[tuple[Piece, ...], Literal["source map", "papers"]]:
        """What each picture gave: by the source map, or by what the act says of those that gave most."""
        digest = str(finish.get("sources", ""))
        if not digest:
            return (), "papers"
        if digest not in self._pieces_of:
            self._pieces_of[digest] = self._by_map(digest) or (self._by_act(finish), "papers")
        return self._pieces_of[digest]

    def _by_map(self, digest: str) -> tuple[tuple[Piece, ...], Literal["source map"]] | None:
        try:
            sources = self._sources.load(digest)
        except UsageError:
            return None
        if sources is None:
            return None
        if not any(one.digest in self._known for one in sources.exemplars):
            return (), "source map"
        found = [
            Piece(picture=picture, area=round(one.area, 6), share=round(one.share, 6))
            for one in sources.shares()
            if (picture := self._picture(one.exemplar.digest))
        ]
        return tuple(found), "source map"

    def _by_act(self, finish: Mapping[str, Any]) -> tuple[Piece, ...]:
        return tuple(
            Piece(picture=picture, area=None, share=float(one["share"]))
            for one in finish.get("shares", ())
            if (picture := self._picture(str(one["digest"])))
        )

    def _picture(self, digest: str) -> str:
        return self._known.get(digest.removeprefix("sha256:"), "")

    def _made_from(self, files: Iterable[str]) -> set[str]:
        """Latents and works that came of the pictures' own files (inverted, restyled), and what came of those."""
        waiting, found = [f"sha256:{file}" for file in files], set[str]()
        while waiting:
            acts = [act for act in self._ledger.used(waiting.pop()) if act.what not in _ABOUT]
            fresh = {made for act in acts for made in act.outputs} - found
            found |= fresh
            waiting += fresh
        return found

    def _number(self, digest: str) -> str:
        found = self._registry.with_digest(digest) if self._registry else []
        return found[0].name if found else ""


def state_of(path: Path, digest: str) -> State:
    """Whether a file lies in its place as it was written."""
    try:
        return "there" if digest_of_file(path) == digest else "changed"
    except OSError:
        return "gone"


def _file(path: Path, digest: str) -> File:
    return File(path=str(path), digest=digest, state=state_of(path, digest))


def _folder(path: Path) -> File:
    return File(path=str(path), digest="", state="there" if path.is_dir() else "gone")


def _first(one: Published, published: Mapping[str, Published]) -> str:
    """Digest of the work that an edition goes back to."""
    met = {one.digest}
    while one.former and one.former not in met:
        met.add(one.former)
        if one.former not in published:
            return one.former
        one = published[one.former]
    return one.digest
