"""The whole road in one folder: pictures, collection, training, works with papers, forgeries, and the page of it."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner import __version__
from limner.collection import PAINTINGS, Collection, Row, import_collection
from limner.collection.cache import open_cache
from limner.errors import UsageError
from limner.latent.nearest import Neighbours
from limner.latent.painting import Brush, Painted
from limner.ledger import Ledger
from limner.papers import Identity, Provenance, Verdict, open_publisher
from limner.papers.verify import Checker
from limner.pictures import read
from limner.reports import wording
from limner.reports.forging import flip_byte, save_again, seen_by_a_viewer
from limner.reports.page import write_demo
from limner.reports.record import (
    DemoRecord,
    Forged,
    Learned,
    Moment,
    Nearest,
    Shown,
    StageCurve,
    Taken,
    Work,
    shown,
)
from limner.reports.watching import GAME, PAINTER, PRIOR, WatchedTraining, three_of
from limner.rights import credit_line, summary
from limner.training.augmentation import plain_views, views
from limner.training.loop import Reporter
from limner.training.options import TrainOptions
from limner.workspace import Workspace, replace_file

__all__ = ["Demonstration", "prepare"]

IDENTITY = "limner demo (a throwaway key)"
_MARK = ".limner-demo"
_NAME = "demo"
_SHEET, _WORKS = 64, 4
_SEED, _TRUNCATION = 1, 1.0
_VIEWS = 16
_THUMB = 64
_HELD_VIEWS = 8

PapersOf = Callable[[Brush, Painted, str, dict[str, object]], Provenance]
Progress = Callable[[int, int], None]


def prepare(folder: Path) -> Path:
    """Make `folder` ready for a demo; one that an earlier demo made is used again.

    Raises:
        UsageError: something else lies there, or it cannot be made.
    """
    remedy = "choose a new or empty folder with --to"
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"--to {folder}", "is a file, not a folder", remedy)
        if folder.is_dir() and not (folder / _MARK).is_file() and any(folder.iterdir()):
            raise UsageError(f"--to {folder}", "holds other things than a demo, which is left alone", remedy)
        folder.mkdir(parents=True, exist_ok=True)
        with replace_file(folder / _MARK) as part:
            part.write_text("made by `limner demo`, which may write over what lies here\n", encoding="utf-8")
        for name in ("works", "forgeries"):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"--to {folder}", f"cannot be written to ({error.strerror})", remedy) from error
    return folder


class Demonstration:
    """One demo; its steps are called in the order in which they stand here.

    Args:
        folder: ready for a demo (`prepare`).
        where: conditions that choose the paintings to learn from.
        size: height and width.
    """

    def __init__(self, folder: Path, *, minutes: float, where: Sequence[str], size: tuple[int, int]) -> None:
        self.folder, self.workspace = folder, Workspace(folder.absolute() / "home")
        self.minutes, self.where, self.size = minutes, tuple(where), size
        self.started = time.monotonic()

    def take(self, progress: Progress) -> Collection:
        """Import the paintings that ship with limner, with their table of rights."""
        import_collection(PAINTINGS, "paintings", self.workspace, progress=progress)
        self.collection = Collection.open("paintings", self.workspace)
        self.rows = self.collection.rows(self.where)
        return self.collection

    def learn(self, reporter: Reporter) -> Path:
        """Train from scratch; the ledger hears of it."""
        options = TrainOptions(
            name=_NAME, height=self.size[0], width=self.size[1], minutes=self.minutes, where=self.where
        )
        shutil.rmtree(self.workspace.runs / _NAME, ignore_errors=True)
        self.training = WatchedTraining(options, self.collection, self.workspace, reporter, resume=False)
        path = self.training.run()
        self.brush = Brush.open(str(path), self.workspace)
        Ledger.open(self.workspace.ledger).record(
            "algorithm",
            "train",
            inputs=[f"sha256:{self.collection.digest}"],
            outputs=[f"sha256:{self.brush.model.digest}"],
            parameters=options.model_dump(mode="json"),
        )
        return path

    def paint(self, progress: Progress) -> None:
        """The sheet of 64 new pictures; nobody chooses among them."""
        self.painted: list[Painted] = []
        for painted in self.brush.samples(_SHEET, seed=_SEED, truncation=_TRUNCATION):
            self.painted.append(painted)
            progress(len(self.painted), _SHEET)

    def sign(self, papers_of: PapersOf) -> list[Path]:
        """Publish the first pictures of the sheet as signed works."""
        if IDENTITY not in Identity.names(self.workspace):
            Identity.new(self.workspace, IDENTITY)
        told: dict[str, object] = {"seed": _SEED, "truncation": _TRUNCATION}
        jobs = []
        for painted in self.painted[:_WORKS]:
            title = f"Untitled, no. {painted.index + 1} of the demo"
            papers = papers_of(self.brush, painted, IDENTITY, {**told, "title": title})
            jobs.append((painted.pixels, self.folder / "works" / f"work-{painted.index + 1}.png", papers))
        with open_publisher(self.workspace, identity=IDENTITY) as publisher:
            self.works = [work.path for work in publisher.publish_many(jobs)]
        return self.works

    def forge(self) -> None:
        """Change two copies of signed works: one byte of the one, and save the other again."""
        self.flipped = self.folder / "forgeries" / "one-byte-flipped.png"
        self.again = self.folder / "forgeries" / "saved-again.jpg"
        self.flip = flip_byte(self.works[0], self.flipped)
        save_again(self.works[1], self.again)

    def check(self) -> tuple[list[Verdict], list[Verdict]]:
        """What a stranger finds in the works and in the forgeries: nobody's keys are believed."""
        checker = Checker()
        try:
            self.verdicts = [checker.check(path) for path in self.works]
            self.refused = [checker.check(path) for path in (self.flipped, self.again)]
        finally:
            checker.close()
        return self.verdicts, self.refused

    def compare(self, progress: Progress) -> None:
        """The nearest training picture of each work, in the crops that the model learned from."""
        data, neighbours = self.training.data, Neighbours()
        neighbours.add(plain_views(data.cache, data.size), -1)
        for number in range(_VIEWS):
            neighbours.add(data.prior_views(number)[0], number)
            progress(number + 1, _VIEWS + 1)
        self.usual = neighbours.usual(self._held_out())
        progress(_VIEWS + 1, _VIEWS + 1)
        found = neighbours.nearest(_tensor([painted.pixels for painted in self.painted[:_WORKS]]))
        self.nearest = [self._nearest(one.index, one.view, one.distance) for one in found]

    def write(self, commands: Sequence[tuple[str, str]]) -> DemoRecord:
        """The page, in one step."""
        record = DemoRecord(
            taken=self._taken(),
            learned=self._learned(),
            sheet=[shown(p.pixels, f"New picture number {p.index} of seed {_SEED}") for p in self.painted],
            seed=_SEED,
            works=self._works(),
            usual=wording.usual(self.usual),
            forged=self._forged(),
            commands=commands,
            seconds=time.monotonic() - self.started,
            version=__version__,
            made=f"{dt.date.today().day} {dt.date.today():%B %Y}",
        )
        write_demo(record, self.folder / "index.html")
        return record

    def _held_out(self) -> Tensor:
        """Views of the held-out pictures, drawn as those are that the prior learns from. # uint8 [n, 3, h, w]"""
        data = self.training.data
        cache = open_cache(self.collection, self._split("holdout"), round(min(data.size) * 1.6), self.workspace)
        rng, how = np.random.default_rng(0), data.augmentation
        every = np.arange(len(cache))
        drawn = [views(cache, every, data.size, rng, zoom=how.zoom_prior, flip=how.flip) for _ in range(_HELD_VIEWS)]
        return torch.cat(drawn)

    def _split(self, split: str) -> list[Row]:
        return [row for row in self.rows if row.split == split]

    def _nearest(self, index: int, view: int, distance: float) -> Nearest:
        data = self.training.data
        row = data.rows[index]
        picture = plain_views(data.cache, data.size)[index] if view < 0 else data.prior_views(view)[0][index]
        alt = f"The nearest training picture: {_named(row)}"
        means = wording.nearness(distance, self.usual)
        return Nearest(shown(_array(picture), alt), row.title, row.creator, distance, means)

    def _taken(self) -> Taken:
        rights = summary(self.rows)
        return Taken(
            name=self.collection.name,
            digest=self.collection.digest,
            pictures=int(self.collection.card["pictures"]),
            where=self.where,
            trained=self._small("train"),
            held_out=self._small("holdout"),
            licences=rights.licences,
            creators=rights.creators,
            credit=credit_line(rights),
        )

    def _small(self, split: str) -> list[Shown]:
        rows = self._split(split)
        cache = open_cache(self.collection, rows, _THUMB * 2, self.workspace)
        thumbs = plain_views(cache, (_THUMB, _THUMB))
        return [shown(_array(one), _named(row), quality=82) for row, one in zip(rows, thumbs, strict=True)]

    def _learned(self) -> Learned:
        card, training = self.brush.model.card, self.training
        prior = card.quality.get("prior", {})
        return Learned(
            name=card.name,
            digest=self.brush.model.digest,
            size=f"{self.size[1]} × {self.size[0]}",
            minutes=card.training.minutes,
            pictures_seen=card.training.pictures_seen,
            latents_seen=card.training.latents_seen,
            machine=wording.machine(card.training.precision, card.training.threads, card.training.device),
            teacher=wording.teacher(card.teacher),
            prior=wording.prior(str(prior.get("kept", ""))),
            quality=card.quality,
            curves=[_curve(state.stage, state.history, state.checks) for state in training.states],
            originals=_all(training.originals, "A held-out painting"),
            reconstructions=_moments(training, "A held-out painting, painted again by the model", PAINTER),
            samples=_moments(training, "A new picture", PRIOR, GAME),
        )

    def _works(self) -> list[Work]:
        return [
            Work(
                picture=_file(path, f"{verdict.title}: a generated picture, {wording.LARGE}"),
                file=str(path.relative_to(self.folder)),
                title=verdict.title or path.name,
                verdict=verdict,
                nearest=nearest,
            )
            for path, verdict, nearest in zip(self.works, self.verdicts, self.nearest, strict=True)
        ]

    def _forged(self) -> list[Forged]:
        seen = seen_by_a_viewer(self.flipped.read_bytes())
        again = read(self.again).pixels
        flipped, saved = self.refused
        return [
            Forged(
                title="One byte flipped",
                file=str(self.flipped.relative_to(self.folder)),
                picture=None if seen is None else shown(seen, "Work 1 with one byte flipped", "png"),
                what=wording.flip(self.flip),
                lesson=wording.FLIP_LESSON,
                verdict=flipped,
            ),
            Forged(
                title="Saved again",
                file=str(self.again.relative_to(self.folder)),
                picture=shown(again, "Work 2, opened and saved again as a JPEG", "png"),
                what=wording.AGAIN,
                lesson=wording.AGAIN_LESSON,
                verdict=saved,
            ),
        ]


def _curve(stage: str, history: list[dict[str, float]], checks: list[dict[str, float]]) -> StageCurve:
    title, unit, key = wording.STAGES[stage]
    line = [(point["seconds"] / 60, point["loss"]) for point in history]
    return StageCurve(title, line, [(point["seconds"] / 60, point[key]) for point in checks], unit)


def _moments(training: WatchedTraining, alt: str, *stages: str) -> list[Moment]:
    found = three_of(training.glimpses, *stages)
    labels = ("Start", "Middle", "End") if len(found) == 3 else ("Start", "End")
    return [
        Moment(label, _all(pictures, f"{alt} ({label.lower()})"))
        for label, pictures in zip(labels, found, strict=False)
    ]


def _all(pictures: Tensor, alt: str) -> list[Shown]:
    return [shown(_array(one), f"{alt}, {number}") for number, one in enumerate(pictures, 1)]


def _file(path: Path, alt: str) -> Shown:
    pixels = read(path).pixels
    return Shown(path.read_bytes(), "image/png", pixels.shape[1], pixels.shape[0], alt)


def _named(row: Row) -> str:
    return f"{row.title or 'untitled'}, {row.creator or 'creator unknown'}"


def _array(picture: Tensor) -> NDArray[np.uint8]:
    return picture.permute(1, 2, 0).numpy()


def _tensor(pictures: list[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
