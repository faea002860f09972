"""`limner train`: a user's mistake gives one line that names value, reason and remedy."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from limner.cli.main import main
from limner.cli.train_options import resumed_train, train_options
from limner.errors import UsageError
from limner.ledger import Ledger
from limner.papers.watermark.model_watermark import add_model_watermark
from limner.training.options import TrainOptions
from limner.training.sharing import steps_for
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_collection, made_folder


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit status of `limner …` and its one line of complaint."""
    monkeypatch.setattr(sys, "argv", ["limner", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().err.strip()


MISTAKES = [
    (["train", "nowhere"], "nowhere"),
    (["train", "made", "--size", "65"], "--size 65"),
    (["train", "made", "--size", "64x"], "--size 64x"),
    (["train", "made", "--minutes", "0"], "--minutes 0"),
    (["train", "made", "--minutes", "1", "--steps", "3"], "--minutes, --steps, --pictures"),
    (["train", "made", "--family", "gan2"], "--family gan2"),
    (["train", "made", "--teacher", "resnet"], "--teacher resnet"),
    (["train", "made", "--prior", "x"], "--prior x"),
    (["train", "made", "--label", "colour"], "--label colour"),
    (["train", "made", "--label", "title"], "--label title"),
    (["train", "made", "--where", "kind=silk"], "--where kind=silk"),
    (["train", "made", "--where", "kin=matt"], "--where kin=matt"),
    (["train", "made", "--batch", "1"], "--batch 1"),
    (["train", "made", "--from", "nothing"], "nothing"),
    (["train", "made", "--resume", "--name", "never"], "run never"),
    (["train", "made", "--name", "../up"], "--name ../up"),
    (["train", "made", "--device", "tpu"], "--device tpu"),
    (["train", "made", "--pictures", "0"], "--pictures 0"),
    (["train", "made", "--label-is-style"], "--label-is-style True"),
    (["train", "made", "--label-is-style", "--label", "kind", "--pairs", "things"], "--pairs things"),
    *([] if torch.cuda.is_available() else [(["train", "made", "--device", "cuda"], "--device cuda")]),
]


@pytest.mark.parametrize(("arguments", "named"), MISTAKES, ids=[" ".join(m[0][1:]) for m in MISTAKES])
def test_mistakes_get_one_line(
    arguments: list[str],
    named: str,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made_collection(workspace, tmp_path / "pictures", 16)
    status, line = run(monkeypatch, capsys, *arguments)
    assert status == 2
    assert "\n" not in line
    assert named in line
    assert ";" in line, "no remedy"
    assert not list(workspace.runs.glob("*")), "a mistake left a run behind"


def test_what_cannot_carry_a_model_watermark_is_refused_before_it_is_trained(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_collection(workspace, tmp_path / "pictures", 16)
    for option in ("--model-watermark", "--rooted-mark"):  # the second is its former name
        status, line = run(monkeypatch, capsys, "train", "made", option)
        assert (status, line.split(": ")[1]) == (2, "--size 64x64")
    made_model(workspace.make(workspace.models) / "plain.safetensors", labels=(), size=128)
    ledger = Ledger.open(workspace.ledger)
    _, mark = add_model_watermark(
        workspace.models / "plain.safetensors", workspace.models / "marked.safetensors", "marked", ledger
    )
    line = run(monkeypatch, capsys, "train", "made", "--size", "128", "--from", "marked", "--model-watermark")[1]
    assert line.startswith(f"limner: --model-watermark: marked has a mark already ({mark})")
    assert not workspace.runs.exists(), "something was trained"


@pytest.mark.parametrize(("kept", "begun"), [(64, False), (128, True)])
def test_a_run_that_goes_on_is_marked_by_its_own_size(
    kept: int,
    begun: bool,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made_collection(workspace, tmp_path / "pictures", 16)
    options = TrainOptions(name="begun", height=kept, width=kept)
    folder = workspace.make(workspace.runs / "begun")
    (folder / "options.json").write_text(
        json.dumps(
            {"command": "train", "options": options.model_dump(mode="json"), "collection": "made"}
            | {"digest": "0", "parent": ""}
        )
    )

    def training(*_: object, **__: object) -> None:
        raise UsageError("training", "was begun", "none")

    monkeypatch.setattr("limner.training.trainer.Training", training)
    arguments = ["train", "made", "--resume", "--name", "begun"]
    line = run(monkeypatch, capsys, *arguments, "--model-watermark")[1]
    assert line.startswith("limner: training: was begun" if begun else "limner: --size 64x64: is too small")
    other = run(monkeypatch, capsys, *arguments, "--size", "96")[1]
    assert other.startswith("limner: --size: the run was begun with another value")


def test_held_pictures_stop_a_training_until_somebody_decides(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from limner.collection import import_collection

    table = made_folder(tmp_path / "pictures", 16)
    table.write_text(table.read_text().replace("CC-BY-4.0", "", 3))
    import_collection(table, "made", workspace, processes=1)
    status, line = run(monkeypatch, capsys, "train", "made")
    assert status == 2
    assert "3" in line
    assert "--only-cleared" in line
    assert "--accept-unknown" in line


def test_help_is_quick() -> None:
    def spent(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Beside what a heavy import costs here and now: seconds alone would tell of the machine and of what else it does.
    ways = ("-m", "limner", "--help"), ("-c", "import torch")
    told, heavy = (min(spent(*way) for _ in range(3)) for way in ways)
    assert told < heavy / 3


def test_a_model_to_start_from_tells_family_and_size(workspace: Workspace) -> None:
    told = train_options("made", {"parent": "landscapes"}, workspace)
    assert (told.family, told.height, told.width, told.name) == ("vae", 64, 96, "made-vae-96x64")
    told = train_options("made", {"parent": "emoji-gan"}, workspace)
    assert (told.family, told.height, told.width, told.name) == ("gan", 64, 64, "made-gan-64")
    told = train_options("made", {"parent": "emoji-gan", "family": "vae", "size": "128"}, workspace)
    assert (told.family, told.height, told.name) == ("vae", 128, "made-vae-128")
    assert train_options("made", {}, workspace).name == "made-vae-64"


_KEPT = TrainOptions(name="m", minutes=20, where=("kind=matt",), seed=4, batch=32, adversarial_rate=1e-4, crisp=False)


@pytest.mark.parametrize(
    ("told", "said", "changed"),
    [
        ({}, [], {}),
        ({"minutes": 20, "where": ("kind=matt",)}, ["minutes", "where", "name"], {}),
        ({"adversarial_rate": 3e-4}, ["adversarial_rate"], {"adversarial_rate": 3e-4}),
        ({"crisp": True}, ["crisp"], {"crisp": True}),
        ({"threads": 1}, ["threads"], {"threads": 1}),
        ({"model_watermark": True}, ["model_watermark"], {"model_watermark": True}),
    ],
    ids=str,
)
def test_a_run_that_goes_on_may_be_told_of_other_adversarial_options(
    told: dict[str, object], said: list[str], changed: dict[str, object]
) -> None:
    given = TrainOptions.model_validate({"name": "m", **told})
    assert resumed_train(_KEPT, given, said, None) == _KEPT.model_copy(update=changed)


@pytest.mark.parametrize(
    ("told", "said", "named"),
    [
        ({"minutes": 40}, "minutes", r"--minutes: .*minutes 20"),
        ({"seed": 0}, "seed", r"--seed: .*seed 4"),
        ({"height": 64, "width": 128}, "size", r"--size: .*width 64"),
        ({"where": ()}, "where", r"--where"),
        ({"parent": "p"}, "parent", r"--from"),
    ],
    ids=str,
)
def test_a_run_that_goes_on_refuses_what_would_make_it_another(told: dict[str, object], said: str, named: str) -> None:
    with pytest.raises(UsageError, match=named + ".*without --resume"):
        resumed_train(_KEPT, TrainOptions.model_validate({"name": "m", **told}), [said], None)


def test_a_run_that_goes_on_knows_what_was_usual_and_how_many_pictures() -> None:
    plain, told = TrainOptions(name="m"), TrainOptions(name="m", minutes=20)
    assert resumed_train(plain, told, ["minutes"], None) == plain
    of_pictures = TrainOptions(name="m", batch=32, steps=steps_for(10_000, TrainOptions(name="m", batch=32)))
    assert resumed_train(of_pictures, TrainOptions(name="m", steps=1), ["pictures"], 10_000) == of_pictures
