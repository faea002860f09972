"""How often the artist chose and acted for a work, counted from the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from limner.ledger import Ledger
from limner.papers.publishing.published import PUBLISH, Published
from limner.statement.record import Count, Step

_FAMILY = "the work's family in the ledger"
_ACTS = {
    "move": "moved along directions of the model",
    "mix": "mixed",
    "restyle": "given another style",
    "landscape": "described in words and numbers",
    "invert": "looked for in the model after a picture of the artist's own",
    "retouch": "worked on in another program",
    "enlarge": "enlarged",
    "export": "published again in another form",
}


def counts_of(work: Published, steps: Sequence[Step], ledger: Ledger) -> tuple[Count, ...]:
    """What was chosen, from how much, and what was done how often; none that are zero."""
    found = [*_drawn(work, steps, ledger), *_evolved(steps, ledger), *_done(steps)]
    return tuple(one for one in found if one.number)


def _drawn(work: Published, steps: Sequence[Step], ledger: Ledger) -> Iterator[Count]:
    """Pictures that the model drew and that were published, and those of them that this work came of."""
    samples = (act for act in ledger.acts(what=PUBLISH) if act.parameters.get("made") == "sample")
    own = (act for act in samples if act.inputs[:1] == [work.model] and not act.parameters.get("edition"))
    drawn = {act.outputs[0] for act in own}
    taken = sum(one.digest in drawn for one in steps)
    source = "publications of works of this model"
    yield Count(len(drawn), f"picture{_s(len(drawn))} drawn from this model and published here", source)
    yield Count(taken, "of them went into this work", _FAMILY)
    unpublished = sum(one.act == "draw" for one in steps)
    yield Count(unpublished, f"more picture{_s(unpublished)} drawn, not published, and gone into it", _FAMILY)


def _evolved(steps: Sequence[Step], ledger: Ledger) -> Iterator[Count]:
    """Pictures that were shown on sheets of an evolution, and how many of them were kept."""
    names = {one.evolution for one in steps if one.evolution}
    sheets = [act for act in ledger.acts(what="evolve") if act.parameters.get("evolution") in names]
    keeps = [act for act in ledger.acts(what="keep") if act.parameters.get("evolution") in names]
    backs = [act for act in ledger.acts(what="go back") if act.parameters.get("evolution") in names]
    shown = {digest for act in sheets for digest in act.parameters.get("latents", [])}
    kept = {digest for act in keeps for digest in act.inputs[1:]}
    yield Count(len(shown), f"picture{_s(len(shown))} shown on sheets to choose from", "sheets of the evolution")
    yield Count(len(kept), "of them kept to go on with", "choices of the evolution")
    yield Count(len(keeps), f"time{_s(len(keeps))} chosen among them", "choices of the evolution")
    yield Count(len(backs), f"time{_s(len(backs))} gone back", "choices of the evolution")


def _done(steps: Sequence[Step]) -> Iterator[Count]:
    acts = Counter(one.act for one in steps)
    for act, words in _ACTS.items():
        yield Count(acts[act], f"time{_s(acts[act])} {words}", _FAMILY)
    sliders = sum(len(one.sliders) for one in steps)
    yield Count(sliders, f"slider{_s(sliders)} set to a value", _FAMILY)
    masks = sum("mask was painted" in " ".join(one.artist) for one in steps)
    yield Count(masks, f"mask{_s(masks)} painted by hand", _FAMILY)
    crops = sum(any(said.startswith("cropped") for said in one.measured) for one in steps)
    yield Count(crops, f"time{_s(crops)} cropped", "measured")
    outside = acts["picture"]
    yield Count(outside, f"picture{_s(outside)} of the artist's own or of others brought in", _FAMILY)


def _s(number: int) -> str:
    return "" if number == 1 else "s"
