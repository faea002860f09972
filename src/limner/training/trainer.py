"""From a collection to a model file: the stages in their order, resumable at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from limner.collection import Collection
from limner.machine import Machine, check_device, probe
from limner.models.bundle import load_model, save_model
from limner.models.card import Card, TeacherNote
from limner.models.files import sha256_of
from limner.models.latent_model import LatentModel
from limner.models.painter import PainterConfig
from limner.training.adversarial_stage import AdversarialStage
from limner.training.beginning import begun_model, check_parent, inherited_stages
from limner.training.choosing import choose_prior
from limner.training.data import TrainingData, load_data, split_rows
from limner.training.growing import grow, half_config, half_data
from limner.training.notes import learned_notes, rights_with, teacher_note, training_note
from limner.training.options import TrainOptions
from limner.training.painter_stage import PainterStage
from limner.training.permitted import permitted
from limner.training.plots import plot_curves
from limner.training.prior_stage import PriorStage
from limner.training.report import measure_quality
from limner.training.run import Run, typed_collection
from limner.training.sharing import (
    SMALL_SHARE,
    adversarial_share,
    budget_until,
    most_for_painter,
    painter_until,
)
from limner.training.stage import Observer, Reporter, StageState
from limner.workspace import Workspace


class Training:
    """One training in its run's folder.

    Args:
        collection: what is learned from.
        resume: go on from the run's checkpoint, where there is one.
        clock: seconds that count as the minutes of the options.
        observer: who watches its stages.
        again: whether somebody can go on with it; otherwise no message says how to.
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
        observer: Observer | None = None,
        again: bool = True,
    ) -> None:
        self.options, self.collection, self.workspace, self.reporter = options, collection, workspace, reporter
        self.pictures = permitted(collection, options, workspace, reporter)
        self.rows = self.pictures.rows
        split_rows(self.rows, options)
        self.parent = None if options.parent is None else load_model(Path(options.parent))
        check_device(options.device)
        self.path = workspace.models / f"{options.name}.safetensors"
        check_parent(options, self.parent, self.path)
        self.record = Run(
            options.name,
            options,
            collection,
            "" if self.parent is None else self.parent.digest,
            workspace,
            reporter,
            clock=clock,
            observer=observer,
            again=self._command() if again else "",
        )
        self.folder = self.record.folder
        self.record.start(resume=resume, redo=self._redo)

    def run(self) -> Path:
        """Train all stages, save the model, return its path."""
        options, record = self.options, self.record
        machine = probe(options.precision, options.threads, options.device)
        self.reporter.note(f"machine: {machine.reason}")
        if options.steps is None and (worth := machine.worth()) is not None:
            self.reporter.note(worth)
        data = self._data()
        torch.manual_seed(options.seed)
        model = begun_model(options, data, self.parent).to(machine.device)
        inherited = inherited_stages(options, self.collection, model, self.parent)
        if inherited and self.parent:
            stages = " and ".join(sorted(inherited))
            self.reporter.note(f"taken from {self.parent.card.name}, which learned from the same pictures: {stages}")
        if finished := record.weights():
            model.load_state_dict(finished)
        if not record.done("painter") and "painter" not in inherited:
            self._train_painter(model, data, machine)
        chosen = self._train_prior(model, data, machine, "prior" in inherited)
        if options.family == "gan" or options.crisp:
            self._train_adversarially(model, data, machine)
        self.reporter.stage("measuring")
        quality = measure_quality(model, data, machine, options) | chosen
        plot_curves(record.states, self.folder / "curves.png")
        return self._save(model, data, machine, quality)

    @property
    def states(self) -> list[StageState]:
        """Of the stages that are done, in order."""
        return self.record.states

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

    def _train_painter(self, model: LatentModel, data: TrainingData, machine: Machine) -> None:
        options, record = self.options, self.record
        share = painter_until(options)
        small = half_config(model.config.painter)
        # A parent's painter is of this size already.
        if small is not None and self.parent is None and not record.done("small-painter"):
            self._train_small_painter(model, small, data, machine, share * SMALL_SHARE)
        stage = PainterStage(model, data, options, machine, self.folder)
        # Without a flow only where there is none yet and none has to be.
        free = options.prior == "best" and options.family == "vae" and self.parent is None
        budget = budget_until(options, record.states, share, most_for_painter(options) if free else None)
        record.finish(record.train(stage, budget, machine), model.state_dict())

    def _train_small_painter(
        self, model: LatentModel, config: PainterConfig, data: TrainingData, machine: Machine, share: float
    ) -> None:
        """The painter's coarse levels at half the size."""
        torch.manual_seed(self.options.seed + 1)
        small = LatentModel(model.config.model_copy(update={"painter": config})).to(machine.device)
        stage = PainterStage(small, half_data(data), self.options, machine, self.folder)
        stage.name, stage.title = "small-painter", f"painter at {config.width}x{config.height}"
        stage.ends_early = False
        state = self.record.train(stage, budget_until(self.options, self.record.states, share), machine)
        grow(model, small)
        self.record.finish(state, model.state_dict())

    def _train_prior(self, model: LatentModel, data: TrainingData, machine: Machine, inherited: bool) -> dict[str, Any]:
        """Learn what draws latents; what is said of how it was chosen."""
        options, record = self.options, self.record
        if any(state.longer for state in record.states):
            options = options.model_copy(update={"prior": "mixture"})
        model.eval()
        if options.prior != "mixture" and not record.done("prior") and not inherited:
            stage = PriorStage(model, data, options, machine, self.folder)
            budget = budget_until(options, record.states, 1 - adversarial_share(options))
            record.finish(record.train(stage, budget, machine), model.state_dict())
        model.eval()
        if options.family == "gan":
            model.become_mapping()
        if options.family != "vae":
            return {}
        return choose_prior(model, data, options, machine, self.folder, self.reporter)

    def _train_adversarially(self, model: LatentModel, data: TrainingData, machine: Machine) -> None:
        """Painter against discriminator; what it changes is kept apart, since the prior may be another one by now."""
        options, record = self.options, self.record
        if not record.done(AdversarialStage.name):
            stage = AdversarialStage(model, data, options, machine, self.folder)
            if record.again:
                calmer = f"the same command with --resume --adversarial-rate {options.adversarial_rate / 3:.1g}"
                without = "" if options.family == "gan" else "; with --resume --no-crisp it is left out"
                stage.collapse_remedy = f"{calmer} repeats it, more calmly{without}; more pictures help"
            state = record.train(stage, budget_until(options, record.states), machine)
            tensors = {name: t for name, t in model.state_dict().items() if name.startswith(stage.changed)}
            record.finish(state, tensors)
        model.load_state_dict(record.weights_of(AdversarialStage.name), strict=False)
        model.eval()

    def _redo(self, before: TrainOptions) -> str:
        """The adversarial stage begins again where its learning rate changed, or whether there is one."""
        ours = self.options
        same = (before.adversarial_rate, before.crisp) == (ours.adversarial_rate, ours.crisp)
        return "" if same else AdversarialStage.name

    def _command(self) -> str:
        """The command line that goes on with the run."""
        pictures = typed_collection(self.collection, self.workspace)
        return f"limner train {pictures} --name {self.options.name} --resume"

    def _teacher(self) -> TeacherNote:
        """The teacher whose taste is in the weights; a parent's stays there."""
        own = teacher_note(self.options.teacher)
        return self.parent.card.teacher if own.name == "none" and self.parent is not None else own

    def _save(self, model: LatentModel, data: TrainingData, machine: Machine, quality: dict[str, Any]) -> Path:
        options, parent = self.options, self.parent
        theirs = None if parent is None else parent.card
        rights = rights_with(self.pictures.rights(data.rows), theirs, self.collection, options.where)
        training = training_note(options, machine, self.record.states, leave_out=frozenset({"name", "parent"}))
        # Its name: where its file lay says something of the artist's machine and nothing of the model.
        settings = training.settings | ({} if parent is None else {"parent": parent.card.name})
        card = Card(
            **learned_notes(
                options,
                self.collection,
                rights,
                training.model_copy(update={"settings": settings}),
                learned=len(data.cache),
                held_out=len(data.chooses) + len(data.reports),
                teacher=self._teacher(),
                use=self.pictures.use,
            ),
            name=options.name,
            family=options.family,
            config=model.config,
            quality=quality,
            parents=() if parent is None else (*parent.card.parents, parent.digest),
            model_watermark="" if parent is None else parent.card.model_watermark,
        )
        self._keep_former()
        save_model(self.path, model.cpu(), card)
        return self.path

    def _keep_former(self) -> None:
        """A model of this name gets another one, and so do its works and measures: nothing is lost or mixed up."""
        if not self.path.is_file():
            return
        name = self.options.name
        aside = f"{name}.{sha256_of(self.path)[:8]}"
        for folder in (self.workspace.works, self.workspace.measured):
            if (folder / name).is_dir() and not (folder / aside).exists():
                (folder / name).rename(folder / aside)
        self.path.replace(self.path.with_name(f"{aside}.safetensors"))
        self.reporter.note(f"the model that had this name, and what was made with it, is called {aside} now")
