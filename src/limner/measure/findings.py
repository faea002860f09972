"""What was measured, as data: numbers with their intervals and floors, and the words that say what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from limner.statistics import Estimate

Comparison = Literal["as real", "worse", "better", "cannot tell", ""]
"""How generated pictures do beside real ones in their place; empty where there is no floor."""


@dataclass(frozen=True)
class Meaning:
    """How a number is read.

    Attributes:
        good: whether a good generator has it low, high, or close to the floor.
    """

    title: str
    good: Literal["low", "high", "floor"]
    words: str


MEANINGS = {
    "kid": Meaning("KID", "low", "how unlike the two sets are; the floor is what real pictures get"),
    "frechet": Meaning("Fréchet distance", "low", "the same by mean and spread alone; depends on the counts"),
    "precision": Meaning("precision", "high", "share that lies among real pictures; low: many look unlike any"),
    "recall": Meaning("recall", "high", "share of real pictures that lie among these; low: kinds are missing"),
    "density": Meaning("density", "high", "how thick real pictures lie about these; low: they lie at the edge"),
    "coverage": Meaning(
        "coverage", "high", "share of real pictures with one of these close by; low: kinds are missing"
    ),
    "memorised": Meaning("memorised", "low", "share that come nearer to a training picture than unseen ones do"),
    "diversity": Meaning("diversity", "floor", "mean distance of two of them; below the floor: they look alike"),
}
"""By the name of the number in `FeatureNumbers`."""

PATCHES = Meaning("patches", "low", "how unlike small details are, times 1,000 (sliced Wasserstein distance)")
PATH_LENGTH = Meaning("path length", "low", "how abruptly pictures change between two latents")
FEWEST = 30
"""Pictures on either side, of which fewer say nothing."""

INCEPTION = Meaning("Inception FID", "low", "the number that papers report; few pictures make it large")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Frozen):
    """A number about generated pictures with its 95 % interval, and what real pictures get in their place."""

    value: float
    low: float
    high: float
    count: int
    """Generated pictures that it is about."""
    floor: Estimate | None = None
    """The same number for real pictures in the place of the generated ones."""

    @classmethod
    def of(cls, found: Estimate, floor: Estimate | None = None) -> Finding:
        """An estimate with its floor."""
        return cls(**found.as_dict(), floor=floor)

    def against_floor(self, good: Literal["low", "high", "floor"]) -> Comparison:
        """`as real`, `worse`, `better` or `cannot tell`; empty without a floor.

        Where the intervals do not meet, it is better or worse. Where they do, it is as real only if what real pictures
        get lies within the interval, and enough pictures were compared; else nothing follows.
        """
        if self.floor is None:
            return ""
        below, above = self.high < self.floor.low, self.low > self.floor.high
        if min(self.count, self.floor.count) < FEWEST:
            return "cannot tell"
        if not below and not above:
            return "as real" if self.low <= self.floor.value <= self.high else "cannot tell"
        return "better" if (below and good == "low") or (above and good == "high") else "worse"


class FeatureNumbers(_Frozen):
    """What one network's features say."""

    features: str
    note: str
    kid: Finding
    frechet: Finding
    precision: Finding
    recall: Finding
    density: Finding
    coverage: Finding
    memorised: Finding
    diversity: Finding

    def findings(self) -> dict[str, Finding]:
        """The numbers by name."""
        return {name: value for name, value in self if isinstance(value, Finding)}


class QualityReport(_Frozen):
    """Everything that was measured about one set of generated pictures."""

    model: str = ""
    """Digest of the model whose pictures they are; empty for pictures of another program."""
    counts: dict[str, int]
    """Pictures: `training`, `held_out`, `chose`, `generated`; views of a picture count once."""
    size: tuple[int, int]
    """Height and width in pixels."""
    seed: int
    features: tuple[FeatureNumbers, ...]
    patches: dict[int, Finding] = Field(default_factory=dict)
    """Sliced Wasserstein distance times 1,000, by the side of the pyramid's level in pixels."""
    path_length: Finding | None = None
    """Perceptual path length, where a model could be asked."""
    inception: Finding | str = ""
    """Inception FID, or why there is none."""

    def by(self, features: str) -> FeatureNumbers:
        """What these features say.

        Raises:
            KeyError: they were not asked.
        """
        return {one.features: one for one in self.features}[features]
