"""The sentences of a withdrawal: what was left undone and how to do it, and what cannot be undone."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from limner.ledger import Act
from limner.withdrawal.record import Done, Findings, FoundModel, FoundWork, Left, Place, Version
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
) -> list[Left]:
    """What was not done, and how it can be.

    Args:
        retrainings: by the digest of the model.
        failed: what was tried in vain, in words.
        named, collection: the subject and the collection, as a command line names them.
    """
    said = [Left(text=one) for one in failed]
    for model in findings.affected:
        if not model.replaced_by:
            said.append(_not_retrained(model, retrainings.get(model.digest)))
    said += _works_left(findings, ["withdraw", named, "--from", collection])
    for tool in findings.tools:
        said.append(Left(text=f"{tool.kind} {tool.name}: not learned anew."))
    for one in findings.elsewhere:
        if not one.earlier_version and one.name != collection:
            how = command_line(["withdraw", named, "--from", one.name])
            said.append(
                Left(text=f"The collection {one.name} holds {_count(one.holds, 'picture')} still:", command=how)
            )
    for pack in findings.packs:
        if pack.ships:
            text = f"{pack.path} came with limner and holds {len(pack.holds)} of them; they are passed over here."
            said.append(Left(text=text))
    return said


def _works_left(findings: Findings, again: list[str]) -> list[Left]:
    said = []
    waiting = [work for work in findings.with_pieces if not work.anew and not work.from_file]
    if waiting:
        text = f"{_count(len(waiting), 'work')} with a piece of it {_are(waiting)} not finished anew:"
        said.append(Left(text=text, command=command_line([*again, "--finish-anew"])))
    if shown := [work for work in findings.works if work.from_file]:
        text = f"{_count(len(shown), 'work')} made from the picture itself cannot be finished anew without it."
        said.append(Left(text=text))
    again_published = {work.replaces for work in findings.works if work.replaces and work.editions}
    for work in findings.with_pieces:
        if work.anew and work.editions and work.digest not in again_published:
            text = f"{work.file.path} has {_count(len(work.editions), 'edition')}, its successor has none:"
            said.append(Left(text=text, command=command_line(["publish", work.anew])))
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
            f"What a model learned cannot be taken out of its weights ({names}). limner refuses to paint or learn with "
            "a superseded model here; copies of it elsewhere know nothing of that."
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
            f"{_count(len(composed), 'work')} {_were(composed)} composed by these models, those that were finished "
            "anew among them. What the picture contributed to a composition cannot be separated."
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
        "cache": "caches, which can be deleted at any time",
    }
    found: dict[str, list[str]] = {}
    for place in places:
        found.setdefault(place.what, []).append(place.path)
    return [f"{words[what]}: {_listed(paths, 4)}" for what, paths in found.items()]


def act_words(act: Done, files: Mapping[str, str]) -> str:
    """One act of a withdrawal in words.

    Args:
        files: where works lie, by digest.
    """
    how = act.parameters
    match act.what:
        case "withdraw":
            count = _count(len(how.get("pictures", ())), "picture")
            return f"{count} withdrawn from {how.get('from')}; the next version is {how.get('next')}"
        case "supersede":
            after = f", replaced by {how['replaced_by']}" if how.get("replaced_by") else ""
            return f"{how.get('name')} marked as superseded{after}"
        case "pack anew":
            return f"{_count(int(how.get('taken_out', 0)), 'picture')} taken out of {how.get('path')}"
        case "finish anew":
            former, made = str(how.get("replaces")), act.outputs[0] if act.outputs else ""
            return f"{files.get(former, former[:19])} finished anew: {files.get(made, made[:19])}"
        case "move away":
            return f"{how.get('from')} moved to {how.get('to')}"
    return act.what


def version_words(version: Version) -> str:
    """A version of a collection in short words."""
    return f"{version.name} ({_count(version.pictures, 'picture')}, {version.digest[:12]})"


def lacking_words(lacks: Sequence[str]) -> str:
    """Settings that a command line cannot give, in brackets; empty where there are none."""
    return f" (settings that it cannot give: {', '.join(lacks)})" if lacks else ""


def _not_retrained(model: FoundModel, retraining: Retraining | None) -> Left:
    if retraining is None:
        return Left(text=f"{model.name} was not trained anew: its pictures, parents or settings are not here.")
    text = f"{model.name} was not trained anew{lacking_words(retraining.lacks)}:"
    return Left(text=text, command=command_line(retraining.arguments))


def _digests(act: Act) -> set[str]:
    return {one.removeprefix("sha256:") for one in act.inputs}


def _are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"


def _were(things: Sequence[object]) -> str:
    return "was" if len(things) == 1 else "were"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
