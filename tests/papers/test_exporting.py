"""Publishing again: the former papers are kept, what was done is said, and nobody else's file is taken."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import encypher_c2pa
import numpy as np
import pytest
from PIL import Image

from limner import pictures
from limner.errors import LimnerError, PapersError, UsageError
from limner.ledger import Ledger
from limner.papers import Identity, PublishedWork, Publisher, verify
from limner.papers.publishing.exporting import Export, export
from limner.papers.publishing.former import open_former
from limner.papers.publishing.labels import LabelRequest
from limner.papers.verify.checking import Checker
from limner.works.family import Family
from limner.workspace import Workspace
from papers.test_timestamps import authority, server, stamp
from published_made import KINDS, picture, provenance, publish, publisher, roots


def again(workspace: Workspace, path: Path, name: str, **wish: Any) -> PublishedWork:
    with publisher(workspace) as ready:
        return export(open_former(path, workspace), workspace.works / name, ready, Export(**wish))


def actions(workspace: Workspace, path: Path) -> list[dict[str, Any]]:
    checker = Checker(own=roots(workspace))
    store = checker.manifest(path.read_bytes()) or {}
    checker.close()
    active = next(one for one in store["manifests"] if one["label"] == store["active"])
    found: list[dict[str, Any]] = active["assertions"]["c2pa.actions.v2"]["actions"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_two_programs_find_an_edition_valid_and_see_what_it_was(workspace: Workspace, kind: str) -> None:
    former = publish(workspace, "work.png", size=96)
    work = again(workspace, former.path, f"web.{kind}", long_edge=64, label=LabelRequest("eu", "de"), quality=80)
    report = encypher_c2pa.verify(work.path.read_bytes(), pictures.FORMATS[kind])
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    verdict = verify(work.path, own=roots(workspace))
    assert (verdict.state, verdict.generated, verdict.title) == ("valid", True, "Dusk no. 7")
    assert verdict.generation["latent_digest"] == former.provenance.latent_digest
    (one,) = verdict.chain
    assert (one.relationship, one.kept, one.was_valid) == ("parentOf", True, True)
    assert (one.title, one.signer, one.trust) == ("Dusk no. 7", "Ada Lovelace", "own")
    assert one.time is not None
    said = [action["action"] for action in actions(workspace, work.path)]
    transcoded = ["c2pa.transcoded"] if kind != "png" else []
    assert said == ["c2pa.opened", "c2pa.resized", "c2pa.edited", *transcoded]
    with Image.open(work.path) as image:
        assert image.size == (64, 64)


def test_papers_and_ledger_tell_of_the_label(workspace: Workspace) -> None:
    former = publish(workspace, "work.png", size=96)
    work = again(workspace, former.path, "web.png", label=LabelRequest("eu", "fr"))
    label = verify(work.path).generation["visible_label"]
    assert (label["words"], label["corner"], label["language"]) == ("IA", work.provenance.visible_label["corner"], "fr")
    published, tied = Ledger.open(workspace.ledger).acts()[-2:]
    assert published.parameters["visible_label"] == label
    assert published.parameters["edition"]["of"] == former.digest
    assert (tied.what, tied.inputs[0], tied.outputs) == ("export", former.digest, [work.digest])
    with pytest.raises(UsageError, match="carries the label"):
        again(workspace, work.path, "twice.png", label=LabelRequest("text"))
    third = again(workspace, work.path, "third.jpg")
    assert verify(third.path).generation["visible_label"]["words"] == "IA"
    assert "label was drawn" not in str(actions(workspace, third.path))


def test_an_edition_hangs_under_its_work(workspace: Workspace) -> None:
    former = publish(workspace, "work.png", size=64)
    web = again(workspace, former.path, "web.jpg", long_edge=48)
    thumb = again(workspace, web.path, "thumb.webp", long_edge=32)
    known = Family(Ledger.open(workspace.ledger))
    family = [(depth, kin.digest) for depth, kin in known.descendants(former.digest).walk()]
    assert family == [(0, former.digest), (1, web.digest), (2, thumb.digest)]
    assert [kin.digest for _, kin in known.ancestors(thumb.digest).walk()][:3] == [
        thumb.digest,
        web.digest,
        former.digest,
    ]
    assert [one.depth for one in verify(thumb.path).chain] == [1, 2]


def test_pixels_are_kept_where_nothing_else_is_asked(workspace: Workspace) -> None:
    former = publish(workspace, "work.png", size=64)
    work = again(workspace, former.path, "again.png")
    assert np.array_equal(pictures.read(work.path).pixels, pictures.read(former.path).pixels)
    assert [action["action"] for action in actions(workspace, work.path)] == ["c2pa.opened"]


def test_terms_and_large_seeds_are_said_again(workspace: Workspace) -> None:
    told: dict[str, Any] = {
        "training_mining": "constrained",
        "training_mining_terms": "ask me",
        "seed": 2**64 - 1,
        "label": "dusk",
    }
    former = publish(workspace, "work.png", **told)
    again_told = again(workspace, former.path, "again.jpg").provenance
    same = replace(again_told, ingredients=(), edition={})
    assert same == former.provenance


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to be a time-stamp authority")
def test_a_stamp_of_the_former_edition_is_no_broken_stamp_of_the_new_one(workspace: Workspace, tmp_path: Path) -> None:
    authority(tmp_path)
    with (
        server(lambda query: (200, stamp(tmp_path, query))) as url,
        publisher(workspace, timestamp_url=url) as ready,
    ):
        former = ready.publish(picture(), workspace.make(workspace.works) / "stamped.png", provenance())
    verdict = verify(again(workspace, former.path, "web.jpg").path)
    assert verdict.genuine
    assert verdict.signer is not None
    assert verdict.signer.time_stamp is None
    assert verdict.chain[0].time_stamped


@pytest.mark.parametrize("kind", ["avif", "jpeg"])
def test_a_byte_changed_anywhere_is_found(workspace: Workspace, kind: str) -> None:
    """Frames and padding of the manifests that are kept, too, which no other program looks at."""
    former = publish(workspace, "work.png", size=16)
    work = again(workspace, former.path, f"again.{kind}")
    data = work.path.read_bytes()
    checker = Checker(own=roots(workspace))
    missed = []
    for at in range(3, len(data), 97):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 8)
        if checker.check_bytes(bytes(changed), work.path).state != "tampered":
            missed.append(at)
    checker.close()
    assert missed == []


def test_others_and_changed_files_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    former = publish(workspace, "work.png", size=32)
    changed, stripped, strange = tmp_path / "changed.png", tmp_path / "stripped.png", tmp_path / "strange.png"
    changed.write_bytes(former.path.read_bytes() + b"\0")
    Image.fromarray(pictures.read(former.path).pixels).save(stripped)
    elsewhere = Workspace(tmp_path / "elsewhere")
    with Publisher(Identity.new(elsewhere, "Bob"), Ledger.open(elsewhere.ledger)) as ready:
        ready.publish(pictures.read(stripped).pixels, strange, former.provenance)
    for path, why in ((changed, "tampered"), (stripped, "no papers"), (strange, 'signed under the name "Bob"')):
        with pytest.raises(PapersError, match=why):
            open_former(path, workspace)
    with pytest.raises(LimnerError, match="does not exist"):
        open_former(tmp_path / "missing.png", workspace)


def test_what_cannot_be_made_is_refused(workspace: Workspace) -> None:
    former = publish(workspace, "work.png", size=32)
    with pytest.raises(UsageError, match=r"more than the work has \(32x32\)"):
        again(workspace, former.path, "big.png", long_edge=33)
    with pytest.raises(UsageError, match="is the work itself"):
        again(workspace, former.path, "work.png")
    assert [path.name for path in workspace.works.iterdir()] == ["work.png"]
    assert verify(former.path).genuine
