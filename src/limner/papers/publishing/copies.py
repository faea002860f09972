"""The check before publishing: a copy of a training picture is not published, unless the artist says why it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import RightsError, UsageError
from limner.gate.gate import CopyFinding, CopyGate
from limner.gate.opening import Progress, gate_for, open_gate
from limner.models.bundle import find_digest, load_model
from limner.papers.c2pa.provenance import Provenance
from limner.synthesis.finding import named_exemplars
from limner.workspace import Workspace

CHECK = "copies"
"""What the check is called in papers and ledger."""


class CopyFoundError(RightsError):
    """A picture that copies a training picture, and was therefore not published."""


class CopyCheck:
    """Looks at each work before it is signed; usable by several threads at once.

    Args:
        allow: why copies may be published all the same, in the artist's words; None stops them.
        watch: shows progress where an index is made for the first time.
    """

    def __init__(
        self,
        workspace: Workspace,
        allow: str | None = None,
        watch: Callable[[], AbstractContextManager[Progress]] | None = None,
    ) -> None:
        if allow is not None and not allow.strip():
            raise UsageError("--allow-copy ''", "is an empty reason", "say why this copy may be published")
        self._workspace, self._allow, self._watch = workspace, allow and allow.strip(), watch or _unseen
        self._gates: dict[tuple[str, str], list[CopyGate] | str] = {}
        self._lock = Lock()

    def __call__(self, pixels: NDArray[np.uint8], path: Path, provenance: Provenance) -> Provenance:
        """The work's papers with what was found.

        Raises:
            CopyFoundError: it copies a training picture, and no reason was given to publish it.
        """
        gates = self._of(provenance)
        if isinstance(gates, str):
            return _with(provenance, {"compared": 0, "why": gates})
        found = max((gate.look([pixels])[0] for gate in gates), key=lambda one: one.score)
        allowed = self._allow or _allowed_before(provenance)
        if found.is_copy and allowed is None:
            raise CopyFoundError(path, copy_words(found), 'it was not published; --allow-copy "REASON" does it')
        compared, learned = sum(len(gate.items) for gate in gates), sum(gate.learned for gate in gates)
        record: dict[str, Any] = {"compared": compared, "of": learned, "score": found.score, "copy": found.is_copy}
        record["nearest"] = [one.as_dict() for one in found.nearest]
        if found.is_copy:
            record["allowed"] = allowed
        return _with(provenance, record)

    def _of(self, provenance: Provenance) -> list[CopyGate] | str:
        """The gates of a work: of what its model learned from, and of other pictures that finished it."""
        finish = provenance.finish.get("exemplars", {})
        key = provenance.model_digest, str(finish.get("name", ""))
        with self._lock:
            if key not in self._gates:
                self._gates[key] = self._opened(*key)
            return self._gates[key]

    def _opened(self, digest: str, exemplars: str) -> list[CopyGate] | str:
        file = find_digest(digest, self._workspace)
        if file is None:
            return "the model that painted it is not here"
        model, found = load_model(file), list[CopyGate]()
        with self._watch() as moved:
            own = gate_for(model, self._workspace, moved)
            if isinstance(own, str) and not exemplars:
                return own
            found += [own] if isinstance(own, CopyGate) else []
            if exemplars and exemplars not in model.card.config.labels:
                others = named_exemplars(exemplars, model, self._workspace)
                found.append(open_gate(others.exemplars, self._workspace, progress=moved))
        return found or "what its model learned from is not here"


def copy_words(found: CopyFinding) -> str:
    """What the gate found, in one line."""
    near = found.nearest[0]
    by = f" by {near.creator}" if near.creator else ""
    licence = f" ({near.licence})" if near.licence else ""
    kind = "mirrored, " if near.mirrored else ""
    return f"copies a training picture, whole or in part: {near.title!r}{by}{licence}, {kind}score {near.score:.2f}"


@contextmanager
def _unseen() -> Iterator[Progress]:
    yield lambda done, total: None


def _with(provenance: Provenance, record: dict[str, Any]) -> Provenance:
    return replace(provenance, checked={**provenance.checked, CHECK: record})


def _allowed_before(provenance: Provenance) -> str | None:
    """Why the former edition of a work was published although it is a copy."""
    former = provenance.checked.get(CHECK) if provenance.edition else None
    return former.get("allowed") if isinstance(former, dict) else None
