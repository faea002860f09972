"""The public summary of training content, in the sections of the Commission's template.

Source: European Commission, "Explanatory Notice and Template for the Public Summary of Training Content for
general-purpose AI models", 24 July 2025, on Article 53(1)(d) of Regulation (EU) 2024/1689. Titles and questions are the
template's as published summaries that follow it repeat them; the official file itself was not at hand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from limner.exchange.about import About
from limner.models.card import Card
from limner.reports.document import Document, Fact, Section
from limner.reports.model_card import ModelFacts
from limner.reports.rights_parts import counted

NOTICE = (
    "After the template of the European Commission (24 July 2025) for providers of general-purpose AI models. A model "
    "as small as this, which paints one kind of picture, is hardly a general-purpose AI model; then this summary is "
    "voluntary. Compare it with the Commission's file before you publish it under that name. Information, not legal "
    "advice."
)
_LICENSED = (
    "2.2.1. Have you concluded transactional commercial licensing agreement(s) with rightsholder(s) or with their "
    "representatives?"
)
_PRIVATE = (
    "2.2.2. Have you obtained private datasets from third parties that are not licensed as described in Section 2.2.1?"
)
_USERS = "Was data from user interactions with the model, or with the provider's other services, used to train it?"
_SYNTHETIC = "Was synthetic AI-generated data created by the provider or on its behalf to train the model?"
_COMMENT = "Additional comments"
_CHOICE = "Yes or No"
_YES = {True: "Yes", False: "No"}
_HELD = "opt-out"


def training_summary(
    card: Card, known: ModelFacts, collection: Mapping[str, Any] | None, about: About, on: dt.date
) -> Document:
    """The summary; what limner cannot know and nobody said stays open.

    Args:
        collection: the card of the collection that was learned from, where it is at hand.
        on: the day of the summary.
    """
    sections = [
        Section("1. General information"),
        *_general(card, known, collection, about),
        Section("2. List of data sources", ("Where an answer is open, nobody gave it, and limner cannot know it.",)),
        *_sources(card, about),
        Section("3. Data processing aspects"),
        *_processing(card, collection, about),
    ]
    facts = {
        f"{section.title} / {fact.label}": list(fact.values) or None for section in sections for fact in section.facts
    }
    return Document(
        over="Public summary of training content",
        title=card.name,
        lead=f"Version {about.version or '1.0.0'} of the summary, last updated {on.isoformat()}.",
        notice=NOTICE,
        sections=sections,
        data={
            "kind": "training summary",
            "template": "European Commission, 24 July 2025, Article 53(1)(d) of Regulation (EU) 2024/1689",
            "model": {"name": card.name, "digest": f"sha256:{known.digest}"},
            "updated": on.isoformat(),
            "answers": facts,
            "rights": card.rights.model_dump(mode="json"),
            "about": about.model_dump(mode="json", exclude_defaults=True),
        },
    )


def _general(card: Card, known: ModelFacts, collection: Mapping[str, Any] | None, about: About) -> list[Section]:
    provider = ", ".join(filter(None, (about.publisher, about.contact, about.url)))
    trained = f"when it was first made available (it was trained on {card.created[:10]})"
    return [
        _part(
            "1.1. Provider identification",
            _said("Provider name and contact details", provider, "name and contact"),
            _said(
                "Authorised representative name and contact details",
                about.representative,
                "name and contact, where the provider has one in the Union",
            ),
        ),
        _part(
            "1.2. Model identification",
            Fact("Versioned model name(s)", (f"{card.name}, sha256:{known.digest}",)),
            Fact("Model dependencies", _dependencies(card)),
            _said(
                "Date of placement of the model on the Union market",
                about.published.isoformat() if about.published else "",
                trained,
            ),
        ),
        _part("1.3. Modalities, overall training data size and other characteristics", *_size(card, collection, about)),
    ]


def _dependencies(card: Card) -> tuple[str, ...]:
    teacher = card.teacher
    parents = [f"It went on from a model with sha256:{one}." for one in card.parents]
    if teacher.name != "none":
        parents.append(f"Features of {teacher.name} ({teacher.licence}) judged likeness in its training.")
    return tuple(parents) or ("None: it began with nothing.",)


def _size(card: Card, collection: Mapping[str, Any] | None, about: About) -> list[Fact]:
    of = card.collection
    until = about.collected_until.isoformat() if about.collected_until else ""
    made = str((collection or {}).get("made", ""))[:10]
    until = until or (f"Imported by limner on {made}; gathered on or before that day." if made else "")
    one_sided = "Other relevant characteristics of the overall training data"
    return [
        Fact("Modality", ("Image",)),
        Fact("Training data size", (f"{_range(of.pictures)}: {of.pictures:,} learned from, {of.held_out:,} held out",)),
        _said("Types of content", about.description, "what kind of pictures"),
        _said("Latest date of data acquisition/collection for model training", until, "when the last picture came in"),
        Fact("Is the model trained on new data after that date?", ("No: a digest fixes what it learned from.",)),
        Fact("Description of the linguistic characteristics of the overall training data", ("None: no text.",)),
        _said(one_sided, about.data_biases, "in what they are one-sided"),
    ]


def _range(pictures: int) -> str:
    """The range of the template."""
    return (
        "Less than 1 million images" if pictures < 1_000_000 else
        "1 million to 1 billion images" if pictures < 1_000_000_000 else
        "More than 1 billion images"
    )  # fmt: skip


def _sources(card: Card, about: About) -> list[Section]:
    of, teacher, listed = card.collection, card.teacher, about.public_datasets
    taught = [] if teacher.name == "none" else [f"The teacher {teacher.name} was trained on {teacher.trained_on}."]
    chosen = f" ({', '.join(of.where)})" if of.where else ""
    crawls = "limner crawls nothing: it imports folders. How a folder came together it cannot know."
    collects = "limner runs on the provider's own machine and collects nothing from users."
    return [
        _part(
            "2.1. Publicly available datasets",
            _said("Have you used publicly available datasets to train the model?", "Yes" if listed else "", _CHOICE),
            _said("List of publicly available datasets", listed, "names and links"),
            *(Fact(_COMMENT, (words,)) for words in taught),
        ),
        _part(
            "2.2. Private non-publicly available datasets obtained from third parties",
            _answer(_LICENSED, about.commercial_licences),
            _answer(_PRIVATE, about.private_datasets),
        ),
        _part(
            "2.3. Data crawled and scraped from online sources",
            _answer("Were crawlers used by the provider or on its behalf?", about.crawled),
            Fact(_COMMENT, (crawls,)),
        ),
        _part("2.4. User data", _answer(_USERS, about.user_data), Fact(_COMMENT, (collects,))),
        _part("2.5. Synthetic data", _answer(_SYNTHETIC, about.synthetic), *_generated(card)),
        _part(
            "2.6. Other sources of data",
            Fact("Have other data sources been used?", (f"The collection {of.name}{chosen}, sha256:{of.digest}",)),
            _said("Narrative description of these data sources and the data", about.other_sources, "whose, from where"),
            Fact("Licences", counted(card.rights.licences)),
            Fact("Creators", counted(card.rights.creators)),
        ),
    ]


def _part(title: str, *facts: Fact) -> Section:
    return Section(title, facts=facts, level=3)


def _said(label: str, said: str, wanted: str) -> Fact:
    return Fact(label, (said,) if said else (), wanted)


def _answer(label: str, said: bool | None) -> Fact:
    return Fact(label, () if said is None else (_YES[said],), _CHOICE)


def _generated(card: Card) -> list[Fact]:
    """What the pictures say of themselves: that a generator had a part in them."""
    found = {flag: count for flag, count in card.rights.flags.items() if flag.startswith("generated picture")}
    said = counted(found) or ("No picture says of itself that a generator had a part in it; limner does not guess.",)
    return [Fact("What the pictures say", said)]


def _processing(card: Card, collection: Mapping[str, Any] | None, about: About) -> list[Section]:
    honoured = (
        "Before training, limner reads what files and folders reserve, and holds such pictures back: plus:DataMining "
        "in XMP, training-and-data-mining assertions of C2PA, tdmrep.json (TDM Reservation Protocol), ai.txt.",
        _opted_out(card, collection),
    )
    accepted = card.rights.accepted
    decided = (
        (f"{accepted.pictures:,} held-back pictures were used all the same: {accepted.reason}",) if accepted else ()
    )
    shows = "limner removes no content by what it shows: the provider chose each picture."
    return [
        _part(
            "3.1. Respect of reservation of rights from text and data mining exception or limitation",
            _answer(
                "Are you a signatory to the Code of Practice for general-purpose AI models?", about.code_of_practice
            ),
            Fact("Measures implemented to respect reservations of rights", (*honoured, *decided)),
        ),
        _part(
            "3.2. Removal of illegal content",
            _said("General description of measures taken", about.illegal_content, "what was done"),
            Fact(_COMMENT, (shows,)),
        ),
        _part("3.3. Other information", Fact("Other relevant information about data processing", _other(about))),
    ]


def _opted_out(card: Card, collection: Mapping[str, Any] | None) -> str:
    used = sum(count for reason, count in card.rights.held.items() if reason.startswith(_HELD))
    if used:
        return f"{used:,} pictures that opted out were learned from, by a person's decision."
    there = ((collection or {}).get("rights") or {}).get("held") or {}
    left = sum(count for reason, count in there.items() if str(reason).startswith(_HELD))
    return (
        f"No picture that opted out was learned from{f'; {left:,} in the collection were held back' if left else ''}."
    )


def _other(about: About) -> tuple[str, ...]:
    usual = "Pictures were decoded to 8-bit sRGB; near-duplicates and copies were kept on one side of the hold-out."
    return (usual, about.other_processing) if about.other_processing else (usual,)
