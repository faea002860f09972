"""The command line that trains or merges a model anew: with the options and seed of before, without the pictures."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.errors import ModelError
from limner.models.bundle import SHIPPED, read_card
from limner.models.files import sha256_of
from limner.training.options import TrainOptions
from limner.withdrawal.lineage import Known
from limner.withdrawal.record import FoundModel, Version
from limner.workspace import Workspace

_FLAGS = {
    "family": "--family", "minutes": "--minutes", "steps": "--steps", "label": "--label", "pairs": "--pairs",
    "prior": "--prior", "teacher": "--teacher", "seed": "--seed", "batch": "--batch",
    "learning_rate": "--learning-rate", "adversarial_rate": "--adversarial-rate", "precision": "--precision",
    "threads": "--threads", "device": "--device", "accept_unknown": "--accept-unknown",
}  # fmt: skip
"""Options of `limner train` that give a setting."""
_SWITCHES = {
    "label_is_style": ("--label-is-style", ""), "flip": ("--flip", "--no-flip"), "crisp": ("--crisp", "--no-crisp"),
    "only_cleared": ("--only-cleared", ""), "model_watermark": ("--model-watermark", ""),
}  # fmt: skip
_NO_MATTER = ("name", "height", "width", "where", "parent", "merge", "checkpoint_seconds")
"""Settings that are given otherwise, or that change nothing of what is learned."""
_STEM = 58


@dataclass(frozen=True)
class Retraining:
    """How a model is made anew.

    Attributes:
        arguments: of the program `limner`.
        name: of the new model.
        lacks: settings that the command line cannot give.
        done: sha256 of the new model, where it is there already; empty otherwise.
    """

    arguments: tuple[str, ...]
    name: str
    lacks: tuple[str, ...] = ()
    done: str = ""


class Retrainings:
    """How the affected models of a workspace are made anew from the next version of a collection.

    Args:
        versions: the next version of a collection, by the digest of what models learned from.
        models: all that are known, by digest.
    """

    def __init__(self, workspace: Workspace, versions: Mapping[str, Version], models: Mapping[str, Known]) -> None:
        self._workspace, self._versions, self._models = workspace, versions, models
        self._new: dict[str, str] = {}

    def of(self, found: FoundModel) -> Retraining | None:
        """How a model is made anew; None where its pictures are not here, or nothing says how it was made.

        What it descends from is asked for before it.
        """
        known = self._models[found.digest]
        if found.replaced_by:
            self._new[found.digest] = found.replaced_by
            return None
        made = self._merging(known) if "merge" in known.settings or not known.collection else self._training(known)
        if made is None:
            return None
        self._new[found.digest] = made.name
        return made

    def _training(self, known: Known) -> Retraining | None:
        version = self._versions.get(known.collection)
        if version is None or not known.settings:
            return None
        settings = known.settings
        parent = self._named(known.parents[-1]) if known.parents else ""
        if known.parents and not parent:
            return None
        height, width = settings.get("height", 64), settings.get("width", 64)
        size = str(width) if width == height else f"{width}x{height}"
        flags = ["--size", size, *(f for one in known.where for f in ("--where", one)), *_given(settings)]
        flags += ["--from", parent] if parent else []
        name, done, begun = self._name_for(known, version.digest, settings)
        arguments = ("train", version.name, "--name", name, *(("--resume",) if begun else flags))
        return Retraining(arguments, name, _lacking(settings), done)

    def _merging(self, known: Known) -> Retraining | None:
        """A merge of what its parents are by now, or a watermark put into what its parent is."""
        merge = known.settings.get("merge")
        if isinstance(merge, dict):
            parents = [self._named(str(one.get("digest"))) for one in merge.get("of", ())]
            if len(parents) != 2 or not all(parents):
                return None
            way = merge.get("way")
            flags = (
                ["--at", str(merge["at"])] if way == "levels" else
                ["--weights", ",".join(f"{one:g}" for one in merge["weights"])] if way == "weights" else
                [f for f in _given(known.settings) if f] if way == "distillation" else []
            )  # fmt: skip
            keep = ("--minutes", "--steps", "--seed")
            if way == "distillation":
                flags = [f for flag, value in _pairs(flags) if flag in keep for f in (flag, value)]
            name = self._free(known, [self._digest_of(one) for one in parents])
            return Retraining(("merge", *parents, *flags, "--name", name.name), name.name, (), name.done)
        if known.card is not None and known.card.model_watermark and known.parents:
            parent = self._named(known.parents[-1])
            name = self._free(known, [self._digest_of(parent)])
            done = ("model", "watermark", parent, "--name", name.name)
            return Retraining(done, name.name, (), name.done) if parent else None
        return None

    def _named(self, digest: str) -> str:
        """What a parent is called by now: the model that replaces it, or itself; empty where it is gone."""
        if digest in self._new:
            return self._new[digest]
        known = self._models.get(digest)
        return known.name if known is not None and known.path is not None else ""

    def _digest_of(self, name: str) -> str:
        path = self._workspace.models / f"{name}.safetensors"
        path = path if path.is_file() else SHIPPED / path.name
        return sha256_of(path) if path.is_file() else ""

    def _name_for(self, known: Known, collection: str, settings: Mapping[str, Any]) -> tuple[str, str, bool]:
        """The first free name; the sha256 of a model that was made anew before; whether a run of it was begun."""
        for name in _names(known):
            path = self._workspace.models / f"{name}.safetensors"
            run = self._workspace.runs / name / "options.json"
            if path.is_file():
                if (done := _made_so(path, collection, settings)) is not None:
                    return name, done, False
                continue
            begun = _read(run)
            if not begun or begun.get("digest") == collection:
                return name, "", bool(begun)
        raise AssertionError("there is always a free name")

    def _free(self, known: Known, parents: Sequence[str]) -> Retraining:
        """The first free name, or that of a model that was made anew of these parents."""
        for name in _names(known):
            path = self._workspace.models / f"{name}.safetensors"
            if not path.is_file():
                return Retraining((), name)
            try:
                theirs = read_card(path).parents
            except ModelError:
                continue
            if all(parents) and set(parents) <= set(theirs):
                return Retraining((), name, done=sha256_of(path))
        raise AssertionError("there is always a free name")


def _names(known: Known) -> Sequence[str]:
    return [f"{known.name[:_STEM]}-{number}" for number in range(2, 1000)]


def _made_so(path: Path, collection: str, settings: Mapping[str, Any]) -> str | None:
    """The sha256 of a model that learned from this collection with these settings; None for any other."""
    try:
        card = read_card(path)
    except ModelError:
        return None
    same = ("seed", "steps", "minutes", "family", "label")
    if card.collection.digest != collection or any(card.training.settings.get(n) != settings.get(n) for n in same):
        return None
    return sha256_of(path)


def _given(settings: Mapping[str, Any]) -> list[str]:
    """The settings that differ from what is usual, as options of the command line."""
    usual = _usual(settings)
    flags: list[str] = []
    for name, flag in _FLAGS.items():
        value = settings.get(name)
        if value is not None and (value != usual.get(name) or name in ("family", "seed")):
            flags += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    for name, (on, off) in _SWITCHES.items():
        if name in settings and settings[name] != usual.get(name):
            flags.append(on if settings[name] else off)
    return [flag for flag in flags if flag]


def _usual(settings: Mapping[str, Any]) -> dict[str, Any]:
    usual = TrainOptions(name="usual").model_dump(mode="json")
    # By minutes or by steps: what is given has to be said.
    return usual | {"minutes": None, "steps": None}


def _lacking(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Settings that differ from what is usual and that no option gives."""
    usual, known = _usual(settings), {*_FLAGS, *_SWITCHES, *_NO_MATTER}
    lacking = {name for name, value in settings.items() if name not in known and value != usual.get(name)}
    strange = lacking - TrainOptions.model_fields.keys()
    return (*sorted(lacking - strange), *(["what an earlier limner called otherwise"] if strange else []))


def _pairs(flags: Sequence[str]) -> list[tuple[str, str]]:
    return [(flag, value) for flag, value in itertools.pairwise(flags) if flag.startswith("--")]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
