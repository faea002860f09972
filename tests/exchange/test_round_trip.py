"""A collection goes out as each format and comes back with the same digest; other programs read the same from it."""

from __future__ import annotations

import csv
import json
import logging
import os
import shutil
import tarfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers import limner, refused
from limner.collection import Collection, Row, import_collection
from limner.collection.likeness import hash_pixels
from limner.workspace import Workspace
from pictures_made import made_folder

FORMATS = ("croissant", "imagefolder", "webdataset")
HOSTILE = '<script>alert(1)</script> | [x](javascript:alert(1)) ![](http://evil.example) **b** "q" © 2020'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures: hostile words, labels that readers would take for dates and numbers, one without rights."""
    home = tmp_path_factory.mktemp("made")
    table = made_folder(home / "pictures", 24)
    with table.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    for number, row in enumerate(rows):
        row += [f"2020-01-{number + 1:02d}", "007" if number % 2 else "1e10", "x" if number % 3 else ""]
    rows[0][1], rows[1][2] = HOSTILE, 'Eve "Ex", | `x` & Söhne'
    rows[2][2:4] = ["", ""]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([[*header, "date", "code", "odd ü/|*_file_name"], *rows])
    return import_collection(home / "pictures", "made", Workspace(home), processes=1).folder


@pytest.fixture
def collection(made: Path, workspace: Workspace) -> Collection:
    """The same in each test's own workspace."""
    shutil.copytree(made, workspace.make(workspace.collections) / "made")
    return Collection.open("made", workspace)


def exported(to: Path, *formats: str, own_use: bool = True) -> Path:
    asked = [part for one in formats for part in ("--as", one)]
    limner("collection", "export", "made", "--to", to, *asked, *(["--own-use", "a test"] if own_use else []), "--quiet")
    return to


def expected(row: Row) -> dict[str, str]:
    """What every reader must find of a picture, whatever it calls it."""
    return {"title": row.title, "creator": row.creator, "license": row.licence, "held_back": "; ".join(row.held)}


def same(picture: Any, record: Mapping[str, Any], rows: Mapping[str, Row]) -> str:
    """Compare what a reader found with the row it belongs to; gives the hash of its pixels."""
    row = rows[hash_pixels(np.asarray(picture.convert("RGB")))]
    assert {name: record[name] for name in expected(row)} == expected(row)
    labels = {name.removeprefix("label_"): value.strip() for name, value in record.items() if name.startswith("label_")}
    assert (labels["date"], labels["code"]) == (row.labels["date"], row.labels["code"])
    assert labels["odd_file_name_"] == row.labels.get("odd ü/|*_file_name", "")
    return row.pixel_sha256


@pytest.mark.parametrize("format", FORMATS)
def test_comes_back_with_the_same_digest(collection: Collection, tmp_path: Path, format: str) -> None:
    folder = exported(tmp_path / "out", format)
    report = json.loads(limner("collection", "add", folder, "--name", "back", "--json"))
    assert report["digest"] == collection.digest
    assert report["exchange"]["exact"] and report["exchange"]["stated"] == collection.digest
    assert "whole" in limner("collection", "check", "back")
    again = exported(tmp_path / "again", format)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):  # the same bytes, whenever it is written
        assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path


def test_all_formats_in_one_folder(collection: Collection, tmp_path: Path) -> None:
    folder = exported(tmp_path / "out", *FORMATS)
    report = json.loads(limner("collection", "add", folder / "croissant.json", "--name", "back", "--json"))
    assert report["digest"] == collection.digest
    shards = json.loads(limner("collection", "add", folder / "shards", "--name", "shards", "--json"))
    assert shards["digest"] == collection.digest  # shards travel alone: each picture names its collection
    again = ("--to", folder, "--as", "croissant", "--own-use", "x")
    assert "holds an earlier export" in refused("collection", "export", "made", *again)


def test_croissant_is_valid_and_its_records_load(collection: Collection, tmp_path: Path) -> None:
    about = tmp_path / "about.json"
    about.write_text(
        json.dumps({"version": "1.0.0", "published": "2026-01-02", "cite_as": "Ada", "data_biases": "Discs only"})
    )
    asked = ("--as", "croissant", "--about", about, "--own-use", "a test", "--quiet")
    limner("collection", "export", "made", "--to", tmp_path / "out", *asked)
    said = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert "rai:personalSensitiveInformation" not in said  # nobody said, and nothing is made up
    assert said["rai:dataBiases"][0] == "Discs only" and "Counted, not judged" in said["rai:dataBiases"][1]
    logging.getLogger("absl").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        dataset = mlcroissant.Dataset(str(tmp_path / "out" / "croissant.json"))
        issues = dataset.metadata.ctx.issues
        assert not issues.errors and not issues.warnings
        found = [*dataset.records("pictures")]
    rows = {row.pixel_sha256: row for row in collection.rows()}
    seen = set()
    for one in found:
        record = {name.removeprefix("pictures/"): value for name, value in one.items()}
        texts = {name: value.decode() for name, value in record.items() if isinstance(value, bytes)}
        seen.add(same(record["image"], texts, rows))
    assert seen == rows.keys()


def test_imagefolder_loads_in_datasets(collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = exported(tmp_path / "out", "imagefolder")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets

        datasets.disable_progress_bars()
        loaded = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
    rows = {row.pixel_sha256: row for row in collection.rows()}
    for side, split in (("train", "train"), ("test", "holdout")):
        seen = {same(one["image"], one, rows) for one in loaded[side]}
        assert seen == {row.pixel_sha256 for row in rows.values() if row.split == split}


def test_webdataset_loads(collection: Collection, tmp_path: Path) -> None:
    folder = exported(tmp_path / "out", "webdataset")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import webdataset

        urls = sorted(map(os.fspath, (folder / "shards").glob("*.tar")))
        found = [*webdataset.WebDataset(urls, shardshuffle=False).decode("pil")]
    rows = {row.pixel_sha256: row for row in collection.rows()}
    assert {same(one["png"], one["json"], rows) for one in found} == rows.keys()


def test_what_may_not_be_passed_on(collection: Collection, tmp_path: Path) -> None:
    said = refused("collection", "export", "made", "--to", tmp_path / "out", "--as", "imagefolder")
    assert "1 of 24 pictures: may not be passed on (1 no creator)" in said and "--own-use" in said
    assert not (tmp_path / "out").exists()
    asked = ("--to", tmp_path / "out", "--as", "imagefolder", "--only-cleared", "--json")
    made = json.loads(limner("collection", "export", "made", *asked))
    assert not made["complete"] and made["left_out"] == {"no creator": 1}
    report = json.loads(limner("collection", "add", tmp_path / "out", "--name", "part", "--json"))
    assert f"sha256:{report['digest']}" == made["digest"] and report["exchange"]["exact"]
    own = exported(tmp_path / "own", "imagefolder")
    assert json.loads((own / "limner.json").read_text())["not_for_others"] == {"no creator": 1}
    assert "own use" in (own / "README.md").read_text()


def test_a_withdrawn_picture_is_not_passed_on(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    from limner.rights.consent import ConsentStore, Subject

    ConsentStore(workspace.root).withdraw(Subject("creator", "Ada Example"))
    said = refused("collection", "export", "made", "--to", tmp_path / "out", "--as", "croissant")
    assert "consent withdrawn" in said


def edited(folder: Path, change: Any) -> None:
    """Change the rows that lie in the train side of an imagefolder."""
    path = folder / "train" / "metadata.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        row = json.loads(record["limner"])
        change(record, row)
        record["limner"] = json.dumps(row)
    path.write_text("\n".join(map(json.dumps, records)) + "\n")


def freed(record: dict[str, Any], row: dict[str, Any]) -> None:
    row["licence"], row["held"] = "CC0-1.0", []


def moved(record: dict[str, Any], row: dict[str, Any]) -> None:
    row["split"] = "holdout"


@pytest.mark.parametrize("change", [freed, moved])
def test_changed_rows_are_not_taken_as_they_stand(collection: Collection, tmp_path: Path, change: Any) -> None:
    folder = exported(tmp_path / "out", "imagefolder")
    edited(folder, change)
    said = json.loads(limner("collection", "add", folder, "--name", "back", "--json"))
    assert not said["exchange"]["exact"] and said["exchange"]["differences"]
    assert said["digest"] != collection.digest


def test_what_else_changes_an_export(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    folder = exported(tmp_path / "out", "imagefolder")
    one, two, *_ = sorted((folder / "train").glob("*.png"))
    Image.new("RGB", (48, 48), (200, 0, 0)).save(one)
    two.unlink()
    (folder / "test" / "stray.png").write_bytes(next((folder / "test").glob("*.png")).read_bytes())
    said = json.loads(limner("collection", "add", folder, "--name", "back", "--json"))
    differences = said["exchange"]["differences"]
    assert differences["other pixels"] == [f"train/{one.name}"]
    assert differences["refused"] == [f"train/{two.name}"]
    assert differences["no row"] == ["test/stray.png"]
    # What held a picture back goes on holding it, though its row is made anew.
    held = {row.pixel_sha256 for row in collection.rows() if row.held}
    assert held <= {row.pixel_sha256 for row in Collection.open("back", workspace).rows() if row.held}


def test_an_opt_out_in_an_exported_file_is_obeyed(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    folder = exported(tmp_path / "out", "imagefolder")
    (folder / "ai.txt").write_text("User-Agent: *\nDisallow: /\n")
    said = json.loads(limner("collection", "add", folder, "--name", "back", "--json"))
    assert "other rights in the file" in said["exchange"]["differences"]
    assert all(row.held for row in Collection.open("back", workspace).rows())


def test_options_ask_for_new_rows(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    folder = exported(tmp_path / "out", "webdataset")
    options = ("--where", "kind=matt", "--creator", "Bo")
    said = limner("collection", "add", folder, "--name", "back", *options)
    assert "your options ask for rows made anew" in " ".join(said.split())
    rows = Collection.open("back", workspace).rows()
    assert {row.labels["kind"] for row in rows} == {"matt"} and len(rows) == 12


def shard(path: Path, *members: tuple[tarfile.TarInfo, bytes | None]) -> Path:
    import io

    with tarfile.open(path, "w") as tar:
        for member, data in members:
            member.size = len(data or b"")
            tar.addfile(member, io.BytesIO(data) if data is not None else None)
    return path


def named(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


def test_hostile_shards(tmp_path: Path, workspace: Workspace) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (40, 40), (9, 80, 200)).save(picture)
    data = picture.read_bytes()
    link = shard(tmp_path / "link.tar", (named("a.png", tarfile.SYMTYPE), None))
    assert "is no plain file" in refused("collection", "add", link)
    cut = tmp_path / "cut.tar"
    cut.write_bytes(shard(tmp_path / "whole.tar", (named("a.png"), data)).read_bytes()[:700])
    assert "no whole tar" in refused("collection", "add", cut)
    outside = shard(tmp_path / "outside.tar", (named("../../../escaped.png"), data), (named("b.json"), b"{}"))
    limner("collection", "add", outside, "--name", "kept", "--quiet")
    assert not [*tmp_path.rglob("escaped*")] and len(Collection.open("kept", workspace).rows()) == 1


def test_a_stranger_s_webdataset(tmp_path: Path, workspace: Workspace) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (40, 40), (9, 80, 200)).save(picture)
    record = json.dumps({"artist": "Ada", "license": "cc-by-4.0", "style": "flat"}).encode()
    source = shard(tmp_path / "s.tar", (named("x/one.png"), picture.read_bytes()), (named("x/one.json"), record))
    said = limner("collection", "add", source, "--name", "theirs")
    assert "limner did not write" in said
    (row,) = Collection.open("theirs", workspace).rows()
    assert (row.creator, row.licence, row.labels, row.file) == ("Ada", "CC-BY-4.0", {"style": "flat"}, "x/one.png")
