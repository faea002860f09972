"""What a file's C2PA manifest and XMP say, and whether the signature over them holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509

from limner.papers.c2pa.chain import assets_in, chain_of, fault_in_chain
from limner.papers.c2pa.claims import actions_in, claim_of, mapping, text, tool_of, trust_of
from limner.papers.c2pa.coverage import Coverage, coverage_of
from limner.papers.c2pa.parts import Parts
from limner.papers.c2pa.provenance import GENERATION
from limner.papers.c2pa.soft_bindings import value_in
from limner.papers.c2pa.structure import fault_in_manifest, manifests_in, signers_of
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED, read_packet
from limner.papers.identity.revocations import Revocation
from limner.papers.verify.findings import Change, Part, SignerSeen, State
from limner.papers.verify.names import name_in
from limner.papers.verify.verdict import Verdict
from limner.papers.watermark.marking import ALGORITHM

_UNTRUSTED = "signingCredential.untrusted"
_SIGNER_FAILS = ("signingCredential.", "timeStamp.", "claimSignature.outsideValidity")
_REVOKED = "signingCredential.revoked"
_NOT_COVERED = "org.limner.picture.notCovered"
_STAMP = b"gsigTst2"  # the name of a header of the signature, in CBOR
_STAMP_HOLDS = "timeStamp.validated"
_FILE_CHANGED = ("assertion.dataHash.", "assertion.bmffHash.", "assertion.boxesHash.")
_OWN_PARTS = (Part.PICTURE, Part.XMP, Part.FILE_TYPE)
"""Those of which limner's assertion holds digests."""


_Failure = tuple[str, str]
"""Code, in the words of the C2PA specification, and URL of one failure of the active manifest."""


def signed(path: Path, data: bytes, parts: Parts, store: dict[str, Any], revoked: Sequence[Revocation] = ()) -> Verdict:
    """The verdict on a file whose manifest could be read.

    Args:
        data: the file's bytes, taken apart as `parts`.
        store: as `read_store` gives it.
    """
    manifest: dict[str, Any] = next((one for one in store["manifests"] if one.get("label") == store["active"]), {})
    results, assertions = manifest.get("validationResults", {}), manifest.get("assertions", {})
    generation = mapping(assertions.get(GENERATION))
    failures = [
        (str(one.get("code")), str(one.get("url", "")))
        for one in results.get("failure", [])
        if one.get("code") != _UNTRUSTED
    ]
    codes = [code for code, _ in failures]
    state, changes = _state(failures, store.get("state"), parts, generation)
    if state == "valid" and generation and (changes := _own_changes(data, parts, generation, store, results)):
        state = "tampered"
    coverage = Coverage()
    if state in ("valid", "invalid"):
        stamp_holds = _STAMP_HOLDS in _codes(results, "success")
        knows_type = Part.FILE_TYPE in mapping(generation.get("parts"))
        coverage = coverage_of(data, parts.kind, manifest, stamp_holds=stamp_holds, knows_type=knows_type)
    signer = _signer(data, parts, manifest, results, store.get("time"))
    revocation = next((one for one in revoked if signer and one.concerns(signer.serial, signer.name)), None)
    if revocation and signer:
        signer = replace(signer, revoked=revocation.since)
        if state == "valid" and not revocation.spares(signer.time_stamp, signer.time_stamp_trusted):
            state, codes = "invalid", [*codes, _REVOKED]
    if coverage.fault:
        state, codes = "invalid", [*codes, _NOT_COVERED]
    return Verdict(
        path=str(path),
        state=state,
        changes=changes,
        signer=signer,
        uncovered=coverage.loose,
        not_covered=coverage.fault,
        chain=chain_of(store) if state in ("valid", "invalid") else (),
        assets=assets_in(store) if state in ("valid", "invalid") else (),
        codes=tuple(dict.fromkeys(codes)),
        **_said(manifest, assertions, generation),
        **xmp_of(parts),
    )


def broken(path: Path, parts: Parts, reason: str) -> Verdict:
    """The verdict on a file that has a manifest which can no longer be read."""
    changes = (Change(Part.MANIFEST_UNREADABLE),)
    return Verdict(str(path), "tampered", changes=changes, codes=(reason[:200],), **xmp_of(parts))


def xmp_of(parts: Parts) -> dict[str, Any]:
    """`xmp` and `xmp_fault` of `Findings`: what the XMP says, or why it cannot be read; empty where there is none."""
    try:
        return {"xmp": read_packet(parts.xmp)} if parts.xmp is not None else {}
    except ValueError as error:
        return {"xmp_fault": str(error)}


def _state(
    failures: list[_Failure], library: object, parts: Parts, generation: dict[str, Any]
) -> tuple[State, tuple[Change, ...]]:
    if changed := [(code, url) for code, url in failures if not code.startswith(_SIGNER_FAILS)]:
        return "tampered", _changes(changed, parts, generation)
    if failures:
        return "invalid", ()
    if library in ("Valid", "Trusted"):
        return "valid", ()
    return "tampered", (Change(Part.INGREDIENT),)


def _changes(failures: list[_Failure], parts: Parts, generation: dict[str, Any]) -> tuple[Change, ...]:
    of_manifest = [(code, url) for code, url in failures if not code.startswith(_FILE_CHANGED)]
    labels = (url.rsplit("/", 1)[-1] for code, url in of_manifest if code.startswith("assertion."))
    if of_manifest:
        label = next(labels, "")
        return (Change(Part.ASSERTION, label) if label else Change(Part.MANIFEST),)
    if not generation.get("parts"):
        return (Change(Part.OUTSIDE_MANIFEST),)
    return _changed_parts(parts, generation) or (Change(Part.OTHER_BYTES),)


def _changed_parts(parts: Parts, generation: dict[str, Any]) -> tuple[Change, ...]:
    digests, now = mapping(generation.get("parts")), parts.digests()
    return tuple(Change(part) for part in _OWN_PARTS if digests and digests.get(part) != now.get(part))


def _own_changes(
    data: bytes, parts: Parts, generation: dict[str, Any], store: dict[str, Any], results: dict[str, Any]
) -> tuple[Change, ...]:
    """What was changed in a work of limner that the C2PA library finds valid: what its hashes leave out is checked."""
    if changes := _changed_parts(parts, generation):
        return changes
    fault = fault_in_manifest(data, parts.kind) or fault_in_chain(data, parts.kind, store)
    if fault:
        return (Change(Part.MANIFEST_FRAME, fault),)
    # A time-stamp that does not fit is passed over in silence by the library, as if there were none.
    own = manifests_in(data, parts.kind)
    if _STAMP in (own[-1][1] if own else data) and _STAMP_HOLDS not in _codes(results, "success"):
        return (Change(Part.TIME_STAMP),)
    return ()


def _said(manifest: dict[str, Any], assertions: dict[str, Any], generation: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says of the picture, by the names of `Findings`."""
    claim = claim_of(manifest)
    sources = [source for action in actions_in(assertions) if (source := text(action.get("digitalSourceType")))]
    mark, mining = value_in(assertions, ALGORITHM), mapping(assertions.get("cawg.training-mining"))
    entries = mapping(mining.get("entries"))
    terms = (text(mapping(one).get("constraint_info")) for one in entries.values())
    older = mapping(mapping(assertions.get("c2pa.training-mining")).get("entries"))
    return {
        "title": text(claim.get("dc:title")),
        "creator": text(generation.get("creator")),
        "tool": tool_of(claim),
        "generated": any(source in (GENERATED, COMPOSITE) for source in sources),
        "source_type": sources[0].rstrip("/").rsplit("/", 1)[-1] if sources else None,
        "mark": mark.hex() if mark else None,
        "generation": {name: value for name, value in generation.items() if name not in ("creator", "parts")},
        "training_mining": {name: str(mapping(one).get("use")) for name, one in (entries or older).items()},
        "training_mining_terms": next(filter(None, terms), ""),
    }


def _signer(
    data: bytes, parts: Parts, manifest: dict[str, Any], results: dict[str, Any], time: object
) -> SignerSeen | None:
    signature = mapping(manifest.get("signature"))
    certificate = mapping(signature.get("certificateInfo"))
    if not certificate:
        return None
    subject, issuer = mapping(certificate.get("subject")), mapping(certificate.get("issuer"))
    validity = mapping(certificate.get("validity"))
    own = manifests_in(data, parts.kind)
    leaf = next(iter(signers_of(own[-1][1])), b"") if own else b""
    name, named_by = _name(leaf, subject)
    return SignerSeen(
        name=name,
        named_by=named_by,
        fingerprint=sha256(leaf).hexdigest() if leaf else "",
        organisation=str(subject.get("O", "")),
        issuer=str(issuer.get("O") or issuer.get("CN", "")),
        serial=str(certificate.get("serialNumber", "")),
        algorithm=str(signature.get("algorithm", "")),
        valid_from=str(validity.get("notBefore", "")),
        valid_until=str(validity.get("notAfter", "")),
        trust=trust_of(results),
        time_stamp=text(time),
        time_stamp_trusted="timeStamp.trusted" in _codes(results, "success"),
    )


def _name(leaf: bytes, subject: dict[str, Any]) -> tuple[str, str]:
    """The signer's name by what there is in the certificate (DER), and what kind of name that is."""
    if isinstance(subject.get("CN"), str) and subject["CN"].strip():
        return subject["CN"], "name"
    try:
        certificate = x509.load_der_x509_certificate(leaf)
        return name_in(certificate.subject, certificate)
    except ValueError:
        return (str(subject["O"]), "organisation") if subject.get("O") else ("", "nothing")


def _codes(results: dict[str, Any], kind: str) -> set[str]:
    return {str(one.get("code")) for one in results.get(kind, [])}
