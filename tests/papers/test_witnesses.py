"""A ledger that was rewritten whole is found out by the works that carry its heads."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from helpers import ran
from limner.ledger import Ledger
from limner.papers import open_publisher, verify
from limner.papers.identity.identity import Identity
from limner.papers.registry.registry import open_registry
from limner.papers.verify.witnesses import Comparison, compare, witnesses
from limner.workspace import Workspace
from published_made import artist, picture, provenance


def published(workspace: Workspace, count: int = 3) -> list[Path]:
    artist(workspace)
    workspace.make(workspace.works)
    paths = [workspace.works / f"{i}.png" for i in range(count)]
    with open_publisher(workspace) as publisher:
        for i, path in enumerate(paths):
            told = provenance(index=i, latent_digest=f"sha256:{i:064x}")
            publisher.publish(picture(48, i), path, told)
    return paths


def heard(workspace: Workspace, ledger: Ledger) -> Comparison:
    roots = Identity.roots(workspace)
    return compare(ledger, witnesses(open_registry(workspace), sorted(workspace.works.glob("*.png")), roots))


def test_each_work_carries_the_head_of_its_moment(workspace: Workspace) -> None:
    paths, ledger = published(workspace), Ledger.open(workspace.ledger)
    for i, path in enumerate(paths):
        told = verify(path).generation["ledger"]
        assert told["acts"] == i
        assert told["head"] == (ledger.hash_of(i) if i else "0" * 64)
    said = heard(workspace, ledger)
    assert (said.compared, said.with_head, said.faults) == (6, 6, ())
    done = ran("ledger", "verify")
    assert done.exit_code == 0
    assert "6 works were compared" in " ".join(done.output.split())


def test_a_ledger_written_anew_does_not_fit_the_works(workspace: Workspace, tmp_path: Path) -> None:
    published(workspace)
    new = Ledger.open(tmp_path / "new.sqlite")
    for act in Ledger.open(workspace.ledger).acts():  # the same acts, and one is prettier now: the chain holds again
        changed = {**act.parameters, "title": "Another title"} if act.id == 1 else act.parameters
        new.record(act.who, act.what, inputs=act.inputs, outputs=act.outputs, parameters=changed)
    assert new.verify().ok
    said = heard(workspace, new)
    assert any("the ledger was rewritten" in line for line in said.faults)
    workspace.ledger.write_bytes((tmp_path / "new.sqlite").read_bytes())
    done = ran("ledger", "verify")
    assert done.exit_code == 1
    assert "the ledger was rewritten" in " ".join(done.output.split())


def test_acts_that_were_cut_off_are_missed(workspace: Workspace) -> None:
    published(workspace)
    with sqlite3.connect(workspace.ledger) as database:
        database.execute("DROP TRIGGER acts_no_delete")
        database.execute("DELETE FROM acts WHERE id = 3")
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    assert any("taken out of the ledger" in line for line in heard(workspace, ledger).faults)


def test_an_emptied_ledger_is_not_taken_for_a_new_one(workspace: Workspace) -> None:
    published(workspace)
    workspace.ledger.unlink()
    done = ran("ledger", "verify")
    assert done.exit_code == 1
    assert "the ledger was rewritten" in " ".join(done.output.split())
    assert not workspace.ledger.exists()
