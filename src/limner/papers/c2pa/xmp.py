"""XMP: the machine-readable lines that most programs show, unsigned by themselves (the C2PA signature covers them).

IPTC Photo Metadata Standard 2025.1 (digital source type, AI system), PLUS (data mining), Dublin Core, Photoshop.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from limner import __version__
from limner.papers.c2pa.provenance import Provenance, TrainingMining
from limner.pictures.xmp import NAMESPACES, properties
from limner.text import storable

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC: "created algorithmically using an AI model trained on captured content"; so is what a model paints alone."""
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC: "mix or composite of several elements, at least one of which is trained algorithmic media"; so is a finished
work: a model composed it, and its patches are cut from pictures that people made."""

HUMAN = "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"
"""IPTC: "augmentation, correction or enhancement by one or more humans using non-generative tools"."""

_WRITTEN = ("dc", "xmp", "photoshop", "plus", "Iptc4xmpExt")
_MINING: dict[TrainingMining, str] = {
    "notAllowed": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED",
    "allowed": "http://ns.useplus.org/ldf/vocab/DMI-ALLOWED",
    "constrained": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-SEECONSTRAINT",
}
_READ = {
    "source_type": "Iptc4xmpExt:DigitalSourceType",
    "creator": "dc:creator",
    "title": "dc:title",
    "tool": "xmp:CreatorTool",
    "credit": "photoshop:Credit",
    "rights": "dc:rights",
    "mining": "plus:DataMining",
}
_TEXT_LIMIT = 8000  # JPEG holds 65,502 bytes of XMP; two long texts of 4 bytes a character stay below with the rest
_CUT = " … (whole in the C2PA manifest)"


@dataclass(frozen=True)
class XmpSeen:
    """What a picture's XMP says; None where it says nothing."""

    source_type: str | None = None
    creator: str | None = None
    title: str | None = None
    tool: str | None = None
    credit: str | None = None
    rights: str | None = None
    mining: str | None = None


def write_packet(provenance: Provenance) -> bytes:
    """The XMP packet of a work, UTF-8; texts that are too long for JPEG are cut with a note."""
    ai, credit = "Iptc4xmpExt:AISystem", provenance.credit
    properties = [
        ("Iptc4xmpExt:DigitalSourceType", _text(COMPOSITE if provenance.composite else GENERATED)),
        (f"{ai}Used", _text(f"{provenance.model_name} ({provenance.family})")),
        (f"{ai}VersionUsed", _text(provenance.model_digest)),
        ("xmp:CreatorTool", _text(f"limner {__version__}")),
        ("plus:DataMining", _text(_MINING[provenance.training_mining])),
        ("dc:creator", f"<rdf:Seq><rdf:li>{_text(provenance.creator)}</rdf:li></rdf:Seq>"),
        ("dc:title", _alternatives(provenance.title)),
    ]
    if credit:
        properties += [("photoshop:Credit", _text(credit)), ("dc:rights", _alternatives(credit))]
    if provenance.training_mining_terms:
        properties.append(("plus:OtherConstraints", _alternatives(provenance.training_mining_terms[:1000])))
    spaces = " ".join(f'xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in _WRITTEN)
    body = "".join(f"<{name}>{value}</{name}>" for name, value in properties)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}"><rdf:Description rdf:about="" {spaces}>{body}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def read_packet(packet: bytes) -> XmpSeen:
    """What the packet says of origin, creator and rights.

    Raises:
        ValueError: it is no XML, or XML that tries something (entities, external files), or over 4 MiB.
    """
    values: dict[str, str] = {}
    for name, value in properties(packet):
        values.setdefault(name, value)
    return XmpSeen(**{field: values.get(name) for field, name in _READ.items()})


def _text(value: str) -> str:
    value = storable(value)
    return escape(value if len(value) <= _TEXT_LIMIT else value[: _TEXT_LIMIT - len(_CUT)] + _CUT)


def _alternatives(value: str) -> str:
    return f'<rdf:Alt><rdf:li xml:lang="x-default">{_text(value)}</rdf:li></rdf:Alt>'
