"""XMP in a file or beside it: every packet, in every writing of RDF, JPEG's extended ones put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from limner.pictures.files import Data
from limner.pictures.text import one_line
from limner.rights.statements import Embedded

__all__ = ["packets", "read_packet"]

_LARGEST_PACKET = 4 << 20
_MOST_PACKETS = 8
_MOST_SEGMENTS = 1000
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP_RIGHTS = "{http://ns.adobe.com/xap/1.0/rights/}"
_PLUS = "{http://ns.useplus.org/ldf/xmp/1.0/}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_CC = "{http://creativecommons.org/ns#}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"

_MINING_ALLOWED = {"DMI-ALLOWED", "DMI-UNSPECIFIED"}
_LICENCES = {
    f"{_CC}license": "cc:license",
    f"{_XMP_RIGHTS}WebStatement": "xmpRights:WebStatement",
    f"{_XMP_RIGHTS}UsageTerms": "xmpRights:UsageTerms",
    f"{_DC}license": "dc:license",
    f"{_PLUS}LicensorURL": "plus:LicensorURL",
}


def packets(data: Data, declared: bytes | None) -> list[bytes]:
    """The XMP packets of a file: the one that its format declares, JPEG's extended one, and any other in its bytes."""
    found = [declared] if declared else []
    found += _extended(data)
    place = data.find(b"<rdf:RDF")
    while place >= 0 and len(found) < _MOST_PACKETS:
        end = data.find(b"</rdf:RDF>", place)
        if end < 0:
            break
        if data.find(_EXTENDED, place, end) < 0:  # one that runs through segments was put together above
            found.append(bytes(data[place : end + 10]))
        place = data.find(b"<rdf:RDF", end)
    return [packet for packet in found if len(packet) <= _LARGEST_PACKET]


def _extended(data: Data) -> list[bytes]:
    """JPEG's extended packets, put together from their segments (XMP specification, part 3, 1.1.3.1)."""
    if bytes(data[:2]) != b"\xff\xd8":
        return []
    parts: dict[bytes, dict[int, bytes]] = {}
    place = data.find(_EXTENDED)
    for _ in range(_MOST_SEGMENTS):
        if place < 4:
            break
        length = int.from_bytes(data[place - 2 : place], "big")
        body = bytes(data[place + len(_EXTENDED) : place - 2 + length])
        if len(body) > 40:
            name, total = body[:32], int.from_bytes(body[32:36], "big")
            if total <= _LARGEST_PACKET:
                parts.setdefault(name, {})[int.from_bytes(body[36:40], "big")] = body[40:]
        place = data.find(_EXTENDED, place + 1)
    return [b"".join(text for _, text in sorted(pieces.items())) for pieces in parts.values()][:_MOST_PACKETS]


def read_packet(packet: bytes, found: Embedded) -> None:
    """Take what one packet says; one that cannot be read is unclear."""
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    start, end = packet.find(b"<rdf:RDF"), packet.rfind(b"</rdf:RDF>")
    inner = packet[start : end + 10] if 0 <= start < end else packet.strip(b"\0 \r\n\t")
    try:
        root = ElementTree.fromstring(inner, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        found.flags.append("XMP unreadable")
        found.unclear.append("XMP that cannot be read")
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
    if name == f"{_PLUS}DataMining":
        last = text.rstrip("/").rsplit("/", 1)[-1]
        if last and last not in _MINING_ALLOWED:
            found.held.append(f"opt-out: XMP plus:DataMining {last[:60]}")
    elif name == f"{_IPTC}DigitalSourceType":
        found.take_source_type(text)
    elif name in (f"{_DC}creator", f"{_TIFF}Artist"):
        found.take_creator(text)
    elif name == f"{_DC}title":
        found.take_title(text)
    elif name in (f"{_DC}rights", f"{_TIFF}Copyright", f"{_PHOTOSHOP}Copyright"):
        found.take_notice(text)
    elif name in _LICENCES:
        found.take_licence(text, _LICENCES[name])
