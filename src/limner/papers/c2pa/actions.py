"""What was done to get a work, as the actions of its manifest (C2PA specification 2.2, section 18.13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from limner import __version__
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.c2pa.provenance import Provenance
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED
from limner.text import storable

__all__ = ["actions_of", "labels_of"]


def labels_of(ingredients: Sequence[Ingredient]) -> list[str]:
    """By what the actions call each ingredient."""
    return [f"ingredient-{number}" for number in range(1, len(ingredients) + 1)]


def actions_of(provenance: Provenance, *, marked: bool = False) -> list[dict[str, Any]]:
    """The actions in their order; the first says when, by this machine's clock.

    Args:
        marked: whether a watermark was put in that a soft binding of the same manifest names; readers of C2PA take one
            of these without the other for a fault.
    """
    first: dict[str, Any] = {
        "digitalSourceType": COMPOSITE if provenance.finish else GENERATED,
        "softwareAgent": {"name": "limner", "version": __version__},
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    made_from = {"parameters": {"ingredientIds": labels_of(provenance.ingredients)}} if provenance.ingredients else {}
    first |= made_from
    edition = provenance.edition
    if not edition:
        told = "Painted by a trained picture generator"
        if provenance.finish:
            told = "Composed by a trained picture generator, finished from patches of pictures (org.limner.generation)"
        first |= {"action": "c2pa.created", "description": told}
        return [first, *_watermarked(marked), *_labelled(provenance.visible_label)]
    first |= {"action": "c2pa.opened", "description": "A new edition of a work that was published before"}
    actions = [first]
    if edition["size"] != edition["former_size"]:
        told = f"{edition['former_size']} to {edition['size']} pixels, Lanczos"
        actions.append({"action": "c2pa.resized", "description": told})
    actions += [*_watermarked(marked), *_labelled(provenance.visible_label)]
    if edition["format"] != edition["former_format"] or "quality" in edition:
        quality = f", quality {edition['quality']}" if "quality" in edition else ""
        told = f"{edition['former_format']} to {edition['format']}{quality}"
        # Readers ask of this action, as of the first, that it names what it was done to.
        actions.append({"action": "c2pa.transcoded", "description": told, **made_from})
    return actions


def _watermarked(marked: bool) -> list[dict[str, Any]]:
    told = "An invisible watermark that names the work was put into the pixels, and read back from the finished file"
    return [{"action": "c2pa.watermarked.bound", "description": told}] if marked else []


def _labelled(label: dict[str, Any]) -> list[dict[str, Any]]:
    if not label or label.get("from_former"):
        return []
    told = f'A visible label was drawn: "{storable(label["words"])}", {label["corner"]}'
    return [{"action": "c2pa.edited", "description": told}]
