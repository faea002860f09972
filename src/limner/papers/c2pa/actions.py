"""What was done to get a work, as the actions of its manifest (C2PA specification 2.2, section 18.13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from limner import __version__
from limner.papers.c2pa.assets import assets_of
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.c2pa.provenance import Provenance
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED
from limner.text import storable

_PAINTED = "Painted by a trained picture generator"
_FINISHED = "Composed by a trained picture generator, finished from patches of pictures (org.limner.generation)"
_FORMER = "A new edition of a work that was published before"
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
    names = [*labels_of(provenance.ingredients), *assets_of(provenance)]
    made_from = {"parameters": {"ingredientIds": names}} if names else {}
    edition, label = provenance.edition, provenance.visible_label
    first = _action("c2pa.opened", _FORMER) if edition else _action("c2pa.created", _PAINTED)
    if provenance.finish and not edition:
        first["description"] = _FINISHED
    first |= {
        "digitalSourceType": COMPOSITE if provenance.finish else GENERATED,
        "softwareAgent": {"name": "limner", "version": __version__},
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **made_from,
    }
    actions = [first]
    if edition and edition["size"] != edition["former_size"]:
        actions.append(_action("c2pa.resized", f"{edition['former_size']} to {edition['size']} pixels, Lanczos"))
    if marked:
        actions.append(_action("c2pa.watermarked.bound", _MARKED))
    if label and not label.get("from_former"):
        words = f'A visible label was drawn: "{storable(label["words"])}", {label["corner"]}'
        actions.append(_action("c2pa.edited", words))
    if edition and (edition["format"] != edition["former_format"] or "quality" in edition):
        quality = f", quality {edition['quality']}" if "quality" in edition else ""
        words = f"{edition['former_format']} to {edition['format']}{quality}"
        # Readers ask of this action, as of the first, that it names what it was done to.
        actions.append(_action("c2pa.transcoded", words) | made_from)
    return actions


def _action(name: str, description: str) -> dict[str, Any]:
    return {"action": name, "description": description}
