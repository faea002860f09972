"""`limner rights`, and what consents stop on the real command line: training, finishing, styles, publishing."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from helpers import Silent, limner, ran, refused
from limner.collection import Collection, import_collection
from limner.ledger import Ledger
from limner.models.bundle import load_model, save_model
from limner.models.card import CollectionNote
from limner.models.learned import rows_of
from limner.papers import Identity, verify
from limner.rights.consent import ConsentStore, Subject
from limner.training.options import TrainOptions
from limner.training.permitted import permitted
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_picture

CREATORS = {"ada": ("Ada Example", ""), "bea": ("Bea Muster", "CC-BY-SA-4.0"), "cem": ("Cem Sample", "CC-BY-4.0")}
EACH = 8


@pytest.fixture
def museum(workspace: Workspace, tmp_path: Path) -> Collection:
    """Three creators; nothing is known of the licence of the first."""
    folder = tmp_path / "museum"
    folder.mkdir()
    with (folder / "pictures.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "creator", "licence"])
        for place, (short, (creator, licence)) in enumerate(CREATORS.items()):
            for number in range(EACH):
                name = f"{short}-{number}.png"
                Image.fromarray(made_picture(100 * place + number)).save(folder / name)
                writer.writerow([name, creator, licence])
    for short in CREATORS:
        (tmp_path / f"{short}.pdf").write_text(f"letter of {short}")
    import_collection(folder, "museum", workspace, processes=1)
    return Collection.open("museum", workspace)


@pytest.fixture
def model(museum: Collection, workspace: Workspace) -> Path:
    """A model whose card says that it learned from all of them."""
    path = workspace.make(workspace.models) / "m.safetensors"
    made_model(path, labels=())
    made = load_model(path)
    note = CollectionNote(
        name="museum", digest=museum.digest, holdout_digest=museum.holdout_digest, pictures=20, held_out=4
    )
    training = made.card.training.model_copy(update={"settings": {"accept_unknown": "found in the attic"}})
    save_model(path, made.generator, made.card.model_copy(update={"collection": note, "training": training}))
    Identity.new(workspace, "Museum")
    return path


def agree(creator: str, tmp_path: Path, *scopes: str, **more: str) -> str:
    letter = tmp_path / f"{creator.split()[0].lower()}.pdf"
    given = [part for scope in scopes for part in ("--scope", scope)]
    given += [part for name, value in more.items() for part in (f"--{name}", value)]
    return limner("rights", "set", "museum", "--creator", creator, "--document", letter, *given)


def withdraw(file: str, museum: Collection, workspace: Workspace) -> None:
    row = next(row for row in museum.rows() if row.file == file)
    ConsentStore(workspace.root).withdraw(Subject("picture", row.pixel_sha256))


def test_a_letter_is_entered_shown_and_recorded_without_its_words(
    museum: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    agree("ada example", tmp_path, "train", "exemplar", until="2031-12-31", holder="A private person", credit="© Ada")
    told = json.loads(limner("rights", "show", "museum", "--json", "--on", "2031-12-31"))
    ada = next(one for one in told["groups"] if one["creator"] == "Ada Example")
    assert (len(ada["pictures"]), ada["state"], ada["consent"]["holder"]) == (EACH, "agreed", "A private person")
    assert ada["consent"]["scopes"] == ["exemplar", "train"]
    assert "© Ada" in told["credit"] and "Bea Muster (CC-BY-SA-4.0)" in told["credit"]
    later = json.loads(limner("rights", "show", "museum", "--json", "--on", "2032-01-01"))
    assert next(one for one in later["groups"] if one["creator"] == "Ada Example")["state"] == "expired"
    shown = limner("rights", "show", "museum", "--history")
    assert "A private person" in shown and "not legal advice" in shown and "section 3(b)(1)" in shown
    (act,) = Ledger.open(workspace.ledger).acts(what="consent")
    assert act.inputs[0].startswith("sha256:") and act.parameters["number"] == 1
    assert "private" not in json.dumps(vars(act))
    assert "said nothing new" in agree("Ada Example", tmp_path, "train", "exemplar")


def test_what_is_wrong_is_named(museum: Collection, tmp_path: Path) -> None:
    assert "did you mean Ada Example?" in refused(
        "rights", "set", "museum", "--creator", "Ada Exampl", "--scope", "train"
    )
    assert "is none of museum" in refused("rights", "set", "museum", "--picture", "x.png", "--scope", "train")
    assert "two kinds" in refused("rights", "set", "museum", "--scope", "train")
    assert "says nothing" in refused("rights", "set", "museum", "--creator", "Ada Example")
    assert "scope 'sing'" in refused("rights", "set", "museum", "--creator", "Ada Example", "--scope", "sing")
    missing = ("--document", tmp_path / "no.pdf", "--scope", "all")
    assert "no.pdf" in refused("rights", "set", "museum", "--creator", "Ada Example", *missing)
    assert "--on soon" in refused("rights", "check", "museum", "--on", "soon")


def test_a_table_is_taken_as_a_whole_or_not_at_all(museum: Collection, workspace: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "consents.csv"
    head = "creator,picture,scopes,until,document,credit\n"
    good = head + "Bea Muster,,train exemplar,2030-01-01,bea.pdf,\n,cem-1.png,none,,,\n"
    for wrong, said in {
        good.replace("credit", "colour"): "the column 'colour' is none",
        good.replace("Bea Muster", "Bea"): "line 2: creator 'Bea' made no picture of museum",
        good.replace("exemplar", "sing"): "line 2: scope 'sing' is none",
        good.replace("2030-01-01", "2030"): "--until 2030",
        good.replace("bea.pdf", "lost.pdf"): "line 2: --document",
        good.replace("none", ""): "line 3: scope ''",
        good + "Bea Muster,,none,,,\n": "line 4: Bea Muster was named in line 2",
        good + "Bea Muster,cem-2.png,none,,,\n": "line 4: picture cem-2.png is by Cem Sample",
        head: "holds no consents",
        "creator,until\nBea Muster,2030-01-01\n": "has no column scopes",
    }.items():
        table.write_text(wrong)
        assert said in refused("rights", "import", "museum", table)
    assert ConsentStore(workspace.root).all() == []
    table.write_text(good)
    limner("rights", "import", "museum", table, "--keep-document")
    assert [one.subject.kind for one in ConsentStore(workspace.root).all()] == ["creator", "picture"]
    assert "2 said nothing new" in limner("rights", "import", "museum", table)
    assert len(list((workspace.root / "consents").iterdir())) == 1


def test_a_check_ends_with_1_where_something_blocks_and_sees_a_changed_list(
    museum: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    result = ran("rights", "check", "museum", "--scope", "train")
    assert result.exit_code == 1 and "held back: no licence" in result.output
    agree("Ada Example", tmp_path, "all", until="2031-12-31")
    assert "Nothing blocks" in limner("rights", "check", "museum", "--scope", "train")
    late = ran("rights", "check", "museum", "--on", "2032-01-01", "--json")
    told = json.loads(late.stdout)
    assert late.exit_code == 1 and told["blocks"]
    assert told["findings"][0]["kind"] == "expired" and len(told["findings"][0]["pictures"]) == EACH
    with sqlite3.connect(workspace.root / "consents.sqlite") as connection:
        connection.execute("DROP TRIGGER consents_no_update")
        connection.execute("UPDATE consents SET until = '2099-12-31'")
    assert "not what the ledger recorded" in ran("rights", "check", "museum").output


def test_training_is_refused_or_leaves_out_and_the_card_says_by_which_consents(
    museum: Collection, workspace: Workspace, tmp_path: Path
) -> None:
    agree("Ada Example", tmp_path, "train", until="2020-12-31")
    agree("Bea Muster", tmp_path, "train", licence="CC-BY-4.0")
    withdraw("cem-1.png", museum, workspace)
    for more in ((), ("--accept-unknown", "because")):
        line = refused("train", "museum", "--name", "x", "--steps", "2", *more)
        assert "9 of 24 pictures: may not be learned from" in line
        assert "the consent of Ada Example ended on 2020-12-31: 8" in line and "was withdrawn" in line
    reporter = Silent()
    options = TrainOptions(name="x", only_cleared=True)
    found = permitted(museum, options, workspace, reporter)
    assert len(found.rows) == 15 and {row.creator for row in found.rows} == {"Bea Muster", "Cem Sample"}
    assert found.rights(found.rows).licences == {"CC-BY-4.0": 15}
    assert "9 pictures are left out" in reporter.notes[0]
    note = found.use.number, found.use.on.isoformat()
    agree("Bea Muster", tmp_path, "none")
    # What was learned from is found again as it was, whatever was agreed since.
    path = workspace.make(workspace.models) / "old.safetensors"
    made_model(path)
    card = load_model(path).card
    then = CollectionNote(
        name="museum",
        digest=museum.digest,
        holdout_digest="0" * 64,
        pictures=1,
        held_out=1,
        consents=note[0],
        day=note[1],
    )
    training = card.training.model_copy(update={"settings": {"only_cleared": True}})
    card = card.model_copy(update={"collection": then, "training": training})
    assert {row.pixel_sha256 for row in rows_of(card, museum, workspace)} == {row.pixel_sha256 for row in found.rows}


def test_a_blocked_exemplar_gives_no_patch_and_that_is_said(
    museum: Collection, model: Path, workspace: Workspace, tmp_path: Path
) -> None:
    agree("Ada Example", tmp_path, "train", "publish")
    agree("Bea Muster", tmp_path, "all", credit="© Bea Muster, courtesy of the gallery", licence="CC-BY-4.0")
    result = ran("sample", "m", "-n", "1", "--size", "64", "--to", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "pictures are left out: the consent of Ada Example grants publish, train, not exemplar" in result.output
    (work,) = (tmp_path / "out").glob("*.png")
    made = verify(work).generation
    assert {one["creator"] for one in made["finish"]["shares"]} <= {"Bea Muster", "Cem Sample"}
    assert "© Bea Muster, courtesy of the gallery" in made["credit"]
    assert made["checked"]["consent"]["sell"] == {"granted": False, "not_by": ["Ada Example"]}
    assert "not granted by Ada Example" in limner("verify", work)
    agree("Bea Muster", tmp_path, "publish")
    agree("Cem Sample", tmp_path, "publish")
    line = refused("sample", "m", "-n", "1", "--exemplars", "museum", "--to", tmp_path / "no")
    assert "may not give patches" in line
    assert not list((tmp_path / "no").glob("*.png"))


@pytest.mark.parametrize("finish", [("--finish", "none"), ("--size", "64")])
def test_nothing_is_published_that_a_consent_does_not_grant(
    finish: tuple[str, str], museum: Collection, model: Path, tmp_path: Path
) -> None:
    agree("Bea Muster", tmp_path, "train", "exemplar")
    line = refused("sample", "m", "-n", "1", *finish, "--to", tmp_path / "out")
    assert "stand in the way of publishing (the consent of Bea Muster grants exemplar, train, not publish" in line
    assert "bea-" in line
    assert not list((tmp_path / "out").glob("*.png"))


def test_a_former_work_is_not_published_again_after_a_withdrawal(
    museum: Collection, model: Path, workspace: Workspace, tmp_path: Path
) -> None:
    limner("sample", "m", "-n", "1", "--size", "64", "--to", tmp_path / "out")
    (work,) = (tmp_path / "out").glob("*.png")
    assert "consent" not in verify(work).generation["checked"], "nothing was agreed: judged by licences alone, as ever"
    inside = verify(work).generation["finish"]["shares"][0]["digest"].removeprefix("sha256:")
    ConsentStore(workspace.root).withdraw(Subject("picture", inside))
    assert "its own consent was withdrawn" in refused("publish", work, "--as", "jpeg")
    assert not list((tmp_path / "out").glob("*.jp*g"))


def test_a_style_is_not_taken_from_a_picture_whose_consent_excludes_it(
    museum: Collection, model: Path, tmp_path: Path
) -> None:
    picture, style = tmp_path / "museum" / "cem-0.png", tmp_path / "museum" / "bea-0.png"
    limner("rights", "set", "museum", "--picture", "bea-0.png", "--scope", "train", "--scope", "exemplar")
    line = refused("restyle", picture, "--style", style, "--model", "m", "--way", "patches", "--to", tmp_path / "x.png")
    assert "may not give their style (its own consent grants exemplar, train, not style" in line
    assert "bea-0.png" in line
    agree("Ada Example", tmp_path, "train")
    line = refused("restyle", picture, "--style", "m", "--to", tmp_path / "x.png")
    assert "may not give their style (the consent of Ada Example grants train, not style" in line
