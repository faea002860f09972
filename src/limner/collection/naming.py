"""Which picture a name in a table means: names differ by Unicode's forms and by case from one system to the next."""

from __future__ import annotations

from collections.abc import Iterable

from limner.text import composed

__all__ = ["Names"]


class Names:
    """The names of the pictures that there are, to be asked for by what a table says."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = set(names)
        self._composed: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        for name in sorted(self._exact):
            self._composed.setdefault(composed(name), []).append(name)
            self._folded.setdefault(composed(composed(name).casefold()), []).append(name)

    def meant(self, said: str) -> list[str]:
        """The pictures that `said` may mean: one where that is clear, none, or several that it could be.

        An exact name wins over one in another form of Unicode, and that over one in another case.
        """
        if said in self._exact:
            return [said]
        form = composed(said)
        return self._composed.get(form) or self._folded.get(composed(form.casefold()), [])
