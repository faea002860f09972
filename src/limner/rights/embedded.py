"""What a file says about its own rights: XMP, EXIF, and the C2PA manifest that it may carry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any

from limner.errors import RightsError
from limner.pictures import Picture
from limner.pictures.files import Data
from limner.pictures.text import one_line
from limner.rights.licences import parse_licence

__all__ = ["Embedded", "read_embedded"]

_LARGEST_PACKET = 4 << 20
_MOST_PACKETS = 8
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP_RIGHTS = "{http://ns.adobe.com/xap/1.0/rights/}"
_PLUS = "{http://ns.useplus.org/ldf/xmp/1.0/}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_CC = "{http://creativecommons.org/ns#}"

_MINING_ALLOWED = {"DMI-ALLOWED", "DMI-UNSPECIFIED"}
_GENERATED = {
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "compositeSynthetic",
    "algorithmicallyEnhanced",
}
_MINING_ASSERTIONS = ("c2pa.training-mining", "cawg.training-mining")
_USES = ("ai_generative_training", "ai_training", "data_mining")
_MEDIA = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif"} | {
    "tiff": "image/tiff",
    "gif": "image/gif",
}


@dataclass
class Embedded:
    """What one file says about itself.

    Attributes:
        title, creator: dc:title and dc:creator, or EXIF Artist; empty where there is none.
        notice: dc:rights, or EXIF Copyright, as it stands there.
        licence: an SPDX expression, where the file names one that can be read.
        held: opt-outs found in the file, one reason each.
        flags: what a person should know before training on it.
    """

    title: str = ""
    creator: str = ""
    notice: str = ""
    licence: str = ""
    held: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


def read_embedded(data: Data, picture: Picture) -> Embedded:
    """Read what the file with the bytes `data`, decoded as `picture`, says about its rights. Never raises."""
    found = Embedded()
    for packet in _packets(data, picture):
        _read_packet(packet, found)
    if not any("DataMining" in reason for reason in found.held) and data.find(b"DMI-PROHIBITED") >= 0:
        found.held.append("opt-out: XMP plus:DataMining, in a packet that cannot be read")
    if data.find(b"c2pa") >= 0 and data.find(b"jumb") >= 0:  # only then is the library worth its milliseconds
        _read_c2pa(data, picture.format, found)
    found.creator = found.creator or picture.artist
    found.notice = found.notice or picture.copyright
    found.licence = found.licence or _licence(found.notice)
    found.held, found.flags = sorted(set(found.held)), sorted(set(found.flags))
    return found


def _packets(data: Data, picture: Picture) -> list[bytes]:
    """The XMP packets of a file: the one its format declares, and any other that lies in its bytes."""
    packets = [picture.xmp] if picture.xmp else []
    place = data.find(b"<rdf:RDF")
    while place >= 0 and len(packets) < _MOST_PACKETS:
        end = data.find(b"</rdf:RDF>", place)
        if end < 0:
            break
        packets.append(bytes(data[place : end + 10]))
        place = data.find(b"<rdf:RDF", end)
    return [packet for packet in packets if len(packet) <= _LARGEST_PACKET]


def _read_packet(packet: bytes, found: Embedded) -> None:
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    start, end = packet.find(b"<rdf:RDF"), packet.rfind(b"</rdf:RDF>")
    inner = packet[start : end + 10] if 0 <= start < end else packet.strip(b"\0 \r\n\t")
    try:
        root = ElementTree.fromstring(inner, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        found.flags.append("XMP unreadable")
        return
    for name, value in _properties(root):
        _take_property(name, value, found)


def _properties(root: Any) -> Iterator[tuple[str, str]]:
    """Every property of an RDF tree with its text, whether it stands as element, list, resource or attribute."""
    for element in root.iter():
        yield from element.attrib.items()
        resource = element.get(f"{_RDF}resource")
        # Lists stand two levels down: property, container (Bag, Seq, Alt), items.
        items = [item.text or "" for container in element for item in container if item.tag == f"{_RDF}li"]
        text = resource or ", ".join(item.strip() for item in items if item.strip()) or element.text or ""
        if text.strip():
            yield element.tag, text


def _take_property(name: str, value: str, found: Embedded) -> None:
    text = one_line(value)
    last = text.rstrip("/").rsplit("/", 1)[-1]
    if name == f"{_PLUS}DataMining":
        if last and last not in _MINING_ALLOWED:
            found.held.append(f"opt-out: XMP plus:DataMining {last[:60]}")
    elif name == f"{_IPTC}DigitalSourceType":
        if last in _GENERATED:
            found.flags.append(f"generated picture ({last})")
    elif name == f"{_DC}creator":
        found.creator = found.creator or text
    elif name == f"{_DC}title":
        found.title = found.title or text
    elif name == f"{_DC}rights":
        found.notice = found.notice or text
    elif name in (f"{_CC}license", f"{_XMP_RIGHTS}WebStatement", f"{_XMP_RIGHTS}UsageTerms"):
        found.licence = found.licence or _licence(text)


def _licence(text: str) -> str:
    try:
        return parse_licence(text)
    except RightsError:  # a notice in prose, such as "all rights reserved", is no licence
        return ""


@lru_cache(maxsize=1)
def _offline() -> Any:
    from c2pa import Context, Settings

    # What a manifest asks for counts whoever signed it, so that nothing is verified and nothing is fetched.
    return Context(
        Settings.from_dict(
            {"verify": {"verify_after_reading": False, "remote_manifest_fetch": False, "ocsp_fetch": False}}
        )
    )


def _read_c2pa(data: Data, format: str, found: Embedded) -> None:
    from c2pa import C2paError, Reader

    try:
        with Reader(_MEDIA.get(format, "image/jpeg"), BytesIO(data), context=_offline()) as reader:
            manifests = json.loads(reader.json()).get("manifests", {})
    except (C2paError, ValueError, RecursionError):
        found.flags.append("C2PA manifest unreadable")
        # The words stand in the file as plain text, whatever is broken around them.
        if data.find(b"training-mining") >= 0 and data.find(b"notAllowed") >= 0:
            found.held.append("opt-out: C2PA training-mining, in a manifest that cannot be read")
        return
    for manifest in manifests.values():
        for assertion in manifest.get("assertions", []):
            _take_assertion(str(assertion.get("label", "")), assertion.get("data"), found)


def _take_assertion(label: str, data: Any, found: Embedded) -> None:
    if not isinstance(data, dict):
        return
    if label.startswith(_MINING_ASSERTIONS):
        entries = data.get("entries")
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            _take_use(label.split("__")[0], str(name), entry, found)
    elif label.startswith("c2pa.actions"):
        for action in data.get("actions") or []:
            source = str(action.get("digitalSourceType", "")).rsplit("/", 1)[-1] if isinstance(action, dict) else ""
            if source in _GENERATED:
                found.flags.append(f"generated picture ({source})")


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
