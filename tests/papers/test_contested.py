"""A work that was stripped and signed anew is told: by its number, by its watermark, by its looks."""

from __future__ import annotations

from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from numpy.typing import NDArray

from limner import pictures
from limner.cli.verify import exit_status
from limner.papers import open_publisher
from limner.papers.c2pa.soft_bindings import soft_bindings
from limner.papers.registry.registry import Registry
from limner.papers.verify.checking import open_checker
from limner.papers.verify.verdict import Verdict
from limner.papers.watermark import SMALLEST
from limner.papers.watermark.marking import ALGORITHM, value_of
from limner.workspace import Workspace
from papers.test_identities import buy
from papers.test_registered import scene
from published_made import artist, provenance

CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def sign_anew(pixels: NDArray[np.uint8], folder: Path, work: int | None) -> Path:
    """The picture as another program signs it, as a photograph; with the number of a work where one is given."""
    certificate, key = buy(folder, ec.generate_private_key(ec.SECP256R1()))
    info = c2pa.C2paSignerInfo(b"es256", certificate.read_bytes(), key.read_bytes(), None)
    actions = {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURE}]}
    bindings = soft_bindings([(ALGORITHM, value_of(work))]) if work is not None else []
    manifest: dict[str, Any] = {
        "claim_generator_info": [{"name": "camera", "version": "1"}],
        "title": "Photo",
        "assertions": [{"label": "c2pa.actions.v2", "data": actions}, *bindings],
    }
    context = c2pa.Context.from_dict({"version": 1, "verify": {"verify_after_sign": False}})
    signed = BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest, context) as builder:
        builder.sign(signer, "image/png", BytesIO(pictures.encode(pixels, "png")), signed)
    (folder / "anew.png").write_bytes(signed.getvalue())
    return folder / "anew.png"


def check(workspace: Workspace, path: Path) -> Verdict:
    with closing(open_checker(workspace)) as checker:
        return checker.check(path)


@pytest.mark.parametrize(
    ("size", "numbered", "how"),
    [
        (SMALLEST * 2, True, "its papers name"),
        (SMALLEST * 2, False, "its watermark names"),
        (SMALLEST // 2, True, "its papers name"),
    ],
)
def test_a_work_signed_anew_by_another_is_contested(
    size: int, numbered: bool, how: str, workspace: Workspace, tmp_path: Path
) -> None:
    artist(workspace)
    workspace.make(workspace.works)
    with open_publisher(workspace) as publisher:
        publisher.publish(scene(3, size), workspace.works / "work.png", provenance())
    (edition,) = Registry(workspace.registry).latest(9)
    own = pictures.read(workspace.works / "work.png").pixels
    path = sign_anew(own, tmp_path, edition.work if numbered else None)
    verdict = check(workspace, path)
    assert verdict.state == "valid"
    assert verdict.summary.startswith("contested: ")
    for words in (how, f"work {edition.name}", "signed with another key", "a photograph (digitalCapture)"):
        assert words in verdict.summary
    assert not verdict.genuine
    assert exit_status([verdict]) == 1
    assert verdict.to_dict()["contested"]
    assert verdict.to_dict()["contested_by"] in ("papers", "watermark")
    genuine = check(workspace, workspace.works / "work.png")
    assert (genuine.genuine, genuine.contested) == (True, "")


def test_likeness_alone_is_told_and_contests_nothing(workspace: Workspace, tmp_path: Path) -> None:
    artist(workspace)
    workspace.make(workspace.works)
    with open_publisher(workspace) as publisher:
        publisher.publish(scene(3, SMALLEST // 2), workspace.works / "work.png", provenance())
    verdict = check(workspace, sign_anew(scene(3, SMALLEST // 2), tmp_path, None))
    assert (verdict.genuine, verdict.contested) == (True, "")
    assert verdict.summary.startswith("genuine: ")
    (layer,) = [layer for layer in verdict.layers if layer.name == "registry"]
    assert "it looks like work" in layer.holds
    assert "signed with another key" in layer.holds
    assert "no proof" in layer.proves


def test_another_picture_is_not_contested(workspace: Workspace, tmp_path: Path) -> None:
    artist(workspace)
    workspace.make(workspace.works)
    with open_publisher(workspace) as publisher:
        publisher.publish(scene(3, 256), workspace.works / "work.png", provenance())
    verdict = check(workspace, sign_anew(scene(4, 256), tmp_path, None))
    assert (verdict.genuine, verdict.contested) == (True, "")
    assert "a photograph (digitalCapture)" in verdict.layers[0].holds
