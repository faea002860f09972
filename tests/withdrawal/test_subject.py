"""Which pictures are meant, the copies that go along, and the next version of a collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.collection import Collection, import_collection
from limner.collection.succeeding import latest_version, make_next, next_name, rows_without
from limner.errors import CollectionError, UsageError
from limner.withdrawal.subject import subject_of
from limner.workspace import Workspace
from pictures_made import made_folder, made_picture


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    """12 pictures; `copies/` has picture 1 mirrored, and 3 a little smaller; all of one kind are held out together."""
    table = made_folder(tmp_path / "pictures", 12)
    folder = table.parent / "copies"
    folder.mkdir()
    Image.fromarray(made_picture(1, 96)[:, ::-1].copy()).save(folder / "mirrored.png")
    Image.fromarray(made_picture(3, 96)).resize((80, 80)).save(folder / "small.png")
    for number in (1, 3):
        Image.fromarray(made_picture(number, 96)).save(table.parent / f"{number:03d}.png")
    with table.open("a") as file:
        file.write("copies/mirrored.png,Mirrored,Bob Other,CC-BY-4.0,striped\n")
        file.write("copies/small.png,Small,Ada Example,CC-BY-4.0,striped\n")
    import_collection(table.parent, "A", workspace, processes=1, together="kind")
    return Collection.open("A", workspace)


def files(collection: Collection, name: str | Path, *, with_copies: bool = True) -> list[tuple[str, str]]:
    subject = subject_of(collection, str(name), with_copies=with_copies)
    return sorted((one.file, one.why) for one in subject.pictures)


def test_a_picture_is_meant_by_name_file_or_digest(collection: Collection, tmp_path: Path) -> None:
    row = next(row for row in collection.rows() if row.file == "002.png")
    Image.fromarray(made_picture(2)).save(tmp_path / "elsewhere.webp", lossless=True)
    for name in ("002.png", row.pixel_sha256[:10], f"sha256:{row.pixel_sha256}", tmp_path / "elsewhere.webp"):
        assert files(collection, name) == [("002.png", "named")], name
    assert files(collection, "small.png", with_copies=False) == [("copies/small.png", "named")]


def test_copies_go_along_and_others_of_the_group_stay(collection: Collection) -> None:
    assert len({row.group for row in collection.rows()}) == 2, "the import kept all of a kind together"
    assert files(collection, "001.png") == [("001.png", "named"), ("copies/mirrored.png", "alike")]
    assert files(collection, "small.png") == [("003.png", "alike"), ("copies/small.png", "named")]
    assert files(collection, "Other, Bob") == [("001.png", "alike"), ("copies/mirrored.png", "named")]
    assert files(collection, "bob  OTHER", with_copies=False) == [("copies/mirrored.png", "named")]


def test_what_nobody_can_mean(collection: Collection, tmp_path: Path) -> None:
    near = np.clip(made_picture(5).astype(int) + 3, 0, 255).astype(np.uint8)
    Image.fromarray(near).save(tmp_path / "near.png")
    for name, reason in (
        ("021.png", "did you mean 0"),
        ("Ada Exampel", "did you mean Ada Example"),
        (tmp_path / "near.png", "005.png looks like it"),
        ("0123456789", "is no picture and no creator of A"),
    ):
        with pytest.raises(UsageError) as caught:
            files(collection, name)
        assert reason in str(caught.value)


def test_the_next_version_has_all_others_as_they_were(collection: Collection, workspace: Workspace) -> None:
    gone = [row.pixel_sha256 for row in collection.rows()[:2]]
    rows = rows_without(collection, gone)
    made = make_next(collection, rows, next_name(collection, workspace), workspace, withdrawn=gone)
    assert made.name == "A-2"
    assert made.check() == []
    assert made.rows() == [row for row in collection.rows() if row.pixel_sha256 not in gone], "split and group, too"
    assert made.card["parent"] == {"name": "A", "digest": collection.digest, "withdrawn": gone}
    assert make_next(collection, rows, "A-3", workspace).name == "A-2", "the same is not made twice"
    assert latest_version(collection, workspace).name == "A-2"
    assert next_name(made, workspace) == "A-3"
    made.remove()
    assert collection.check() == [], "removing one version leaves the pictures of the other"
    with pytest.raises(CollectionError, match="no picture left"):
        rows_without(collection, [row.pixel_sha256 for row in collection.rows()])
