"""Rows: choosing them, their digest, the manifest; near-duplicates and the hold-out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from limner.collection import Row
from limner.collection.likeness import group, hash_look, hash_pixels
from limner.collection.rows import digest_of, holdout_digest_of, read_manifest, select, write_manifest
from limner.collection.splitting import draw_holdout, holdout_size
from limner.errors import CollectionError
from odd_pictures import painting


def rows(count: int = 6) -> list[Row]:
    return [
        Row(
            file=f"{i}.png",
            pixel_sha256=f"{i:064x}",
            file_sha256="0" * 64,
            width=10 + i,
            height=10,
            format="png",
            phash="",
            creator="Ada" if i % 2 else "Bo",
            labels={"kind": "odd" if i % 2 else "even"} | ({"title": "hidden"} if i == 0 else {}),
            held=("no licence",) if i == 3 else (),
            also=("copy.png", "more.png") if i == 4 else (),
            split="holdout" if i == 5 else "train",
        )
        for i in range(count)
    ]


def files(where: list[str]) -> str:
    return "".join(row.file[0] for row in select(rows(), where))


def test_conditions() -> None:
    assert files([]) == "012345"
    assert files(["kind=odd"]) == "135"
    assert files(["kind!=odd"]) == "024"
    assert files(["kind=odd", "kind=even"]) == "012345"
    assert files(["kind=odd", "width=13"]) == "3"
    assert files(["creator=Ada", "file!=1.png", "split=train"]) == "3"
    assert files(["state=held"]) == "3"
    assert files(["title="]) == "012345"  # a label never hides a column


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("kind", "is no condition; write column=value"),
        ("=odd", "is no condition"),
        ("kin=odd", "there is no column 'kin'; did you mean kind"),
        ("kind=od", r"no picture has this value; did you mean odd\? there are: even \(3\), odd \(3\)"),
        ("height!=10", "leaves no picture"),
    ],
)
def test_conditions_that_cannot_be_met_say_what_there_is(where: str, reason: str) -> None:
    with pytest.raises(CollectionError, match=reason):
        select(rows(), [where])


def test_the_manifest_reads_back_and_opens_elsewhere(tmp_path: Path) -> None:
    write_manifest(rows()[::-1], tmp_path / "manifest.parquet")
    assert read_manifest(tmp_path / "manifest.parquet") == rows()
    frame = pq.read_table(tmp_path / "manifest.parquet").to_pandas()
    assert frame["label_kind"].tolist() == ["even", "odd"] * 3
    assert list(frame["also"][4]) == ["copy.png", "more.png"]


def test_a_damaged_manifest_says_so(tmp_path: Path) -> None:
    write_manifest(rows(), tmp_path / "manifest.parquet")
    whole = (tmp_path / "manifest.parquet").read_bytes()
    (tmp_path / "manifest.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CollectionError, match="the manifest is damaged"):
        read_manifest(tmp_path / "manifest.parquet")


def test_the_digest_sees_every_field_and_no_order() -> None:
    digest = digest_of(rows())
    assert digest == digest_of(rows()[::-1])
    changes: tuple[dict[str, Any], ...] = (
        {"licence": "MIT"},
        {"labels": {}},
        {"held": ("x",)},
        {"split": "holdout"},
        {"file": "other.png"},
    )
    for change in changes:
        assert digest_of([replace(rows()[0], **change), *rows()[1:]]) != digest
    assert holdout_digest_of(rows()) == holdout_digest_of([replace(row, title="x") for row in rows()])
    assert holdout_digest_of(rows()) != holdout_digest_of(rows(5))


def test_the_pixel_hash_knows_shape_and_pixels() -> None:
    flat = np.zeros((2, 8, 3), np.uint8)
    assert hash_pixels(flat) == hash_pixels(flat.copy())
    assert hash_pixels(flat) != hash_pixels(flat.reshape(4, 4, 3))
    assert hash_pixels(flat[:, ::2]) == hash_pixels(np.zeros((2, 4, 3), np.uint8))


def test_a_changed_picture_is_near_and_another_is_not() -> None:
    image = painting(1)
    brighter = np.clip(np.asarray(image).astype(int) * 1.1 + 4, 0, 255).astype(np.uint8)
    hashes = [hash_look(np.asarray(image)), hash_look(brighter), hash_look(np.asarray(painting(2)))]
    assert group(hashes) == [0, 0, 2]
    assert hash_look(np.full((32, 32, 3), 77, np.uint8)) == ""
    assert group(["", "", *hashes]) == [0, 1, 2, 2, 4]
    assert group([]) == []


def test_chained_pictures_share_a_group_across_blocks() -> None:
    generator = np.random.default_rng(0)
    words = generator.integers(0, 256, (5000, 32), dtype=np.uint8)
    words[4999] = words[3]
    words[4999, 0] ^= 0xFF
    words[4000] = words[4999]
    words[4000, 1:4] ^= 0xFF
    groups = group([word.tobytes().hex() for word in words])
    assert groups[3] == groups[4999] == groups[4000] == 3
    assert len(set(groups)) == 4998


@pytest.mark.parametrize(
    ("count", "size"), [(1, 0), (2, 1), (10, 5), (39, 19), (50, 20), (200, 20), (360, 36), (6192, 619)]
)
def test_the_size_of_the_holdout(count: int, size: int) -> None:
    assert holdout_size(count) == size
    assert sum(draw_holdout([f"{i:x}" for i in range(count)])) == size


def test_groups_stay_whole_and_the_draw_is_the_same_in_any_order() -> None:
    groups = [f"{i // 3}" for i in range(300)]
    drawn = draw_holdout(groups)
    assert sum(drawn) == 30
    sides = dict(zip(groups, drawn, strict=True))
    assert [sides[name] for name in groups] == drawn
    assert draw_holdout(groups[::-1])[::-1] == drawn
    assert draw_holdout(["all"] * 50) == [False] * 50  # one group cannot be split
