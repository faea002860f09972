"""The steps that led to a work: its family in the order in which it came about, with what was done each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PictureError
from limner.ledger import Ledger
from limner.papers.publishing.published import RETOUCH, Published
from limner.papers.verify.wording_retouch import by_words, measured_words
from limner.retouching.masks import load_mask
from limner.statement.record import Slider, Step
from limner.works.acts import ENLARGE
from limner.works.family import Family, Kin
from limner.works.origins import file_digest
from limner.workspace import Workspace

_MIX = {
    "content": "what is where was taken from {}",
    "style": "how it looks was taken from {}",
    "blocks": "layers of the model were divided: {}",
    "weights": "the pictures were weighed {}",
    "region": "a region was chosen: {}",
    "mask": "a mask was painted by hand ({})",
    "feather": "with a soft edge of {}",
}


def steps_of(digest: str, ledger: Ledger, workspace: Workspace) -> tuple[Step, ...]:
    """Every picture that a work came of, each before what was made from it, the work last."""
    found: dict[str, Step] = {}
    for kin in _in_order(Family(ledger).ancestors(digest)):
        if kin.digest not in found:
            found[kin.digest] = _step(kin, ledger, workspace, last=kin.digest == digest)
    return tuple(found.values())


def _in_order(kin: Kin) -> Iterator[Kin]:
    # Beside the work itself, a retouch came of the file that came back, which the new edition shows.
    for parent in kin.kin[:1] if kin.made == RETOUCH else kin.kin:
        yield from _in_order(parent)
    if not kin.again:
        yield kin


def _step(kin: Kin, ledger: Ledger, workspace: Workspace, *, last: bool) -> Step:
    work = Published.find(ledger, kin.digest)
    title, artist, algorithm = _words(kin, work, last=last)
    along, retouched = kin.how.get("along"), kin.made == RETOUCH
    mask = load_mask(str(kin.how.get("map")), workspace) if retouched else None
    return Step(
        act=kin.made or "picture",
        title=title,
        name=kin.name,
        digest=kin.digest,
        artist=tuple(artist),
        algorithm=tuple(algorithm),
        sliders=tuple(_sliders(kin.how, along)),
        when=work.time if work else "",
        measured=tuple(measured_words(kin.how) or ["nothing but how it was saved"]) if retouched else (),
        note=str(kin.how.get("note", "")),
        by=by_words(kin.how) if retouched else "",
        evolution=str(kin.how.get("evolution", "")) if kin.made == "evolve" else "",
        picture=_picture(kin),
        changed=mask,
    )


def _words(kin: Kin, work: Published | None, *, last: bool) -> tuple[str, list[str], list[str]]:
    """A title, what the artist did, and what the algorithm did."""
    how, finished = kin.how, bool(work and work.finish)
    painted = ["Composed it." if finished else "Painted it."]
    finish = [_finish(work)] if work and finished else []
    match kin.made:
        case "sample":
            took = "Asked the model for it" if last else "Took it to go on from"
            return "Drawn from the model", [f"{took}: {_seed(how)}."], [*painted, *finish]
        case "draw":
            return "Drawn from the model", [f"Took it to go on from: {_seed(how)}."], painted
        case "move":
            steps = how.get("along") or {}
            said = ", ".join(f"{name} {size:+g}" for name, size in steps.items()) if isinstance(steps, dict) else ""
            return "Moved", [f"Set {len(steps)} slider{'s' * (len(steps) != 1)}: {said}."], [*painted, *finish]
        case "mix":
            said = "; ".join(words.format(_short(how[name])) for name, words in _MIX.items() if how.get(name))
            return "Mixed", [f"Chose what is mixed, and how: {said}."], [*painted, *finish]
        case "restyle":
            return "Restyled", [f"Chose the style: {_short(how.get('style'))}{_strength(how)}."], [*painted, *finish]
        case "landscape":
            return "Described", ["Said what is to be seen, in words and numbers."], [*painted, *finish]
        case "evolve":
            return "Evolved", [*_kept(how), f"Took number {how.get('number')}."], [*painted, *finish]
        case "invert":
            return "Looked for in the model", ["Gave a picture of their own."], ["Looked for it in the model.", *finish]
        case "retouch":
            return "Worked on in another program", [f"Gave back a changed file ({by_words(how)})."], ["Measured it."]
        case "export":
            return "A further edition", [_edition(how)], ["Resized, saved and signed it."]
    if kin.made == ENLARGE:
        return "Enlarged", [f"Asked for a print of {how.get('size', '')} px."], ["Painted it again, larger.", *finish]
    if not kin.made:
        return "A picture from outside", ["Brought it in."], []
    said = ", ".join(f"{name} {_short(value)}" for name, value in how.items())
    return kin.made.capitalize(), [f"{said}."] if said else [], [*painted, *finish]


def _seed(how: Mapping[str, Any]) -> str:
    label = f", label {how['label']}" if how.get("label") else ""
    return f"number {how.get('index')} of seed {how.get('seed')}{label}"


def _kept(how: Mapping[str, Any]) -> list[str]:
    rounds = [one.strip() for one in str(how.get("kept", "")).split("/") if one.strip()]
    return [f"Chose {len(rounds)} time{'s' * (len(rounds) != 1)}: {'; then '.join(rounds)}."] if rounds else []


def _strength(how: Mapping[str, Any]) -> str:
    strength = how.get("strength")
    return f", strength {strength:g}" if isinstance(strength, int | float) and strength != 1 else ""


def _edition(how: Mapping[str, Any]) -> str:
    label = f', with the label "{how["label"]}"' if how.get("label") else ""
    return f"Asked for it in {how.get('size', '')} px as {how.get('format', '')}{label}."


def _finish(work: Published) -> str:
    shares = work.finish.get("shares") or []
    others = (work.finish.get("others") or {}).get("pictures", 0)
    return f"Finished it from patches of {len(shares) + int(others)} pictures."


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:19]}…" if text.startswith("sha256:") else text


def _sliders(how: Mapping[str, Any], along: object) -> Iterator[Slider]:
    """The numbers that the artist set as on sliders: directions, and the words of a landscape."""
    for name, value in along.items() if isinstance(along, dict) else ():
        yield Slider(str(name), float(value))
    for name in ("horizon", "warmth", "brightness", "contrast", "colourfulness", "detail", "abstraction"):
        if isinstance(value := how.get(name), int | float):
            yield Slider(name, float(value))


def _picture(kin: Kin) -> NDArray[np.uint8] | None:
    # What lies there now may be another picture than the one that was published.
    if kin.path is None or not kin.path.is_file() or file_digest(kin.path) != kin.digest:
        return None
    try:
        return pictures.read(kin.path).pixels
    except PictureError:
        return None
