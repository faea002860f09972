"""The card of a model as a page: what it paints, from whose pictures, how well, and what it is not fit for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limner.exchange.about import About
from limner.models.bundle import Model
from limner.models.card import Card
from limner.models.superseded import Superseded
from limner.reports.document import Document, Fact, Section, Table
from limner.reports.record import Shown
from limner.reports.rights_parts import creators_section, hub_licence, rights_section

_MEASURED = {
    "psnr": (
        "Held-out pictures, painted again (PSNR, dB)",
        "30 and more is hard to distinguish; 20 keeps light and shapes",
    ),
    "ssim": ("The same, by structure (SSIM)", "1 is the same picture"),
    "perceptual": ("The same, as features of the teacher see it", "0 is the same picture"),
    "kid": ("New pictures beside held-out ones (KID)", "lower is better; compare with the line below"),
    "kid_floor": ("Real training pictures beside held-out ones (KID)", "the floor: what real pictures get"),
}
"""What the figures of a card mean."""
_FAMILIES = {
    "vae": "variational autoencoder with a prior in its latents",
    "gan": "GAN in the latents of an autoencoder",
}


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model beside its card.

    Attributes:
        samples: pictures that it paints, the first of `seed`, chosen by nobody.
        superseded: what the ledger says where it should not be used any more.
    """

    digest: str
    parameters: int
    size: int
    samples: Sequence[Shown] = ()
    seed: int = 1
    superseded: Superseded | None = None

    @classmethod
    def of(cls, model: Model, samples: Sequence[Shown], superseded: Superseded | None) -> ModelFacts:
        """Of a loaded model."""
        parameters = sum(one.numel() for one in model.generator.parameters())
        return cls(model.digest, parameters, model.path.stat().st_size, samples, superseded=superseded)


def model_card(card: Card, known: ModelFacts, about: About) -> Document:
    """The card.

    Args:
        about: what a person said.
    """
    painter, of = card.config.painter, card.collection
    lead = (
        f"It composes pictures of {painter.width} × {painter.height} pixels, learned from {of.pictures:,} pictures of"
    )
    first = f"The first {len(known.samples)} of seed {known.seed}, chosen by nobody"
    shown = f"{first}, as the model composes them, before any is finished from patches."
    sections = [
        *([Section("What it paints", (shown,), pictures=known.samples)] if known.samples else []),
        _model(card, known, about),
        _learned(card),
        rights_section(card.rights, card.credit, made=True),
        creators_section(card.rights.creators),
        _training(card),
        _quality(card.quality),
        *_copies(card),
        _fit(card, about),
        Section("To use it", code=[f"limner sample {card.name} -n 16 --seed 1", f"limner model show {card.name}"]),
    ]
    return Document(
        over="A generator of pictures",
        title=card.name,
        lead=f"{about.description} {lead} {of.name}.".strip(),
        notice=_notice(known.superseded),
        sections=sections,
        front=_front(card),
        data={
            "kind": "model",
            "digest": f"sha256:{known.digest}",
            "parameters": known.parameters,
            "bytes": known.size,
            "card": card.model_dump(mode="json"),
            "superseded": vars(known.superseded) if known.superseded else None,
            "about": about.model_dump(mode="json", exclude_defaults=True),
        },
    )


def _notice(found: Superseded | None) -> str:
    if found is None:
        return ""
    instead = f" Use {found.replaced_by} instead." if found.replaced_by else ""
    return (
        f"This model is superseded since {found.since[:10]} and should not be used any more: {found.reason}.{instead}"
    )


def _model(card: Card, known: ModelFacts, about: About) -> Section:
    painter = card.config.painter
    facts = [
        Fact("File", (f"sha256:{known.digest}",)),
        Fact("Size", (f"{known.parameters / 1e6:.1f} million parameters, {known.size / 1e6:.1f} MB",)),
        Fact(
            "Kind",
            (f"{_FAMILIES.get(card.family, card.family)}; it draws latents from a {card.config.prior.kind} prior",),
        ),
        Fact("Paints", (f"{painter.width} × {painter.height} pixels, 8-bit sRGB",)),
        Fact("Labels", (", ".join(card.config.labels),)) if card.config.labels else None,
        Fact("Went on from", tuple(f"sha256:{one}" for one in card.parents)) if card.parents else None,
        Fact("Made", (f"{card.created[:10]} with limner {card.limner}",)),
        Fact("Own watermark", (card.model_watermark,)) if card.model_watermark else None,
        Fact("Published by", (about.publisher,) if about.publisher else (), "who makes it available"),
        Fact("Contact", (about.contact,) if about.contact else (), "how to reach them"),
    ]
    return Section("What it is", facts=[fact for fact in facts if fact is not None])


def _learned(card: Card) -> Section:
    of, teacher = card.collection, card.teacher
    named = f"{teacher.name} ({teacher.licence}), trained on {teacher.trained_on}".replace(" ()", "")
    foreign = "none: it learned from nothing but these pictures" if teacher.name == "none" else named
    facts = [
        Fact("Collection", (of.name,)),
        Fact("Its digest", (f"sha256:{of.digest}",)),
        Fact("Of it", (", ".join(of.where),)) if of.where else None,
        Fact("Learned from", (f"{of.pictures:,} pictures",)),
        Fact("Held out", (f"{of.held_out:,} pictures, which it never saw",)),
        Fact("Teacher", (foreign,)),
    ]
    prior = card.config.prior
    if prior.kind in ("flow", "mapping"):
        views = f"{prior.embedding_width} numbers of each of {prior.embeddings:,} views of training pictures"
        facts.append(Fact("Keeps of single pictures", (views,)))
    return Section("What it learned from", facts=[fact for fact in facts if fact is not None])


def _training(card: Card) -> Section:
    of = card.training
    threads = "1 thread" if of.threads == 1 else f"{of.threads} threads"
    steps = ", ".join(f"{stage} {count:,}" for stage, count in of.steps.items())
    facts = [
        Fact("Computing", (f"{of.minutes:,.1f} minutes on {of.device}, {threads}, {of.precision}",)),
        Fact("Seen", (f"{of.pictures_seen:,} crops of pictures and {of.latents_seen:,} latents",)),
        Fact("Steps", (steps,)) if steps else None,
        Fact("Seed", (str(of.seed),)),
        Fact("Interrupted", (f"{of.resumed} times, and gone on",)) if of.resumed else None,
        Fact("Energy", ("not measured",)),
    ]
    return Section("How it was trained", facts=[fact for fact in facts if fact is not None])


def _quality(quality: Mapping[str, Any]) -> Section:
    rows = []
    for name, (title, means) in _MEASURED.items():
        one = quality.get(name)
        if isinstance(one, dict) and is_estimate(one):
            value, low, high = (_short(one[key]) for key in ("value", "low", "high"))
            rows.append((title, value, f"{low} to {high}", f"{one['count']:,}", means))
    text = ["Measured on held-out pictures that chose nothing. An interval holds the true figure in 95 of 100 repeats."]
    if says := quality.get("kid_says"):
        text.append(f"New pictures are {says}.")
    if features := quality.get("kid_features"):
        text.append(f"The features of the KID: {features}.")
    if not rows:
        return Section("How well it does", ("Nothing was measured.",))
    return Section(
        "How well it does", text, table=Table(("What", "Figure", "95 % interval", "Pictures", "How to read it"), rows)
    )


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def is_estimate(one: object) -> bool:
    """Whether a value of a card is a number with its interval and count."""
    return isinstance(one, dict) and all(
        isinstance(one.get(name), int | float) for name in ("value", "low", "high", "count")
    )


def _copies(card: Card) -> list[Section]:
    """What is known of copying; what a copy gate was calibrated to, where the card says so."""
    facts = []
    memorised = card.quality.get("memorised")
    if isinstance(memorised, int | float):
        share = (
            f"{100 * memorised:.1f} % of new pictures lie closer to a training picture than nearly all unseen ones do"
        )
        facts.append(Fact("Memorised", (f"{share}; about 1 % is what chance gives",)))
    gate = card.quality.get("copy_gate", card.quality.get("gate"))
    if isinstance(gate, dict):
        facts += [Fact(f"Copy gate, {name.replace('_', ' ')}", (_figure(value),)) for name, value in gate.items()]
    text = "Likeness points out where to look; nothing proves that nothing was copied."
    return [Section("Copies", (text,), facts)] if facts else []


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if is_estimate(value) and isinstance(value, dict):
        return f"{value['value']:.4g} (95 %: {value['low']:.4g} to {value['high']:.4g}, {value['count']:,} pictures)"
    return str(value)[:200]


def _fit(card: Card, about: About) -> Section:
    """What it is for, and what a small model can never do."""
    of, painter = card.collection, card.config.painter
    limits = (
        *((about.data_limitations,) if about.data_limitations else ()),
        f"It knows {of.pictures:,} pictures and nothing else: no words, no world, no persons.",
        f"It composes at {painter.width} × {painter.height} pixels; larger works are finished "
        "from patches of exemplars, whose rights count, too.",
        "It shows nothing that happened: its pictures are no evidence, no document, no likeness of anybody.",
        "Whatever its pictures are one-sided in, what it paints is one-sided in, too.",
    )
    facts = [
        Fact("Meant for", (about.data_use_cases,) if about.data_use_cases else (), "what it is meant for"),
        Fact("Not fit for", limits),
        Fact("One-sided in", (about.data_biases,) if about.data_biases else (), "in what it is one-sided"),
        Fact(
            "What it may do to people", (about.data_social_impact,) if about.data_social_impact else (), "harm and good"
        ),
    ]
    return Section("What it is fit for, and what not", facts=facts)


def _front(card: Card) -> dict[str, Any]:
    return {
        **hub_licence([]),
        "library_name": "limner",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["limner", "image-generation", card.family, "rights"],
    }
