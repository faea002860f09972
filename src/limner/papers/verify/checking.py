"""Checking the papers of any file: read once, look at each layer, and say what that proves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from cryptography import x509
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PapersError, PictureError
from limner.papers.c2pa.chain import chain_of, fault_in_chain
from limner.papers.c2pa.coverage import Coverage, coverage_of
from limner.papers.c2pa.guard import claims_too_much
from limner.papers.c2pa.library import GENERATION, C2paError, read_store, reading_context
from limner.papers.c2pa.parts import Parts, take_apart
from limner.papers.c2pa.soft_bindings import value_in
from limner.papers.c2pa.structure import fault_in_manifest, manifests_in, signers_of
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED, read_packet
from limner.papers.identity.revocations import Revocation
from limner.papers.verify import wording
from limner.papers.verify.mark_layer import with_mark
from limner.papers.verify.names import name_in
from limner.papers.verify.recognising import contested, recognised
from limner.papers.verify.verdict import Layer, LayerState, SignerSeen, State, Trust, Verdict
from limner.papers.watermark.marking import ALGORITHM

if TYPE_CHECKING:
    from limner.papers.registry.registry import Edition, Registry
    from limner.papers.watermark.keys import MarkKey

__all__ = ["Checker", "verify"]

_LIMIT = 512 << 20
_UNTRUSTED = "signingCredential.untrusted"
_SIGNER_FAILS = ("signingCredential.", "timeStamp.", "claimSignature.outsideValidity")
_REVOKED = "signingCredential.revoked"
_NOT_COVERED = "org.limner.picture.notCovered"
_STAMP = b"gsigTst2"  # the name of a header of the signature, in CBOR
_FILE_CHANGED = ("assertion.dataHash.", "assertion.bmffHash.", "assertion.boxesHash.")


def verify(path: Path, *, anchors: Sequence[Path] = (), own: Sequence[Path] = ()) -> Verdict:
    """Check the papers of one file. Whatever the file holds, this answers and does not raise.

    Args:
        path: the file.
        anchors: PEM files of roots whose word about names is believed.
        own: PEM files of the roots of the reader's own identities.

    Raises:
        PapersError: an anchor cannot be read.
    """
    with closing(Checker(anchors=anchors, own=own)) as checker:
        return checker.check(path)


class Checker:
    """Checks many files with the same trust anchors, from several threads if one likes.

    Args:
        anchors, own: as in `verify`.
        own_roots: roots of one's own as PEM text instead of files.
        revoked: certificates that no longer count.
        registry: asked for works that a picture looks like, where its papers are gone or no longer fit.
        marks: whether pixels are searched for a watermark; takes 10 to 50 ms a picture.
        mark_keys: one's own keys by which it is looked for, beside that which all know.

    Raises:
        PapersError: an anchor cannot be read.
    """

    def __init__(
        self,
        *,
        anchors: Sequence[Path] = (),
        own: Sequence[Path] = (),
        own_roots: str = "",
        revoked: Sequence[Revocation] = (),
        registry: Registry | None = None,
        marks: bool = False,
        mark_keys: Sequence[MarkKey] = (),
    ) -> None:
        self._revoked, self._registry, self._marks = tuple(revoked), registry, marks
        self._mark_keys = tuple(mark_keys)
        given = ", ".join(str(path) for path in (*anchors, *own))
        try:
            self._context = reading_context(_roots(anchors), own_roots + _roots(own))
        except C2paError as error:
            raise PapersError(given, f"is no trust anchor ({error})", "give root certificates in PEM") from error

    def close(self) -> None:
        """Free what the library holds."""
        self._context.close()

    def manifest(self, data: bytes) -> dict[str, Any] | None:
        """All that the C2PA library reads from a picture's manifests, as `read_store` gives it; None without one."""
        kind = take_apart(data).kind
        try:
            return None if claims_too_much(data, kind) else read_store(data, kind, self._context)
        except C2paError:
            return None

    def check(self, path: Path) -> Verdict:
        """The verdict on one file; never raises."""
        try:
            data = pictures.open_file(path)
        except PictureError as error:
            return _unreadable(path, error.reason)
        if len(data) > _LIMIT:
            return _unreadable(path, f"has {len(data) >> 20:,} MiB; files up to {_LIMIT >> 20} MiB are checked")
        return self.check_bytes(bytes(data), path)

    def check_bytes(self, data: bytes, path: Path) -> Verdict:
        """The verdict on the bytes of the file that lies, or will lie, at `path`; never raises."""
        file = _File(data, path)
        verdict = self._of_papers(file)
        if verdict.state == "unreadable" or not (self._marks or self._registry):
            return verdict
        try:
            pixels = file.pixels
        except PictureError:
            return verdict
        if self._registry is not None and verdict.state in ("none", "tampered"):
            verdict = recognised(verdict, data, pixels, self._registry, self._made_from)
        if self._marks:
            verdict = with_mark(verdict, pixels, self._registry, self._mark_keys)
        if self._registry is not None and verdict.state in ("valid", "invalid"):
            verdict = contested(verdict, data, pixels, self._registry)
        return verdict

    def _made_from(self, edition: Edition) -> list[str]:
        """Digests of what a registered edition was made from, as its stored manifest says."""
        try:
            store = read_store(edition.manifest, "application/c2pa", self._context)
        except C2paError:
            return []
        manifests = {one.get("label"): one for one in (store or {}).get("manifests", [])}
        active = _mapping(manifests.get((store or {}).get("active")))
        parents = _mapping(_mapping(active.get("assertions")).get(GENERATION)).get("parents")
        return [one for one in parents if isinstance(one, str)] if isinstance(parents, list) else []

    def _of_papers(self, file: _File) -> Verdict:
        data, path = file.data, file.path
        parts = take_apart(data)
        if parts.kind is None:
            reason = "it no longer is a picture" if parts.has_manifest else ""
            return _broken(path, parts, reason) if reason else _unreadable(path, "holds no picture of a known format")
        if claims_too_much(data, parts.kind):
            return _broken(path, parts, "a value in it says that it is longer than the box that holds it")
        try:
            store = read_store(data, parts.kind, self._context)
        except C2paError as error:
            if parts.has_manifest:
                return _broken(path, parts, str(error))
            return _unsigned(file, parts)
        if store is None or not store["active"] or not store.get("manifests"):
            return _broken(path, parts, "no manifest is found") if parts.has_manifest else _unsigned(file, parts)
        return _signed(path, data, parts, store, self._revoked)


class _File:
    """A file that is checked; its picture is decoded once, when it is first asked for."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path = data, path

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """# uint8 [h, w, 3]

        Raises:
            PictureError: it holds none.
        """
        return pictures.decode(self.data, self.path).pixels


@dataclass(frozen=True)
class _Failure:
    """One failure of the active manifest, in the words of the C2PA specification."""

    code: str
    url: str

    @property
    def is_of_signer(self) -> bool:
        return self.code.startswith(_SIGNER_FAILS)

    @property
    def is_of_file(self) -> bool:
        return self.code.startswith(_FILE_CHANGED)


def _signed(
    path: Path, data: bytes, parts: Parts, store: dict[str, Any], revoked: Sequence[Revocation] = ()
) -> Verdict:
    manifest: dict[str, Any] = next((one for one in store["manifests"] if one.get("label") == store["active"]), {})
    results = manifest.get("validationResults", {})
    failures = [
        _Failure(str(one.get("code")), str(one.get("url", "")))
        for one in results.get("failure", [])
        if one.get("code") != _UNTRUSTED
    ]
    assertions = manifest.get("assertions", {})
    generation = _mapping(assertions.get(GENERATION))
    state, tampered = _state(failures, store.get("state"), parts, generation)
    if state == "valid" and generation:
        state, tampered = _own_state(data, parts, generation, store, results)
    stamp_holds = "timeStamp.validated" in _codes(results, "success")
    knows_type = "brands" in _mapping(generation.get("parts"))
    coverage = Coverage()
    if state in ("valid", "invalid"):
        coverage = coverage_of(data, parts.kind, manifest, stamp_holds=stamp_holds, knows_type=knows_type)
    signer = _signer(data, parts, manifest, results, store.get("time"))
    codes = [failure.code for failure in failures]
    revocation = next((one for one in revoked if signer and one.concerns(signer.serial, signer.name)), None)
    if revocation and signer:
        signer = replace(signer, revoked=revocation.since)
        if state == "valid" and not revocation.spares(signer.time_stamp, signer.time_stamp_trusted):
            state, codes = "invalid", [*codes, _REVOKED]
    if coverage.fault:
        state, codes = "invalid", [*codes, _NOT_COVERED]
    claim = _mapping(manifest.get("claim.v2") or manifest.get("claim"))
    said = Verdict(
        path=str(path),
        state=state,
        summary="",
        tampered=tampered,
        signer=signer,
        title=_text(claim.get("dc:title")),
        creator=_text(generation.get("creator")),
        tool=_tool(claim),
        generated=_is_generated(assertions),
        source_type=_source_type(assertions),
        uncovered=coverage.loose,
        not_covered=coverage.fault,
        mark=mark.hex() if (mark := value_in(assertions, ALGORITHM)) else None,
        generation={name: value for name, value in generation.items() if name not in ("creator", "parts")},
        training_mining=_mining(assertions),
        training_mining_terms=_mining_terms(assertions),
        chain=chain_of(store) if state in ("valid", "invalid") else (),
        codes=tuple(dict.fromkeys(codes)),
    )
    layers = (wording.c2pa_layer(said), _xmp_layer(parts, state, tampered))
    return Verdict(**{**vars(said), "layers": layers, "summary": wording.summary(said)})


def _state(
    failures: list[_Failure], library: object, parts: Parts, generation: dict[str, Any]
) -> tuple[State, str | None]:
    """The state of a file whose manifest could be read, and the part that was changed."""
    if any(not failure.is_of_signer for failure in failures):
        return "tampered", _changed_part(failures, parts, generation)
    if failures:
        return "invalid", None
    if library in ("Valid", "Trusted"):
        return "valid", None
    return "tampered", wording.PART_INGREDIENT


def _own_state(
    data: bytes, parts: Parts, generation: dict[str, Any], store: dict[str, Any], results: dict[str, Any]
) -> tuple[State, str | None]:
    """The state of a work of limner that the C2PA library finds valid: what its hashes leave out is checked here."""
    if changed := _changed_parts(parts, generation):
        return "tampered", changed
    if fault := fault_in_manifest(data, parts.kind):
        return "tampered", wording.PART_FRAME.format(fault=fault)
    if fault := fault_in_chain(data, parts.kind, store, GENERATION):
        return "tampered", wording.PART_FRAME.format(fault=fault)
    # A time-stamp that does not fit is passed over in silence by the library, as if there were none.
    own = manifests_in(data, parts.kind)
    if _STAMP in (own[-1][1] if own else data) and "timeStamp.validated" not in _codes(results, "success"):
        return "tampered", wording.PART_STAMP
    return "valid", None


def _changed_part(failures: list[_Failure], parts: Parts, generation: dict[str, Any]) -> str:
    for failure in failures:
        if failure.code.startswith("assertion.") and not failure.is_of_file:
            label = failure.url.rsplit("/", 1)[-1]
            return wording.PART_ASSERTION.format(label=label) if label else wording.PART_MANIFEST
    if any(not failure.is_of_file and not failure.is_of_signer for failure in failures):
        return wording.PART_MANIFEST
    if not generation.get("parts"):
        return wording.PART_FILE
    return _changed_parts(parts, generation) or wording.PART_REST


def _changed_parts(parts: Parts, generation: dict[str, Any]) -> str:
    """The parts of the file whose digests are not those that the manifest holds, in words; empty where all are."""
    signed, found = _mapping(generation.get("parts")), parts.digests()
    changed = [name for name in wording.PART_OF_FILE if signed.get(name) != found.get(name)]
    return " and ".join(wording.PART_OF_FILE[name] for name in changed) if signed else ""


def _broken(path: Path, parts: Parts, reason: str) -> Verdict:
    said = Verdict(str(path), "tampered", "", tampered=wording.PART_UNREADABLE, codes=(reason[:200],))
    layers = (wording.c2pa_layer(said), _xmp_layer(parts, "none", None))
    return Verdict(**{**vars(said), "layers": layers, "summary": wording.summary(said)})


def _unsigned(file: _File, parts: Parts) -> Verdict:
    try:
        _ = file.pixels  # a file that is no picture has no papers to miss
    except PictureError as error:
        return _unreadable(file.path, error.reason)
    said = Verdict(str(file.path), "none", "")
    xmp = _xmp_layer(parts, "none", None)
    layers = (wording.c2pa_layer(said), xmp)
    return Verdict(**{**vars(said), "layers": layers, "summary": wording.summary(said, xmp.holds)})


def _unreadable(path: Path, reason: str) -> Verdict:
    return Verdict(str(path), "unreadable", f"could not be checked: {reason}")


def _xmp_layer(parts: Parts, state: State, tampered: str | None) -> Layer:
    if parts.xmp is None:
        return wording.xmp_layer("none", None)
    try:
        seen = read_packet(parts.xmp)
    except ValueError as error:
        return Layer("XMP", "unreadable", f"something that is {error}", "Nothing.")
    protected: LayerState = "unsigned" if state in ("none", "tampered", "unreadable") else state
    if tampered and wording.PART_OF_FILE["xmp"] in tampered:
        protected = "tampered"
    return wording.xmp_layer(protected, seen)


def _signer(
    data: bytes, parts: Parts, manifest: dict[str, Any], results: dict[str, Any], time: object
) -> SignerSeen | None:
    signature = _mapping(manifest.get("signature"))
    certificate = _mapping(signature.get("certificateInfo"))
    if not certificate:
        return None
    subject, issuer = _mapping(certificate.get("subject")), _mapping(certificate.get("issuer"))
    validity = _mapping(certificate.get("validity"))
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
        trust=_trust(results),
        time_stamp=_text(time),
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


def _source_type(assertions: dict[str, Any]) -> str | None:
    """The last part of the digital source type of the first action that names one."""
    for label, assertion in assertions.items():
        if label.startswith("c2pa.actions"):
            for action in _mapping(assertion).get("actions") or []:
                if told := _text(_mapping(action).get("digitalSourceType")):
                    return told.rstrip("/").rsplit("/", 1)[-1]
    return None


def _trust(results: dict[str, Any]) -> Trust:
    for one in results.get("success", []):
        if one.get("code") == "signingCredential.trusted":
            return "own" if "user_anchors" in str(one.get("explanation")) else "anchor"
    return "none"


def _codes(results: dict[str, Any], kind: str) -> set[str]:
    return {str(one.get("code")) for one in results.get(kind, [])}


def _is_generated(assertions: dict[str, Any]) -> bool:
    return any(
        _mapping(action).get("digitalSourceType") in (GENERATED, COMPOSITE)
        for label, assertion in assertions.items()
        if label.startswith("c2pa.actions")
        for action in _mapping(assertion).get("actions") or []
    )


def _mining(assertions: dict[str, Any]) -> dict[str, str]:
    for label in ("cawg.training-mining", "c2pa.training-mining"):
        entries = _mapping(_mapping(assertions.get(label)).get("entries"))
        if entries:
            return {name: str(_mapping(entry).get("use")) for name, entry in entries.items()}
    return {}


def _mining_terms(assertions: dict[str, Any]) -> str:
    entries = _mapping(_mapping(assertions.get("cawg.training-mining")).get("entries"))
    return next((text for one in entries.values() if (text := _text(_mapping(one).get("constraint_info")))), "")


def _tool(claim: dict[str, Any]) -> str | None:
    info = claim.get("claim_generator_info")
    info = _mapping(info[0] if isinstance(info, list) and info else info)
    return " ".join(str(info[name]) for name in ("name", "version") if name in info) or None


def _mapping(value: Any) -> dict[str, Any]:
    """`value` where it is a mapping; manifests are written by strangers."""
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _roots(paths: Sequence[Path]) -> str:
    texts = []
    for path in paths:
        try:
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is no PEM file"
            raise PapersError(path, f"cannot be read ({reason})", "give root certificates in PEM") from error
        if "BEGIN CERTIFICATE" not in text:
            raise PapersError(path, "holds no certificate in PEM", "give root certificates in PEM")
        texts.append(text if text.endswith("\n") else text + "\n")
    return "".join(texts)
