"""What acts and papers say of how a work was finished: enough to do it again, and whose pictures are in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from limner.errors import UsageError
from limner.synthesis import Exemplar, FinishOptions

_LONGEST = 200
"""Letters of a title or name in the table of shares; credits hold names whole."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShareRow(_Frozen):
    """What one picture gave to a work; of its area that is not flat, 0 to 1."""

    title: str
    creator: str
    licence: str
    digest: str
    share: float

    @classmethod
    def of(cls, exemplar: Exemplar, share: float) -> ShareRow:
        """The row of an exemplar."""
        names = {"title": exemplar.title[:_LONGEST], "creator": exemplar.creator[:_LONGEST]}
        digest = f"sha256:{exemplar.digest}"
        return cls(**names, licence=exemplar.licence, digest=digest, share=round(share, 4))


class Exemplars(_Frozen):
    """Which exemplars: how the artist named them (empty for those that the model learned from), and their digest."""

    name: str
    digest: str


class Others(_Frozen):
    """The pictures that are not named one by one."""

    pictures: int
    share: float


class Bounds(_Frozen):
    """What may come from one picture at most, as shares: in one piece, and in all; whether flat areas count."""

    piece: float
    share: float
    flat_counts: bool


class FinishRecord(_Frozen):
    """How a work was finished."""

    options: FinishOptions
    """With the size that it got."""
    exemplars: Exemplars
    sources: str
    """Digest of the map that says where each pixel is from."""
    shares: tuple[ShareRow, ...]
    """Those that gave most, most first."""
    others: Others
    licences: dict[str, int]
    """Pictures in the work by licence."""
    credit: str
    """Whose pictures are in it, in one line."""
    conditions: tuple[str, ...]
    """What their licences ask of whoever uses the work."""
    largest_piece: float
    """The largest connected piece that comes from one picture, as a share."""
    bounds: Bounds
    chosen: tuple[str, ...] | None = None
    """Digests of the exemplars that were searched, where they were chosen for another composition."""
    without: tuple[str, ...] | None = None
    """Digests of the exemplars that were left out, because they were withdrawn."""
    composition: str | None = None
    """Digest of what was finished, where no model painted it."""

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> FinishRecord | None:
        """What an act says, as `Published.finish` has it; None for a work that was not finished.

        Raises:
            UsageError: another version of limner wrote it.
        """
        try:
            return cls.model_validate(recorded) if recorded else None
        except ValidationError:
            why = "was recorded by another version of limner"
            raise UsageError("how the work was finished", why, "use that version, or paint the work anew") from None

    def to_json(self) -> dict[str, Any]:
        """The record as acts and papers hold it."""
        left_out = {name for name in ("chosen", "without", "composition") if getattr(self, name) is None}
        return self.model_dump(mode="json", exclude=left_out)
