"""Evolving: the artist keeps what is liked, the algorithm paints children of it, and so on (Sims 1991).

An evolution is a folder of the workspace: one folder a generation (its pictures' latents, what each came from, one
numbered sheet) and `state.json`, which says which generation the artist looks at. A generation is written whole before
the state names it, so a killed run leaves the old state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from limner import pictures
from limner.errors import UsageError, check_range
from limner.latent.breeding import MUTATION, breed
from limner.latent.contact import draw_contact
from limner.latent.latents import latent_digest, latent_digests, load_latents, row_of, save_latents, stacked
from limner.latent.pipeline import Pipeline
from limner.ledger import Entry
from limner.models.painter import Latent
from limner.papers.publishing.published import PUBLISH, Published
from limner.works.making import WorkRequest
from limner.works.origins import Kind, Origin, Origins, file_digest
from limner.workspace import Workspace, replace_file, replace_folder

MOST = 60
"""Pictures of a generation at most."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
_STATE, _GENERATION, _LATENTS, _SHEET = "state.json", "generation.json", "latents.safetensors", "sheet.png"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_Kind = TypeVar("_Kind", bound=_Frozen)


class Root(_Frozen):
    """Where a picture of the first generation is from; the fields of an `Origin` without its latent."""

    name: str
    kind: Kind
    digest: str
    label: str | None


class Member(_Frozen):
    """One picture of a generation."""

    latent: str
    """sha256 of its latent."""
    parents: tuple[str, ...] = ()
    """sha256 of its parents' latents; none in the first generation."""
    root: Root | None = None
    """Where it is from, in the first generation."""
    kept: bool = False
    """Whether it was kept from the generation before."""


class Generation(_Frozen):
    """The pictures that the artist chooses from."""

    number: int = Field(ge=0)
    """Of its folder; later ones have higher numbers, whatever they came from."""
    before: int | None = Field(None, ge=0)
    """Number of the generation that its kept pictures stood in."""
    depth: int = Field(ge=0)
    """How many choices led to it."""
    count: int = Field(ge=2, le=MOST)
    """How many pictures the sheet has."""
    seed: int = Field(ge=0)
    """What its chances follow from, with its depth."""
    label: str | None = None
    """The label that pictures are drawn for."""
    mutation: float = Field(0.0, ge=0, le=1)
    """How far children were moved."""
    kept: tuple[int, ...] = ()
    """Numbers of the kept ones on the sheet before."""
    members: tuple[Member, ...]
    """In the order of the sheet: its number 1 is the first."""


class _State(_Frozen):
    format: Literal[1] = 1
    model: str
    now: int = Field(ge=0)
    last: int = Field(ge=0)


Look = Callable[[NDArray[np.uint8], str | None], NDArray[np.uint8]]
"""What pictures look like on a sheet: of what the model composes for a label. # uint8 [n, h, w, 3] -> [n, h, w, 3]"""


def _as_composed(compositions: NDArray[np.uint8], label: str | None) -> NDArray[np.uint8]:
    return compositions


class Evolution:
    """An evolution of one model's pictures, as it lies in a workspace.

    Raises:
        UsageError: no such evolution, one of another model, or a damaged one.
    """

    def __init__(self, origins: Origins, name: str, look: Look = _as_composed) -> None:
        self.name, self._origins, self._look = name, origins, look
        self._folder = _folder(origins.workspace, name)
        path = self._folder / _STATE
        if not path.is_file():
            raise UsageError(f"--name {name}", "is no evolution", "begin one with `limner evolve MODEL`")
        self._state = _read(path, _State)
        if self._state.model != origins.model_digest:
            remedy = f"give that one, or begin another for {origins.pipeline.model.card.name} with another --name"
            raise UsageError(f"--name {name}", f"evolves another model ({self._state.model[:19]})", remedy)
        self.now = self._generation(self._state.now)
        self.latent = self._latents(self.now)

    @classmethod
    def begin(
        cls,
        origins: Origins,
        name: str,
        *,
        count: int = 12,
        seed: int = 1,
        label: str | None = None,
        start: Sequence[Origin] = (),
        mutation: float = MUTATION,
        look: Look = _as_composed,
    ) -> Evolution:
        """Paint the first generation: pictures 0 to `count` of a seed, or children of pictures to start from.

        Args:
            label: for the pictures that the model draws.
            start: works or pictures that stand first in the sheet, with children of theirs after them.
            mutation: of these children, 0 to 1.

        Raises:
            UsageError: the name is taken or unfit, or numbers are out of range.
        """
        check_range("--count", count, 2, MOST)
        check_range("--seed", seed, 0, 2**63 - 1)
        folder = _folder(origins.workspace, name)
        if (folder / _STATE).is_file():
            remedy = "go on with --keep, or begin one with another --name"
            raise UsageError(f"--name {name}", "is begun already", remedy)
        if start and len(start) >= count:
            raise UsageError(f"{len(start)} pictures", f"leave no room for children among {count}", "raise --count")
        first = Generation(number=0, depth=0, count=count, seed=seed, label=label, members=())
        members, latent = _first_members(origins.pipeline, first, start, mutation)
        first = first.model_copy(update={"members": tuple(members)})
        sheet = _write(origins, folder, name, first, latent, look)
        inputs = [*(one.digest for one in start), origins.model_digest]
        origins.ledger.record_many([_painted(name, first, inputs, sheet)])
        _move(folder, _State(model=origins.model_digest, now=0, last=0))
        return cls(origins, name, look)

    @property
    def sheet(self) -> Path:
        """The sheet that the artist looks at."""
        return self._place(self.now.number) / _SHEET

    def keep(self, numbers: Sequence[int], *, mutation: float = MUTATION, seed: int | None = None) -> None:
        """Paint the next generation: the kept ones, marked, and children of theirs.

        Args:
            mutation: 0 to 1, how far children are moved towards pictures that the model draws.
            seed: another one throws the dice again; otherwise that of the generation before.

        Raises:
            UsageError: a number that is not on the sheet, all or none of them, or something out of range.
        """
        now, origins, kept = self.now, self._origins, tuple(dict.fromkeys(numbers))
        parents = [self._member(number) for number in kept]
        if not 1 <= len(kept) < now.count:
            raise UsageError(f"{len(kept)} kept", f"leave no room for children among {now.count}", "keep fewer")
        seed = now.seed if seed is None else seed
        check_range("--seed", seed, 0, 2**63 - 1)
        update: dict[str, Any] = {"number": self._state.last + 1, "before": now.number, "depth": now.depth + 1}
        update |= {"mutation": mutation, "kept": kept, "seed": seed}
        following = now.model_copy(update=update)
        members, latent = _children(origins.pipeline, following, parents)
        following = following.model_copy(update={"members": tuple(members)})
        digests, shown = [one.latent for one, _ in parents], file_digest(self.sheet)
        sheet = _write(origins, self._folder, self.name, following, latent, self._look)
        choice = {"evolution": self.name, "generation": now.number, "kept": kept, "of": now.count}
        chosen = Entry("artist", "keep", [shown, *digests], [], choice)
        origins.ledger.record_many([chosen, _painted(self.name, following, [*digests, origins.model_digest], sheet)])
        self._go(following, last=following.number)

    def back(self) -> None:
        """Return to the generation before; the later one stays in its folder.

        Raises:
            UsageError: this is the first one.
        """
        if self.now.before is None:
            raise UsageError("--back", "there is no generation before the first", "keep some of it with --keep")
        shown, former = file_digest(self.sheet), self._generation(self.now.before)
        how = {"evolution": self.name, "from": self.now.number, "to": former.number}
        self._origins.ledger.record("artist", "go back", inputs=[shown], parameters=how)
        self._go(former, last=self._state.last)

    def chosen(self, number: int) -> WorkRequest:
        """The request by which one picture becomes a work.

        What it is made from are its ancestors that were published here, and where there are none between, the pictures
        that the first generation began with.

        Raises:
            UsageError: a number that is not on the sheet.
        """
        member, latent = self._member(number)
        choices = [",".join(map(str, one.kept)) for one in [*self._chain()][::-1] if one.before is not None]
        how: dict[str, Any] = {"evolution": self.name, "generation": self.now.depth, "number": number}
        if choices:
            how["kept"] = " / ".join(choices)
        if member.root is not None and member.root.kind == "seed":
            return WorkRequest(latent, "evolve", [], {**how, "drawn": member.root.name})
        return WorkRequest(latent, "evolve", self._ancestors(member), how)

    def _ancestors(self, member: Member) -> list[Origin]:
        known: dict[str, tuple[Member, Latent]] = {}
        for generation in self._chain():
            latents = self._latents(generation)
            known |= {one.latent: (one, row_of(latents, i)) for i, one in enumerate(generation.members)}
        found: list[Origin] = []
        waiting, met = [member], {member.latent}
        while waiting:
            one = waiting.pop(0)
            if root := one.root:
                found.append(Origin(root.name, root.kind, root.digest, known[one.latent][1], root.label))
            for digest in one.parents if one.root is None else ():
                if digest in met or digest not in known:
                    continue
                met.add(digest)
                acts = [act for act in self._origins.ledger.used(digest) if act.what == PUBLISH]
                if acts:
                    work = Published.of(acts[-1])
                    found.append(Origin(str(work.path), "work", work.digest, known[digest][1]))
                else:
                    waiting.append(known[digest][0])
        return found

    def _member(self, number: int) -> tuple[Member, Latent]:
        if not 1 <= number <= len(self.now.members):
            raise UsageError(f"number {number}", "is not on the sheet", f"give 1 to {len(self.now.members)}")
        return self.now.members[number - 1], row_of(self.latent, number - 1)

    def _chain(self) -> Iterator[Generation]:
        """This generation, the one before, and so on."""
        generation = self.now
        yield generation
        while generation.before is not None and generation.before < generation.number:
            generation = self._generation(generation.before)
            yield generation

    def _go(self, to: Generation, last: int) -> None:
        state = self._state.model_copy(update={"now": to.number, "last": last})
        _move(self._folder, state)
        self._state, self.now, self.latent = state, to, self._latents(to)

    def _place(self, number: int) -> Path:
        return self._folder / f"{number:03d}"

    def _generation(self, number: int) -> Generation:
        found = _read(self._place(number) / _GENERATION, Generation)
        if found.number != number or len(found.members) != found.count:
            raise UsageError(self._place(number) / _GENERATION, "is damaged", "begin another with another --name")
        return found

    def _latents(self, generation: Generation) -> Latent:
        path = self._place(generation.number) / _LATENTS
        latent, model = load_latents(path)
        digests = [one.latent for one in generation.members]
        if model != self._origins.model_digest or latent_digests(latent) != digests:
            raise UsageError(path, "holds other latents than its generation", "begin another with another --name")
        return Latent(*(part.to(self._origins.pipeline.machine.device) for part in latent))


def _first_members(
    pipeline: Pipeline, first: Generation, start: Sequence[Origin], mutation: float
) -> tuple[list[Member], Latent]:
    if start:
        kept = [(Member(latent=latent_digest(one.latent), root=_root(one)), one.latent) for one in start]
        return _children(pipeline, first.model_copy(update={"mutation": mutation}), kept)
    latent = pipeline.sample(first.count, seed=first.seed, label=first.label)
    members = []
    for i, digest in enumerate(latent_digests(latent)):
        root = Root(name=f"{first.seed}:{i}", kind="seed", digest=digest, label=first.label)
        members.append(Member(latent=digest, root=root))
    return members, latent


def _root(origin: Origin) -> Root:
    return Root(name=origin.name, kind=origin.kind, digest=origin.digest, label=origin.label)


def _children(
    pipeline: Pipeline, generation: Generation, kept: Sequence[tuple[Member, Latent]]
) -> tuple[list[Member], Latent]:
    """The kept ones, then their children."""
    latent, pairs = breed(
        pipeline,
        [one for _, one in kept],
        generation.count - len(kept),
        mutation=generation.mutation,
        chances=f"{generation.seed}/{generation.depth}",
        label=generation.label,
    )
    members = [one.model_copy(update={"kept": True}) for one, _ in kept]
    for digest, pair in zip(latent_digests(latent), pairs, strict=True):
        parents = tuple(dict.fromkeys(kept[parent][0].latent for parent in pair))
        members.append(Member(latent=digest, parents=parents))
    return members, stacked([*(one for _, one in kept), latent])


def _write(origins: Origins, folder: Path, name: str, generation: Generation, latent: Latent, look: Look) -> str:
    """Write a generation's folder, which nothing names yet; sha256 of its sheet."""
    composed = origins.pipeline.paint(latent).permute(0, 2, 3, 1).contiguous().numpy()
    painted = look(composed, generation.label)
    marked = [one.kept for one in generation.members]
    before = f", of {', '.join(map(str, generation.kept))}" if generation.kept else ""
    title = f"{name}: generation {generation.depth}{before}"
    place = folder / f"{generation.number:03d}"
    origins.workspace.make(folder)
    with replace_folder(place) as part:
        save_latents(latent, part / _LATENTS, origins.model_digest)
        pictures.write(draw_contact(painted, marked, title), part / _SHEET)
        (part / _GENERATION).write_text(generation.model_dump_json(indent=1))
    return file_digest(place / _SHEET)


def _painted(name: str, generation: Generation, inputs: Sequence[str], sheet: str) -> Entry:
    """The act of the algorithm. Latents are parameters: what came out is the sheet, no picture was chosen yet."""
    numbers = generation.model_dump(include={"number", "depth", "seed", "label", "mutation"})
    latents = [one.latent for one in generation.members]
    return Entry("algorithm", "evolve", inputs, [sheet], {"evolution": name, **numbers, "latents": latents})


def _move(folder: Path, state: _State) -> None:
    with replace_file(folder / _STATE) as part:
        part.write_text(state.model_dump_json())


def _read(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    except OSError as error:
        reason = str(error.strerror)
    raise UsageError(path, f"is damaged ({reason})", "begin another with another --name") from None


def _folder(workspace: Workspace, name: str) -> Path:
    if not _NAME.match(name):
        raise UsageError(f"--name {name}", "is no name of an evolution", "use letters, digits, . _ and -, 64 at most")
    return workspace.root / "evolutions" / name
