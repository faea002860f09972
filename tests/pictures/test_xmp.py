"""XMP packets in the writings that programs give them."""

from __future__ import annotations

import pytest

from limner.pictures.xmp import properties

_DC, _RDF = "http://purl.org/dc/elements/1.1/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


@pytest.mark.parametrize(
    "packet",
    [
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:rdf="{_RDF}" xmlns:dc="{_DC}"><rdf:RDF><rdf:Description>'
        "<dc:creator>Ada</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>",
        f'<rdf:RDF xmlns:rdf="{_RDF}" xmlns:dc="{_DC}"><rdf:Description dc:creator="Ada"/></rdf:RDF>',
        f'<x:xmpmeta broken <rdf:RDF xmlns:rdf="{_RDF}" xmlns:dc="{_DC}"><rdf:Description dc:creator="Ada"/></rdf:RDF>',
    ],
    ids=["names declared outside", "alone", "damaged outside"],
)
def test_a_creator_is_read(packet: str) -> None:
    assert properties(packet.encode()) == [("dc:creator", "Ada")]


def test_entities_are_refused() -> None:
    packet = f'<!DOCTYPE x [<!ENTITY a "b">]><rdf:RDF xmlns:rdf="{_RDF}">&a;</rdf:RDF>'
    with pytest.raises(ValueError, match="no readable XML"):
        properties(packet.encode())
