"""XMP, the machine-readable lines on who made a picture and what may be done with it: packets found, properties read.

Source: XMP specification, parts 1 (RDF), 2 (namespaces) and 3 (packets in files).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from limner.pictures.files import Data

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "cc": "http://creativecommons.org/ns#",
}
"""Addresses by the prefixes that they usually have; properties are called by these."""
LARGEST_PACKET = 4 << 20
"""Bytes."""

_PREFIXES = {address: prefix for prefix, address in NAMESPACES.items()}
_MOST_PACKETS = 8
_MOST_SEGMENTS = 1000
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_START, _END = b"<rdf:RDF", b"</rdf:RDF>"


def packets(data: Data, declared: bytes | None) -> list[bytes]:
    """The XMP packets of a file: the one that its format declares, JPEG's extended one, and any other in its bytes.

    They are searched for, as XMP is made for, wherever they lie: also in a second picture behind the first.
    """
    found = [declared] if declared else []
    found += _extended(data)
    place = data.find(_START)
    while place >= 0 and len(found) < _MOST_PACKETS:
        end = data.find(_END, place)
        if end < 0:
            break
        if data.find(_EXTENDED, place, end) < 0:  # one that runs through segments was put together above
            found.append(bytes(data[place : end + len(_END)]))
        place = data.find(_START, end)
    return [packet for packet in found if len(packet) <= LARGEST_PACKET]


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
            if total <= LARGEST_PACKET:
                parts.setdefault(name, {})[int.from_bytes(body[36:40], "big")] = body[40:]
        place = data.find(_EXTENDED, place + 1)
    return [b"".join(text for _, text in sorted(pieces.items())) for pieces in parts.values()][:_MOST_PACKETS]


def properties(packet: bytes) -> list[tuple[str, str]]:
    """Every property of a packet with its text, whether it stands as element, list, resource or attribute.

    Returns:
        Names such as `dc:creator`, in the packet's order; those of other namespaces as `{address}name`.

    Raises:
        ValueError: it is no XML, or XML that tries something (entities, external files), or over 4 MiB.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if len(packet) > LARGEST_PACKET:
        raise ValueError("larger than 4 MiB")
    start, end = packet.find(_START), packet.rfind(_END)
    tries = [packet.strip(b"\0 \r\n\t")]  # whole: namespaces may be declared outside of rdf:RDF
    if 0 <= start < end:
        tries.append(packet[start : end + len(_END)])  # alone: what stands about it may be damaged
    failed: Exception | None = None
    for text in tries:
        try:
            root = ElementTree.fromstring(text, forbid_dtd=True)
            within = list(root.iter(f"{{{NAMESPACES['rdf']}}}RDF")) or [root]
            return [(_called(tag), said) for rdf in within for tag, said in _tagged(rdf)]
        except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
            failed = error
    raise ValueError(f"no readable XML ({type(failed).__name__})") from failed


def _tagged(root: Any) -> Iterator[tuple[str, str]]:
    rdf = f"{{{NAMESPACES['rdf']}}}"
    for element in root.iter():
        yield from element.attrib.items()
        # Lists stand two levels down: property, container (Bag, Seq, Alt), items.
        items = [(item.text or "").strip() for container in element for item in container if item.tag == f"{rdf}li"]
        text = element.get(f"{rdf}resource") or ", ".join(filter(None, items)) or element.text or ""
        if text.strip():
            yield element.tag, text.strip()


def _called(tag: str) -> str:
    address, _, name = tag.removeprefix("{").partition("}")
    return f"{_PREFIXES[address]}:{name}" if address in _PREFIXES and name else tag
