"""A run in its folder: its options, which stages are done, with which weights; so any training can go on."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor, nn

from limner.collection import Collection
from limner.errors import TrainingError
from limner.machine import Machine
from limner.models.bundle import SHIPPED, Model
from limner.training.checkpoint import read_checkpoint, write_checkpoint
from limner.training.loop import Loop
from limner.training.options import RunOptions
from limner.training.stage import Budget, Observer, Reporter, Stage, StageState
from limner.workspace import Workspace, replace_file

_OPTIONS = "options.json"
_STATES = "stages.json"
_CHECKPOINT = "checkpoint.safetensors"
_FINISHED = "finished.safetensors"
_APART = {"adversarial": "adversarial.safetensors"}
"""Stages whose weights are kept apart, and where: only a part of the model changes, and they may be repeated."""
_LONGEST = 40
"""Letters of a run's name that are kept where it is moved aside: with the time it is a name again."""

_Options = TypeVar("_Options", bound=RunOptions)


class Begun(NamedTuple, Generic[_Options]):
    """How a run was begun.

    Attributes:
        collection: folder of the collection.
        digest: of the collection; empty where none is learned from.
        parent: sha256 of the model, or models, that it started from or learned with; empty for none.
    """

    options: _Options
    collection: str
    digest: str
    parent: str


class Run(Generic[_Options]):
    """One run: the stages of a training, each with its weights, checkpoint and state.

    Args:
        name: of its folder among the runs.
        collection: what is learned from, if anything but what models draw.
        parent: sha256 of the model, or models, to start from or learn with; empty for none.
        clock: seconds that count as minutes; those of the processor, say.
        observer: who watches its stages.
        again: the command line that goes on with it; empty where nobody can.

    Attributes:
        folder: of the run.
        states: of the stages that are done, in order; read by `weights`.
    """

    def __init__(
        self,
        name: str,
        options: _Options,
        collection: Collection | None,
        parent: str,
        workspace: Workspace,
        reporter: Reporter,
        *,
        clock: Callable[[], float] = time.monotonic,
        observer: Observer | None = None,
        again: str = "",
    ) -> None:
        self.name, self.options, self.workspace, self.reporter = name, options, workspace, reporter
        self.folder = workspace.runs / name
        self.clock, self.observer, self.again = clock, observer, again
        self._origin = {
            "command": options.command,
            "collection": str(collection.folder) if collection else "",
            "digest": collection.digest if collection else "",
            "parent": parent,
        }
        self.states: list[StageState] = []

    def start(self, *, resume: bool, redo: Callable[[_Options], str] = lambda before: "") -> None:
        """Begin, or go on.

        Args:
            redo: by the options of before, the stage that has to begin again, if any.

        Raises:
            TrainingError: to resume, there is no such run, or it began with other pictures or models.
        """
        if resume:
            before = self._begun()
            # First what is to be forgotten: a run that is killed in between is asked the same again.
            if stage := redo(before):
                self.forget(stage)
        else:
            self._move_aside()
            self.workspace.make(self.folder)
        self._keep_options()
        self.workspace.make(self.folder / "sheets")

    def _move_aside(self) -> None:
        """What an older run of the name left is never lost."""
        if self.folder.exists():
            stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
            aside = self.folder.with_name(f"{self.folder.name[:_LONGEST]}.{stamp}")
            self.folder.replace(aside)
            self.reporter.note(f"an earlier run of this name was moved to {aside}")

    def _begun(self) -> _Options:
        """The options with which the run was begun."""
        begun = open_run(self.name, self.workspace, type(self.options))
        name = f"run {self.name}"
        if begun.digest != self._origin["digest"]:
            raise TrainingError(
                name,
                f"was begun with other pictures than {Path(self._origin['collection']).name} has now "
                f"(those of {begun.collection} then)",
                "go on with that collection, or train anew without --resume",
            )
        if begun.parent != self._origin["parent"]:
            former = getattr(begun.options, "parent", None)
            model = f"model than {former} is now" if former else "model, or models, than these"
            raise TrainingError(
                name, f"was begun with another {model}", "put that model back, or train anew without --resume"
            )
        return begun.options

    def weights(self) -> dict[str, Tensor]:
        """Take up which stages are done; the weights after all but those kept apart, none where there are none."""
        path = self.folder / _STATES
        if not path.is_file():
            return {}
        self.states = [StageState(**own) for own in json.loads(path.read_text())]
        finished = self.folder / _FINISHED
        return read_checkpoint(finished)[0] if finished.is_file() else {}

    def weights_of(self, stage: str) -> dict[str, Tensor]:
        """The weights of a stage that are kept apart, once it is done."""
        return read_checkpoint(self.folder / _APART[stage])[0]

    def done(self, stage: str) -> bool:
        """Whether a stage is."""
        return any(state.stage == stage for state in self.states)

    @property
    def seconds(self) -> float:
        """Spent in the stages that are done."""
        return sum(state.seconds for state in self.states)

    def train(self, stage: Stage, budget: Budget, machine: Machine) -> StageState:
        """Train one stage, or go on with it where it was interrupted.

        Raises:
            KeyboardInterrupt: after a checkpoint was written, and how to go on was said.
            TrainingError: the losses are no numbers again and again.
        """
        loop = Loop(
            stage,
            budget,
            self.folder,
            self.reporter,
            precision=machine.precision,
            device=machine.device,
            seed=self.options.seed,
            checkpoint_seconds=self.options.checkpoint_seconds,
            clock=self.clock,
            observer=self.observer,
        )
        if not self.again:
            stage.remedy = "try more pictures, or other minutes"
        if loop.saved():
            loop.restore()
            loop.state.resumed += 1
            self.reporter.note(f"resumed at step {loop.state.step} of the stage {stage.title}")
        try:
            return loop.run()
        except KeyboardInterrupt:
            how = f"go on with: {self.again}" if self.again else "the same command begins anew"
            self.reporter.note(f"stopped; {how}")
            raise

    def train_alone(self, stage: Stage, network: nn.Module, machine: Machine) -> None:
        """Train the only stage of a run for all of its minutes or steps; the network then holds what was learned."""
        finished = self.weights()
        if not self.done(stage.name):
            self.finish(self.train(stage, self.options.budget(), machine), network.state_dict())
        else:
            network.load_state_dict(finished)
        network.eval()

    def finish(self, state: StageState, tensors: Mapping[str, Tensor] | None) -> None:
        """A stage is done: keep its weights, if any, and its state, then drop the checkpoint within it."""
        self.states.append(state)
        if tensors is not None:
            write_checkpoint(self.folder / _APART.get(state.stage, _FINISHED), dict(tensors), {})
        self._keep_states([asdict(one) for one in self.states])
        (self.folder / _CHECKPOINT).unlink(missing_ok=True)

    def forget(self, stage: str) -> None:
        """Undo a stage whose weights are kept apart, as if it had never begun; say so where there was anything."""
        checkpoint, states = self.folder / _CHECKPOINT, self.folder / _STATES
        begun = checkpoint.is_file() and read_checkpoint(checkpoint)[1]["stage"]["stage"] == stage
        kept = json.loads(states.read_text()) if states.is_file() else []
        others = [state for state in kept if state["stage"] != stage]
        if others != kept:
            self._keep_states(others)
        (self.folder / _APART[stage]).unlink(missing_ok=True)
        if begun:
            checkpoint.unlink()
        if begun or others != kept:
            self.reporter.note(f"the {stage} stage is forgotten, because its options changed: it begins again")

    def _keep_options(self) -> None:
        kept = {**self._origin, "options": self.options.model_dump(mode="json")}
        with replace_file(self.folder / _OPTIONS) as part:
            part.write_text(json.dumps(kept, indent=2))

    def _keep_states(self, states: list[dict[str, Any]]) -> None:
        with replace_file(self.folder / _STATES) as part:
            part.write_text(json.dumps(states))


def typed_collection(collection: Collection, workspace: Workspace) -> str:
    """How a collection is named in a command line: by its name where the workspace has it, else by its folder."""
    named = collection.folder == workspace.collections / collection.name
    return shlex.quote(collection.name if named else str(collection.folder))


def typed_model(model: Model, workspace: Workspace) -> str:
    """How a model is named in a command line: by its name where that leads to it, else by its file."""
    named = model.path.parent in (workspace.models, SHIPPED)
    return shlex.quote(model.name if named else str(model.path))


def open_run(name: str, workspace: Workspace, kind: type[_Options]) -> Begun[_Options]:
    """How a run was begun.

    Args:
        kind: of its options; runs of other commands have others.

    Raises:
        TrainingError: there is none of this name, it is of another command, or its record is damaged.
    """
    path = workspace.runs / name / _OPTIONS
    if not path.is_file():
        there = sorted(folder.parent.name for folder in workspace.runs.glob(f"*/{_OPTIONS}"))
        raise TrainingError(f"run {name}", "nothing to resume", f"runs here: {', '.join(there) or 'none'}")
    try:
        kept = json.loads(path.read_text())
        if kept["command"] != kind.command:
            raise TrainingError(f"run {name}", f"is one of limner {kept['command']}", "train anew without --resume")
        options = kind.model_validate(kept["options"])
        if "name" in kept["options"]:
            # A run that was moved aside has another name than when it began.
            options = options.model_copy(update={"name": name.removesuffix(kind.run_suffix)})
        return Begun(options, str(kept["collection"]), str(kept["digest"]), str(kept["parent"]))
    except (ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise TrainingError(path, f"the record of the run is damaged ({reason})", "train without --resume") from None
