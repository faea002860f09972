"""What a trace says, in words: the verdict, the method, how sure it is, what it does not show."""

from __future__ import annotations

from limner.influence.compositions import SIDE
from limner.influence.shares import GroupShare, Influence, Method, Verdict
from limner.models.card import Card


def named(one: GroupShare) -> str:
    """A group as it is called in a sentence."""
    return f"{one.name} together" if one.values > 1 else one.name


def between(one: GroupShare) -> str:
    """A share with its interval."""
    share = one.share
    return f"{share.value:.0%} (95 %: {share.low:.0%} to {share.high:.0%})"


def verdict_line(found: Influence) -> str:
    """Who shaped the composition most, as far as it can be told."""
    first = found.shares[0]
    if found.verdict is Verdict.UNLIKE:
        return "Nobody can be named: no small model paints anything like this composition."
    if found.verdict is Verdict.CANNOT_TELL:
        other = max(found.shares[1:], key=lambda one: one.share.high)
        return f"It cannot be told who comes first: the intervals of {named(first)} and {named(other)} cross."
    if first.stands_out:
        expected = f"more than the {first.portion:.0%} that the number of pictures lets expect"
    else:
        expected = f"as {first.portion:.0%} of the pictures let expect"
    several = first.values > 1
    measured = "come first" if several else "comes first"
    estimated = "seem to come first" if several else "seems to come first"
    verb = estimated if found.method is Method.ESTIMATE else measured
    return f"{named(first)} {verb}, with {between(first)}: {expected}."


def method_line(found: Influence) -> str:
    """How the shares were found."""
    if found.method is Method.ESTIMATE:
        return (
            "A quick estimate, from likeness alone: whose training pictures are composed like the work. "
            "No model was asked. The intervals say how much hangs on single pictures."
        )
    return (
        f"Asked were {found.models} small models of {SIDE} pixels, most of them trained without the pictures of one "
        f"{found.by}. A share is the part of the chance of such a composition that is gone without them; "
        "all shares are scaled to add up to 100 %."
    )


def uncertainty_line(found: Influence) -> str:
    """What the intervals mean."""
    if found.method is Method.ESTIMATE:
        return "What a model learned may be other than what looks alike: for that an ensemble is needed."
    return (
        "The intervals are of 95 %: other seeds of the small models give other shares. Where two of them cross, "
        "it cannot be told which is larger."
    )


def limits(card: Card, found: Influence) -> tuple[str, ...]:
    """What the shares do not show."""
    said = [
        f"Compositions are compared as light, dark and rough colours at {SIDE} pixels: no brushwork, no subject.",
        "What two people compose alike is shared between them, whoever had it first.",
        "A share says what shaped a picture, not whose it is: information, not legal advice.",
    ]
    if found.method is Method.ENSEMBLE:
        said.insert(
            1, "The small models are not the one that painted the work: they were trained as it was, in seconds."
        )
    if any(one.values > 1 for one in found.shares):
        said.append("Those with few pictures are counted together: what leaving out so few changes cannot be seen.")
    if card.parents:
        said.append("The model was made from other models: what those learned from before is not counted here.")
    return tuple(said)
