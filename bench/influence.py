"""Whose pictures shaped a composition: is that told rightly, and do the intervals hold?

    python -m bench influence

Six collections of several creators; one creator has a composition in a fifth of the pictures that no other picture has.
limner's own model is trained on each (`limner train`); of what it paints, those works are chosen that show the planted
composition, by their correlation with it, which knows nothing of influence, and as many that do not. Three ensembles
are trained for each model, with other seeds. Each is asked about each work, and its intervals are compared with what
the other two say together. Everything is kept: a run that was broken off goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.places import RESULTS, WORK
from bench.planted import PLANTS, Plant, planted_collection, showing
from limner.influence.compositions import describe
from limner.influence.ensemble import Ensemble, EnsembleOptions
from limner.influence.estimate import distances_to, estimate
from limner.influence.groups import Grouping, grouping
from limner.influence.shares import Influence, Verdict, influence
from limner.influence.sources import Learned, learned_by
from limner.machine import probe
from limner.models.bundle import load_model
from limner.pictures.sheets import save_sheet
from limner.statistics import share
from limner.workspace import Workspace, replace_file

__all__ = ["SEEDS", "Case", "ensemble_of", "influences", "judged", "open_case", "told"]

_FOLDER, _SHEETS = RESULTS / "influence", WORK / "influence"
_PAINTED, _WORKS = 1024, 20
"""Compositions that a model paints to choose from, and works of each kind at most."""
_SEED_OF_WORKS = 5
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Case:
    """One collection, its model and the works that are asked about."""

    plant: Plant
    creator: str
    model: str
    learned: Learned
    groups: Grouping
    shows: Tensor
    others: Tensor
    painted: int

    @property
    def described(self) -> Tensor:
        """All works: first those that show the composition. # float32 [n, 171]"""
        return describe(torch.cat([self.shows, self.others]))


def influences(workspace: Workspace, only: Sequence[str] = (), seeds: Sequence[int] = SEEDS) -> None:
    """Train what is missing, ask, and keep a result for each collection."""
    machine = probe(threads=1)
    for plant in PLANTS:
        if only and plant.name not in only:
            continue
        case = open_case(plant, workspace)
        for seed in seeds:
            ensemble = ensemble_of(case, workspace, seed)
            ensemble.train(machine, workspace, partial(_say, f"{plant.name}, seed {seed}"))
        _keep(plant.name, _result(case, workspace))
        print(f"{plant.name}: kept", flush=True)


def open_case(plant: Plant, workspace: Workspace) -> Case:
    """The collection of a plant, the model that learned from it, and works; trained where it is missing."""
    _, creator = planted_collection(plant, workspace)
    path = workspace.models / f"{plant.name}.safetensors"
    if not path.is_file():
        command = [sys.executable, "-m", "limner", "train", plant.name, "--name", plant.name, "--size", "32"]
        command += ["--steps", str(plant.steps), "--prior", plant.prior, "--no-crisp", "--threads", "1"]
        subprocess.run(command, check=True, env=_environment(workspace))
    model = load_model(path)
    learned = learned_by(model.card, workspace)
    with probe(threads=1).autocast():
        painted = model.generator.paint(model.generator.sample(_PAINTED, seed=_SEED_OF_WORKS)).clone()
    shown = showing(plant.motif, painted)
    case = Case(
        plant, creator, model.digest, learned, grouping(learned.rows), painted[shown][:_WORKS],
        painted[~shown][:_WORKS], int(shown.sum()),
    )  # fmt: skip
    _SHEETS.mkdir(parents=True, exist_ok=True)
    save_sheet(torch.cat([case.shows, case.others]), _SHEETS / f"{plant.name}.png")
    return case


def ensemble_of(case: Case, workspace: Workspace, seed: int) -> Ensemble:
    """The ensemble of a seed, as limner trains it by default."""
    return Ensemble(case.model, case.learned, case.groups, workspace, EnsembleOptions(seed=seed))


def _result(case: Case, workspace: Workspace) -> dict[str, Any]:
    ensembles = {seed: ensemble_of(case, workspace, seed) for seed in SEEDS}
    loaded = {seed: one.load() for seed, one in ensembles.items() if one.status().complete}
    works, shows = case.described, len(case.shows)
    asked = {seed: [influence(one, painted, case.groups) for one in works] for seed, painted in loaded.items()}
    truths = {seed: _truths(case, loaded, seed) for seed in loaded}
    quick = [estimate(distances_to(one, case.learned), case.groups) for one in works]
    return {
        "plant": {"pictures": case.plant.pictures, "motif": case.plant.motif, "creator": case.creator},
        "training_pictures": len(case.learned.rows),
        "creators": len(case.groups.groups),
        "marked": sum(row.labels.get("marked") == "True" for row in case.learned.rows),
        "painted": _PAINTED,
        "show_it": case.painted,
        "works": {"show": shows, "other": len(works) - shows},
        "ensemble": {str(seed): judged(case, asked[seed], truths[seed], shows) for seed in loaded},
        "estimate": judged(case, quick, asked[0], shows),
    }


def _truths(case: Case, loaded: Mapping[int, Mapping[int, list[Tensor]]], without: int) -> list[Influence]:
    """What the models of all other ensembles say together of each work; nothing where there are not two others."""
    others = [painted for seed, painted in loaded.items() if seed != without]
    if len(others) < 2:
        return []
    whole = {kind: [one for painted in others for one in painted[kind]] for kind in loaded[without]}
    return [influence(work, whole, case.groups) for work in case.described]


def judged(case: Case, asked: Sequence[Influence], truths: Sequence[Influence], shows: int) -> dict[str, Any]:
    """Who comes first in works that show the composition; whether intervals hold the truth, work by work."""
    names = [one.name for one in case.groups.groups]
    held, widths, errors = [], [], []
    for one, truth in zip(asked, truths, strict=False):
        own, true = ({s.name: s.share for s in found.shares} for found in (one, truth))
        held.append([own[n].low <= true[n].value <= own[n].high for n in names])
        widths.append([own[n].high - own[n].low for n in names])
        errors.append([own[n].value - true[n].value for n in names])
    showing_it, others = asked[:shows], asked[shows:]
    planted = [next(s for s in one.shares if s.name == case.creator) for one in asked]
    return {
        "first": [one.shares[0].name == case.creator for one in showing_it],
        "told": [one.verdict is Verdict.FIRST and one.shares[0].name == case.creator for one in showing_it],
        "told_wrongly": [one.verdict is Verdict.FIRST and one.shares[0].name != case.creator for one in showing_it],
        "verdicts_of_others": [one.verdict.value for one in others],
        "verdicts": [one.verdict.value for one in showing_it],
        "share_of_planted": [round(one.share.value, 3) for one in planted],
        "truth_of_planted": [
            round(next(s for s in one.shares if s.name == case.creator).share.value, 3) for one in truths
        ],
        "holds": held,
        "width": [float(np.mean(one)) for one in (widths[:shows], widths[shows:]) if one],
        "error": float(np.sqrt(np.mean(np.square(errors)))) if errors else None,
    }


def told() -> str:
    """The figures of all results, as a table in Markdown."""
    found = [json.loads(file.read_text()) for file in sorted(_FOLDER.glob("*.json"))]
    if not found:
        return "no results yet"
    titles = "collection", "works", "first: ensemble", "first: estimate", "intervals hold", "others: nobody named"
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for one in found:
        lines.append(_line(f"{one['plant']['pictures']}, {one['plant']['motif']}", [one]))
    lines.append(_line("**all**", found))
    return "\n".join(lines)


def _line(name: str, results: Sequence[Mapping[str, Any]]) -> str:
    judged = [own for one in results for own in one["ensemble"].values()]
    first = [x for one in judged for x in one["first"]]
    quick = [x for one in results for x in one["estimate"]["first"]]
    holds = [x for one in judged for work in one["holds"] for x in work]
    unsure = [v != "first" for one in judged for v in one["verdicts_of_others"]]
    works = sum(one["works"]["show"] for one in results)
    if not holds:
        return f"| {name} | {works} | {_share(first)} | {_share(quick)} | not asked | {_share(unsure)} |"
    cells = [name, str(works), *(_share(x) for x in (first, quick, holds, unsure))]
    return f"| {' | '.join(cells)} |"


def _share(of: Sequence[bool]) -> str:
    found = share(of)
    return f"{found.value:.0%} ({sum(of)} of {found.count}; 95 %: {found.low:.0%} to {found.high:.0%})"


def _keep(name: str, result: Mapping[str, Any]) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with replace_file(_FOLDER / f"{name}.json") as part:
        part.write_text(json.dumps(result, indent=1))


def _say(what: str, done: int, of: int) -> None:
    print(f"{what}: {done} of {of} models", flush=True)


def _environment(workspace: Workspace) -> dict[str, str]:
    import os

    return {**os.environ, "LIMNER_HOME": str(workspace.root)}
