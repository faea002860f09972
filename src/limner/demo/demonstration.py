"""A demo in one folder: pictures, collection, training, works with papers, forgeries, and the page of it."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.collection import Collection, Row
from limner.collection.importing import Progress
from limner.collection.views import plain_views, views
from limner.demo.forging import Flip, flip_byte, save_again
from limner.demo.opening import SEED, TRUNCATION, Opened, paint_opening
from limner.demo.planning import Opener, Plan
from limner.demo.taking import take
from limner.demo.watching import Watch
from limner.errors import UsageError
from limner.latent.nearest import Neighbour, Neighbours, Usual
from limner.latent.pipeline import Painted, Pipeline
from limner.ledger import Ledger
from limner.machine import Machine, probe
from limner.models.bundle import read_card
from limner.papers import Identity, Verdict, open_publisher
from limner.papers.publishing.copies import CopyFoundError
from limner.papers.verify.checking import Checker
from limner.training.options import TrainOptions
from limner.training.stage import Reporter
from limner.training.trainer import Training
from limner.works.finishing import FinishRequest, finished, finishing_for
from limner.works.making import provenance_of
from limner.workspace import Workspace, replace_file

IDENTITY = "limner demo (a throwaway key)"
_MARK = ".limner-demo"
_NAME = "demo"
_SHEET, _WORKS = 64, 4
_LOOKED_AT, _FEWEST_WORKS = 16, 2
_VIEWS, _MOST_VIEWS = 16, 8000
_HOLDOUT_VIEWS, _MOST_HOLDOUT_VIEWS = 8, 2000


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
        plan: what it is going to do; its folder is ready for a demo (`prepare`).

    Attributes:
        opened: what shipped models painted before anything was trained.
        collection, rows: what was taken, and the part that is learned from or held out.
        training, watch: how it learned, and snapshots of what it could paint meanwhile.
        signed, stopped: what the works were painted from, and pictures that copy training pictures, not published.
        works, flipped, again, flip: signed files, the two forgeries, and the byte that was changed.
        verdicts, refused: what a stranger finds in the works and in the forgeries.
        found, usual: the nearest training picture of each work, and how near unseen pictures come.
    """

    collection: Collection
    rows: list[Row]
    training: Training
    watch: Watch
    pipeline: Pipeline
    works: list[Path]
    signed: list[Painted]
    stopped: list[CopyFoundError]
    flipped: Path
    again: Path
    flip: Flip
    verdicts: list[Verdict]
    refused: list[Verdict]
    found: list[Neighbour]
    usual: Usual

    def __init__(self, plan: Plan) -> None:
        self.plan, self.folder = plan, plan.folder
        self.workspace = Workspace(plan.folder.absolute() / "home")
        self.opened: list[Opened] = []
        self.painted: list[Painted] = []
        self.started = time.monotonic()

    def open_with(self, opener: Opener, progress: Progress) -> Opened:
        """Paint a sheet with a shipped model."""
        self.opened.append(paint_opening(opener, self.folder / "opening", self._machine, self.workspace, progress))
        return self.opened[-1]

    def take(self, progress: Progress) -> Collection:
        """Import the pictures with their rights."""
        self.collection, self.rows = take(self.plan, self.workspace, progress)
        return self.collection

    def learn(self, reporter: Reporter) -> Path:
        """Train, from nothing or from a shipped model, and record it in the ledger."""
        options = self._options()
        # What an earlier demo left; a user's own trainings are never thrown away.
        shutil.rmtree(self.workspace.runs / _NAME, ignore_errors=True)
        (self.workspace.models / f"{_NAME}.safetensors").unlink(missing_ok=True)
        self.watch = Watch()
        self.training = Training(
            options, self.collection, self.workspace, reporter, resume=False, observer=self.watch, again=False
        )
        path = self.training.run()
        self.pipeline = Pipeline.open(str(path), self.workspace)
        model = self.pipeline.model
        Ledger.open(self.workspace.ledger).record(
            "algorithm",
            "train",
            inputs=[f"sha256:{digest}" for digest in (self.collection.digest, *model.card.parents)],
            outputs=[f"sha256:{model.digest}"],
            parameters=options.model_dump(mode="json"),
        )
        return path

    def paint(self, progress: Progress) -> None:
        """The sheet of 64 new pictures; nobody chooses among them."""
        self.painted = []
        for painted in self.pipeline.samples(_SHEET, seed=SEED, truncation=TRUNCATION):
            self.painted.append(painted)
            progress(len(self.painted), _SHEET)

    def sign(self) -> list[Path]:
        """Publish the first pictures of the sheet, but for copies of training pictures, as signed works.

        Raises:
            CopyFoundError: all that were looked at are copies.
        """
        if IDENTITY not in Identity.names(self.workspace):
            Identity.new(self.workspace, IDENTITY)
        finishing = finishing_for(self.pipeline.model, self.workspace, FinishRequest())
        self.works, self.signed, self.stopped = [], [], []
        with open_publisher(self.workspace, identity=IDENTITY) as publisher:
            for painted, pixels, finish in finished(finishing, self.painted[:_LOOKED_AT]):
                title = f"Untitled, no. {painted.index + 1} of the demo"
                papers = provenance_of(
                    self.pipeline, painted.digest, IDENTITY, finish=finish, title=title, seed=SEED,
                    index=painted.index, truncation=TRUNCATION,
                )  # fmt: skip
                path = self.folder / "works" / f"work-{painted.index + 1}.png"
                try:
                    self.works.append(publisher.publish(pixels, path, papers).path)
                    self.signed.append(painted)
                except CopyFoundError as error:
                    self.stopped.append(error)
                if len(self.works) == _WORKS:
                    break
        if len(self.works) < _FEWEST_WORKS:
            raise self.stopped[0]
        return self.works

    def forge(self) -> None:
        """Change two copies of signed works: one byte of the one, and save the other again."""
        self.flipped = self.folder / "forgeries" / "one-byte-flipped.png"
        self.again = self.folder / "forgeries" / "saved-again.jpg"
        self.flip = flip_byte(self.works[0], self.flipped)
        save_again(self.works[1], self.again)

    def check(self) -> tuple[list[Verdict], list[Verdict]]:
        """What a stranger finds in the works and in the forgeries: no key is trusted."""
        with closing(Checker()) as checker:
            self.verdicts = [checker.check(path) for path in self.works]
            self.refused = [checker.check(path) for path in (self.flipped, self.again)]
        return self.verdicts, self.refused

    def compare(self, progress: Progress) -> None:
        """The nearest training picture of each work, in the crops that the model learned from."""
        data, neighbours = self.watch.data, Neighbours()
        count = _share(_VIEWS, _MOST_VIEWS, len(data.rows))
        neighbours.add(plain_views(data.cache, data.size), -1)
        for number in range(count):
            neighbours.add(data.prior_views(number)[0], number)
            progress(number + 1, count + 1)
        self.usual = neighbours.usual(self._held_out())
        progress(count + 1, count + 1)
        self.found = neighbours.nearest(_tensor([painted.pixels for painted in self.signed]))

    @cached_property
    def _machine(self) -> Machine:
        return probe()

    def _options(self) -> TrainOptions:
        plan = self.plan
        own: dict[str, object] = {}
        if plan.parent:
            # The same shape, so that what the parent knows of likely latents fits.
            prior = read_card(plan.parent).config.prior
            flow = {"family": "gan", "shape": prior} if prior.kind != "mixture" else {"prior": "mixture"}
            own = {**flow, "parent": str(plan.parent)}
        size = {"height": plan.size[0], "width": plan.size[1]}
        given = {"name": _NAME, **size, "minutes": plan.minutes, "where": plan.where, **own}
        return TrainOptions.model_validate(given)

    def _held_out(self) -> Tensor:
        """Views of the held-out pictures, drawn as those are that the prior learns from. # uint8 [n, 3, h, w]"""
        data, cache = self.watch.data, self.watch.data.unseen
        rng, how = np.random.default_rng(0), data.augmentation
        every = np.arange(len(cache))
        times = _share(_HOLDOUT_VIEWS, _MOST_HOLDOUT_VIEWS, len(cache))
        drawn = [views(cache, every, data.size, rng, zoom=how.zoom_prior, flip=how.flip) for _ in range(times)]
        return torch.cat(drawn)


def _share(views: int, most: int, pictures: int) -> int:
    """How many views of each picture are compared: fewer where pictures are many."""
    return max(1, min(views, most // max(1, pictures)))


def _tensor(pictures: list[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
