"""Finished works: what is done between composition and papers, what acts and papers say, and how it is done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.latent.pipeline import Painted
from limner.models.bundle import Model
from limner.rights import RightsSummary, conditions, credit_line, summary
from limner.synthesis import Finished, Finisher, FinishOptions, SourceMap
from limner.synthesis.exemplars import Exemplar
from limner.synthesis.finding import ExemplarSet, named_exemplars, own_exemplars
from limner.synthesis.stores import CompositionStore, SourceStore
from limner.workspace import Workspace

__all__ = [
    "FinishRequest",
    "Finishing",
    "composed",
    "credit_of",
    "finished",
    "finished_again",
    "finishing_as",
    "finishing_for",
    "rights_of_exemplars",
    "rights_of_sources",
    "share_row",
]

_NAMED = 16
"""Pictures that papers name one by one; the rest is summed up."""
_LONGEST = 200
"""Letters of a title or name in the table of shares; credits hold names whole."""
_FROM = "Finished from patches of pictures"


@dataclass(frozen=True)
class FinishRequest:
    """What the artist asks of a finish.

    Attributes:
        bare: paint what the model composes, and no more.
        exemplars: a label of the model, a collection, a folder or a picture; None for the model's own.
    """

    options: FinishOptions = field(default_factory=FinishOptions)
    bare: bool = False
    exemplars: str | None = None


class Finishing:
    """Finishes the compositions of a model, and keeps where their patches came from.

    Args:
        given: the exemplars.
        owed: the rights in what the model learned from.
        threads: pictures finished at once.
    """

    def __init__(
        self, given: ExemplarSet, options: FinishOptions, workspace: Workspace, owed: RightsSummary, threads: int = 1
    ) -> None:
        self.given, self.owed, self._store = given, owed, SourceStore(workspace)
        self.finisher = Finisher(given.exemplars, options, threads)

    def paired(self, painted: Iterable[Painted]) -> Iterator[tuple[Painted, Finished]]:
        """Each composition with its finished picture."""
        waiting: list[Painted] = []

        def compositions() -> Iterator[NDArray[np.uint8]]:
            for one in painted:
                waiting.append(one)
                yield one.pixels

        for finish in self.finisher.finish_many(compositions()):
            yield waiting.pop(0), finish

    def told(self, finished: Finished, *, chosen: bool = False) -> dict[str, Any]:
        """What acts and papers say of a finish; its source map is kept.

        Args:
            chosen: whether its exemplars were chosen for another composition, and are to be named.
        """
        sources = finished.sources
        plan, shares, inside = self.finisher.plan, sources.shares(), rights_of_sources(sources)
        rows = [share_row(one.exemplar, one.share) for one in shares[:_NAMED]]
        rest = shares[_NAMED:]
        return {
            "options": self.options_told(),
            "exemplars": {"told": self.given.name, "digest": self.given.exemplars.digest},
            "sources": self._store.keep(sources),
            "shares": rows,
            "others": {"pictures": len(rest), "share": round(sum(one.share for one in rest), 4)},
            "licences": inside.licences,
            "credit": credit_of(inside),
            "conditions": conditions(one.exemplar.licence for one in shares),
            "largest_piece": round(sources.largest_piece(flat_counts=plan.flat_counts), 4),
            "bounds": {"piece": round(plan.piece, 4), "share": round(plan.share, 4), "flat_counts": plan.flat_counts},
            **({"chosen": self._named(finished)} if chosen else {}),
        }

    def options_told(self) -> dict[str, Any]:
        """How it is finished, its size among them."""
        return self.finisher.options.model_copy(update={"size": self.finisher.side}).model_dump()

    def _named(self, finished: Finished) -> list[str]:
        """Digests of the exemplars that were searched."""
        return [f"sha256:{self.given.exemplars.items[index].digest}" for index in finished.chosen]

    def chosen_as(self, told: dict[str, Any]) -> list[int] | None:
        """The exemplars that a recorded finish names as chosen for another composition; None where it names none."""
        numbers = {f"sha256:{one.digest}": index for index, one in enumerate(self.given.exemplars.items)}
        return [numbers[one] for one in told["chosen"]] if "chosen" in told else None


@dataclass(frozen=True)
class _Row:
    """An exemplar as rights are counted."""

    creator: str
    licence: str
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def rights_of_sources(sources: SourceMap) -> RightsSummary:
    """The rights in the pictures whose patches are in a work."""
    return rights_of_exemplars(one.exemplar for one in sources.shares())


def rights_of_exemplars(exemplars: Iterable[Exemplar]) -> RightsSummary:
    """The rights in some exemplars."""
    return summary(_Row(one.creator, one.licence) for one in exemplars)


def credit_of(rights: RightsSummary) -> str:
    """Whose pictures a work was finished from, in one line."""
    return credit_line(rights, _FROM)


def share_row(exemplar: Exemplar, share: float) -> dict[str, Any]:
    """What papers say of one picture whose patches are in a work."""
    return {
        "title": exemplar.title[:_LONGEST],
        "creator": exemplar.creator[:_LONGEST],
        "licence": exemplar.licence,
        "digest": f"sha256:{exemplar.digest}",
        "share": round(share, 4),
    }


def finishing_for(
    model: Model,
    workspace: Workspace,
    wish: FinishRequest,
    *,
    label: str | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
    digest: str | None = None,
) -> Finishing | str:
    """What finishes a model's compositions as asked, or in words why they stay bare.

    Args:
        digest: of the exemplars that are meant, where several sets are the model's own.

    Raises:
        UsageError: the exemplars that were named are none.
    """
    if wish.bare:
        return "asked for bare pictures"
    if wish.exemplars is not None:
        given: ExemplarSet | str = named_exemplars(wish.exemplars, model, workspace, progress)
    else:
        given = own_exemplars(model, workspace, label, progress, digest=digest)
    return given if isinstance(given, str) else Finishing(given, wish.options, workspace, model.card.rights, threads)


def finished(
    finishing: Finishing | str, painted: Iterable[Painted]
) -> Iterator[tuple[Painted, NDArray[np.uint8], dict[str, Any]]]:
    """Compositions with their finished pictures and what papers say of those; bare ones where nothing finishes."""
    if isinstance(finishing, str):
        yield from ((one, one.pixels, {}) for one in painted)
        return
    for one, finish in finishing.paired(painted):
        yield one, finish.pixels, {"finish": finishing.told(finish)}


def finishing_as(
    told: dict[str, Any], model: Model, workspace: Workspace, label: str | None, size: int | None = None
) -> Finishing:
    """What finishes as an act says that it was done.

    Args:
        size: another shorter side than that of then, px.

    Raises:
        UsageError: its exemplars are not here any more, or are others now.
    """
    options = FinishOptions.model_validate({**told["options"], **({"size": size} if size else {})})
    wish = FinishRequest(options, False, told["exemplars"]["told"] or None)
    found = finishing_for(model, workspace, wish, label=label, digest=told["exemplars"]["digest"])
    if isinstance(found, str) or found.given.exemplars.digest != told["exemplars"]["digest"]:
        why = found if isinstance(found, str) else "they are others now"
        raise UsageError(
            "exemplars of the work", f"are not here ({why})", "bring back the collection that they are from"
        )
    return found


def finished_again(
    told: dict[str, Any], model: Model, workspace: Workspace, label: str | None, composition: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The picture that a recorded finish makes of a composition. # uint8 [h, w, 3] -> [height, width, 3]

    Raises:
        UsageError: its exemplars are not here any more, or are others now.
    """
    finishing = finishing_as(told, model, workspace, label)
    chosen = finishing.chosen_as(told)
    return finishing.finisher.finish(composed(told, workspace, composition), chosen=chosen).pixels


def composed(told: dict[str, Any], workspace: Workspace, composition: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What a recorded finish was made of: what the model painted, or the picture from outside that was kept.

    # uint8 [h, w, 3] -> [h', w', 3]

    Raises:
        UsageError: it is not kept here any more.
    """
    if "composition" not in told:
        return composition
    kept = CompositionStore(workspace).load(str(told["composition"]))
    if kept is None:
        raise UsageError("composition of the work", "is not kept here", "make it again from the picture")
    return kept
