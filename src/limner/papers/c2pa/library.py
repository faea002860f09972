"""The one place that speaks with the C2PA library: its settings, signing, reading."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import c2pa

from limner import __version__
from limner.errors import PapersError
from limner.papers.c2pa.actions import actions_of, labels_of
from limner.papers.c2pa.assets import assets_of
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.c2pa.provenance import GENERATION, Provenance
from limner.papers.c2pa.soft_bindings import LABEL, soft_bindings
from limner.papers.identity.certificates import USAGES
from limner.papers.identity.identity import Identity
from limner.papers.identity.timestamp import TimestampRelay
from limner.text import storable

C2paError = c2pa.C2paError
_CREATED = ("c2pa.actions", "c2pa.ingredient", GENERATION, "cawg.training-mining", LABEL)
_MINING = ("cawg.ai_training", "cawg.ai_generative_training", "cawg.data_mining")


def reading_context(anchors: str = "", own: str = "") -> c2pa.Context:
    """Settings to read by: nothing is fetched; `anchors` and `own` are roots in PEM, which results distinguish."""
    trust = {name: roots for name, roots in (("trust_anchors", anchors), ("user_anchors", own)) if roots}
    return c2pa.Context.from_dict({**_settings([]), "trust": {**trust, "trust_config": "\n".join(USAGES) + "\n"}})


def read_store(data: bytes, mime: str | None, context: c2pa.Context) -> dict[str, Any] | None:
    """All that the library reads and finds valid or not in a file's manifests; None where it finds no manifest.

    Returns:
        The library's `crJSON` (certificates and results by manifest), with its verdict as `state`, the label of
        the active manifest as `active`, its time-stamp, where there is one, as `time`, and those of all as `times`.

    Raises:
        C2paError: the file or its manifest cannot be read.
    """
    reader = c2pa.Reader.try_create(mime, io.BytesIO(data), context=context)
    if reader is None:
        return None
    with reader:
        store: dict[str, Any] = json.loads(reader.crjson())
        summary = json.loads(reader.json())
    store["state"] = summary.get("validation_state")
    store["active"] = summary.get("active_manifest")
    signatures = {label: one.get("signature_info", {}) for label, one in summary.get("manifests", {}).items()}
    store["times"] = {label: one["time"] for label, one in signatures.items() if one.get("time")}
    store["time"] = store["times"].get(store["active"])
    return store


def manifest_of(
    provenance: Provenance,
    parts: dict[str, str],
    bindings: Sequence[tuple[str, bytes]] = (),
    *,
    marked: bool = False,
    mark_key: str | None = None,
    ledger: tuple[int, str] | None = None,
) -> dict[str, Any]:
    """The manifest of a work: how it came about, from what, and what others may do with it.

    Ingredients whose manifest is kept are not in it: `Signing.sign` takes them with their files.

    Args:
        parts: digest by part of the file, so that a reader can say which part was changed.
        bindings: soft bindings: name of the algorithm and value.
        marked: whether a watermark was put in that is among them.
        mark_key: fingerprint of the key that reads it; None for that which all know.
        ledger: how many acts the publisher's ledger holds, and the hash of the last: whoever rewrites the ledger
            later has these against them.
    """
    mining: dict[str, str] = {"use": provenance.training_mining}
    if provenance.training_mining == "constrained" and provenance.training_mining_terms:
        mining["constraint_info"] = storable(provenance.training_mining_terms)
    labelled = zip(provenance.ingredients, labels_of(provenance.ingredients), strict=True)
    named: list[dict[str, Any]] = [one.definition(label) for one, label in labelled if one.file is None]
    named += [one.definition(label) for label, one in assets_of(provenance).items()]
    return {
        "claim_generator_info": [{"name": "limner", "version": __version__}],
        "title": storable(provenance.title),
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions_of(provenance, marked=marked)}},
            {
                "label": GENERATION,
                "data": {
                    **provenance.generation(),
                    **({"mark_key": mark_key} if mark_key else {}),
                    **({"ledger": {"acts": ledger[0], "head": ledger[1]}} if ledger else {}),
                    "creator": storable(provenance.creator),
                    "parts": parts,
                },
            },
            {"label": "cawg.training-mining", "data": {"entries": dict.fromkeys(_MINING, mining)}},
            *soft_bindings(bindings),
        ],
        **({"ingredients": named} if named else {}),
    }


class Signing:
    """A signer that is ready: made once, used for many files, by several threads at once."""

    def __init__(self, identity: Identity, timestamp_url: str | None = None) -> None:
        self._timestamp_url = timestamp_url
        self._relay = TimestampRelay(timestamp_url) if timestamp_url else None
        self._context = c2pa.Context.from_dict(_settings(["127.0.0.1"] if self._relay else []))
        # The key goes to the library in memory. Its callback signers would keep the key here, but reserve 9 kB more
        # a file, of which no hash covers a byte.
        info = c2pa.C2paSignerInfo(
            alg=identity.algorithm.encode(),
            sign_cert=identity.certificates.encode(),
            private_key=identity.key.encode(),
            ta_url=self._relay.url.encode() if self._relay else None,
        )
        try:
            self._signer = c2pa.Signer.from_info(info)
        except C2paError as error:
            if self._relay:
                self._relay.close()
            raise PapersError(identity.name, f"cannot sign ({error})", "use another certificate or key") from error

    def sign(self, data: bytes, mime: str, manifest: dict[str, Any], ingredients: Sequence[Ingredient] = ()) -> bytes:
        """The picture `data` with a signed manifest in it.

        Raises:
            PapersError: the library refuses, or the time-stamp server does not answer as it should.
        """
        signed = io.BytesIO()
        try:
            with c2pa.Builder(manifest, self._context) as builder:
                for one, label in zip(ingredients, labels_of(ingredients), strict=True):
                    if one.file is not None:
                        builder.add_ingredient(one.definition(label), one.mime, io.BytesIO(one.file))
                builder.sign(self._signer, mime, io.BytesIO(data), signed)
        except C2paError as error:
            if self._relay and self._relay.fault:
                raise self._relay.fault from error
            if self._timestamp_url:
                remedy = "nothing was written; try again later, take another server, or leave --timestamp out"
                raise PapersError(self._timestamp_url, f"gave no time-stamp ({error})", remedy) from error
            raise PapersError("signature", f"cannot be made ({error})", "nothing was written") from error
        return signed.getvalue()

    def close(self) -> None:
        """Free what the library holds."""
        self._signer.close()
        self._context.close()
        if self._relay:
            self._relay.close()


def _settings(hosts: Sequence[str]) -> dict[str, Any]:
    return {
        "version": 1,
        # What was signed is read back from the disk by `Publisher`, so the library need not do it in memory first.
        "verify": {
            "verify_after_sign": False,
            "verify_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
        "core": {"allowed_network_hosts": list(hosts)},
        "builder": {
            "thumbnail": {"enabled": False},  # 107 kB a file
            # Otherwise a box added to an AVIF is covered by nothing, and a picture may lie in one.
            "bmff_hash_exclude_free_and_skip_boxes": False,
            # Without the number of a version, which the library does not look for; others count as gathered hearsay.
            "created_assertion_labels": list(_CREATED),
        },
    }
