"""From a collection to a model file: the stages in their order, resumable at any moment."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from limner.collection import Collection, Row
from limner.errors import TrainingError
from limner.machine import Machine, check_device, probe
from limner.models.bundle import Model, load_model, save_model
from limner.models.card import Card, TeacherNote
from limner.models.files import sha256_of
from limner.models.instance_embeddings import MOST_EMBEDDINGS
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import PainterConfig, painter_config
from limner.rights import Accepted, RightsSummary, clear, credit_line, summary
from limner.training.checkpoint import read_checkpoint
from limner.training.choosing import choose_prior
from limner.training.data import TrainingData, load_data, split_rows
from limner.training.game import GameStage
from limner.training.growing import grow, half_config, half_data
from limner.training.loop import Budget, Loop, Reporter, Stage, StageState
from limner.training.notes import collection_note, now, rights_with, teacher_note, training_note
from limner.training.options import TrainOptions
from limner.training.plots import plot_curves
from limner.training.record import Record
from limner.training.report import measure_quality
from limner.training.sharing import SMALL_SHARE, game_share, most_for_painter, painter_until
from limner.training.stages import PainterStage, PriorStage, view_count
from limner.workspace import Workspace

__all__ = ["Training"]

_PICTURES_AN_AXIS = 12
"""An embedding has one number for so many training pictures: of few, a finer one would single each of them out."""
_FEWEST_AXES = 16
_FEWEST_STEPS = 200
"""Steps of the painter below which a flow after it does not pay: docs/decisions.md."""


class Training:
    """One training in its run's folder.

    Args:
        options: what it was told.
        collection: what is learned from.
        resume: go on from the run's checkpoint, where there is one.
        clock: seconds that count as the minutes it was told.
    """

    def __init__(
        self,
        options: TrainOptions,
        collection: Collection,
        workspace: Workspace,
        reporter: Reporter,
        *,
        resume: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options, self.collection, self.workspace, self.reporter = options, collection, workspace, reporter
        self.clock = clock
        self.rows, self.accepted = _cleared(options, collection)
        split_rows(self.rows, options)
        self.inherited: set[str] = set()
        self.parent = None if options.parent is None else load_model(Path(options.parent))
        check_device(options.device)
        self._check_parent()
        self.record = Record(options, collection, workspace, "" if self.parent is None else self.parent.digest)
        self.folder = self.record.folder
        if resume:
            self.record.go_on(reporter)
        else:
            self.record.begin(reporter)

    def run(self) -> Path:
        """Train all stages, save the model, return its path."""
        workspace, options = self.workspace, self.options
        workspace.make(self.folder / "sheets")
        machine = probe(options.precision, options.threads, options.device)
        self.reporter.note(f"machine: {machine.reason}")
        worth = machine.worth()
        if options.steps is None and worth is not None:
            self.reporter.note(worth)
        data = self._data()
        torch.manual_seed(options.seed)
        model = self._model(data)
        model.to(machine.device)
        if finished := self.record.read_states():
            model.load_state_dict(finished)
        if not self.record.done("painter") and "painter" not in self.inherited:
            self._painter(model, data, machine)
        prior_notes = self._prior(model, data, machine)
        if options.family == "gan" or options.crisp:
            self._game(model, data, machine)
        self.reporter.stage("measuring")
        quality = measure_quality(model, data, machine, options) | prior_notes
        plot_curves(self.states, self.folder / "curves.png")
        return self._save(model, data, machine, quality)

    def _data(self) -> TrainingData:
        began, reporter = time.monotonic(), self.reporter

        def progress(done: int, total: int) -> None:
            rate = done / max(1e-3, time.monotonic() - began)
            reporter.tick(done / total, (total - done) / rate, rate, {})

        reporter.stage("reading pictures")
        data = load_data(self.collection, self.rows, self.options, self.workspace, progress)
        reporter.note(
            f"pictures: {len(data.cache)} to learn from, {len(data.chooses)} held out to choose by, "
            f"{len(data.reports)} held out to report on"
        )
        if data.labels is not None and (never := [n for i, n in enumerate(data.names) if i not in data.labels]):
            reporter.note(f"nothing is learned of {', '.join(never)}: all pictures with this label are held out")
        return data

    def _check_parent(self) -> None:
        """Refuse a parent that would be overwritten, or paints other sizes.

        Raises:
            TrainingError: it is so.
        """
        options = self.options
        if self.parent is None:
            return
        if self.parent.path.resolve() == self._path.resolve():
            raise TrainingError(f"--name {options.name}", "is the model to start from", "give another --name")
        theirs = self.parent.card.config.painter
        if (theirs.height, theirs.width) != (options.height, options.width):
            raise TrainingError(
                f"--from {options.parent}",
                f"its pictures are {theirs.width}x{theirs.height}, not {options.width}x{options.height}",
                f"use --size {theirs.width}x{theirs.height}",
            )

    def _model(self, data: TrainingData) -> LatentModel:
        options, parent = self.options, self.parent
        kind: Literal["mixture", "flow"] = "mixture" if options.prior == "mixture" else "flow"
        # What a parent has learned fits into its own shape alone.
        width = max(_FEWEST_AXES, len(data.cache) // _PICTURES_AN_AXIS)
        shape = options.shape if parent is None else options.shape.with_sizes_of(parent.card.config.prior)
        config = LatentModelConfig(
            painter=self._painter_config(),
            prior=shape.model_copy(
                update={
                    "kind": kind,
                    "embeddings": min(MOST_EMBEDDINGS, len(data.cache) * view_count(data)),
                    "embedding_width": min(shape.embedding_width, width),
                }
            ),
            labels=data.names,
        )
        model = LatentModel(config)
        if parent is None:
            return model
        own = model.state_dict()
        fitting = {n: t for n, t in parent.generator.state_dict().items() if n in own and own[n].shape == t.shape}
        model.load_state_dict(fitting, strict=False)
        # Which label is which is not in the weights.
        self._inherit(parent, fitting.keys() == own.keys() and parent.card.config.labels == data.names)
        return model

    def _painter_config(self) -> PainterConfig:
        """What the size asks for; a child paints as its parent does, also where new painters are of another shape."""
        if self.parent is not None:
            return self.parent.card.config.painter
        return painter_config(self.options.height, self.options.width)

    def _inherit(self, parent: Model, whole: bool) -> None:
        """What a parent of the same pictures has learned already is not learned again.

        Another family of the same pictures takes painter and flow and goes on with the game; the same family goes on
        with everything.
        """
        card, options = parent.card, self.options
        if not self._same_pictures(card):
            return
        if card.family == "vae" and options.family == "gan":
            self.inherited = {"painter", "prior"} if whole else {"painter"}
            told = " and ".join(sorted(self.inherited))
            self.reporter.note(f"taken from {card.name}, which learned from the same pictures: {told}")

    def _same_pictures(self, card: Card) -> bool:
        own = (self.collection.digest, self.collection.holdout_digest, self.options.where)
        return own == (card.collection.digest, card.collection.holdout_digest, card.collection.where)

    def _rights(self, data: TrainingData) -> RightsSummary:
        """The rights in all pictures that the weights were learned from, a parent's too."""
        parent = None if self.parent is None else self.parent.card
        return rights_with(summary(list(data.rows), self.accepted), parent, self.collection, self.options.where)

    def _teacher(self) -> TeacherNote:
        """The teacher whose taste is in the weights; a parent's stays there."""
        own = teacher_note(self.options.teacher)
        return self.parent.card.teacher if own.name == "none" and self.parent is not None else own

    def _painter(self, model: LatentModel, data: TrainingData, machine: Machine) -> None:
        options = self.options
        share = painter_until(options)
        small = half_config(model.config.painter)
        # A parent's painter is of this size already.
        if small is not None and self.parent is None and not self.record.done("small-painter"):
            self._small_painter(model, small, data, machine, share * SMALL_SHARE)
        stage = PainterStage(model, data, options, machine, self.folder)
        # Without a flow only where there is none yet and none has to be.
        free = options.prior == "best" and options.family == "vae" and self.parent is None
        may_take = most_for_painter(options) if free else None
        self.record.finish(self._loop(stage, machine, share, may_take), model.state_dict())

    def _small_painter(
        self, model: LatentModel, config: PainterConfig, data: TrainingData, machine: Machine, share: float
    ) -> None:
        """The painter's coarse levels at half the size."""
        torch.manual_seed(self.options.seed + 1)
        small = LatentModel(model.config.model_copy(update={"painter": config})).to(machine.device)
        stage = PainterStage(small, half_data(data), self.options, machine, self.folder)
        stage.name, stage.title = "small-painter", f"painter at {config.width}x{config.height}"
        stage.ends_early = False
        state = self._loop(stage, machine, share)
        grow(model, small)
        self.record.finish(state, model.state_dict())

    def _prior(self, model: LatentModel, data: TrainingData, machine: Machine) -> dict[str, Any]:
        options = self.options
        if any(state.longer for state in self.states):
            options = options.model_copy(update={"prior": "mixture"})
        if options.prior != "mixture" and not self.record.done("prior") and "prior" not in self.inherited:
            model.eval()
            stage = PriorStage(model, data, options, machine, self.folder)
            self.record.finish(self._loop(stage, machine, 1 - game_share(options)), model.state_dict())
        model.eval()
        if options.family == "gan":
            model.become_mapping()
            return {}
        return choose_prior(model, data, options, machine, self.folder, self.reporter)

    def _game(self, model: LatentModel, data: TrainingData, machine: Machine) -> None:
        """Painter against discriminator; what it changes is kept apart, since the prior may be another one by now."""
        if not self.record.done("game"):
            stage = GameStage(model, data, self.options, machine, self.folder)
            stage.remedy = self._remedy()
            state = self._loop(stage, machine, None)
            tensors = {name: t for name, t in model.state_dict().items() if name.startswith(stage.changed)}
            self.record.finish(state, tensors)
        model.load_state_dict(self.record.game(), strict=False)
        model.eval()

    def _remedy(self) -> str:
        """What to try where a game collapses."""
        again = "the same command with --resume --game-rate"
        calmer = f"{again} {self.options.game_rate / 3:.1g} plays the game again, more calmly"
        without = "" if self.options.family == "gan" else "; with --resume --no-crisp it is left out"
        return f"{calmer}{without}; more pictures help"

    def _loop(self, stage: Stage, machine: Machine, share: float | None, may_take: float | None = None) -> StageState:
        """Train one stage until this share of the whole budget is used; None for all of it.

        Args:
            may_take: share that it takes where minutes are so few, or the machine so slow, that little is learned.
        """
        spent = sum(state.seconds for state in self.states)
        done = sum(state.step for state in self.states)
        options = self.options
        if options.steps is not None:
            until = options.steps if share is None else round(options.steps * share)
            budget = Budget(steps=max(1, until - done))
        else:
            assert options.minutes is not None
            total = options.minutes * 60
            longer = None if may_take is None else total * may_take - spent
            seconds = max(5.0, total * (1 if share is None else share) - spent)
            budget = Budget(seconds=seconds, longer=longer, fewest=_FEWEST_STEPS)
        loop = Loop(
            stage,
            budget,
            self.folder,
            self.reporter,
            precision=machine.precision,
            device=machine.device,
            seed=options.seed,
            checkpoint_seconds=options.checkpoint_seconds,
            clock=self.clock,
        )
        if loop.path.is_file():
            _, state = read_checkpoint(loop.path)
            if state["stage"]["stage"] == stage.name:
                loop.restore()
                loop.state.resumed += 1
                self.reporter.note(f"resumed at step {loop.state.step} of the {stage.title}")
        try:
            return loop.run()
        except KeyboardInterrupt:
            self.reporter.note(f"stopped; {self._how_to_go_on()}")
            raise

    def _how_to_go_on(self) -> str:
        named = self.collection.folder == self.workspace.collections / self.collection.name
        pictures = self.collection.name if named else self.collection.folder
        return f"go on with: limner train {shlex.quote(str(pictures))} --name {self.options.name} --resume"

    def _save(self, model: LatentModel, data: TrainingData, machine: Machine, quality: dict[str, Any]) -> Path:
        options, states = self.options, {state.stage: state for state in self.states}
        rights, parent = self._rights(data), self.parent
        training = training_note(
            options,
            machine,
            seconds=sum(state.seconds for state in self.states),
            steps={name: state.step for name, state in states.items()},
            pictures=sum(states[name].pictures for name in ("small-painter", "painter") if name in states),
            latents=states["prior"].pictures if "prior" in states else 0,
            resumed=sum(state.resumed for state in self.states),
            leave_out=frozenset({"name", "parent"}),
        )
        # Its name: where its file lay says something of the artist's machine and nothing of the model.
        settings = training.settings | ({} if parent is None else {"parent": parent.card.name})
        card = Card(
            name=options.name,
            family=options.family,
            config=model.config,
            collection=collection_note(
                self.collection,
                options.where,
                learned=len(data.cache),
                held_out=len(data.chooses) + len(data.reports),
            ),
            rights=rights,
            credit=credit_line(rights),
            teacher=self._teacher(),
            training=training.model_copy(update={"settings": settings}),
            quality=quality,
            parents=() if parent is None else (*parent.card.parents, parent.digest),
            created=now(),
            model_watermark="" if parent is None else parent.card.model_watermark,
        )
        self._keep_former()
        save_model(self._path, model.cpu(), card)
        return self._path

    def _keep_former(self) -> None:
        """A model of this name gets another one, and so do its works and measures: nothing is lost or mixed up."""
        if not self._path.is_file():
            return
        name = self.options.name
        aside = f"{name}.{sha256_of(self._path)[:8]}"
        for folder in (self.workspace.works, self.workspace.measured):
            if (folder / name).is_dir() and not (folder / aside).exists():
                (folder / name).rename(folder / aside)
        self._path.replace(self._path.with_name(f"{aside}.safetensors"))
        self.reporter.note(f"the model that had this name, and what was made with it, is called {aside} now")

    @property
    def states(self) -> list[StageState]:
        """Of the stages that are done, in order."""
        return self.record.states

    @property
    def _path(self) -> Path:
        """Where the model goes."""
        return self.workspace.models / f"{self.options.name}.safetensors"


def _cleared(options: TrainOptions, collection: Collection) -> tuple[Sequence[Row], Accepted | None]:
    rows = collection.rows(where=options.where)
    return clear(rows, only_cleared=options.only_cleared, accept_unknown=options.accept_unknown)
