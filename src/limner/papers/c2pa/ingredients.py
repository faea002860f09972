"""A picture that a work was made from, as the work's papers keep or name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from limner.text import storable

Relationship = Literal["parentOf", "inputTo", "componentOf"]
"""In C2PA's words (specification 2.2, section 18.15): parentOf, the former edition of the same work; inputTo, a picture
that a model was given; componentOf, a file that came back from another program and whose pixels are in the work."""

Found = Literal["valid", "unverified", "none", "unread"]
"""valid: papers that hold. unverified: papers that do not hold or cannot be checked, or unsigned lines on origin. none:
nothing. unread: the file was gone or had changed when the work was signed."""

_NOTES: dict[Found, str] = {
    "valid": "papers were found on it, and they held",
    "unverified": "papers or marks were found on it that could not be verified",
    "none": "no papers were found on it",
    "unread": "its file was gone when the work was signed",
}


@dataclass(frozen=True)
class Ingredient:
    """One picture that a work was made from.

    Attributes:
        digest: sha256 of its file, `sha256:` before it.
        title, signer, tool: as its papers say, where they hold.
        source_type: `trainedAlgorithmicMedia` where its papers say so, else the last word of the term in unsigned XMP.
        file: the whole file, so that its manifest can be kept in the work's own; None where none is kept.
    """

    digest: str
    relationship: Relationship
    found: Found
    mime: str | None = None
    title: str | None = None
    signer: str | None = None
    tool: str | None = None
    source_type: str | None = None
    file: bytes | None = field(default=None, repr=False)

    def summary(self) -> dict[str, Any]:
        """As the work's own assertion and the ledger name it."""
        names = ("digest", "found", "title", "signer", "tool", "source_type")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def definition(self, label: str) -> dict[str, str]:
        """As the C2PA library takes it; `label` is by what actions call it."""
        name = f"picture {self.digest.removeprefix('sha256:')[:12]}"
        parts = {
            "label": label,
            "title": storable(self.title or name)[:500],
            "relationship": self.relationship,
            "description": f"{self.digest}; {_NOTES[self.found]}",
        }
        return {**parts, "format": self.mime} if self.mime else parts
