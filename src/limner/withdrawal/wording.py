"""The sentences of a withdrawal: what was left undone and how to do it, and what cannot be undone."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from limner.ledger import Act
from limner.withdrawal.record import Findings, FoundModel, FoundWork, Place, Version
from limner.withdrawal.retraining import Retraining

NOTICE = "This is information about what was done, not legal advice."
RELATIONS = {
    "learned": "learned from it",
    "descends": "descends from a model that learned from it",
    "held out": "held it out: no weight was learned from it, but it may have helped to choose which are kept",
    "left out": "left it out",
    "piece": "a piece of it is in the work",
    "made from it": "it is what the work was made from",
    "painted": "painted by a model that learned from it; no piece of it is in the work",
}
"""What a model or a work has to do with the pictures."""


def command_line(arguments: Sequence[str]) -> str:
    """A command of limner as it is typed."""
    return shlex.join(["limner", *arguments])


def published_words(work: FoundWork) -> str:
    """How far a work went, as far as limner knows; empty for one that stayed in the workspace."""
    said = []
    if work.editions:
        said.append(f"{_count(len(work.editions), 'edition')} by limner publish")
    if work.evidence:
        said.append("an evidence file")
    if work.outside:
        said.append("put outside of the workspace")
    return ", ".join(said)


def left_undone(
    findings: Findings,
    retrainings: Mapping[str, Retraining],
    failed: Sequence[str],
    *,
    named: str,
    collection: str,
) -> list[str]:
    """What was not done, and how it can be.

    Args:
        retrainings: by the digest of the model.
        failed: what was tried in vain, in words.
        named, collection: the subject and the collection, as a command line names them.
    """
    again = ["withdraw", named, "--from", collection]
    said = [*failed]
    for model in findings.affected:
        if not model.replaced_by:
            said.append(_not_retrained(model, retrainings.get(model.digest)))
    waiting = [work for work in findings.with_pieces if not work.anew and not work.from_file]
    if waiting:
        how = command_line([*again, "--finish-anew"])
        said.append(f"{_count(len(waiting), 'work')} with a piece of it {_are(waiting)} not finished anew: {how}")
    shown = [work for work in findings.works if work.from_file]
    if shown:
        said.append(f"{_count(len(shown), 'work')} made from the picture itself cannot be finished anew without it.")
    for work in findings.with_pieces:
        if work.anew and work.editions:
            how = command_line(["publish", work.anew])
            said.append(f"{work.file.path} has {_count(len(work.editions), 'edition')}; its successor has none: {how}")
    for tool in findings.tools:
        said.append(f"{tool.kind} {tool.name}: not learned anew ({tool.path})")
    for one in findings.elsewhere:
        if not one.earlier_version and one.name != collection:
            how = command_line(["withdraw", named, "--from", one.name])
            said.append(f"The collection {one.name} holds {_count(one.holds, 'picture')} of them still: {how}")
    said += [f"{pack.path} came with limner and still holds {len(pack.holds)}; limner passes over them here."
             for pack in findings.packs if pack.ships]  # fmt: skip
    return said


def cannot_be_undone(findings: Findings, given_away: Iterable[Act]) -> list[str]:
    """What cannot be undone.

    Args:
        given_away: acts by which models were packed to be passed on.
    """
    said = []
    if affected := findings.affected:
        names = _listed([one.name for one in affected])
        said.append(
            f"What {names} learned cannot be taken out of the weights. They are marked as superseded, and limner "
            "refuses to paint or learn with them here. Copies of them elsewhere know nothing of it."
        )
    packed = [act for act in given_away if {one.digest for one in findings.affected} & _digests(act)]
    if packed:
        said.append(f"Models that were packed to be passed on ({_count(len(packed), 'time')}) cannot be called back.")
    went = [work for work in findings.works if work.published and work.relation != "painted"]
    if went:
        said.append(
            f"Of the works that show it {_count(len(went), 'work')} went further than this workspace. Files that were "
            "given away, downloaded or printed cannot be called back, and limner does not know of all of them."
        )
    if findings.works:
        said.append(
            "The signatures of works that were published stay valid: they say how a work was made, and that stays "
            "true. Nothing was revoked."
        )
    if composed := [work for work in findings.works if work.model_name]:
        said.append(
            f"{_count(len(composed), 'work')} {_are(composed)} composed by these models, works that were finished anew "
            "among them. What the picture contributed to a composition cannot be separated."
        )
    stored = [place for place in findings.places if place.what == "stored picture"]
    if stored:
        said.append(
            "Earlier versions of the collection keep the stored picture, so that what the ledger says stays provable. "
            "To erase it, remove them: limner collection remove NAME."
        )
    said.append("Backups, caches of other programs and what others copied are beyond what limner sees.")
    return said


def places_words(places: Sequence[Place]) -> list[str]:
    """Where something of the pictures stays on this machine, a line each kind."""
    words = {
        "stored picture": "stored pictures of earlier versions",
        "training run": "trainings on collections that hold it (weights, sheets)",
        "evolution": "evolutions of affected models (sheets)",
        "composition": "compositions made from it",
    }
    found: dict[str, list[str]] = {}
    for place in places:
        found.setdefault(place.what, []).append(place.path)
    return [f"{words[what]}: {_listed(paths, 4)}" for what, paths in found.items()]


def version_words(version: Version) -> str:
    """A version of a collection in short words."""
    return f"{version.name} ({_count(version.pictures, 'picture')}, {version.digest[:12]})"


def _not_retrained(model: FoundModel, retraining: Retraining | None) -> str:
    if retraining is None:
        return f"{model.name} was not trained anew: its pictures, parents or settings are not here."
    lacks = f" (settings that no option gives: {', '.join(retraining.lacks)})" if retraining.lacks else ""
    return f"{model.name} was not trained anew: {command_line(retraining.arguments)}{lacks}"


def _digests(act: Act) -> set[str]:
    return {one.removeprefix("sha256:") for one in act.inputs}


def _are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
