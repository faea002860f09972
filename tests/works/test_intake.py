"""What was found on a picture from outside is kept, or named, in the papers of what is made from it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import encypher_c2pa
import numpy as np
import pytest
from PIL import Image

from limner import pictures
from limner.ledger import Ledger
from limner.models.painter import Latent
from limner.papers import Identity, Publisher, verify
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.c2pa.xmp import write_packet
from limner.papers.verify.wording import earlier
from limner.works.intake import Intake
from limner.works.origins import Origin, file_digest
from limner.workspace import Workspace
from published_made import KINDS, artist, picture, provenance, publish, publisher, roots


def origin(path: Path, kind: str = "picture") -> Origin:
    import torch

    nothing = Latent(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1))
    return Origin(str(path), kind, file_digest(path), nothing)  # type: ignore[arg-type]


def taken_in(workspace: Workspace, *origins: Origin) -> tuple[Ingredient, ...]:
    artist(workspace)
    with closing(Intake(workspace)) as intake:
        return intake.of(origins)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A picture that was signed by somebody else."""
    other = Workspace(tmp_path / "other")
    path = tmp_path / "holiday-with-aunt.jpg"
    with Publisher(Identity.new(other, "Bob"), Ledger.open(other.ledger)) as ready:
        ready.publish(picture(64), path, provenance(title="Their sea", creator="Bob"))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_their_manifest_is_kept_and_named(workspace: Workspace, theirs: Path, kind: str) -> None:
    ingredients = taken_in(workspace, origin(theirs), origin(theirs))
    work = publish(workspace, f"work.{kind}", ingredients=ingredients)
    report = encypher_c2pa.verify(work.path.read_bytes(), pictures.FORMATS[kind])
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    verdict = verify(work.path, own=roots(workspace))
    assert verdict.genuine
    (one,) = verdict.chain
    assert (one.relationship, one.kept, one.title, one.signer, one.trust) == (
        "inputTo",
        True,
        "Their sea",
        "Bob",
        "none",
    )
    assert 'signed under the name "Bob", by its own clock' in earlier(one)
    (told,) = verdict.generation["inputs"]
    assert (told["found"], told["signer"], told["digest"]) == ("valid", "Bob", file_digest(theirs))
    assert told["source_type"] == "trainedAlgorithmicMedia"
    assert b"aunt" not in work.path.read_bytes()
    assert work.act.parameters["inputs"] == [told]


def test_papers_that_do_not_hold_are_named_and_not_kept(workspace: Workspace, theirs: Path, tmp_path: Path) -> None:
    changed, plain, claimed = tmp_path / "changed.jpg", tmp_path / "plain.png", tmp_path / "claimed.webp"
    changed.write_bytes(theirs.read_bytes() + b"\0")
    Image.fromarray(picture(32, seed=1)).save(plain)
    claimed.write_bytes(pictures.encode(picture(32, seed=2), "webp", xmp=write_packet(provenance())))
    ingredients = taken_in(workspace, origin(changed), origin(plain), origin(claimed))
    assert [one.found for one in ingredients] == ["unverified", "none", "unverified"]
    work = publish(workspace, "work.png", ingredients=ingredients)
    verdict = verify(work.path, own=roots(workspace))
    assert verdict.genuine
    assert [one.kept for one in verdict.chain] == [False] * 3
    assert "could not be verified" in earlier(verdict.chain[0])
    assert "no papers were found on it" in earlier(verdict.chain[1])
    assert verdict.generation["inputs"][2]["source_type"] == "trainedAlgorithmicMedia"
    assert b"Their sea" not in work.path.read_bytes()


def test_what_went_into_a_work_goes_on_into_the_next(workspace: Workspace, theirs: Path) -> None:
    first = publish(workspace, "first.png", ingredients=taken_in(workspace, origin(theirs)))
    plain = publish(workspace, "plain.png", latent_digest="sha256:" + "11" * 32)
    handed = taken_in(workspace, origin(first.path, "work"), origin(plain.path, "work"))
    assert [one.digest for one in handed] == [first.digest]
    second = publish(workspace, "second.jpg", ingredients=handed)
    chain = verify(second.path).chain
    assert [(one.depth, one.title, one.signer) for one in chain] == [
        (1, "Dusk no. 7", "Ada Lovelace"),
        (2, "Their sea", "Bob"),
    ]


def test_a_file_that_is_gone_is_named(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    Image.fromarray(picture()).save(path)
    found = origin(path)
    path.unlink()
    (one,) = taken_in(workspace, found)
    assert (one.found, one.file) == ("unread", None)
    with publisher(workspace) as ready:
        work = ready.publish(np.zeros((16, 16, 3), np.uint8), tmp_path / "w.png", provenance(ingredients=(one,)))
    assert "was gone" in earlier(verify(work.path).chain[0])
