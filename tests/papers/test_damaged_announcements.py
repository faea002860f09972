"""One damaged announcement stops no command: it is set aside and named, and its work is still found where it lies."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from limner.errors import LedgerError
from limner.ledger import Ledger
from limner.papers import Publisher, open_publisher
from limner.papers.publishing.pending import DAMAGED, FOLDER, Announced, Session, announcements, read, unrecorded
from limner.papers.publishing.published import Published
from limner.papers.publishing.recovery import Recovery, recover
from limner.papers.registry.registry import Registry
from limner.workspace import Workspace
from published_made import artist, picture, provenance


def left_behind(workspace: Workspace, path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work that lies signed in its place, unrecorded; its announcement."""

    def fail(ledger: Ledger, entries: object) -> None:
        raise LedgerError(ledger, "cannot be written to", "make room")

    with monkeypatch.context() as patch, pytest.raises(LedgerError, match="works recover"):
        patch.setattr(Ledger, "record_many", fail)
        with open_publisher(workspace) as publisher:
            publisher.publish(picture(64), path, provenance(parameters={"precision": "bfloat16"}))
    assert path.is_file()
    (announcement,) = (one for folder in (workspace.root / FOLDER).iterdir() for one in announcements(folder))
    return announcement


def recovered(workspace: Workspace) -> Recovery:
    return recover(workspace, Ledger.open(workspace.ledger), Registry(workspace.registry), again=True)


def published(workspace: Workspace, note: list[str]) -> Path:
    with open_publisher(workspace, note=note.append) as publisher:
        return publisher.publish(picture(48, 1), workspace.make(workspace.works) / "next.png", provenance()).path


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda data: data[: len(data) // 2], "elsewhere"),  # its beginning names the place
        (lambda data: b"\0" * len(data), "works"),  # only its name is left, so the workspace's works are searched
        (lambda data: b'{"path": "x", "edition": {}}', "works"),
    ],
)
def test_a_work_is_recorded_by_its_papers(
    damage: object, place: str, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist(workspace)
    folder = workspace.make(workspace.works / "deep") if place == "works" else tmp_path / place
    folder.mkdir(exist_ok=True)
    announcement = left_behind(workspace, folder / "left.png", monkeypatch)
    announced = read(announcement).published
    announcement.write_bytes(damage(announcement.read_bytes()))  # type: ignore[operator]
    notes: list[str] = []
    published(workspace, notes)
    assert notes == []
    digest = f"sha256:{sha256((folder / 'left.png').read_bytes()).hexdigest()}"
    (act,) = (one for one in Ledger.open(workspace.ledger).made(digest) if one.what == "publish")
    (edition,) = Registry(workspace.registry).with_digest(digest)
    assert (edition.title, edition.signer) == ("Dusk no. 7", artist(workspace).fingerprint)
    assert [one.what for one in Ledger.open(workspace.ledger).acts()] == ["publish", "publish"]
    assert list((workspace.root / FOLDER).iterdir()) == []
    assert act.parameters == announced.entries()[0].parameters  # as the announcement had it


def test_what_is_not_found_is_set_aside_and_named(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist(workspace)
    (tmp_path / "elsewhere").mkdir()
    announcement = left_behind(workspace, tmp_path / "elsewhere" / "left.png", monkeypatch)
    announcement.write_bytes(b"?" * 100)
    notes: list[str] = []
    published(workspace, notes)
    kept = workspace.root / FOLDER / f"{announcement.stem}{DAMAGED}"
    assert kept.read_bytes() == b"?" * 100
    assert len(notes) == 1
    assert str(kept) in notes[0]
    assert "works recover" in notes[0]
    assert unrecorded(workspace) == 0
    published(workspace, notes)
    assert len(notes) == 1  # named once
    assert recovered(workspace) == Recovery(damaged=(kept,))
    (tmp_path / "elsewhere" / "left.png").replace(workspace.works / "found.png")
    assert recovered(workspace) == Recovery(recorded=(workspace.works / "found.png",))
    assert not kept.exists()
    assert recovered(workspace) == Recovery()


def test_works_of_others_are_not_recorded(workspace: Workspace, tmp_path: Path) -> None:
    stranger = Workspace(tmp_path / "stranger")
    with Publisher(artist(stranger), Ledger.open(stranger.ledger)) as publisher:
        path = publisher.publish(picture(), workspace.make(workspace.works) / "theirs.png", provenance()).path
    digest = f"sha256:{sha256(path.read_bytes()).hexdigest()}"
    session = Session(workspace.root)
    session.announce(Announced(Published.by(provenance(), path, digest), 1, None)).write_bytes(b"{")
    session.close()
    (kept,) = recovered(workspace).damaged
    assert kept.suffix == DAMAGED
    assert len(Ledger.open(workspace.ledger)) == 0


def test_a_work_that_the_ledger_knows_and_the_registry_does_not_is_registered(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist(workspace)

    def fail(registry: Registry, editions: object) -> None:
        raise LedgerError(registry, "cannot be written to", "make room")

    with monkeypatch.context() as patch, pytest.raises(LedgerError), open_publisher(workspace) as publisher:
        patch.setattr(Registry, "add", fail)
        publisher.publish(picture(64), tmp_path / "left.png", provenance())
    (announcement,) = (one for folder in (workspace.root / FOLDER).iterdir() for one in announcements(folder))
    data = announcement.read_bytes()
    announcement.write_bytes(data[: len(data) // 2])
    digest = f"sha256:{sha256((tmp_path / 'left.png').read_bytes()).hexdigest()}"
    assert not Registry(workspace.registry).with_digest(digest)
    assert recovered(workspace).recorded == (tmp_path / "left.png",)
    assert len(Registry(workspace.registry).with_digest(digest)) == 1
    assert [one.what for one in Ledger.open(workspace.ledger).acts()] == ["publish"]
