"""What is said about a file's papers, in plain words: every sentence of a verdict is here.

A sentence says what was proved, and then what was not. None says "authentic", "real" or "by" where a name is only
what the signer calls themselves.
"""

from __future__ import annotations

import datetime as dt

from limner.papers.c2pa.chain import Earlier
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED, XmpSeen
from limner.papers.identity.certificates import NOTICE
from limner.papers.verify.clock import must_be_wrong
from limner.papers.verify.names import quoted
from limner.papers.verify.verdict import Layer, LayerState, SignerSeen, Verdict

__all__ = [
    "PART_ASSERTION",
    "PART_FILE",
    "PART_FRAME",
    "PART_INGREDIENT",
    "PART_MANIFEST",
    "PART_OF_FILE",
    "PART_REST",
    "PART_STAMP",
    "PART_UNREADABLE",
    "c2pa_layer",
    "earlier",
    "signed_by",
    "source_words",
    "summary",
    "whose",
    "xmp_layer",
]

PART_MANIFEST = "the manifest (its claim or its signature)"
PART_ASSERTION = "the manifest (what it says under {label})"
PART_UNREADABLE = "the manifest (it is there and can no longer be read)"
PART_FRAME = "what lies around the manifest's contents ({fault})"
PART_STAMP = "its time-stamp (it is there and does not fit)"
PART_INGREDIENT = "the manifest of an earlier version that this one builds on"
PART_FILE = "the picture or its metadata (anything outside the manifest)"
PART_REST = "bytes that are neither the picture's data nor its XMP"
PART_OF_FILE = {"image": "the picture itself", "xmp": "the XMP", "brands": "what kind of file it says it is"}

_STRIPPED = "Papers are lost when a picture is saved again, so their absence proves nothing."


def summary(verdict: Verdict, xmp: str = "") -> str:
    """One line for a reader who knows nothing of signatures."""
    signer = verdict.signer
    if verdict.state == "valid" and signer:
        if verdict.uncovered:
            unchanged = f"what the signature covers is unchanged since {_who(signer)} signed it"
            return f"genuine: {unchanged}; {_loose(verdict)}"
        return f"genuine: not a byte changed since {_who(signer)} signed it"
    if verdict.state == "tampered":
        return f"tampered: changed after it was signed: {verdict.tampered}"
    if verdict.state == "invalid" and verdict.not_covered:
        return f"not valid: the signature does not cover the picture: {verdict.not_covered}"
    if verdict.state == "invalid":
        return f"not valid: unchanged, but its signature does not count ({_why_not(verdict)})"
    says = f"; unsigned XMP has {xmp}" if xmp and xmp != "nothing" else ""
    return f"no papers: nothing proves where it comes from{says}"


def c2pa_layer(verdict: Verdict) -> Layer:
    """What the C2PA layer of `verdict` holds and proves."""
    if verdict.state == "none":
        return Layer("C2PA", "none", "nothing", f"Nothing. {_STRIPPED}")
    holds = _manifest_holds(verdict)
    if verdict.state == "tampered":
        proves = f"That the file was changed after it was signed: {verdict.tampered}. Believe nothing that it says."
        return Layer("C2PA", "tampered", holds, proves)
    if verdict.state == "invalid" and verdict.not_covered:
        proves = f"Nothing of the picture: {verdict.not_covered}. It can be another one than the one that was signed."
        return Layer("C2PA", "invalid", holds, proves)
    if verdict.state == "invalid":
        return Layer("C2PA", "invalid", holds, f"Nothing that counts: {_why_not(verdict)}.")
    assert verdict.signer is not None
    proved = "That not a byte changed since it was signed."
    if verdict.uncovered:
        proved = (
            f"That what it covers has not changed since it was signed; {_loose(verdict)}, so believe nothing of them."
        )
    return Layer("C2PA", "valid", holds, f"{proved} {_name(verdict.signer)}")


def _loose(verdict: Verdict) -> str:
    """Which bytes no hash covers: `60 bytes are covered by nothing (free boxes 36, the file's type 24)`."""
    named = ", ".join(f"{name} {count:,}" for name, count in verdict.uncovered.items())
    return f"{sum(verdict.uncovered.values()):,} bytes are covered by nothing ({named})"


def earlier(one: Earlier) -> str:
    """What a manifest tells of a picture that came before, in one line."""
    name = quoted(one.title) if one.title else "a picture without a title"
    if one.signer is None:
        return f"{name} ({one.note or 'nothing more is said of it'})"
    told = f"{name}, signed under the name {quoted(one.signer)}{whose(one.trust)}"
    if one.time:
        told += f", {'time-stamp' if one.time_stamped else 'by its own clock'} {_moment(one.time)}"
    if one.kept and one.held:
        return f"{told}; its manifest is kept and unchanged"
    return f"{told}; its manifest is kept, but it does not hold"


def xmp_layer(state: LayerState, seen: XmpSeen | None) -> Layer:
    """What the XMP layer holds and proves."""
    if seen is None:
        return Layer("XMP", "none", "nothing", "Nothing.")
    proves = {
        "valid": "What the signature proves: it lies under it.",
        "tampered": "Nothing: it was changed after signing.",
        "invalid": "Nothing that counts, like the signature over it.",
    }.get(state, "Nothing by itself: anybody can write it.")
    return Layer("XMP", state, _xmp_holds(seen), proves)


def signed_by(signer: SignerSeen) -> str:
    """What there is of a signer's name, between quotation marks."""
    if signer.named_by == "nothing" or not signer.name.strip():
        return "somebody whose certificate bears no name"
    kind = {"organisation": "the organisation ", "unit": "the unit ", "e-mail": "the e-mail address "}
    return f"{kind.get(signer.named_by, '')}{quoted(signer.name)}"


def whose(trust: str) -> str:
    """Why a name is believed, in brackets; empty where it is not."""
    return {"own": " (a key of this workspace)", "anchor": " (vouched for by a trust anchor)"}.get(trust, "")


def _who(signer: SignerSeen) -> str:
    if signer.trust in ("own", "anchor"):
        return f"{signed_by(signer)}{whose(signer.trust)}"
    if signer.named_by == "nothing" or not signer.name.strip():
        return signed_by(signer)
    return f"somebody who calls themselves {signed_by(signer)}"


def _name(signer: SignerSeen) -> str:
    return f"{_vouched(signer)}{_outlived(signer)}"


def _outlived(signer: SignerSeen) -> str:
    """What a trusted time-stamp carried a signature over; empty where nothing needed it."""
    if not signer.time_stamp or not signer.time_stamp_trusted:
        return ""
    signed = f" A trusted time-stamp shows that it was signed before, at {_moment(signer.time_stamp)}."
    if signer.revoked:
        return f" Its certificate was revoked from {_moment(signer.revoked)} on.{signed}"
    if signer.expired:
        return f" Its certificate ended on {signer.valid_until[:10]}.{signed}"
    return ""


def _vouched(signer: SignerSeen) -> str:
    if signer.trust == "own":
        return "Signed with a key of this workspace. On no public trust list: others must take its keeper's word."
    if signer.trust == "anchor":
        return f"The name {quoted(signer.name)} is vouched for by a trust anchor that is believed here."
    if signer.named_by == "nothing":
        return "Nobody is named."
    if signer.organisation == NOTICE:
        return f"The name {quoted(signer.name)} is a claim: the certificate is self-made and on no public trust list."
    return (
        f"The name {quoted(signer.name)} is a claim here: no trust anchor was given that vouches for its certificate."
    )


def _manifest_holds(verdict: Verdict) -> str:
    if verdict.signer is None:
        return "a manifest that cannot be read"
    unnamed = verdict.signer.named_by == "nothing"
    told = [f"a manifest signed under {'no name' if unnamed else 'the name ' + quoted(verdict.signer.name)}"]
    if verdict.signer.time_stamp:
        whose = "" if verdict.signer.time_stamp_trusted else " (of a server for which no trust anchor vouches)"
        told.append(f"with a time-stamp of {_moment(verdict.signer.time_stamp)}{whose}")
    if verdict.title:
        told.append(f"title {quoted(verdict.title)}")
    if verdict.generated:
        told.append("generated by a trained model")
    elif source := source_words(verdict):
        told.append(f"says of itself that it is {source}")
    if model := verdict.generation.get("model_name"):
        told.append(f"model {model}")
    if collection := verdict.generation.get("collection_name"):
        told.append(f"learned from {collection}")
    if verdict.chain:
        kept = sum(one.kept for one in verdict.chain)
        told.append(f"earlier pictures: {len(verdict.chain)} named, manifests of {kept} kept")
    return ", ".join(told)


def source_words(verdict: Verdict) -> str:
    """What the signed papers say that the picture is; empty where they say nothing."""
    return _SOURCES.get(verdict.source_type, quoted(verdict.source_type)) if verdict.source_type else ""


_SOURCES = {
    "trainedAlgorithmicMedia": "generated by a trained model (trainedAlgorithmicMedia)",
    "compositeWithTrainedAlgorithmicMedia": "partly generated (compositeWithTrainedAlgorithmicMedia)",
    "digitalCapture": "a photograph (digitalCapture)",
    "computationalCapture": "a photograph put together by a camera (computationalCapture)",
    "digitalCreation": "made by a person with a computer (digitalCreation)",
    "negativeFilm": "scanned from a negative (negativeFilm)",
    "positiveFilm": "scanned from a slide (positiveFilm)",
    "print": "scanned from a print (print)",
}


def _why_not(verdict: Verdict) -> str:
    if any("expired" in code.lower() or "outsideValidity" in code for code in verdict.codes) and verdict.signer:
        return _why_not_now(verdict.signer)
    if any("revoked" in code for code in verdict.codes):
        return _why_revoked(verdict.signer)
    return f"the signer's certificate cannot be accepted: {', '.join(verdict.codes)}"


def _why_not_now(signer: SignerSeen) -> str:
    """Not begun yet, ended, or a clock that must be wrong: three findings, each with its remedy."""
    now = dt.datetime.now(dt.UTC)
    past = [signer.time_stamp] if signer.time_stamp and signer.time_stamp_trusted else []
    past += [signer.valid_from] if signer.trust == "own" else []  # made on this computer, so that moment has passed
    if wrong := must_be_wrong(now, past):
        said = f"this computer's clock says {now:%Y-%m-%d %H:%M} UTC, which must be wrong: {wrong}"
        return f"{said}; set the clock and check again"
    if signer.not_begun:
        begins, clock = _moment(signer.valid_from), f"{now:%Y-%m-%d %H:%M} UTC"
        said = f"the signer's certificate begins only at {begins}, and this computer's clock says {clock}"
        return f"{said}; check the clock, or check again after that"
    ended = f"the signer's certificate ended on {signer.valid_until[:10]}"
    if not signer.expired:  # it counts now, and did not when it was signed
        return f"it was signed while the signer's certificate did not count ({_moment(signer.valid_from)} on)"
    return f"{ended}, and no trusted time-stamp shows that it was signed before"


def _why_revoked(signer: SignerSeen | None) -> str:
    if signer is None or signer.revoked is None:
        return "the signer's certificate was revoked by who issued it"
    said = f"the signer's certificate was revoked from {_moment(signer.revoked)} on, and "
    if signer.time_stamp and signer.time_stamp_trusted:
        return f"{said}a trusted time-stamp shows that it was signed after, at {_moment(signer.time_stamp)}"
    return f"{said}no trusted time-stamp shows that it was signed before"


def _moment(time: str) -> str:
    """A time in ISO 8601 as a reader likes it, to the minute; as it is where it is none."""
    try:
        return f"{dt.datetime.fromisoformat(time).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return time


def _xmp_holds(seen: XmpSeen) -> str:
    told = []
    if seen.source_type:
        kind = seen.source_type.rsplit("/", 1)[-1]
        told.append(
            "generated by a trained model" if seen.source_type in (COMPOSITE, GENERATED) else f"source type {kind}"
        )
    told += [f"{word} {quoted(value)}" for word, value in (("creator", seen.creator), ("tool", seen.tool)) if value]
    if credit := seen.credit or seen.rights:
        told.append(f"credit {quoted(credit)}")
    if seen.mining:
        told.append(f"data mining {seen.mining.rsplit('/', 1)[-1]}")
    return ", ".join(told) or "nothing of origin or rights"
