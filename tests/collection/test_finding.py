"""What lies in folders and what tables say: nothing is passed over silently, nothing is guessed."""

from __future__ import annotations

import io
import json
import unicodedata
from pathlib import Path

import pytest

from limner.collection import Collection, ImportReport, Row, import_collection
from limner.errors import CollectionError
from limner.pictures import plugins
from limner.workspace import Workspace
from odd_pictures import encoded, painting

NFC, NFD = (unicodedata.normalize(form, "Müller é.png") for form in ("NFC", "NFD"))


def folder(tmp_path: Path, *names: str, **texts: str) -> Path:
    """A folder of different pictures; each keyword is a table (`rights_csv`) with its text."""
    root = tmp_path / "in"
    for number, name in enumerate(names):
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encoded(painting(number, 64, 64), "PNG"))
    for name, text in texts.items():
        (root / name.replace("_", ".")).write_text(text, "utf-8")
    return root


def taken(root: Path, workspace: Workspace, licence: str = "CC0-1.0") -> tuple[ImportReport, dict[str, Row]]:
    report = import_collection(root, "it", workspace, licence=licence, creator="Ada Example", processes=1)
    return report, {row.file: row for row in Collection.open("it", workspace).rows()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('file,licence\na.png,"CC-BY-4.0\nb.png,CC0-1.0\n', r"a quote is never closed"),
        ('file,licence\na.png,"CC-BY-4.0" or so\n', r"line 2"),
        ("file,licence,creator\na.png,CC-BY-4.0\n", r"line 2 has 2 values, the header 3"),
        ("file,licence\na.png,CC-BY-4.0,Ada, Example\n", r"line 2 has 4 values, the header 2"),
        ("sep=|\nfile|licence\na.png|CC-BY-4.0\n", r"line 1: 'sep=\|' is no delimiter"),
        ("file,licence,licence\na.png,CC-BY-4.0,CC0-1.0\n", r"line 1: the column 'licence' is there twice"),
        ("file,licence\n,CC-BY-4.0\n", r"line 2 names no file"),
    ],
)
def test_a_table_that_is_not_understood_stops_before_anything_is_imported(
    text: str, reason: str, tmp_path: Path, workspace: Workspace
) -> None:
    root = folder(tmp_path, "a.png", "b.png", rights_csv=text)
    with pytest.raises(CollectionError, match=rf"rights\.csv.*{reason}"):
        taken(root, workspace)
    assert Collection.names(workspace) == []


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_table_in_another_encoding_is_refused(coding: str, tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, "a.png")
    (root / "rights.csv").write_bytes("file,licence,creator\na.png,CC-BY-4.0,Zoë\n".encode(coding))
    with pytest.raises(CollectionError, match=r"rights\.csv.*save the table as UTF-8"):
        taken(root, workspace)


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ('{"file": "a.png", "licence": "CC0-1.0", "licence": "CC-BY-NC-4.0"}\n', "jsonl"),
        ('["a.png", "CC0-1.0"]\n', "jsonl"),
    ],
)
def test_json_lines_are_read_as_strictly(text: str, ending: str, tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, "a.png")
    (root / f"metadata.{ending}").write_text(text)
    with pytest.raises(CollectionError, match="line 1"):
        taken(root, workspace)


def test_what_spreadsheets_write_is_understood(tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, "a.png", "b.png", rights_csv="sep=;\r\nfile;licence;;\r\na.png;CC-BY-4.0;;\r\n\r\n;;;\r\n")
    assert taken(root, workspace)[1]["a.png"].licence == "CC-BY-4.0"


def test_every_table_is_read_in_its_order_and_others_are_named(tmp_path: Path, workspace: Workspace) -> None:
    root = folder(
        tmp_path,
        "a.png",
        "b.png",
        "deep/c.png",
        Metadata_CSV="file_name,text\na.png,one\nb.png,two\n",
        rights_csv="file,licence\na.png,CC-BY-4.0\n",
        notes_csv="file,licence\nb.png,CC-BY-NC-4.0\n",
    )
    (root / "deep" / "RIGHTS.tsv").write_text("file\tlicence\nc.png\tCC-BY-SA-4.0\n")
    (root / "rights.xlsx").write_bytes(b"PK\x03\x04")
    report, rows = taken(root, workspace)
    assert report.tables == ["rights.csv", "Metadata.CSV", "deep/RIGHTS.tsv"]
    assert sorted(report.unread) == ["notes.csv", "rights.xlsx"]
    assert (rows["a.png"].licence, rows["a.png"].labels) == ("CC-BY-4.0", {"text": "one"})
    assert (rows["b.png"].licence, rows["deep/c.png"].licence) == ("CC0-1.0", "CC-BY-SA-4.0")
    assert report.licences_from == {"rights.csv": 1, "deep/RIGHTS.tsv": 1, "--licence and --creator": 1}


@pytest.mark.parametrize(
    "tables",
    [
        {"rights_csv": "file,licence\na.png,CC-BY-4.0\na.png,CC-BY-NC-4.0\n"},
        {"rights_csv": "file,licence\na.png,CC-BY-4.0\n", "metadata_csv": "file,licence\nA.PNG,CC-BY-NC-4.0\n"},
        {"rights_csv": "file,licence,license\na.png,CC-BY-4.0,CC-BY-NC-4.0\n"},
        {"rights_csv": "file,creator\na.png,Ada\n", "labels_csv": "file,artist\na.png,Grace\n"},
    ],
)
def test_rows_that_disagree_hold_the_picture(tables: dict[str, str], tmp_path: Path, workspace: Workspace) -> None:
    report, rows = taken(folder(tmp_path, "a.png", "b.png", **tables), workspace)
    assert rows["a.png"].held
    assert "disagree" in rows["a.png"].held[0]
    assert not rows["b.png"].held
    assert report.contradictions == 1


def test_rows_that_say_the_same_hold_nothing(tmp_path: Path, workspace: Workspace) -> None:
    text = "file,licence,creator\na.png,CC-BY-4.0,Ada\na.png,cc-by-4.0,ada\n"
    assert not taken(folder(tmp_path, "a.png", rights_csv=text), workspace)[1]["a.png"].held


@pytest.mark.parametrize(("there", "said"), [(NFD, NFC), (NFC, NFD), ("Photo.PNG", "photo.png"), (NFD, NFC.upper())])
def test_names_match_in_every_form_and_case(there: str, said: str, tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, there, "other.png", rights_csv=f"file,licence\n{said},CC-BY-4.0\n")
    report, rows = taken(root, workspace)
    assert report.refused == []
    assert rows[there].licence == "CC-BY-4.0"


def test_a_name_that_may_mean_two_is_named_with_both(tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, "a.png", "A.png", "b.png", rights_csv="file,licence\nA.PNG,CC-BY-NC-4.0\n")
    report, rows = taken(root, workspace)
    assert [(one.file, one.kind) for one in report.refused] == [("A.PNG", "ambiguous")]
    assert all("a row of rights.csv may mean it" in rows[name].held[0] for name in ("a.png", "A.png"))
    assert not rows["b.png"].held


@pytest.mark.parametrize("sidecar", ["a.xmp", "A.XMP", "a.png.xmp", "a.PNG.Xmp"])
def test_xmp_beside_a_picture_counts_as_its_own(sidecar: str, tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, "a.png", "ab.png")
    xmp = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    xmp += 'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED"/></rdf:RDF>'
    (root / sidecar).write_text(xmp)
    (root / "nobody.xmp").write_text(xmp)
    report, rows = taken(root, workspace)
    assert rows["a.png"].held == ("opt-out: XMP plus:DataMining DMI-PROHIBITED",)
    assert not rows["ab.png"].held
    assert report.unread == ["nobody.xmp"]


def test_xmp_beside_it_that_cannot_be_read_holds_it(tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, "a.png")
    (root / "a.xmp").write_bytes(b"\xff\xfe" + "<rdf:RDF broken DMI-PROHIBITED".encode("utf-16-le"))
    assert len(taken(root, workspace)[1]["a.png"].held) == 2  # an opt-out, and what could not be read


def test_folders_of_the_system_are_left_out_and_counted(tmp_path: Path, workspace: Workspace) -> None:
    theirs = ["@eaDir/x.png", "#recycle/x.png", "$RECYCLE.BIN/x.png", "lost+found/x.png", "deep/__MACOSX/x.png"]
    theirs += [".thumbnails/x.png", "@Recycle/x.png", "#Snapshot/x.png", "System Volume Information/x.png"]
    root = folder(tmp_path, "a.png", "deep/b.png", *theirs)
    (root / "Thumbs.db").write_bytes(b"thumbs")
    report, rows = taken(root, workspace)
    assert sorted(rows) == ["a.png", "deep/b.png"]
    assert sum(report.system.values()) == len(theirs)
    assert report.others == 0


def test_files_of_other_kinds_are_named_and_counted(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder(tmp_path, "a.png")
    for name in ("1.HEIC", "2.heif", "x.psd", "y.svg", "z.cr2", "w.DNG", "q.zip", "r.jxl"):
        (root / name).write_bytes(b"II*\0" + bytes(60))
    (root / "notes.txt").write_text("nothing")
    monkeypatch.setattr(plugins, "extra_formats", frozenset)
    monkeypatch.setattr("limner.collection.finding.extra_formats", frozenset)
    report, _ = taken(root, workspace)
    expected = {"HEIC": 2, "RAW": 2, "PSD": 1, "vector drawing": 1, "archive": 1, "JPEG XL": 1}
    assert (report.foreign, report.others, report.refused) == (expected, 1, [])


def test_heic_and_jpeg_xl_are_read_with_their_plugins(tmp_path: Path, workspace: Workspace) -> None:
    assert plugins.extra_formats() == {"heif", "jxl"}, "installed with limner[test]"
    root = folder(tmp_path, "a.png")
    for number, (name, format) in enumerate((("b.HEIC", "HEIF"), ("c.jxl", "JXL")), 10):
        data = io.BytesIO()
        painting(number, 64, 64).save(data, format, quality=95)
        (root / name).write_bytes(data.getvalue())
        (root / f"named-{number}.jpg").write_bytes(data.getvalue())  # what telephones and messengers make of names
    report, rows = taken(root, workspace)
    assert (report.foreign, report.refused, report.taken) == ({}, [], 3)
    assert {row.format for row in rows.values()} == {"png", "heif", "jxl"}


@pytest.mark.parametrize("names", [("train", "test"), ("Train", "val"), ("training", "validation"), ("train", "valid")])
def test_folders_of_a_split_are_kept_and_no_labels(
    names: tuple[str, str], tmp_path: Path, workspace: Workspace
) -> None:
    learned, kept = names
    pictures = [f"{learned}/{kind}/{i}.png" for kind in ("cat", "dog") for i in range(12)]
    pictures += [f"{kept}/{kind}/{i}.png" for kind in ("cat", "dog") for i in range(4)]
    report, rows = taken(folder(tmp_path, *pictures), workspace)
    assert {row.file for row in rows.values() if row.split == "holdout"} == {p for p in pictures if p[0] == kept[0]} - (
        {p for p in pictures if p.startswith(learned)}
    )
    assert report.kept_split == 8
    assert {row.labels["folder"] for row in rows.values()} == {"cat", "dog"}


@pytest.mark.parametrize("names", [("train", "cat"), ("test", "val"), ("train", "old train")])
def test_such_a_name_alone_is_a_label(names: tuple[str, str], tmp_path: Path, workspace: Workspace) -> None:
    report, rows = taken(folder(tmp_path, *(f"{name}/{i}.png" for name in names for i in range(6))), workspace)
    assert report.kept_split == 0
    assert {row.labels["folder"] for row in rows.values()} == set(names)


def test_a_copy_of_what_is_held_out_is_held_out_too(tmp_path: Path, workspace: Workspace) -> None:
    root = folder(tmp_path, *(f"train/{i}.png" for i in range(12)), *(f"test/{i + 20}.png" for i in range(4)))
    (root / "train" / "again.png").write_bytes((root / "test" / "20.png").read_bytes())
    image = painting(13, 64, 64)  # that of test/21.png
    (root / "train" / "nearly.jpg").write_bytes(encoded(image, "JPEG", quality=70))
    report, rows = taken(root, workspace)
    assert rows["train/nearly.jpg"].split == "holdout"
    assert any("held out: a copy" in flag for flag in rows["train/nearly.jpg"].flags)
    assert {row.split for row in rows.values() if "train/again.png" in (row.file, *row.also)} == {"holdout"}
    assert report.kept_split == 5


@pytest.mark.parametrize(
    ("labels", "read"), [([0, 1], ["0", "1"]), ([[0, 1], [1, 0]], ["1", "0"]), ([2, 2], ["2", "2"])]
)
def test_the_labels_of_stylegan_are_read(
    labels: list[object], read: list[str], tmp_path: Path, workspace: Workspace
) -> None:
    table = {"labels": [["00000/a.png", labels[0]], ["00000/b.png", labels[1]]]}
    root = folder(tmp_path, "00000/a.png", "00000/b.png", dataset_json=json.dumps(table))
    rows = taken(root, workspace)[1]
    assert [rows[f"00000/{name}.png"].labels["class"] for name in "ab"] == read


def test_labels_match_in_every_form(tmp_path: Path, workspace: Workspace) -> None:
    forms = [unicodedata.normalize(form, "Blüte") for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    rows = "".join(f"{i}.png,{forms[i % 2]}\n" for i in range(6))
    root = folder(tmp_path, *(f"{i}.png" for i in range(6)), labels_csv="file,motif\n" + rows)
    taken(root, workspace)
    opened = Collection.open("it", workspace)
    assert {row.labels["motif"] for row in opened.rows()} == {forms[0]}
    assert len(opened.rows([f"motif={forms[1]}"])) == 6
