"""What a verdict says: no more than was proved, whoever signed."""

from __future__ import annotations

import datetime as dt
import json
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from limner import pictures
from limner.errors import PapersError
from limner.papers import open_publisher, verify
from limner.papers.c2pa.xmp import GENERATED
from limner.workspace import Workspace
from papers.test_identities import buy
from published_made import ARTIST, picture, provenance, publish, publisher, roots


def test_three_kinds_of_trust(workspace: Workspace) -> None:
    path = publish(workspace).path
    (root,) = roots(workspace)
    own, anchored, unknown = verify(path, own=[root]), verify(path, anchors=[root]), verify(path)
    assert [one.signer.trust for one in (own, anchored, unknown) if one.signer] == ["own", "anchor", "none"]
    assert [one.trusted for one in (own, anchored, unknown)] == [True, True, False]
    assert "a key of this workspace" in own.summary
    assert "vouched for by a trust anchor" in anchored.summary
    assert f'somebody who calls themselves "{ARTIST}"' in unknown.summary
    assert "self-made and on no public trust list" in unknown.layers[0].proves
    assert all(one.genuine for one in (own, anchored, unknown))


def test_another_artist_of_the_same_name_is_not_trusted(workspace: Workspace, tmp_path: Path) -> None:
    path = publish(workspace).path
    other = Workspace(tmp_path / "other")
    publish(other)
    verdict = verify(path, own=roots(other), anchors=roots(other))
    assert (verdict.genuine, verdict.trusted) == (True, False)


def test_a_verdict_is_json(workspace: Workspace) -> None:
    told = json.loads(verify(publish(workspace).path, own=roots(workspace)).to_json())
    assert (told["state"], told["genuine"], told["trusted"]) == ("valid", True, True)
    assert told["generation"]["model_digest"] == provenance().model_digest
    assert [layer["name"] for layer in told["layers"]] == ["C2PA", "XMP"]
    assert told["training_mining"]["cawg.ai_training"] == "notAllowed"


def test_an_anchor_that_is_none_is_named(workspace: Workspace, tmp_path: Path) -> None:
    path = publish(workspace).path
    for name, contents in (("missing.pem", None), ("garbage.pem", "garbage"), ("binary.pem", "\xff\xfe")):
        if contents is not None:
            (tmp_path / name).write_text(contents, encoding="latin-1")
        with pytest.raises(PapersError, match=name):
            verify(path, anchors=[tmp_path / name])


def test_a_certificate_that_ended_makes_a_work_not_valid(workspace: Workspace, tmp_path: Path) -> None:
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()), ends=dt.timedelta(seconds=2))
    with open_publisher(workspace, certificate=certificate, key=key) as ready:
        path = ready.publish(picture(), tmp_path / "work.png", provenance()).path
    time.sleep(3.2)  # its last second counts as a whole
    verdict = verify(path, anchors=[tmp_path / "root.pem"])
    assert (verdict.state, verdict.tampered, verdict.trusted) == ("invalid", None, False)
    assert "certificate ended on" in verdict.summary
    assert "unchanged" in verdict.summary
    with pytest.raises(PapersError, match="expired"):
        open_publisher(workspace, certificate=certificate, key=key)


def foreign(
    workspace: Workspace, tmp_path: Path, kind: str, source_type: str = GENERATED, **certificate_options: Any
) -> Path:
    """A picture that another program signed, with the least that C2PA asks for."""
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()), **certificate_options)
    info = c2pa.C2paSignerInfo(b"es256", certificate.read_bytes(), key.read_bytes(), None)
    actions = {"actions": [{"action": "c2pa.created", "digitalSourceType": source_type}]}
    manifest = {
        "claim_generator_info": [{"name": "other program", "version": "3"}],
        "title": "a title",
        "assertions": [{"label": "c2pa.actions.v2", "data": actions}],
    }
    context = c2pa.Context.from_dict({"version": 1, "verify": {"verify_after_sign": False}})
    signed = BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest, context) as builder:
        builder.sign(signer, f"image/{kind}", BytesIO(pictures.encode(picture(64), kind)), signed)
    (tmp_path / f"foreign.{kind}").write_bytes(signed.getvalue())
    return tmp_path / f"foreign.{kind}"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif"])
def test_works_of_other_programs_are_read_too(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    path = foreign(workspace, tmp_path, kind)
    verdict = verify(path, anchors=[tmp_path / "root.pem"])
    assert (verdict.state, verdict.trusted, verdict.generated) == ("valid", True, True)
    assert (verdict.tool, verdict.title, verdict.generation) == ("other program 3", "a title", {})
    data = bytearray(path.read_bytes())
    place = len(data) - 40 if kind != "webp" else 60
    data[place] ^= 1
    path.write_bytes(data)
    changed = verify(path)
    assert changed.state == "tampered"
    assert changed.tampered == "the picture or its metadata (anything outside the manifest)"


def test_a_photograph_is_not_called_generated(workspace: Workspace, tmp_path: Path) -> None:
    camera = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    verdict = verify(foreign(workspace, tmp_path, "jpeg", camera))
    assert (verdict.genuine, verdict.generated) == (True, False)
    assert "generated" not in verdict.layers[0].holds


def test_a_changed_file_is_not_believed(workspace: Workspace) -> None:
    path = publish(workspace).path
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)
    verdict = verify(path, own=roots(workspace))
    assert not verdict.trusted
    assert "Believe nothing that it says" in verdict.layers[0].proves
    assert verdict.codes == ("assertion.dataHash.mismatch",)


def test_nothing_is_fetched(workspace: Workspace) -> None:
    """XMP may name a manifest somewhere on the network; it is not asked for."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="http://127.0.0.1:9/x.c2pa"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    workspace.make(workspace.root)
    for kind in ("png", "jpeg"):
        path = workspace.root / f"x.{kind}"
        path.write_bytes(pictures.encode(picture(), kind, xmp=packet.encode()))
        assert verify(path).state == "none"


def test_many_threads_check_with_one_checker(workspace: Workspace) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import closing

    from limner.papers.verify.checking import Checker

    with publisher(workspace) as ready:
        jobs = [(picture(seed=i), workspace.root / f"{i}.png", provenance(index=i)) for i in range(20)]
        works = ready.publish_many(jobs)
    with closing(Checker(own=roots(workspace))) as checker, ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(checker.check, [work.path for work in works] * 3))
    assert [verdict.generation["index"] for verdict in verdicts] == list(range(20)) * 3
    assert all(verdict.trusted for verdict in verdicts)
