"""What a packet of XMP says about rights."""

from __future__ import annotations

from limner.pictures.xmp import properties
from limner.rights.statements import Embedded
from limner.text import one_line

__all__ = ["take_packet"]

_MINING_ALLOWED = {"DMI-ALLOWED", "DMI-UNSPECIFIED"}
_LICENCES = ("cc:license", "xmpRights:WebStatement", "xmpRights:UsageTerms", "dc:license", "plus:LicensorURL")


def take_packet(packet: bytes, found: Embedded) -> None:
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
