"""The record of a run, in its folder: what it was told, which stages are done, with which weights; so it can go on."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import NamedTuple

from pydantic import ValidationError
from torch import Tensor

from limner.collection import Collection
from limner.errors import TrainingError
from limner.training.checkpoint import read_checkpoint, write_checkpoint
from limner.training.loop import Reporter, StageState
from limner.training.options import TrainOptions
from limner.workspace import Workspace, replace_file

__all__ = ["Begun", "Record", "open_run"]

_OPTIONS = "options.json"
_STATES = "stages.json"
_CHECKPOINT = "checkpoint.safetensors"
_FINISHED = "finished.safetensors"
_GAME = "game.safetensors"
_PLAYED = "game"
"""The stage whose weights are kept apart: only a part of the model changes, and it may be played again."""


_LONGEST = 40
"""Letters of a run's name that are kept where it is moved aside: with the time it is a name again."""


class Begun(NamedTuple):
    """How a run was begun.

    Attributes:
        options: with the name that the run has now.
        collection: folder of the collection.
        digest: of the collection.
        parent: sha256 of the model that it started from; empty for none, and in records of before it was kept.
    """

    options: TrainOptions
    collection: str
    digest: str
    parent: str


class Record:
    """What is kept of one run.

    Args:
        parent: sha256 of the model to start from; empty for none.

    Attributes:
        folder: of the run.
        states: of the stages that are done, in order; read by `read_states`.
    """

    def __init__(self, options: TrainOptions, collection: Collection, workspace: Workspace, parent: str = "") -> None:
        self.options, self.collection, self.workspace, self.parent = options, collection, workspace, parent
        self.folder = workspace.runs / options.name
        self.states: list[StageState] = []

    def begin(self, reporter: Reporter) -> None:
        """A new run: what an older one of the name left is moved aside, never lost."""
        if (self.folder / _OPTIONS).exists():
            stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
            aside = self.folder.with_name(f"{self.folder.name[:_LONGEST]}.{stamp}")
            self.folder.replace(aside)
            reporter.note(f"an earlier run of this name was moved to {aside}")
        self.workspace.make(self.folder / "sheets")
        self._keep_options()

    def go_on(self, reporter: Reporter) -> None:
        """A run that goes on may be told of another game: what was played of the former one is forgotten.

        Raises:
            TrainingError: there is no such run, or it began with other pictures or another model.
        """
        begun = open_run(self.options.name, self.workspace)
        before = begun.options
        if begun.digest != self.collection.digest:
            raise TrainingError(
                f"run {self.options.name}",
                f"was begun with other pictures than {self.collection.name} has now (those of {begun.collection} then)",
                "go on with that collection, or train anew without --resume",
            )
        if begun.parent and begun.parent != self.parent:
            raise TrainingError(
                f"run {self.options.name}",
                f"was begun with another model than {before.parent} is now",
                "put that model back, or train anew without --resume",
            )
        if before == self.options:
            return
        # The game first: a run that is killed in between is told the same again.
        if (before.game_rate, before.crisp) != (self.options.game_rate, self.options.crisp):
            self._forget_game(reporter)
        self._keep_options()

    def read_states(self) -> dict[str, Tensor]:
        """Take up which stages are done; the weights after all of them but the game, none where there are none."""
        path = self.folder / _STATES
        if not path.is_file():
            return {}
        self.states = [StageState(**own) for own in json.loads(path.read_text())]
        # Where a parent had learned all but the game, nothing else was finished here.
        if all(state.stage == _PLAYED for state in self.states):
            return {}
        return read_checkpoint(self.folder / _FINISHED)[0]

    def done(self, stage: str) -> bool:
        """Whether a stage is."""
        return any(state.stage == stage for state in self.states)

    def finish(self, state: StageState, tensors: dict[str, Tensor]) -> None:
        """A stage is done: keep its weights and its state, then drop the checkpoint within it."""
        self.states.append(state)
        write_checkpoint(self.folder / (_GAME if state.stage == _PLAYED else _FINISHED), tensors, {})
        self._keep_states([asdict(one) for one in self.states])
        (self.folder / _CHECKPOINT).unlink(missing_ok=True)

    def game(self) -> dict[str, Tensor]:
        """The weights that the game changed, once it is done."""
        return read_checkpoint(self.folder / _GAME)[0]

    def _keep_options(self) -> None:
        kept = {"collection": str(self.collection.folder), "digest": self.collection.digest, "parent": self.parent}
        with replace_file(self.folder / _OPTIONS) as part:
            part.write_text(json.dumps({**kept, "options": self.options.model_dump(mode="json")}, indent=2))

    def _keep_states(self, states: list[dict[str, object]]) -> None:
        with replace_file(self.folder / _STATES) as part:
            part.write_text(json.dumps(states))

    def _forget_game(self, reporter: Reporter) -> None:
        checkpoint, states = self.folder / _CHECKPOINT, self.folder / _STATES
        begun = checkpoint.is_file() and read_checkpoint(checkpoint)[1]["stage"]["stage"] == _PLAYED
        kept = json.loads(states.read_text()) if states.is_file() else []
        others = [state for state in kept if state["stage"] != _PLAYED]
        if others != kept:
            self._keep_states(others)
        (self.folder / _GAME).unlink(missing_ok=True)
        if begun:
            checkpoint.unlink()
        if begun or others != kept:
            reporter.note("what was played of the game is forgotten: it was told to be another one")


def open_run(name: str, workspace: Workspace) -> Begun:
    """How a run was begun.

    Raises:
        TrainingError: there is none of this name, or its record is damaged.
    """
    path = workspace.runs / name / _OPTIONS
    if not path.is_file():
        there = sorted(folder.parent.name for folder in workspace.runs.glob(f"*/{_OPTIONS}"))
        raise TrainingError(f"run {name}", "nothing to resume", f"runs here: {', '.join(there) or 'none'}")
    try:
        kept = json.loads(path.read_text())
        # A run that was moved aside has another name than when it began.
        options = TrainOptions.model_validate({**kept["options"], "name": name})
        return Begun(options, str(kept["collection"]), str(kept["digest"]), str(kept.get("parent", "")))
    except (ValueError, KeyError, ValidationError) as error:
        reason = " ".join(str(error).split())[:100]
        raise TrainingError(path, f"the record of the run is damaged ({reason})", "train without --resume") from None
