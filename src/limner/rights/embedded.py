"""What a file says about its own rights: XMP (also beside it), EXIF, IPTC-IIM, PNG's texts, and a C2PA manifest."""

from __future__ import annotations

from collections.abc import Sequence

from limner.pictures import Picture
from limner.pictures.files import Data
from limner.pictures.xmp import LARGEST_PACKET, packets
from limner.rights.manifests import read_manifest_rights
from limner.rights.statements import Embedded
from limner.rights.xmp import take_packet

__all__ = ["Embedded", "read_embedded"]


def read_embedded(data: Data, picture: Picture, sidecars: Sequence[bytes] = ()) -> Embedded:
    """Read what the file with the bytes `data`, decoded as `picture`, says about its rights. Never raises.

    Args:
        sidecars: XMP files that lie beside it; they count as the file's own.
    """
    found = Embedded()
    for packet in dict.fromkeys(packets(data, picture.xmp)):
        take_packet(packet, found)
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
    found.unclear = list(dict.fromkeys(found.unclear))
    return found


def _read_sidecar(sidecar: bytes, found: Embedded) -> None:
    if len(sidecar) > LARGEST_PACKET:
        found.unclear.append("XMP file beside it that is too large")
        return
    for coding in ("utf-16-le", "utf-16-be"):
        if sidecar.startswith("\ufeff".encode(coding)):
            sidecar = sidecar.decode(coding, "replace").encode()
    take_packet(sidecar, found)
    if not any("DataMining" in reason for reason in found.held) and b"DMI-PROHIBITED" in sidecar:
        found.held.append("opt-out: XMP plus:DataMining, in a file beside it that cannot be read")
