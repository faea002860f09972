"""What the page of a demo says about what was measured: no more than that."""

from __future__ import annotations

from pathlib import PurePath

from limner.demo.forging import Flip
from limner.latent.nearest import Usual
from limner.models.card import Card, TeacherNote

LARGE = "shown enlarged, one square for each pixel"

STAGES = {
    "small-painter": ("Learning to paint at half the size", "likeness of held-out pictures, in dB", "psnr"),
    "painter": ("Learning to paint", "likeness of held-out pictures, in dB (higher is better)", "psnr"),
    "prior": ("Learning what to paint", "error on held-out pictures (lower is better)", "score"),
    "adversarial": (
        "Learning against a discriminator",
        "distance of new pictures from held-out pictures (lower is better)",
        "kid",
    ),
}
"""Stage: title, what its checks measure, and their key."""

FLIP_LESSON = (
    "The signature covers every byte, so a change that no eye may find is found. What the papers claim no longer "
    "counts, not even where it happens to be true."
)
AGAIN = "Work 2 was opened and saved as a JPEG, as an editor, a phone or a messenger does without asking."
AGAIN_LESSON = (
    "The pixels went on, the papers did not. A picture without papers may come from anywhere: that papers are missing "
    "proves neither that a picture was generated nor that it was not."
)


def flip(change: Flip) -> str:
    """Which byte was changed."""
    return (
        f"In a copy of work 1, one bit of byte {change.position:,} of {change.size:,} was turned over: "
        f"{change.before:#04x} became {change.after:#04x}."
    )


def nearness(distance: float, of: Usual) -> str:
    """What the distance of a work to its nearest training picture says, and no more."""
    if distance < of.low:
        return (
            "Closer than 95 % of the pictures that the model never saw come to one that it learned from. "
            "Look at both: this is how a copy would show, and a plain sky or a fog can do it too."
        )
    if distance <= of.high:
        return (
            "As near as pictures that the model never saw come to one that it learned from: by this measure, no sign "
            "of a copy."
        )
    return (
        "Further than 95 % of the pictures that the model never saw: by this measure, no sign of a copy. "
        "It rather says that the work is still unlike those that it learned from."
    )


def usual(of: Usual) -> str:
    """How near held-out pictures come."""
    return (
        f"Crops of pictures that the model never saw lie {of.middle:.2f} from the nearest crop that it learned from "
        f"(90 % of {of.count} crops between {of.low:.2f} and {of.high:.2f})."
    )


def machine(precision: str, threads: int, device: str) -> str:
    """What it was trained on."""
    name = {"bf16": "bfloat16", "fp32": "float32"}.get(precision, precision)
    if device != "cpu":
        return f"{device}, {name}"
    return f"this computer's processor, {threads} {'thread' if threads == 1 else 'threads'}, {name}"


def learned_from(card: Card) -> str:
    """What a model's card says of its learning, in a sentence."""
    kind = {"gan": "A GAN", "vae": "A VAE"}.get(card.family, card.family)
    collection, minutes = card.collection, round(card.training.minutes, 1)
    where = f" ({', '.join(collection.where)})" if collection.where else ""
    before = f", going on from {_parent(card)}, whose own learning is not counted in that" if card.parents else ""
    unit = "minute" if minutes == 1 else "minutes"
    return (
        f"{kind} of {card.config.painter.width} × {card.config.painter.height} pixels. It learned from "
        f"{collection.pictures:,} pictures of the collection {collection.name}{where} for {minutes:g} {unit}{before}."
    )


def which(numbers: int, labels: int, seed: int) -> str:
    """Which pictures of a seed a sheet shows: so many of each label, or of all where there are no labels."""
    each = " for each label" if labels else ""
    return f"Numbers 0 to {numbers - 1} of seed {seed}{each}: all of them, in order, chosen by nobody."


def size(card: Card, height: int, width: int) -> str:
    """How pictures of a sheet came to their size: finished where they are larger than what the model composes."""
    own = card.config.painter
    if (height, width) == (own.height, own.width):
        return ""
    return f"Finished at {width} × {height} pixels from patches of what it learned from."


def _parent(card: Card) -> str:
    named = card.training.settings.get("parent")
    return PurePath(named).stem if isinstance(named, str) else f"sha256:{card.parents[-1][:12]}…"


def teacher(note: TeacherNote, parent: str = "") -> str:
    """Whether another network took part, in the model or in its parent."""
    if note.name == "none":
        more = f" and from what {parent} had learned" if parent else ""
        return f"No other network took part: everything in the model comes from these pictures{more}."
    licence, learned = f" ({note.licence})" if note.licence else "", note.trained_on or "other pictures"
    return (
        f"A foreign network, {note.name}{licence}, trained on {learned}, judged how alike two pictures look. "
        "It paints nothing, but its taste is in the model; with --teacher none the model learns without it."
    )


def prior(family: str, kept: str, compared: bool) -> str:
    """What draws new latents: the prior that a VAE kept, or a GAN's mapping; `compared`: whether a flow was learned."""
    if family == "gan":
        return "a mapping: one evaluation from noise to a latent, begun as flow matching, then against a discriminator"
    if kept == "mixture" and not compared:
        return "a mixture of Gaussians; the painter had the time that flow matching would have taken"
    return {
        "flow": "flow matching, whose progress is shown above",
        "mixture": "a mixture of Gaussians. It came closer to held-out pictures than flow matching, whose progress is "
        "shown above; so the sheet and the works below are drawn from it",
    }.get(kept, kept)
