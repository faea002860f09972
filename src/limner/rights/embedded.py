"""What a file says about its own rights: XMP (also beside it), EXIF, IPTC-IIM, PNG's texts, and a C2PA manifest."""

from __future__ import annotations

from collections.abc import Sequence

from limner.pictures import Picture
from limner.pictures.files import Data
from limner.pictures.xmp import LARGEST_PACKET, packets, properties
from limner.rights.manifests import read_manifest_rights
from limner.rights.statements import Embedded
from limner.text import one_line

_MINING_ALLOWED = {"DMI-ALLOWED", "DMI-UNSPECIFIED"}
_LICENCES = ("cc:license", "xmpRights:WebStatement", "xmpRights:UsageTerms", "dc:license", "plus:LicensorURL")


def read_embedded(data: Data, picture: Picture, sidecars: Sequence[bytes] = ()) -> Embedded:
    """Read what the file with the bytes `data`, decoded as `picture`, says about its rights. Never raises.

    Args:
        sidecars: XMP files that lie beside it; they count as the file's own.
    """
    found = Embedded()
    for packet in dict.fromkeys(packets(data, picture.xmp)):
        _take_packet(packet, found)
    for sidecar in sidecars:
        _read_sidecar(sidecar, found)
    if not any("DataMining" in reason for reason in found.held) and data.find(b"DMI-PROHIBITED") >= 0:
        found.held.append("opt-out: XMP plus:DataMining, in a packet that cannot be read")
    read_manifest_rights(data, picture.format, found)
    for name in picture.creators:
        found.take_creator(name)
    for notice in picture.notices:
        found.take_notice(notice)
    found.held, found.flags = sorted(set(found.held)), sorted(set(found.flags))
    found.contradictions = sorted(set(found.contradictions))
    found.unclear = list(dict.fromkeys(found.unclear))
    return found


def _read_sidecar(sidecar: bytes, found: Embedded) -> None:
    if len(sidecar) > LARGEST_PACKET:
        found.unclear.append("XMP file beside it that is too large")
        return
    for coding in ("utf-16-le", "utf-16-be"):
        if sidecar.startswith("\ufeff".encode(coding)):
            sidecar = sidecar.decode(coding, "replace").encode()
    _take_packet(sidecar, found)
    if not any("DataMining" in reason for reason in found.held) and b"DMI-PROHIBITED" in sidecar:
        found.held.append("opt-out: XMP plus:DataMining, in a file beside it that cannot be read")


def _take_packet(packet: bytes, found: Embedded) -> None:
    """Take what one packet says; one that cannot be read is unclear."""
    try:
        for name, value in properties(packet):
            _take_property(name, one_line(value), found)
    except ValueError:
        found.flags.append("XMP unreadable")
        found.unclear.append("XMP that cannot be read")


def _take_property(name: str, text: str, found: Embedded) -> None:
    if name == "plus:DataMining":
        last = text.rstrip("/").rsplit("/", 1)[-1]
        if last and last not in _MINING_ALLOWED:
            found.held.append(f"opt-out: XMP plus:DataMining {last[:60]}")
    elif name == "Iptc4xmpExt:DigitalSourceType":
        found.take_source_type(text)
    elif name in ("dc:creator", "tiff:Artist"):
        found.take_creator(text)
    elif name == "dc:title":
        found.take_title(text)
    elif name in ("dc:rights", "tiff:Copyright", "photoshop:Copyright"):
        found.take_notice(text)
    elif name in _LICENCES:
        found.take_licence(text, name)
