"""What the C2PA manifest in a file says about rights: training and mining, creators, licences."""

from __future__ import annotations

import json
from functools import lru_cache
from io import BytesIO
from typing import Any

from limner.pictures.files import Data
from limner.pictures.structure import MEDIA_TYPES
from limner.rights.statements import Embedded
from limner.text import one_line

_MINING_ASSERTIONS = ("c2pa.training-mining", "cawg.training-mining")
_METADATA = ("c2pa.metadata", "cawg.metadata")
_USES = ("ai_generative_training", "ai_training", "data_mining")


def read_manifest_rights(data: Data, format: str, found: Embedded) -> None:
    """Take what the manifest says; whoever signed it, and whether the signature holds or not.

    Opt-outs count in every manifest of the file; creator and licence only in that of the picture itself, since the
    others speak of the pictures that it was made from.
    """
    if data.find(b"c2pa") < 0 or data.find(b"jumb") < 0:  # only then is the library worth its milliseconds
        return
    from c2pa import C2paError, Reader

    try:
        with Reader(MEDIA_TYPES.get(format, "image/jpeg"), BytesIO(data), context=_offline()) as reader:
            store = json.loads(reader.json())
        manifests = store.get("manifests", {})
    except (C2paError, ValueError, RecursionError):
        found.flags.append("C2PA manifest unreadable")
        found.unclear.append("C2PA manifest that cannot be read")
        # The words stand in the file as plain text, whatever is broken around them.
        if data.find(b"training-mining") >= 0 and data.find(b"notAllowed") >= 0:
            found.held.append("opt-out: C2PA training-mining, in a manifest that cannot be read")
        return
    for name, manifest in manifests.items():
        for assertion in manifest.get("assertions", []):
            label, content = str(assertion.get("label", "")), assertion.get("data")
            if isinstance(content, dict):
                _take_assertion(label, content, found)
                if name == store.get("active_manifest"):
                    _take_names(label, content, found)


@lru_cache(maxsize=1)
def _offline() -> Any:
    from c2pa import Context, Settings

    # What a manifest asks for counts whoever signed it, so that nothing is verified and nothing is fetched.
    return Context(
        Settings.from_dict(
            {"verify": {"verify_after_reading": False, "remote_manifest_fetch": False, "ocsp_fetch": False}}
        )
    )


def _take_assertion(label: str, data: dict[str, Any], found: Embedded) -> None:
    if label.startswith(_MINING_ASSERTIONS):
        entries = data.get("entries")
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            _take_use(label.split("__")[0], str(name), entry, found)
    elif label.startswith("c2pa.actions"):
        for action in data.get("actions") or []:
            if isinstance(action, dict):
                found.take_source_type(str(action.get("digitalSourceType", "")))


def _take_use(label: str, name: str, entry: Any, found: Embedded) -> None:
    short = name.rsplit(".", 1)[-1]
    use = entry.get("use") if isinstance(entry, dict) else entry
    if short not in _USES or use == "allowed":
        return
    terms = one_line(str(entry.get("constraint_info") or "")) if isinstance(entry, dict) else ""
    if use == "constrained" and terms:
        found.held.append(f"opt-out: {label} {short} constrained: {terms[:100]}")
    else:
        found.held.append(f"opt-out: {label} {short} {one_line(str(use))[:40]}")


def _take_names(label: str, data: dict[str, Any], found: Embedded) -> None:
    """Creator and licence, from schema.org's words or from XMP's as JSON-LD."""
    if label.startswith("stds.schema-org.CreativeWork"):
        found.take_creator(", ".join(_names(data.get("author") or data.get("creator"))))
        found.take_notice(_text(data.get("copyrightNotice")))
        found.take_licence(_text(data.get("license")), "C2PA license")
    elif label.startswith(_METADATA):
        found.take_creator(", ".join(_names(data.get("dc:creator"))))
        found.take_title(_text(data.get("dc:title")))
        found.take_notice(_text(data.get("dc:rights")))
        for name in ("cc:license", "dc:license", "xmpRights:WebStatement", "xmpRights:UsageTerms"):
            found.take_licence(_text(data.get(name)), f"C2PA {name}")


def _names(value: Any) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [text for entry in entries if (text := _text(entry))]


def _text(value: Any) -> str:
    """Text, a list of texts, or what JSON-LD and XMP make of one: `{"name": ...}`, `{"x-default": ...}`."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or next(iter(value.values()), "")
    if isinstance(value, list):
        value = ", ".join(str(entry) for entry in value if isinstance(entry, str))
    return one_line(value) if isinstance(value, str) else ""
