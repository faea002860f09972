"""Packs: what travels with a model, whose it is, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers import limner
from limner import pictures
from limner.collection import Collection, import_collection
from limner.errors import LimnerError, UsageError
from limner.ledger import Ledger
from limner.models.bundle import load_model, save_model
from limner.models.card import CollectionNote
from limner.papers import Identity
from limner.synthesis import Exemplars
from limner.synthesis.packing import varied_order
from limner.synthesis.packs import SUFFIX, open_pack
from limner.workspace import Workspace
from models_made import made_card, made_model

Pixels = NDArray[np.uint8]


def _picture(seed: int) -> Pixels:
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (8, 12, 3), np.uint8)
    found: Pixels = np.repeat(np.repeat(rough, 8, 0), 8, 1) // 2 + rng.integers(0, 60, (64, 96, 3), np.uint8)
    return found


@pytest.fixture
def studio(workspace: Workspace, tmp_path: Path) -> Collection:
    """A model `m` that learned from twelve pictures: six may travel, two are ND, two reserved, two unknown."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    licences = ["CC-BY-4.0"] * 6 + ["CC-BY-ND-4.0"] * 2 + ["LicenseRef-All-Rights-Reserved"] * 2 + [""] * 2
    lines = ["file,title,creator,licence"]
    for number, licence in enumerate(licences):
        pictures.write(_picture(number), folder / f"{number}.png")
        lines.append(f"{number}.png,Number {number},Ada Example,{licence}")
    (folder / "pictures.csv").write_text("\n".join(lines))
    import_collection(folder, "c", workspace)
    collection = Collection.open("c", workspace)
    path = workspace.make(workspace.models) / "m.safetensors"
    made_model(path)
    model = load_model(path)
    note = CollectionNote(name="c", digest=collection.digest, holdout_digest="1" * 64, pictures=12, held_out=0)
    training = model.card.training.model_copy(update={"settings": {"accept_unknown": "mine"}})
    card = made_card(model.generator).model_copy(update={"collection": note, "training": training})
    save_model(path, model.generator, card)
    Identity.new(workspace, "Ada")
    return collection


def test_what_rights_forbid_stays_behind_and_is_named(studio: Collection, workspace: Workspace, tmp_path: Path) -> None:
    told = json.loads(limner("model", "pack", "m", "--exemplars", "--to", tmp_path / "p", "--json"))["exemplars"]
    note = open_pack(tmp_path / "p" / f"m{SUFFIX}").note
    assert {row.licence for row in note.rows} == {"CC-BY-4.0"} and note.collection == studio.digest
    assert told["pictures"] == len(note.rows) <= 6
    assert {row.title for row in note.rows} <= {f"Number {number}" for number in range(6)}
    assert any("lets nothing made from it" in why for why in told["refused"])
    assert any("only a person can read" in why for why in told["refused"])
    assert len(note.rows) == note.of
    act = Ledger.open(workspace.ledger).acts()[-1]
    assert act.what == "pack" and act.parameters["exemplars"]["refused"] == told["refused"]
    more = json.loads(
        limner("model", "pack", "m", "--exemplars", "--accept-reserved", "all mine", "--to", tmp_path / "q", "--json")
    )["exemplars"]
    assert more["licences"]["LicenseRef-All-Rights-Reserved"] and "CC-BY-ND-4.0" not in more["licences"]
    assert open_pack(tmp_path / "q" / f"m{SUFFIX}").note.accepted == "all mine"


def test_elsewhere_the_model_finishes_from_its_pack_and_does_so_again(
    studio: Collection, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limner("model", "pack", "m", "--exemplars", "--to", tmp_path / "p")
    monkeypatch.setenv("LIMNER_HOME", str(tmp_path / "elsewhere"))
    limner("identity", "new", "--name", "Eve")
    model = tmp_path / "p" / "m.safetensors"
    limner("sample", model, "-n", "1", "--size", "64", "--to", tmp_path / "works")
    (work,) = (tmp_path / "works").glob("*.png")
    assert "CC-BY-4.0" in limner("credits", work)
    assert "same" in limner("reproduce", work, "--model", model).lower()
    (tmp_path / "p" / f"m{SUFFIX}").unlink()
    assert "painted bare" in limner("sample", model, "-n", "1", "--to", tmp_path / "bare")


def test_without_being_asked_no_picture_goes_along(studio: Collection, tmp_path: Path) -> None:
    assert "no pictures went along" in limner("model", "pack", "m", "--to", tmp_path / "p")
    assert [one.name for one in (tmp_path / "p").iterdir()] == ["m.safetensors"]


def test_a_pack_keeps_to_its_bytes_and_is_the_same_file_again(studio: Collection, tmp_path: Path) -> None:
    for name in ("a", "b"):
        limner("model", "pack", "m", "--exemplars", "--megabytes", "0.012", "--to", tmp_path / name)
    data = (tmp_path / "a" / f"m{SUFFIX}").read_bytes()
    assert len(data) <= 12_000 and data == (tmp_path / "b" / f"m{SUFFIX}").read_bytes()
    assert 1 <= len(open_pack(tmp_path / "a" / f"m{SUFFIX}").note.rows) < 6
    with pytest.raises(UsageError, match="too little for one picture"):
        limner("model", "pack", "m", "--exemplars", "--megabytes", "0.0001", "--to", tmp_path / "c")


def test_what_goes_along_is_as_various_as_the_whole(tmp_path: Path) -> None:
    # Twenty of one look, and one each of three others: those are among the first four.
    files = []
    for number in range(23):
        tone = 120 if number < 20 else (10, 200, 250)[number - 20]
        pixels = np.full((48, 48, 3), tone, np.uint8) + np.random.default_rng(number).integers(
            0, 4, (48, 48, 3), np.uint8
        )
        files.append(tmp_path / f"{number:02d}.png")
        pictures.write(pixels, files[-1])
    exemplars = Exemplars.of_pictures(files)
    order = list(varied_order(exemplars, [""] * 23))
    assert sorted(order) == list(range(23)) and {20, 21, 22} <= set(order[:4])
    both = list(varied_order(exemplars, ["a"] * 20 + ["b"] * 3))
    assert {20, 21, 22} == {one for one in both[:6] if one >= 20}, "labels take turns"


def _damaged(source: Path, to: Path, *, compress: bool = False, drop: str = "", note: bytes | None = None) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(to, "w") as new:
        for info in old.infolist():
            if info.filename == drop:
                continue
            data = note if note is not None and info.filename == "pack.json" else old.read(info)
            new.writestr(info.filename, data, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)
    return to


def test_hostile_packs_are_refused_in_one_line(studio: Collection, workspace: Workspace, tmp_path: Path) -> None:
    limner("model", "pack", "m", "--exemplars", "--to", tmp_path / "p")
    good = tmp_path / "p" / f"m{SUFFIX}"
    told = json.loads(zipfile.ZipFile(good).read("pack.json"))
    outside = json.dumps({**told, "rows": [{**told["rows"][0], "file": "../../etc/passwd"}]}).encode()
    other = json.dumps({**told, "rows": [{**told["rows"][0], "height": 640}]}).encode()
    (tmp_path / "no.zip").write_bytes(b"no zip at all")
    for path, words in (
        (tmp_path / "no.zip", "no pack of exemplars"),
        (_damaged(good, tmp_path / "a.zip", drop="pack.json"), "lacks pack.json"),
        (_damaged(good, tmp_path / "b.zip", compress=True), "in another way"),
        (_damaged(good, tmp_path / "c.zip", note=outside), "no pack of exemplars"),
        (_damaged(good, tmp_path / "d.zip", note=other), "another picture than it says"),
        (_damaged(good, tmp_path / "e.zip", drop="pictures/00000.avif"), "lacks pictures/00000.avif"),
    ):
        with pytest.raises(LimnerError, match=words) as caught:
            open_pack(path).exemplars(workspace)
        assert "\n" not in str(caught.value)
