"""The verdict on one file: what was found, and the words for it, which do not say more than was proved."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from limner.papers.verify import wording
from limner.papers.verify.findings import Findings, MarkFound, RegistryFound
from limner.papers.verify.wording_registry import Layer, other_signer

_NOT_SHOWN = {
    *("reason", "xmp", "xmp_fault", "mark_read", "model_mark", "registered", "changes", "signer", "chain", "assets")
}


@dataclass(frozen=True)
class Verdict(Findings):
    """What a check of one file showed: the findings, and as properties their words and plain values."""

    @property
    def summary(self) -> str:
        """One line for a reader who knows nothing of signatures."""
        return f"{wording.headline(self)}: {self.finding}"

    @property
    def finding(self) -> str:
        """The summary without the word for the state that it begins with."""
        return wording.finding(self)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """C2PA first, then XMP, the marks and the registry where they were looked for."""
        return wording.layers(self)

    @property
    def tampered(self) -> str | None:
        """Which part was changed, where that can be said."""
        return wording.changed(self) or None

    @property
    def contested(self) -> str:
        """What the registry knows of another signer for this work; empty where it knows none."""
        return other_signer(self.contest) if self.contest else ""

    @property
    def watermark(self) -> dict[str, Any] | None:
        """What was read from the pixels: `work`, `evidence` in deviations, whether it is `as_papers_say`, and the
        fingerprint of one's own `key` that read it; None where nothing was read, or nothing was looked for."""
        read = self.mark_read
        if read is None or read.work is None:
            return None
        said = read.found is MarkFound.AS_PAPERS_SAY
        plain = {"work": read.work, "evidence": round(read.statistic, 1), "as_papers_say": said}
        return plain | ({"key": read.key} if read.key else {})

    @property
    def registry(self) -> dict[str, Any] | None:
        """What the registry holds of the work that the picture looks like; None where it was not asked or knows none.

        Likeness, which is no proof.
        """
        found = self.registered
        if found is None or found.match is None or found.found is RegistryFound.UNFIT:
            return None
        plain = {name: value for name, value in found.match.details().items() if name not in ("path", "id")}
        return plain | ({"is_source": True} if found.found is RegistryFound.SOURCE else {})

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain values: words, and beside them the codes that programs decide on."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in _NOT_SHOWN}
        contest = self.contest
        return {
            **plain,
            "summary": self.summary,
            "layers": [asdict(one) for one in self.layers],
            "tampered": self.tampered,
            "changes": [asdict(one) for one in self.changes],
            "refusal": self.refusal,
            "signer": asdict(self.signer) if self.signer else None,
            "chain": [asdict(one) for one in self.chain],
            "assets": [asdict(one) for one in self.assets],
            "registry": self.registry,
            "watermark": self.watermark,
            "contested": self.contested,
            "contested_by": contest.lead if contest else None,
            "genuine": self.genuine,
            "trusted": self.trusted,
        }

    def to_json(self) -> str:
        """The verdict as one JSON object."""
        return json.dumps(self.to_dict())
