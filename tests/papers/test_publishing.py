"""Publishing: papers that this program and an independent one find valid, and nothing half done."""

from __future__ import annotations

import itertools
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import encypher_c2pa
import numpy as np
import pytest
from PIL import Image

from limner import pictures
from limner.errors import LimnerError, PapersError, UsageError
from limner.ledger import Ledger
from limner.papers import Publisher, verify
from limner.papers.c2pa.parts import take_apart
from limner.papers.c2pa.xmp import GENERATED, read_packet
from limner.papers.publishing.publisher import Job
from limner.workspace import Workspace
from published_made import ARTIST, KINDS, artist, picture, provenance, publish, publisher, roots

HOSTILE = "<b>&\"'\x00\x1b[31m\ud800]]>\u202e{0}%s🎨 " + "é" * 3000


@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_program_finds_it_valid(workspace: Workspace, kind: str) -> None:
    path = publish(workspace, f"work.{kind}").path
    report = encypher_c2pa.verify(path.read_bytes(), pictures.FORMATS[kind])
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_said_can_be_read_back(workspace: Workspace, kind: str) -> None:
    told = provenance(label="dusk", parameters={"steps": [1, 2.5, None, "x"]}, seed=2**64 - 1)
    with publisher(workspace) as ready:
        work = ready.publish(picture(), workspace.root / f"work.{kind}", told)
    verdict = verify(work.path, own=roots(workspace))
    assert (verdict.genuine, verdict.trusted, verdict.generated) == (True, True, True)
    assert (verdict.title, verdict.creator) == ("Dusk no. 7", ARTIST)
    ledger = {"acts": 0, "head": "0" * 64}
    assert verdict.generation == {**told.generation(), "seed": str(2**64 - 1), "ledger": ledger}
    assert (verdict.model_digest, verdict.generation["collection_digest"]) == (
        told.model_digest,
        told.collection_digest,
    )
    assert set(verdict.training_mining.values()) == {"notAllowed"}
    xmp = read_packet(take_apart(work.path.read_bytes()).xmp or b"")
    assert (xmp.source_type, xmp.creator, xmp.credit) == (GENERATED, ARTIST, "after Thomas Cole and others")
    assert xmp.tool is not None
    assert xmp.tool.startswith("limner ")


@pytest.mark.parametrize("kind", KINDS)
def test_other_programs_see_the_picture_and_its_xmp(workspace: Workspace, kind: str) -> None:
    path = publish(workspace, f"work.{kind}").path
    with Image.open(path) as image:
        image.load()
        assert image.info["xmp"]
        shown = np.asarray(image.convert("RGB"))
    assert shown.shape == (32, 32, 3)
    if kind == "png":
        assert (shown == picture()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_texts_are_only_texts(workspace: Workspace, kind: str) -> None:
    told = provenance(
        title=HOSTILE,
        creator=HOSTILE,
        model_name=HOSTILE,
        credit=HOSTILE * 30,
        label=HOSTILE,
        licences={HOSTILE: 1},
        parameters={HOSTILE: HOSTILE},
    )
    with publisher(workspace) as ready:
        work = ready.publish(picture(), workspace.root / f"work.{kind}", told)
    verdict = verify(work.path)
    assert verdict.genuine
    assert verdict.creator is not None
    assert verdict.creator.startswith("<b>&\"'\ufffd")
    assert len(verdict.generation["credit"]) == len(HOSTILE * 30)
    xmp = read_packet(take_apart(work.path.read_bytes()).xmp or b"")
    assert xmp.credit is not None
    assert xmp.credit.endswith("(whole in the C2PA manifest)")


@pytest.mark.parametrize("choice", ["allowed", "notAllowed", "constrained"])
def test_the_artist_chooses_about_training(workspace: Workspace, choice: str) -> None:
    path = publish(workspace, training_mining=choice, training_mining_terms="ask me").path
    assert set(verify(path).training_mining.values()) == {choice}
    with pytest.raises(PapersError, match="use one of"):
        provenance(training_mining="perhaps")


def test_an_act_for_each_work(workspace: Workspace) -> None:
    work = publish(workspace)
    (act,) = Ledger.open(workspace.ledger).acts()
    assert act == work.act
    assert (act.who, act.what, act.outputs) == ("artist", "publish", [work.digest])
    assert act.parameters["signer"] == artist(workspace).fingerprint
    assert work.replaced is None


def test_what_is_lost_is_said(workspace: Workspace) -> None:
    first, second = publish(workspace), publish(workspace, title="another")
    assert second.replaced == first.digest == second.act.parameters["replaced"]


def test_papers_are_light(workspace: Workspace) -> None:
    work = publish(workspace, "work.png")
    assert work.size - len(pictures.encode(picture(), "png")) < 8000


def test_many_at_once_in_order(workspace: Workspace) -> None:
    seen: list[int | None] = []
    jobs = ((picture(seed=i), workspace.root / f"{i}.png", provenance(index=i)) for i in range(150))
    with publisher(workspace) as ready:
        works = ready.publish_many(jobs, lambda work: seen.append(work.provenance.index))
    assert [work.provenance.index for work in works] == seen == list(range(150))
    ledger = Ledger.open(workspace.ledger)
    assert [act.parameters["index"] for act in ledger.acts()] == seen
    assert ledger.verify().ok
    assert all(verify(work.path).genuine for work in works[::10])


def test_jobs_are_taken_as_fast_as_they_are_written(workspace: Workspace) -> None:
    taken = itertools.count()
    ahead: list[int] = []

    def jobs() -> Iterator[Job]:
        for i in range(60):
            ahead.append(next(taken) - len(list(workspace.root.glob("*.png"))))
            yield picture(), workspace.root / f"{i}.png", provenance(index=i)

    with publisher(workspace) as ready:
        ready.publish_many(jobs())
    assert max(ahead) < 20


@pytest.mark.parametrize("where", ["jobs", "publishing"])
def test_an_error_in_between_leaves_no_work_unrecorded(workspace: Workspace, where: str) -> None:
    def jobs() -> Iterator[Job]:
        for i in range(30):
            if i == 20 and where == "jobs":
                raise KeyboardInterrupt
            name = "20.bmp" if i == 20 else f"{i}.png"
            yield picture(), workspace.root / name, provenance(index=i)

    with publisher(workspace) as ready, pytest.raises((KeyboardInterrupt, UsageError)):
        ready.publish_many(jobs())
    files = {int(path.stem) for path in workspace.root.glob("*.png")}
    recorded = {act.parameters["index"] for act in Ledger.open(workspace.ledger).acts()}
    assert files == recorded
    assert set(range(20)) <= recorded


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("work.bmp", {}),
        ("work", {}),
        ("missing/work.png", {}),
        ("work.png", {"parameters": {"x": math.nan}}),
        ("work.png", {"parameters": {"x": object()}}),
    ],
)
def test_what_cannot_be_published_leaves_nothing(workspace: Workspace, name: str, options: dict[str, object]) -> None:
    with publisher(workspace) as ready, pytest.raises(LimnerError):
        ready.publish(picture(), workspace.root / name, provenance(**options))
    assert not list(workspace.root.glob("*work*"))
    assert len(Ledger.open(workspace.ledger)) == 0


def test_what_does_not_read_back_is_not_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = publish(workspace)
    with publisher(workspace) as ready:
        assert ready._signer is not None
        library = ready._signer.library
        sign = library.sign
        monkeypatch.setattr(library, "sign", lambda *a: sign(*a)[:-20] + b"x" * 20)
        with pytest.raises(PapersError, match="does not verify after signing"):
            ready.publish(picture(), before.path, provenance())
    assert verify(before.path).genuine
    assert [path.name for path in workspace.works.iterdir()] == ["work.png"]


def test_a_publisher_is_used_in_a_with_block(workspace: Workspace) -> None:
    closed = Publisher(artist(workspace), Ledger.open(workspace.ledger))
    with pytest.raises(PapersError, match="with"):
        closed.publish(picture(), workspace.root / "work.png", provenance())


PUBLISH = """
import itertools, sys
sys.path.insert(0, sys.argv[1])
from published_made import picture, provenance, publisher
from limner.workspace import Workspace
workspace = Workspace.default()
with publisher(workspace, overwrite=True) as ready:
    jobs = ((picture(), workspace.root / f"{i % 50}.png", provenance(index=i)) for i in itertools.count())
    ready.publish_many(jobs, lambda work: print(work.provenance.index % 50, work.digest, flush=True))
"""


@pytest.mark.parametrize("batches", [1, 2])
def test_a_killed_process_leaves_whole_works_and_a_ledger_that_holds(workspace: Workspace, batches: int) -> None:
    artist(workspace)
    here = str(Path(__file__).parents[1])
    process = subprocess.Popen([sys.executable, "-c", PUBLISH, here], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(64 * batches)]
    os.kill(process.pid, signal.SIGKILL)
    lines += process.communicate(timeout=60)[0].splitlines(keepends=True)
    works = list(workspace.root.glob("*.png"))
    assert len(works) == 50
    assert all(verify(path).genuine for path in works)
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    recorded = {output for act in ledger.acts() for output in act.outputs}
    reported = {line.split()[1] for line in lines if line.endswith("\n")}
    assert len(reported) >= 64
    assert reported <= recorded
