"""What a file says about itself: XMP in every writing, EXIF, C2PA; and the clearance that comes of it."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from limner.pictures import decode, encode
from limner.rights import CONTRADICTION, HELD_NO_CREATOR, HELD_NO_LICENCE, Embedded, Stated, judge, read_embedded
from odd_pictures import chunk, encoded, painting

NAMESPACES = " ".join(
    f'xmlns:{short}="{long}"'
    for short, long in {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "dc": "http://purl.org/dc/elements/1.1/",
        "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    }.items()
)
PLUS = "http://ns.useplus.org/ldf/vocab/"
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def packet(inner: str = "", attributes: str = "") -> bytes:
    body = f'<rdf:RDF {NAMESPACES}><rdf:Description rdf:about="" {attributes}>{inner}</rdf:Description></rdf:RDF>'
    return (
        f'<?xpacket begin="\ufeff"?><x:xmpmeta xmlns:x="adobe:ns:meta/">{body}</x:xmpmeta><?xpacket end="w"?>'.encode()
    )


def embedded(data: bytes) -> Embedded:
    return read_embedded(data, decode(data, "it"))


def with_xmp(xmp: bytes, format: str = "jpeg") -> Embedded:
    return embedded(encode(np.asarray(painting(1)), format, xmp=xmp))


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize(
    "xmp",
    [
        packet(f"<plus:DataMining>{PLUS}DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>"),
        packet(f'<plus:DataMining rdf:resource="{PLUS}DMI-PROHIBITED-GENAIMLTRAINING"/>'),
        packet(attributes='plus:DataMining="DMI-PROHIBITED"'),
        packet(f"<plus:DataMining>{PLUS}DMI-PROHIBITED-SEECONSTRAINT</plus:DataMining>"),
        b"<broken " + packet(f"<plus:DataMining>{PLUS}DMI-PROHIBITED</plus:DataMining>")[:-60],
    ],
)
def test_data_mining_opt_outs_hold(xmp: bytes, format: str) -> None:
    found = with_xmp(xmp, format)
    assert len(found.held) == 1
    assert found.held[0].startswith("opt-out: XMP plus:DataMining")


@pytest.mark.parametrize("value", ["DMI-ALLOWED", "DMI-UNSPECIFIED"])
def test_allowed_data_mining_does_not(value: str) -> None:
    assert with_xmp(packet(f"<plus:DataMining>{PLUS}{value}</plus:DataMining>")).held == []


def test_an_opt_out_in_a_gif_is_found() -> None:
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"  # XMP specification, part 3: lets old readers skip it
    xmp = b"\x21\xff\x0bXMP DataXMP" + packet(attributes='plus:DataMining="DMI-PROHIBITED"') + trailer
    data = encoded(painting(2), "GIF")[:-1] + xmp + b";"
    assert embedded(data).held


def test_generated_pictures_are_flagged() -> None:
    element = f"<Iptc4xmpExt:DigitalSourceType>{SOURCE}trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
    assert with_xmp(packet(element)).flags == ["generated picture (trainedAlgorithmicMedia)"]
    camera = f"<Iptc4xmpExt:DigitalSourceType>{SOURCE}digitalCapture</Iptc4xmpExt:DigitalSourceType>"
    assert with_xmp(packet(camera)).flags == []


def test_names_notices_and_licences_are_read() -> None:
    inner = (
        "<dc:creator><rdf:Seq><rdf:li>Ada Example</rdf:li><rdf:li>Bo Beispiel</rdf:li></rdf:Seq></dc:creator>"
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Dusk\x1b</rdf:li></rdf:Alt></dc:title>'
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) Ada</rdf:li></rdf:Alt></dc:rights>'
        "<xmpRights:WebStatement>https://creativecommons.org/licenses/by/4.0/</xmpRights:WebStatement>"
    )
    found = with_xmp(packet(inner.replace("\x1b", "")))
    assert found == Embedded("Dusk", "Ada Example, Bo Beispiel", "(c) Ada", "CC-BY-4.0")


def test_exif_fills_what_xmp_leaves_open() -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Ada Example", "CC BY 4.0"
    found = embedded(encoded(painting(3), "JPEG", exif=exif.tobytes()))
    assert (found.creator, found.notice, found.licence) == ("Ada Example", "CC BY 4.0", "CC-BY-4.0")


def test_hostile_xml_is_refused_and_noted() -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY b "ha">]><rdf:RDF>&b;</rdf:RDF>'
    assert with_xmp(laughs).flags == ["XMP unreadable"]


def test_no_packet_is_slow() -> None:
    began = time.monotonic()
    data = encode(np.asarray(painting(6)), "png")
    for noise in (
        b"<rdf:RDF " * 200_000,
        b"<rdf:RDF>" + b"<li>" * 200_000 + b"</rdf:RDF>",
        packet("<dc:creator>" * 50_000),
    ):
        assert embedded(data + noise).held == []
    assert time.monotonic() - began < 4


def manifest(*assertions: dict[str, Any], source: str = "digitalCapture", format: str = "image/jpeg") -> bytes:
    """A JPEG or PNG with a C2PA manifest, signed by a key of its own."""
    from c2pa import Builder, Context, Settings

    data = encode(np.asarray(painting(4)), format.removeprefix("image/"))
    actions = {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE + source}]}
    definition = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": actions}, *assertions],
    }
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
    out = io.BytesIO()
    with Builder(json.dumps(definition), context=Context(Settings.from_dict(settings))) as builder:
        builder.sign(_signer(), format, io.BytesIO(data), out)
    return out.getvalue()


def _signer() -> Any:
    import datetime

    from c2pa import C2paSigningAlg, Signer
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    today = datetime.datetime.now(datetime.UTC)

    def certificate(name: str, public: Any, is_authority: bool) -> Any:
        usage = x509.KeyUsage(not is_authority, False, False, False, False, is_authority, is_authority, False, False)
        issuer = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test authority")]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(1))
            .not_valid_after(today + datetime.timedelta(30))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        )
        if not is_authority:
            mail = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(mail, critical=False)
        return builder.sign(authority, hashes.SHA256())

    chain = (
        certificate("Test signer", key.public_key(), False),
        certificate("Test authority", authority.public_key(), True),
    )
    pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain).decode()

    def sign(data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return Signer.from_callback(sign, C2paSigningAlg.ES256, pem, None)


@pytest.mark.parametrize(
    ("label", "name", "entry", "held"),
    [
        ("cawg.training-mining", "cawg.ai_generative_training", {"use": "notAllowed"}, "ai_generative_training"),
        ("c2pa.training-mining", "c2pa.ai_training", {"use": "notAllowed"}, "ai_training"),
        ("cawg.training-mining", "cawg.data_mining", {"use": "notAllowed"}, "data_mining"),
        ("cawg.training-mining", "cawg.ai_training", {"use": "constrained"}, "constrained"),
        (
            "cawg.training-mining",
            "cawg.ai_training",
            {"use": "constrained", "constraint_info": "ask me"},
            "constrained: ask me",
        ),
        ("cawg.training-mining", "cawg.ai_training", {"use": "allowed"}, ""),
        ("cawg.training-mining", "cawg.ai_inference", {"use": "notAllowed"}, ""),
    ],
)
def test_training_mining_assertions_hold(label: str, name: str, entry: dict[str, str], held: str) -> None:
    found = embedded(manifest({"label": label, "data": {"entries": {name: entry}}}))
    assert bool(found.held) == bool(held)
    assert all(held in reason for reason in found.held)


def test_a_manifest_of_a_generated_picture_is_flagged() -> None:
    found = embedded(manifest(source="trainedAlgorithmicMedia", format="image/png"))
    assert found.flags == ["generated picture (trainedAlgorithmicMedia)"]
    assert found.held == []


def test_a_damaged_manifest_still_opts_out() -> None:
    data = encode(np.asarray(painting(5)), "png")
    noise = b"\0\0\0\x90jumb\0\0\0\x18jumdc2pa" + bytes(20) + b"cawg.training-mining" + b"use notAllowed"
    found = embedded(data[:33] + chunk(b"caBX", noise) + data[33:])
    assert found.flags == ["C2PA manifest unreadable"]
    assert found.held == ["opt-out: C2PA training-mining, in a manifest that cannot be read"]


def test_the_file_fills_the_gaps_of_table_and_command_line() -> None:
    said = Embedded("Dusk", "Ada", "(c) Ada", "CC-BY-4.0")
    clearance = judge(Stated(), Stated(), said)
    assert (clearance.title, clearance.creator, clearance.licence, clearance.held) == ("Dusk", "Ada", "CC-BY-4.0", ())
    clearance = judge(Stated(title="Dawn"), Stated(creator="ada", licence="CC-BY-4.0", source="attic"), said)
    assert (clearance.title, clearance.creator, clearance.source, clearance.flags) == ("Dawn", "Ada", "attic", ())


def test_row_and_file_that_contradict_each_other_hold() -> None:
    said = Embedded("", "Bo Beispiel", "(c) Bo. All rights reserved", "")
    clearance = judge(Stated(creator="Ada Example", licence="CC-BY-4.0"), Stated(), said, origin="rights.csv")
    assert len(clearance.held) == 2
    assert all(reason.startswith(CONTRADICTION) and "rights.csv" in reason for reason in clearance.held)
    assert (clearance.creator, clearance.creator_from) == ("Ada Example", "rights.csv")
    same = judge(Stated(creator="Beispiel, Bo", licence="CC-BY-4.0"), Stated(), Embedded(creator="Bo Beispiel"))
    assert (same.flags, same.held) == ((), ())
    reason = "she sold me all rights"
    given = Stated(creator="Ada Example", licence="CC-BY-4.0")
    told = judge(Stated(), given, said, override=reason)
    assert (told.creator, told.licence, told.held) == ("Ada Example", "CC-BY-4.0", ())
    assert any(reason in flag for flag in told.flags)


@pytest.mark.parametrize(
    ("said", "creator", "licence", "held"),
    [
        (Embedded(creator="Grace", licence="CC-BY-NC-ND-4.0"), "Grace", "CC-BY-NC-ND-4.0", False),
        (Embedded(creator="Grace"), "Grace", "CC0-1.0", False),
        (Embedded(licence="CC-BY-SA-4.0"), "Ada Example", "CC-BY-SA-4.0", False),
        (Embedded(notice="(c) 2019-2021 Ada Example"), "Ada Example", "CC0-1.0", False),
        (Embedded(notice="Copyright 2020, Example Ada."), "Ada Example", "CC0-1.0", False),
        (Embedded(notice="(c) Grace Example"), "Ada Example", "CC0-1.0", True),
        (Embedded(notice="Nur zur Ansicht"), "Ada Example", "CC0-1.0", True),
        (Embedded(unclear=["xmpRights:UsageTerms 'ask me'"]), "Ada Example", "CC0-1.0", True),
        (Embedded(unclear=["XMP that cannot be read"]), "Ada Example", "CC0-1.0", True),
    ],
)
def test_what_the_file_says_stands_above_the_options(said: Embedded, creator: str, licence: str, held: bool) -> None:
    clearance = judge(Stated(), Stated(creator="Ada Example", licence="CC0-1.0"), said)
    assert (clearance.creator, clearance.licence) == (creator, licence)
    assert bool(clearance.held) is held
    if held:
        assert clearance.held[0].startswith(CONTRADICTION)
        own = Stated(creator="Ada Example", licence="CC0-1.0")
        assert not judge(own, Stated(), said).held or said.notice.startswith("(c) Grace")


def test_two_statements_in_one_file_that_contradict_each_other_hold() -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Grace Example", "CC BY-NC 4.0"
    inner = "<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>"
    inner += "<xmpRights:WebStatement>https://creativecommons.org/licenses/by/4.0/</xmpRights:WebStatement>"
    found = embedded(encoded(painting(3), "JPEG", exif=exif.tobytes(), xmp=packet(inner)))
    held = judge(Stated(), Stated(), found).held
    assert len(found.contradictions) == len([reason for reason in held if reason.startswith(CONTRADICTION)]) == 2


def iptc(**fields: str) -> bytes:
    """A Photoshop segment with IPTC-IIM datasets of record 2."""
    numbers = {"by_line": 80, "notice": 116}
    data = b""
    for name, text in fields.items():
        raw = text.encode()
        data += bytes((0x1C, 2, numbers[name])) + len(raw).to_bytes(2, "big") + raw
    block = b"8BIM\x04\x04\0\0" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)
    body = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body


def test_iptc_names_and_notices_are_read() -> None:
    plain = encoded(painting(7), "JPEG")
    found = embedded(plain[:2] + iptc(by_line="Grace Éxample", notice="CC BY-NC-ND 4.0") + plain[2:])
    assert (found.creator, found.licence) == ("Grace Éxample", "CC-BY-NC-ND-4.0")


def test_the_texts_of_a_png_are_read() -> None:
    texts = PngInfo()
    texts.add_text("Author", "Grace Example")
    texts.add_itxt("Copyright", "CC BY-SA 4.0")
    found = embedded(encoded(painting(7), "PNG", pnginfo=texts))
    assert (found.creator, found.licence) == ("Grace Example", "CC-BY-SA-4.0")


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_extended_xmp_of_a_jpeg_is_put_together(pieces: int) -> None:
    whole = packet(attributes='plus:DataMining="DMI-PROHIBITED"' + " " * 900)
    step, parts = -(-len(whole) // pieces), []
    for start in range(0, len(whole), step):
        body = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + len(whole).to_bytes(4, "big")
        body += start.to_bytes(4, "big") + whole[start : start + step]
        parts.append(b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body)
    plain = encoded(painting(8), "JPEG")
    found = embedded(plain[:2] + b"".join(reversed(parts)) + plain[2:])
    assert found.held == ["opt-out: XMP plus:DataMining DMI-PROHIBITED"]
    assert found.flags == []


def test_a_manifest_names_creator_and_licence() -> None:
    work = {"@context": "https://schema.org", "@type": "CreativeWork", "author": [{"@type": "Person", "name": "Grace"}]}
    work["license"] = "https://creativecommons.org/licenses/by-nc-nd/4.0/"
    found = embedded(manifest({"label": "stds.schema-org.CreativeWork", "data": work, "kind": "Json"}))
    assert (found.creator, found.licence) == ("Grace", "CC-BY-NC-ND-4.0")
    metadata = {
        "@context": {"dc": "http://purl.org/dc/elements/1.1/"},
        "dc:creator": ["Grace"],
        "dc:rights": "CC BY 4.0",
    }
    found = embedded(manifest({"label": "cawg.metadata", "data": metadata, "kind": "Json"}))
    assert (found.creator, found.licence) == ("Grace", "CC-BY-4.0")


def test_what_is_unknown_is_held_and_consent_releases_opt_outs() -> None:
    assert judge(Stated(), Stated(), Embedded()).held == (HELD_NO_CREATOR, HELD_NO_LICENCE)
    unreadable = judge(Stated(creator="Ada", licence="all mine"), Stated(), Embedded())
    assert unreadable.held == ("licence 'all mine' is no SPDX expression",)
    opted = Embedded(held=["opt-out: XMP plus:DataMining DMI-PROHIBITED"])
    known = Stated(creator="Ada", licence="CC0-1.0")
    assert judge(known, Stated(), opted, ("opt-out: ai.txt of the folder",)).held == (
        "opt-out: XMP plus:DataMining DMI-PROHIBITED",
        "opt-out: ai.txt of the folder",
    )
    released = judge(known, Stated(consent="I made it"), opted)
    assert released.held == ()
    assert released.flags == ("opt-out: XMP plus:DataMining DMI-PROHIBITED (released by consent)",)
