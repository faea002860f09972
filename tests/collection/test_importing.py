"""Import: what is taken, merged, grouped, held out, held and refused; the same digest whatever the circumstances."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from collection.conftest import Make
from limner.collection import PAINTINGS, Collection, ImportReport, Row, import_collection
from limner.errors import CollectionError, LimnerError, RightsError, UsageError
from limner.pictures import read
from limner.synthesis.finding import shipped_digest
from limner.workspace import Workspace
from odd_pictures import encoded, make_all, painting


def by_file(report: ImportReport, workspace: Workspace) -> dict[str, Row]:
    return {row.file: row for row in Collection.open(report.name, workspace).rows()}


def test_a_folder_with_its_table(make_folder: Make, workspace: Workspace) -> None:
    report = import_collection(make_folder(60), "mine", workspace)
    rows = by_file(report, workspace)
    assert (report.taken, report.merged, report.refused, report.tables) == (60, 0, [], ["pictures.csv"])
    assert (report.holdout, report.held, report.flags) == (20, {}, {})
    row = rows["0007.png"]
    assert (row.title, row.creator, row.licence, row.source) == ("Picture 7", "Ada Example", "CC-BY-4.0", "the attic")
    assert (row.labels, row.held, row.width, row.height, row.format) == ({"kind": "odd"}, (), 48, 40, "png")
    opened = Collection.open("mine", workspace)
    assert np.array_equal(read(opened.picture_path(row)).pixels, np.asarray(painting(7, 48, 40)))
    assert len(opened.rows(split="holdout")) == 20
    assert opened.check() == []
    assert (opened.digest, opened.name) == (report.digest, "mine")
    assert not list(workspace.collections.glob(".*"))


def test_the_digest_depends_on_the_contents_alone(make_folder: Make, workspace: Workspace) -> None:
    first = import_collection(make_folder(40), "one", workspace, processes=1)
    second = import_collection(make_folder(40, "other-order", reverse=True), "two", workspace, processes=3)
    again = import_collection(make_folder(40, "third"), "one", workspace)
    assert first.digest == second.digest == again.digest
    assert again.existed
    opened = [Collection.open(name, workspace) for name in ("one", "two")]
    assert opened[0].holdout_digest == opened[1].holdout_digest
    other = import_collection(make_folder(41, "more"), "three", workspace)
    assert other.digest != first.digest


def test_a_collection_is_never_changed(make_folder: Make, workspace: Workspace) -> None:
    import_collection(make_folder(4), "mine", workspace)
    with pytest.raises(CollectionError, match=r"other contents.*choose another name"):
        import_collection(make_folder(5, "more"), "mine", workspace)
    assert len(Collection.open("mine", workspace).rows()) == 4


def test_duplicates_are_merged_and_near_duplicates_stay_on_one_side(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(50):
        image = painting(i, 96, 96)
        (folder / f"{i:02d}.png").write_bytes(encoded(image, "PNG"))
        (folder / f"{i:02d}-again.bmp").write_bytes(encoded(image, "BMP"))
        (folder / f"{i:02d}-small.jpg").write_bytes(encoded(image.resize((64, 64)), "JPEG", quality=80))
    report = import_collection(folder, "mine", workspace, licence="CC0-1.0", creator="Ada")
    rows = by_file(report, workspace)
    assert (report.taken, report.merged) == (100, 50)
    assert (report.near_groups, report.near_pictures) == (50, 100)
    assert rows["03-again.bmp"].also == ("03.png",)
    assert rows["03-again.bmp"].group == rows["03-small.jpg"].group != rows["04-small.jpg"].group
    sides = {row.group: {other.split for other in rows.values() if other.group == row.group} for row in rows.values()}
    assert all(len(side) == 1 for side in sides.values())
    assert report.holdout == 20


def test_what_belongs_together_stays_on_one_side(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    lines = ["file,licence,creator,sitter"]
    for i in range(120):
        (folder / f"{i:03d}.png").write_bytes(encoded(painting(i), "PNG"))
        lines.append(f"{i:03d}.png,CC0-1.0,Ada,{f'sitter {i % 30}' if i < 90 else ''}")
    (folder / "pictures.csv").write_text("\n".join(lines))
    report = import_collection(folder, "series", workspace, processes=1, together="sitter")
    rows = by_file(report, workspace).values()
    sides: dict[str, set[str]] = {}
    for row in rows:
        if "sitter" in row.labels:
            sides.setdefault(row.labels["sitter"], set()).add(row.split)
    assert len(sides) == 30
    assert all(len(side) == 1 for side in sides.values())
    assert {"train", "holdout"} == set().union(*sides.values())
    assert len({row.group for row in rows if "sitter" not in row.labels}) == 30
    with pytest.raises(CollectionError, match=r"--together model.*columns: sitter"):
        import_collection(folder, "other", workspace, processes=1, together="model")


def test_a_merged_picture_keeps_the_best_rights_and_every_opt_out(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    xmp = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    xmp += b'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED"/></rdf:RDF>'
    (folder / "a.webp").write_bytes(encoded(painting(1), "WEBP", lossless=True, xmp=xmp))
    (folder / "b.png").write_bytes(encoded(painting(1), "PNG"))
    (folder / "rights.csv").write_text("file;creator;licence\nb.png;Ada;CC0-1.0\n")
    rows = by_file(import_collection(folder, "mine", workspace), workspace)
    assert rows["b.png"].also == ("a.webp",)
    assert (rows["b.png"].licence, rows["b.png"].creator) == ("CC0-1.0", "Ada")
    assert rows["b.png"].held == ("opt-out: XMP plus:DataMining DMI-PROHIBITED",)


def test_plain_pictures_are_no_near_duplicates(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(12):
        Image.new("RGB", (32, 32), (20 * i, 255 - 20 * i, 99)).save(folder / f"{i}.png")
    report = import_collection(folder, "plain", workspace)
    assert (report.taken, report.near_groups, report.holdout) == (12, 0, 6)


def test_an_imagefolder_of_hugging_face(workspace: Workspace, tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / "in" / part).mkdir(parents=True)
        (tmp_path / "in" / part / "x.png").write_bytes(encoded(painting(len(part)), "PNG"))
        (tmp_path / "in" / part / "metadata.csv").write_text(
            f"file_name,text,license,author\nx.png,from {part},cc-by-4.0,Ada\n", "utf-8"
        )
    rows = by_file(import_collection(tmp_path / "in", "hf", workspace), workspace)
    assert rows["train/x.png"].labels == {"text": "from train"}
    assert (rows["test/x.png"].licence, rows["test/x.png"].creator) == ("CC-BY-4.0", "Ada")


def test_folders_are_labels_where_no_table_says_more(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "in" / "cats" / "old").mkdir(parents=True)
    (tmp_path / "in" / "cats" / "old" / "x.png").write_bytes(encoded(painting(1), "PNG"))
    (tmp_path / "in" / "y.png").write_bytes(encoded(painting(2), "PNG"))
    (tmp_path / "in" / ".hidden.png").write_bytes(encoded(painting(3), "PNG"))
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    report = import_collection(tmp_path / "in", "mine", workspace)
    rows = by_file(report, workspace)
    assert {name: row.labels for name, row in rows.items()} == {"cats/old/x.png": {"folder": "cats/old"}, "y.png": {}}
    assert report.others == 1


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl"])
def test_a_table_names_the_pictures(make_folder: Make, workspace: Workspace, ending: str) -> None:
    folder = make_folder(6, table=False)
    records = [{"path": f"000{i}.png", "artist": "Bo", "license": "MIT", "mood": str(i % 2)} for i in range(4)]
    records.append({"path": "gone.png", "artist": "Bo", "license": "MIT", "mood": ""})
    records.append({"path": "../secret.png", "artist": "Bo", "license": "MIT", "mood": ""})
    (folder.parent / "secret.png").write_bytes(encoded(painting(99), "PNG"))
    table = folder / f"list.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(records), table)
    elif ending == "jsonl":
        table.write_text("\n".join(json.dumps(record) for record in records))
    else:
        comma = {"csv": ",", "tsv": "\t"}[ending]
        table.write_text(
            "\n".join(comma.join(line) for line in [list(records[0]), *(list(r.values()) for r in records)])
        )
    report = import_collection(table, "listed", workspace)
    rows = by_file(report, workspace)
    assert sorted(rows) == ["0000.png", "0001.png", "0002.png", "0003.png"]
    assert rows["0001.png"].labels == {"mood": "1"}
    assert {one.file: one.kind for one in report.refused} == {"gone.png": "missing", "../secret.png": "outside"}


def test_a_rights_table_goes_first_and_columns_can_be_named(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(3)
    (folder.parent / "mine.csv").write_text("file,licence,who\n0001.png,CC0-1.0,Cy\n")
    report = import_collection(
        folder, "mine", workspace, rights_table=folder.parent / "mine.csv", columns={"creator": "kind"}
    )
    rows = by_file(report, workspace)
    assert (rows["0001.png"].licence, rows["0001.png"].labels) == ("CC0-1.0", {"kind": "odd", "who": "Cy"})
    assert rows["0001.png"].creator == "odd"
    assert rows["0000.png"].licence == "CC-BY-4.0"


def test_rights_from_the_command_line_fill_gaps_and_the_rest_is_held(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(4, table=False)
    held = import_collection(folder, "held", workspace)
    assert (held.held_pictures, held.held) == (4, {"no creator": 4, "no licence": 4})
    known = import_collection(folder, "known", workspace, licence="cc0", creator="Ada", source_note="attic")
    assert (known.held_pictures, by_file(known, workspace)["0000.png"].licence) == (0, "CC0-1.0")
    assert by_file(known, workspace)["0000.png"].source == "attic"
    assert known.digest != held.digest


def test_opt_outs_of_the_folder_hold_and_consent_releases(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(4)
    (folder / ".well-known").mkdir()
    rules = [{"location": "/0001.png", "tdm-reservation": 1}]
    (folder / ".well-known" / "tdmrep.json").write_text(json.dumps(rules))
    (folder / "ai.txt").write_text("User-Agent: *\nDisallow: /0002.png\n")
    report = import_collection(folder, "mine", workspace)
    assert report.held == {"opt-out: ai.txt of the folder": 1, "opt-out: tdmrep.json of the folder": 1}
    released = import_collection(folder, "released", workspace, consent="they are mine")
    assert (released.held_pictures, released.flagged_pictures) == (0, 2)


def test_where_chooses_before_anything_is_read(make_folder: Make, workspace: Workspace) -> None:
    folder = make_folder(10)
    report = import_collection(folder, "odd", workspace, where=["kind=odd", "title!=Picture 3"])
    assert sorted(by_file(report, workspace)) == ["0001.png", "0005.png", "0007.png", "0009.png"]
    with pytest.raises(CollectionError, match=r"did you mean odd\? there are: even \(5\), odd \(5\)"):
        import_collection(folder, "other", workspace, where=["kind=oddd"])


def test_the_background_is_under_what_is_transparent(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "in" / "clear.png")
    import_collection(tmp_path / "in", "blue", workspace, background=(0, 0, 255))
    opened = Collection.open("blue", workspace)
    assert read(opened.picture_path(opened.rows()[0])).pixels[0, 0].tolist() == [0, 0, 255]
    assert opened.card["background"] == [0, 0, 255]


def test_mistakes_get_one_line(make_folder: Make, workspace: Workspace, tmp_path: Path) -> None:
    folder = make_folder(2)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0broken")
    table = tmp_path / "table.csv"
    mistakes: tuple[tuple[dict[str, Any], type[LimnerError], str], ...] = (
        ({"source": tmp_path / "gone"}, CollectionError, "does not exist"),
        ({"source": workspace.root}, CollectionError, "does not exist"),
        ({"source": folder / "0000.png"}, CollectionError, "neither a folder nor a table"),
        ({"source": empty}, CollectionError, "none of 1 files is a picture"),
        ({"name": "a/b"}, UsageError, "no name for a collection"),
        ({"licence": "mine"}, RightsError, "no SPDX expression"),
        ({"rights_table": table}, CollectionError, "cannot be read"),
        ({"columns": {"creator": "nobody"}}, CollectionError, "no table has a column 'nobody'"),
        ({"columns": {"maker": "kind"}}, CollectionError, "is no role"),
        ({"where": ["kind"]}, CollectionError, "is no condition"),
    )
    for said, kind, match in mistakes:
        with pytest.raises(kind, match=match) as caught:
            import_collection(**{"source": folder, "name": "mine", "workspace": workspace, **said})
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"title,creator\nx,y\n", "no column for the file"),
        (b"file,title\n", "names no pictures"),
        (b"", "names no pictures"),
        (b"file,title\n\xff\xfe,x\n", "not UTF-8"),
        (b'file,title\nx.png,"' + b"a" * 200_000, r"line \d: field larger"),
    ],
)
def test_tables_that_cannot_be_read_say_why(tmp_path: Path, workspace: Workspace, contents: bytes, reason: str) -> None:
    (tmp_path / "list.csv").write_bytes(contents)
    with pytest.raises(CollectionError, match=reason):
        import_collection(tmp_path / "list.csv", "mine", workspace)


@pytest.mark.slow
def test_the_paintings_that_ship_and_their_digest(workspace: Workspace) -> None:
    report = import_collection(PAINTINGS, "paintings", workspace)
    assert (report.taken, report.held_pictures, report.refused, report.holdout) == (436, 0, [], 44)
    collection = Collection.open("paintings", workspace)
    assert collection.digest == shipped_digest()
    assert len(collection.rows(["kind=landscape"])) == 202


_ODD = """
import json, resource, sys
from pathlib import Path
from limner.collection import import_collection
from limner.synthesis.finding import shipped_digest
from limner.workspace import Workspace
report = import_collection(Path(sys.argv[1]), "odd", Workspace(Path(sys.argv[2])), processes=2)
peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
status = Path("/proc/self/status")
if status.is_file():  # Linux counts the peak of the program that started this one too; VmHWM does not.
    peaks[0] = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps({"report": report.model_dump(mode="json"), "peaks": peaks}))
"""


def test_every_odd_file_gets_its_verdict_in_bounded_memory(tmp_path: Path, workspace: Workspace) -> None:
    right = make_all(tmp_path / "in")
    command = [sys.executable, "-W", "error", "-c", _ODD, str(tmp_path / "in"), str(workspace.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    unit = 1 if sys.platform == "darwin" else 1024
    assert max(said["peaks"]) * unit < 1e9
    verdicts = {one["file"]: one["kind"] for one in said["report"]["refused"]}
    for row in Collection.open("odd", workspace).rows():
        verdicts |= {row.file: "taken"} | dict.fromkeys(row.also, "merged")
    for name, allowed in right.items():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
        assert verdicts.pop(shown) in allowed.split("|"), name
    assert verdicts == {}
    assert Collection.open("odd", workspace).check() == []
