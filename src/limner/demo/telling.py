"""From a demo to the record that its page shows: what was taken, learned, signed and forged, in plain values."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from limner import __version__
from limner.collection import Row
from limner.collection.cache import open_cache
from limner.collection.views import plain_views
from limner.demo import wording
from limner.demo.demonstration import Demonstration
from limner.demo.forging import seen_by_a_viewer
from limner.demo.opening import LARGE, ROWS, SEED, Opened, columns
from limner.demo.watching import ADVERSARIAL, PAINTER, PRIOR, Watch, three_of
from limner.latent.nearest import Neighbour
from limner.models.card import Card
from limner.pictures import read
from limner.reports.record import (
    Block,
    DemoRecord,
    Forged,
    Learned,
    Nearest,
    Sheet,
    Shown,
    StageCurve,
    Taken,
    Work,
    shown,
)
from limner.rights import credit_line, summary

_THUMB = 64
_MOST_TRAINED, _MOST_HELD_OUT = 256, 64


def record_of(made: Demonstration, commands: Sequence[tuple[str, str]]) -> DemoRecord:
    """Everything that the page shows of a demo whose steps are all done."""
    return DemoRecord(
        taken=_taken(made),
        learned=_learned(made),
        sheet=[shown(p.pixels, f"New picture number {p.index} of seed {SEED}") for p in made.painted],
        seed=SEED,
        works=_works(made),
        usual=wording.usual(made.usual),
        forged=_forged(made),
        commands=commands,
        seconds=time.monotonic() - made.started,
        version=__version__,
        made=f"{dt.date.today().day} {dt.date.today():%B %Y}",
        opening=[_opened(one) for one in made.opened],
        after=_after(made) if made.plan.parent else None,
    )


def _opened(opened: Opened) -> Sheet:
    blocks = [(label, [one.pixels for one in painted]) for label, painted in opened.blocks]
    return _sheet(opened.card, opened.digest, blocks)


def _after(made: Demonstration) -> Sheet:
    """As many new pictures of the demo's model as its parent showed at the opening."""
    model, across = made.pipeline.model, columns(made.plan.size[1])
    return _sheet(model.card, model.digest, [("", [one.pixels for one in made.painted[: across * ROWS]])])


def _sheet(card: Card, digest: str, blocks: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]]) -> Sheet:
    labels = [label for label, _ in blocks if label]
    # A finished picture is larger than what its model composed.
    across = columns(blocks[0][1][0].shape[1], bool(labels))
    shown_blocks = [
        Block(label, [shown(one, f"{label or card.name}: new picture number {i}") for i, one in enumerate(pixels)])
        for label, pixels in blocks
    ]
    return Sheet(
        name=card.name,
        digest=digest,
        blocks=shown_blocks,
        columns=across,
        target=card.config.painter.width if labels else LARGE,
        learned=wording.learned_from(card),
        which=f"{wording.size(card, *blocks[0][1][0].shape[:2])} "
        f"{wording.which(len(shown_blocks[0].pictures), len(labels), SEED)}".strip(),
        licences=card.rights.licences,
        credit=card.credit,
    )


def _nearest(made: Demonstration, found: Neighbour) -> Nearest:
    data = made.watch.data
    row = data.rows[found.index]
    views = plain_views(data.cache, data.size) if found.view < 0 else data.prior_views(found.view)[0]
    alt = f"The nearest training picture: {_named(row)}"
    means = wording.nearness(found.distance, made.usual)
    return Nearest(shown(_array(views[found.index]), alt), row.title, row.creator, found.distance, means)


def _taken(made: Demonstration) -> Taken:
    rights = summary(made.rows)
    trained = [row for row in made.rows if row.split == "train"]
    held_out = [row for row in made.rows if row.split == "holdout"]
    return Taken(
        name=made.collection.name,
        digest=made.collection.digest,
        pictures=int(made.collection.card["pictures"]),
        where=made.plan.where,
        noun="picture" if made.plan.pictures else "painting",
        trained_count=len(trained),
        held_out_count=len(held_out),
        trained=_small(made, trained[:_MOST_TRAINED]),
        held_out=_small(made, held_out[:_MOST_HELD_OUT]),
        licences=rights.licences,
        creators=rights.creators,
        credit=credit_line(rights),
    )


def _small(made: Demonstration, rows: Sequence[Row]) -> list[Shown]:
    cache = open_cache(made.collection, rows, _THUMB * 2, made.workspace)
    thumbs = plain_views(cache, (_THUMB, _THUMB))
    return [shown(_array(one), _named(row), quality=82) for row, one in zip(rows, thumbs, strict=True)]


def _learned(made: Demonstration) -> Learned:
    card, watch = made.pipeline.model.card, made.watch
    parent = made.opened[0].card.name if made.plan.parent else ""
    prior = card.quality.get("prior", {})
    return Learned(
        name=card.name,
        digest=made.pipeline.model.digest,
        size=f"{made.plan.size[1]} × {made.plan.size[0]}",
        minutes=card.training.minutes,
        pictures_seen=card.training.pictures_seen,
        latents_seen=card.training.latents_seen,
        machine=wording.machine(card.training.precision, card.training.threads, card.training.device),
        teacher=wording.teacher(card.teacher, parent),
        prior=wording.prior(card.family, str(prior.get("kept", "")), "flow" in prior.get("kid_by_prior", {})),
        quality=card.quality,
        curves=[_curve(state.stage, state.history, state.checks) for state in made.training.states],
        originals=_all(watch.originals, "A held-out picture"),
        reconstructions=_moments(watch, "A held-out picture, painted again by the model", PAINTER),
        samples=_moments(watch, "A new picture", PRIOR, ADVERSARIAL),
    )


def _works(made: Demonstration) -> list[Work]:
    return [
        Work(
            picture=_file(path, f"{verdict.title}: a generated picture, {wording.LARGE}"),
            file=str(path.relative_to(made.folder)),
            title=verdict.title or path.name,
            verdict=verdict,
            nearest=_nearest(made, found),
        )
        for path, verdict, found in zip(made.works, made.verdicts, made.found, strict=True)
    ]


def _forged(made: Demonstration) -> list[Forged]:
    seen = seen_by_a_viewer(made.flipped.read_bytes())
    again = read(made.again).pixels
    flipped, saved = made.refused
    return [
        Forged(
            title="One byte flipped",
            file=str(made.flipped.relative_to(made.folder)),
            picture=None if seen is None else shown(seen, "Work 1 with one byte flipped", "png"),
            what=wording.flip(made.flip),
            lesson=wording.FLIP_LESSON,
            verdict=flipped,
        ),
        Forged(
            title="Saved again",
            file=str(made.again.relative_to(made.folder)),
            picture=shown(again, "Work 2, opened and saved again as a JPEG", "png"),
            what=wording.AGAIN,
            lesson=wording.AGAIN_LESSON,
            verdict=saved,
        ),
    ]


def _curve(stage: str, history: list[dict[str, float]], checks: list[dict[str, float]]) -> StageCurve:
    title, unit, key = wording.STAGES[stage]
    line = [(point["seconds"] / 60, point["loss"]) for point in history]
    return StageCurve(title, line, [(point["seconds"] / 60, point[key]) for point in checks], unit)


def _moments(watch: Watch, alt: str, *stages: str) -> list[Block]:
    found = three_of(watch.snapshots, *stages)
    labels = ("Start", "Middle", "End") if len(found) == 3 else ("Start", "End")
    return [
        Block(label, _all(pictures, f"{alt} ({label.lower()})")) for label, pictures in zip(labels, found, strict=False)
    ]


def _all(pictures: Tensor, alt: str) -> list[Shown]:
    return [shown(_array(one), f"{alt}, {number}") for number, one in enumerate(pictures, 1)]


def _file(path: Path, alt: str) -> Shown:
    pixels = read(path).pixels
    return Shown(path.read_bytes(), "image/png", pixels.shape[1], pixels.shape[0], alt)


def _named(row: Row) -> str:
    return f"{row.title or 'untitled'}, {row.creator or 'creator unknown'}"


def _array(picture: Tensor) -> NDArray[np.uint8]:
    return picture.permute(1, 2, 0).numpy()
