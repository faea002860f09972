"""The finisher: which exemplars suit which composition, at which size, by how many threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from limner.synthesis.carrying import Carrying
from limner.synthesis.choosing import Chooser
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.levels import Pyramid
from limner.synthesis.options import FinishOptions, Plan, plan_for
from limner.synthesis.rebuilding import Rebuilding
from limner.synthesis.state import Carried, Finished

_USUAL_SIDE = 512
_GRAPHIC = 0.35
"""Share of pixels that equal their neighbour from which pictures count as drawings with flat colours."""
_ALIKE = 0.43
"""Distance to the most alike picture, as a share of the usual one, up to which pictures show the same kind of thing.
Landscapes have 0.49, portraits 0.54; 3,403 photographs of clothing 0.37."""
_EDGE = 0.02
"""Width of the edge of an exemplar that is never taken, as a share of its shorter side."""


class Finisher:
    """Finishes compositions from some exemplars.

    Args:
        threads: how many bands, or pictures, are searched at once; the bits do not depend on it.
    """

    def __init__(self, exemplars: Exemplars, options: FinishOptions | None = None, threads: int = 1) -> None:
        self.exemplars, self.options, self.threads = exemplars, options or FinishOptions(), max(1, threads)
        self.side = self.options.size or min(_USUAL_SIDE, exemplars.side)
        self._left_out = [i for i, one in enumerate(exemplars.items) if one.digest in set(self.options.leave_out)]

    @cached_property
    def graphic(self) -> bool:
        """Whether the exemplars are drawings with flat colours."""
        shares = []
        for index in range(0, len(self.exemplars), max(1, len(self.exemplars) // 64)):
            small = self.exemplars.thumbnail(index).astype(np.int16)
            shares.append(float((np.abs(small[:, 1:] - small[:, :-1]).max(axis=2) <= 1).mean()))
        return float(np.median(shares)) > _GRAPHIC

    @cached_property
    def plan(self) -> Plan:
        """What shapes the finish."""
        return plan_for(self.options, graphic=self.graphic, alike=not self.graphic and self._chooser.apart() < _ALIKE)

    @cached_property
    def _pyramid(self) -> Pyramid:
        # What lies at the edge of a painting or a photograph is often its frame.
        return Pyramid(self.exemplars, 0.0 if self.graphic else _EDGE)

    @cached_property
    def _chooser(self) -> Chooser:
        return Chooser(self.exemplars)

    def choose(self, compositions: Sequence[NDArray[np.uint8]]) -> list[int]:
        """The numbers of the exemplars that suit compositions: for films, the same for all frames."""
        return self._chooser.choose(compositions, self.plan.exemplars, self._left_out)

    def finish(
        self,
        composition: NDArray[np.uint8],
        *,
        before: Carried | None = None,
        chosen: Sequence[int] | None = None,
        keep: bool = False,
    ) -> Finished:
        """Rebuild a composition at full size.

        Args:
            composition: what is where. # uint8 [h, w, 3]
            before: from the finish of a composition of the same shape that differs little: what still fits stays.
            chosen: exemplars to take; those of `before`, or the most alike ones, otherwise.
            keep: whether the next one is to go on from this one.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            if before is not None:
                return Carrying(*self._how(composition, pool)).go_on(before, self.side)
            chosen = chosen or self.choose([composition])
            return Rebuilding(*self._how(composition, pool)).run(chosen, self.side, keep=keep)

    def preview(self, composition: NDArray[np.uint8], before: Carried) -> NDArray[np.uint8]:
        """Nearly what `finish` goes on to from `before`, in a tenth of the time: while a slider moves.

        # uint8 [h, w, 3] -> [height, width, 3]
        """
        with ThreadPoolExecutor(self.threads) as pool:
            return Carrying(*self._how(composition, pool)).preview(before, self.side)

    def finish_many(self, compositions: Iterable[NDArray[np.uint8]]) -> Iterator[Finished]:
        """Finished pictures in the order of their compositions; each is what `finish` gives."""
        self._chooser.make()
        _ = self._pyramid

        def one_by_one(composition: NDArray[np.uint8]) -> Finished:
            return Rebuilding(*self._how(composition, None)).run(self.choose([composition]), self.side)

        with ThreadPoolExecutor(self.threads) as pool:
            waiting = []
            for composition in compositions:
                waiting.append(pool.submit(one_by_one, composition))
                if len(waiting) > self.threads:
                    yield waiting.pop(0).result()
            for one in waiting:
                yield one.result()

    def _how(
        self, composition: NDArray[np.uint8], pool: ThreadPoolExecutor | None
    ) -> tuple[Pyramid, Exemplars, Plan, int, ThreadPoolExecutor | None, NDArray[np.uint8]]:
        return self._pyramid, self.exemplars, self.plan, self.options.seed, pool, composition
