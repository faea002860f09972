"""What was done to get a work, as the actions of its manifest (C2PA specification 2.2, section 18.13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from limner import __version__
from limner.papers.c2pa.assets import assets_of
from limner.papers.c2pa.ingredients import Ingredient, Relationship
from limner.papers.c2pa.provenance import Provenance
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED, HUMAN
from limner.text import storable

_PAINTED = "Painted by a trained picture generator"
_FINISHED = "Composed by a trained picture generator, finished from patches of pictures (org.limner.generation)"
_FORMER = "A new edition of a work that was published before"
_RETOUCHED = "A work that was published before and then worked on in another program"
_KINDS = {"hand": HUMAN, "generator": COMPOSITE}
_SAID = {"hand": "by hand, says the artist", "generator": "with a generator, says the artist"}
_MARKED = "An invisible watermark that names the work was put into the pixels, and read back from the finished file"


def labels_of(ingredients: Sequence[Ingredient]) -> list[str]:
    """By what the actions call each ingredient."""
    return [f"ingredient-{number}" for number in range(1, len(ingredients) + 1)]


def actions_of(provenance: Provenance, *, marked: bool = False) -> list[dict[str, Any]]:
    """The actions in their order; the first says when, by this machine's clock.

    Args:
        marked: whether a watermark was put in that a soft binding of the same manifest names; readers of C2PA take one
            of these without the other for a fault.
    """
    edition, retouch, label = provenance.edition, provenance.edition.get("retouch"), provenance.visible_label
    actions = [_first(provenance)]
    if retouch:
        actions += _of_retouch(provenance, retouch)
    if edition and edition["size"] != edition["former_size"] and not (retouch and _is_cropped(retouch)):
        how = "elsewhere" if retouch else "Lanczos"
        actions.append(_action("c2pa.resized", f"{edition['former_size']} to {edition['size']} pixels, {how}"))
    if marked:
        actions.append(_action("c2pa.watermarked.bound", _MARKED))
    if label and not label.get("from_former"):
        words = f'A visible label was drawn: "{storable(label["words"])}", {label["corner"]}'
        actions.append(_action("c2pa.edited", words))
    if edition and (edition["format"] != edition["former_format"] or "quality" in edition):
        quality = f", quality {edition['quality']}" if "quality" in edition else ""
        words = f"{edition['former_format']} to {edition['format']}{quality}"
        # Readers ask of this action, as of the first, that it names what it was done to.
        actions.append(_action("c2pa.transcoded", words) | _made_from(provenance, "parentOf"))
    return actions


def _first(provenance: Provenance) -> dict[str, Any]:
    """That a work was created, or an earlier edition opened."""
    edition = provenance.edition
    if edition:
        first = _action("c2pa.opened", _RETOUCHED if "retouch" in edition else _FORMER)
        named = _made_from(provenance, "parentOf")
    else:
        first = _action("c2pa.created", _FINISHED if provenance.finish else _PAINTED)
        names = [*labels_of(provenance.ingredients), *assets_of(provenance)]
        named = {"parameters": {"ingredientIds": names}} if names else {}
    return {
        **first,
        "digitalSourceType": COMPOSITE if provenance.composite else GENERATED,
        "softwareAgent": {"name": "limner", "version": __version__},
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **named,
    }


def _of_retouch(provenance: Provenance, retouch: dict[str, Any]) -> list[dict[str, Any]]:
    """What was done elsewhere, as far as it was measured; how is what the artist says, or unknown."""
    by = retouch.get("by")
    kind = {"digitalSourceType": _KINDS[by]} if isinstance(by, str) and by in _KINDS else {}
    who = _SAID.get(str(by), "how is not known")
    placed = _action("c2pa.placed", "The file that came back from another program")
    placed |= _made_from(provenance, "componentOf")
    if "changed" not in retouch:
        words = f"Not measured: {storable(str(retouch.get('reason', '')))}; {who}"
        return [placed, _action("c2pa.edited", words) | kind]
    actions = [placed]
    if _is_cropped(retouch):
        actions.append(_action("c2pa.cropped", f"{retouch['kept']:.1%} of the former edition's area is left"))
    if retouch["colours"]:
        words = f"Colours changed all over, by {retouch['colours']:g} levels of 255 on average"
        actions.append(_action("c2pa.adjustedColor", words))
    if retouch["changed"]:
        words = f"{retouch['changed']:.1%} of the pixels changed, measured against the former edition; {who}"
        actions.append(_action("c2pa.drawing" if by == "hand" else "c2pa.edited", words) | kind)
    elif len(actions) == 1:
        words = f"No part changed by more than saving, scaling and colours explain; {who}"
        actions.append(_action("c2pa.edited", words) | kind)
    return actions


def _is_cropped(retouch: dict[str, Any]) -> bool:
    return float(retouch.get("kept", 1)) < 0.999


def _made_from(provenance: Provenance, relationship: Relationship) -> dict[str, Any]:
    """The parameter that names ingredients of one relationship."""
    labels = labels_of(provenance.ingredients)
    own = [label for one, label in zip(provenance.ingredients, labels, strict=True) if one.relationship == relationship]
    return {"parameters": {"ingredientIds": own}} if own else {}


def _action(name: str, description: str) -> dict[str, Any]:
    return {"action": name, "description": description}
