"""What the law and its code of practice ask of a generated picture, beside what one work has. Not legal advice.

The words are a summary of Regulation (EU) 2024/1689 (AI Act), Article 50(2) and 50(4), and of the Code of Practice on
marking and labelling of AI-generated content; their own text decides. No measure numbers are cited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from limner.papers.verify.verdict import Verdict

NOTICE = (
    "Information, not legal advice. This page sets what was found about one picture beside what the law and the Code "
    "ask. Whether that is enough is for you and your advisers to judge."
)

Answer = Literal["yes", "partly", "no", "not checked", "yours to judge"]

_ARTICLE_2 = "AI Act, Article 50(2)"
_ARTICLE_4 = "AI Act, Article 50(4)"
_CODE = "Code of Practice"


@dataclass(frozen=True)
class Claim:
    """One thing that is asked, and what this work has of it.

    Attributes:
        answer: whether this work has it.
        files: of the folder, that show it.
    """

    source: str
    asks: str
    answer: Answer
    because: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What was found of a work in its pixels, or in the registry.

    Attributes:
        is_this_work: whether what was found names this work.
    """

    found: bool
    words: str
    details: dict[str, Any]
    is_this_work: bool = True

    @property
    def answer(self) -> Answer:
        """Whether it shows what is asked."""
        return "yes" if self.found and self.is_this_work else "no"

    def to_dict(self) -> dict[str, Any]:
        """As the folder holds it."""
        return {"found": self.found, **self.details, "words": self.words}


def claims_of(
    verdict: Verdict, master: str, watermark: Report, registry: Report | None, ingredients: int, label: str | None
) -> list[Claim]:
    """What is asked, in the order of the texts.

    Args:
        registry: what the registry knows of it; None where there is no registry.
    """
    return [*_outputs(verdict, master, watermark), _deployer(label), *_code(verdict, watermark, registry, ingredients)]


def _outputs(verdict: Verdict, master: str, watermark: Report) -> list[Claim]:
    signed = verdict.genuine and verdict.generated
    holds: Answer = "yes" if verdict.genuine else "no"
    xmp = "; so does the XMP" if verdict.xmp_says_generated else ""
    lost = "The signed papers are lost when the picture is saved again, cropped or photographed off a screen."
    return [
        Claim(
            _ARTICLE_2,
            "Outputs are marked in a machine-readable format as artificially generated.",
            "yes" if signed else "no",
            f"The signed manifest names the digital source type “trained algorithmic media” (IPTC){xmp}."
            if signed
            else f"The check of the master says: {verdict.summary}.",
            (master, "manifest.json", "verification.json"),
        ),
        Claim(
            _ARTICLE_2,
            "Marks are detectable.",
            holds,
            "Readers of C2PA manifests find it; so does the free command limner verify, also as a web page.",
            ("verification.json",),
        ),
        Claim(
            _ARTICLE_2,
            "Marks are interoperable.",
            holds,
            "The manifest follows an open standard (C2PA), the XMP another (IPTC, PLUS).",
            ("manifest.json", master),
        ),
        Claim(
            _ARTICLE_2,
            "Marks are effective, robust and reliable as far as technically feasible.",
            "partly" if watermark.answer == "yes" else "no",
            f"{lost} {watermark.words} What such a mark survives is measured for limner as a whole, not for this "
            "picture.",
            ("watermark.json",),
        ),
    ]


def _deployer(label: str | None) -> Claim:
    named = f"names a visible label: {label}" if label else "names no visible label"
    return Claim(
        _ARTICLE_4,
        "Whoever shows a deep fake discloses that it is generated; for evidently artistic works in a manner that "
        "does not hamper their display or enjoyment.",
        "yours to judge",
        "No program can say whether a picture is a deep fake (resembles real persons, places or events and would "
        f"falsely appear authentic). The manifest {named}.",
        ("manifest.json",),
    )


def _code(verdict: Verdict, watermark: Report, registry: Report | None, ingredients: int) -> list[Claim]:
    trusted = verdict.signer is not None and verdict.signer.time_stamp_trusted
    kept = f"The manifest keeps {ingredients} ingredient{'s' if ingredients > 1 else ''}."
    none_kept = "The manifest names no ingredient: no other picture went in, or none with marks that were kept."
    return [
        Claim(
            _CODE,
            "First layer: digitally signed metadata with a time-stamp.",
            "yes" if verdict.genuine and trusted else "partly" if verdict.genuine else "no",
            _stamped(verdict),
            ("manifest.json", "verification.json"),
        ),
        Claim(
            _CODE,
            "Second layer: an imperceptible watermark.",
            watermark.answer,
            watermark.words,
            ("watermark.json",),
        ),
        Claim(
            _CODE,
            "Optionally, a fingerprint in a registry, so that a picture without its papers is still found.",
            registry.answer if registry else "not checked",
            registry.words if registry else "No registry was asked about this picture.",
            ("registry.json",),
        ),
        Claim(
            _CODE,
            "A detector that is free of charge.",
            "yes",
            "limner verify is free software (Apache-2.0): a command, a library, an HTTP endpoint and a page.",
            ("verification.json",),
        ),
        Claim(
            _CODE,
            "Marks found on inputs are kept.",
            "yes" if ingredients else "not checked",
            kept if ingredients else none_kept,
            ("manifest.json", "ledger.json"),
        ),
    ]


def _stamped(verdict: Verdict) -> str:
    stamp = verdict.signer.time_stamp if verdict.signer else None
    if not verdict.genuine:
        return "The signature does not count; see verification.json."
    if stamp is None or verdict.signer is None:
        return "Signed, without a time-stamp: the signature counts only until its certificate ends."
    time = f"{stamp[:19].replace('T', ' ')} UTC"
    if verdict.signer.time_stamp_trusted:
        return f"Signed, and time-stamped at {time} by a server that is believed here."
    return f"Signed, with a time-stamp of {time} by a server for which no trust anchor here vouches."
