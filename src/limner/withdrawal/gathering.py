"""All that a workspace has of withdrawn pictures: models, tools, works, films, packs, and where the rest lies."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from limner.collection import Collection
from limner.collection.succeeding import latest_version, opened_collections, parent_digest
from limner.digests import digest_of_file
from limner.errors import UsageError
from limner.ledger import Ledger
from limner.models.bundle import SHIPPED
from limner.papers.registry.registry import open_registry
from limner.rights.consent import ConsentStore
from limner.synthesis.packs import SUFFIX, open_pack
from limner.withdrawal.learned import Teaching, found_models, found_tools
from limner.withdrawal.lineage import known_models
from limner.withdrawal.record import Elsewhere, Findings, FoundModel, FoundPack, Place, Subject, Version
from limner.withdrawal.shown import Pieces, Shown
from limner.workspace import Workspace

Progress = Callable[[str, int, int], object]


class Gathering:
    """Looks for withdrawn pictures in a workspace.

    Args:
        collection: that they are withdrawn from, as it was named; its later versions are looked at, too.
        progress: called with what is looked at, how much is done, and of how much.
    """

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        collection: Collection,
        subject: Subject,
        progress: Progress = lambda doing, done, total: None,
    ) -> None:
        self._workspace, self._ledger, self.subject, self._progress = workspace, ledger, subject, progress
        self._pixels = set(subject.digests)
        # The last version that still holds one of them; the one that was named where all later ones are without.
        self.latest = latest_version(collection, workspace)
        self.former = self.latest if self._held(self.latest) else collection
        self._holding = [one for one in opened_collections(workspace) if self._held(one)]
        if all(one.digest != collection.digest for one in self._holding):
            self._holding.append(collection)
        self._pieces: Pieces = {}

    def models(self) -> list[FoundModel]:
        """The models that have to do with the pictures, what others descend from first."""
        return found_models(known_models(self._workspace, self._ledger), self._teaching(), self._ledger)

    def findings(self) -> Findings:
        """All that is found."""
        subject, ledger = self.subject, self._ledger
        teaching, models = self._teaching(), self.models()
        affected = {one.digest: one for one in models if one.affected}
        shown = Shown(
            self._workspace,
            ledger,
            {digest: digest for digest in subject.digests},
            {one.file_sha256 for one in subject.pictures if one.file_sha256},
            {digest: one.name for digest, one in affected.items()},
            open_registry(self._workspace),
            self._pieces,
        )
        works = shown.works(lambda done, total: self._progress("looking at works", done, total))
        return Findings(
            subject=subject,
            collection=version_of(self.former),
            elsewhere=tuple(self._elsewhere()),
            models=tuple(models),
            tools=tuple(found_tools(self._workspace, affected, teaching)),
            works=tuple(works),
            films=tuple(shown.films()),
            packs=tuple(found_packs(self._workspace, ledger, self._pixels)),
            places=tuple(self._places(affected.values())),
        )

    @property
    def is_out(self) -> bool:
        """Whether the last version of the collection is without them already."""
        return not self._held(self.latest)

    def _teaching(self) -> Teaching:
        return Teaching(self._holding, self.subject.digests, ConsentStore(self._workspace.root).all())

    def _held(self, collection: Collection) -> int:
        return sum(row.pixel_sha256 in self._pixels for row in collection.rows())

    def _elsewhere(self) -> Iterator[Elsewhere]:
        known = {one.digest: one for one in self._holding}
        earlier, before = set[str](), parent_digest(self.former)
        while before in known and before not in earlier:
            earlier.add(before)
            before = parent_digest(known[before])
        for one in self._holding:
            if one.digest != self.former.digest:
                holds, is_earlier = self._held(one), one.digest in earlier
                yield Elsewhere(name=one.name, digest=one.digest, holds=holds, earlier_version=is_earlier)

    def _places(self, affected: Iterable[FoundModel]) -> Iterator[Place]:
        """Where copies and what was learned stay on this machine."""
        for collection in self._holding:
            for row in collection.rows():
                if row.pixel_sha256 in self._pixels:
                    yield Place(what="stored picture", path=str(collection.picture_path(row)))
        models = {f"sha256:{one.digest}" for one in affected}
        holding = {one.digest for one in self._holding}
        for path in sorted(self._workspace.runs.glob("*/options.json")):
            if str(_json(path).get("digest")) in holding:
                yield Place(what="training run", path=str(path.parent))
        if self._workspace.cache.is_dir():
            yield Place(what="cache", path=str(self._workspace.cache))
        for path in sorted((self._workspace.root / "evolutions").glob("*/state.json")):
            if _json(path).get("model") in models:
                yield Place(what="evolution", path=str(path.parent))


def found_packs(workspace: Workspace, ledger: Ledger, pixels: Iterable[str]) -> Iterator[FoundPack]:
    """The packs that hold some of the pictures: beside models here, where they were packed to, and those that ship."""
    wanted = set(pixels)
    for path in _pack_files(workspace, ledger):
        with contextlib.suppress(UsageError, OSError):
            rows = open_pack(path).note.rows
            if holds := [row.digest for row in rows if row.digest in wanted]:
                ships, digest = path.parent == SHIPPED, digest_of_file(path)
                yield FoundPack(
                    path=str(path), digest=digest, holds=tuple(holds), pictures=len(rows), ships=ships
                )  # fmt: skip


def version_of(collection: Collection) -> Version:
    """A collection as the statement names it."""
    return Version(name=collection.name, digest=collection.digest, pictures=len(collection.rows()))


def _pack_files(workspace: Workspace, ledger: Ledger) -> Sequence[Path]:
    there = [path for folder in (workspace.models, SHIPPED) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    packed = [Path(one) for act in ledger.acts(what="pack") for one in act.outputs if one.endswith(SUFFIX)]
    return list(dict.fromkeys([*there, *(path for path in packed if path.is_file())]))


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
