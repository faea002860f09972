"""A collection on the disk: opening, checking, removing; damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from collection.conftest import Make
from limner.collection import Collection, import_collection
from limner.collection.rows import read_manifest, write_manifest
from limner.errors import CollectionError
from limner.workspace import Workspace


@pytest.fixture
def opened(make_folder: Make, workspace: Workspace) -> Collection:
    import_collection(make_folder(6), "mine", workspace)
    return Collection.open("mine", workspace)


def test_opened_by_name_and_by_folder(opened: Collection, workspace: Workspace) -> None:
    assert Collection.open(opened.folder, workspace).digest == opened.digest
    assert Collection.names(workspace) == ["mine"]
    assert opened.card["labels"] == {"kind": 2}
    assert opened.card["rights"]["licences"] == {"CC-BY-4.0": 6}


def test_what_is_no_collection_says_so(opened: Collection, workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="did you mean mine"):
        Collection.open("mime", workspace)
    with pytest.raises(CollectionError, match="import it: limner collection add"):
        Collection.open(tmp_path / "pictures", workspace)
    with pytest.raises(CollectionError, match="does not exist"):
        Collection.open("../mine", workspace)
    with pytest.raises(CollectionError, match="make one"):
        Collection.open("mine", Workspace(tmp_path / "other"))


def test_check_names_every_damage(opened: Collection) -> None:
    assert opened.check() == []
    first, second, third = (opened.picture_path(row) for row in opened.rows()[:3])
    first.unlink()
    Image.new("RGB", (48, 40)).save(second, "WEBP", lossless=True)
    third.write_bytes(third.read_bytes()[:-20])
    (opened.folder / "pictures" / "stray.png").write_bytes(b"x")
    wrong = opened.check()
    assert len(wrong) == 4
    for path, reason in ((first, "does not exist"), (second, "other pixels"), (third, "cut short")):
        assert any(str(path) in line and reason in line for line in wrong)
    assert "belongs to no row" in wrong[-1]


def test_check_sees_a_changed_row(opened: Collection, workspace: Workspace) -> None:
    rows = read_manifest(opened.folder / "manifest.parquet")
    write_manifest(rows[:-1], opened.folder / "manifest.parquet")
    wrong = Collection.open("mine", workspace).check()
    assert "rows do not give the card's digest" in wrong[0]


def test_a_damaged_or_future_card_says_which(opened: Collection, workspace: Workspace) -> None:
    card = opened.folder / "card.json"
    whole = json.loads(card.read_text())
    card.write_text(json.dumps(whole | {"version": 99}))
    with pytest.raises(CollectionError, match=r"later limner \(version 99\)"):
        Collection.open("mine", workspace)
    for text in ("{", "[]", "{}", '{"version": 1}'):
        card.write_text(text)
        with pytest.raises(CollectionError, match="damaged or missing"):
            Collection.open("mine", workspace)


def test_removed_is_gone(opened: Collection, workspace: Workspace) -> None:
    opened.remove()
    assert list(workspace.collections.iterdir()) == []
