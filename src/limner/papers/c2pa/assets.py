"""Models and collections as ingredients of a manifest: what a computation was given that is no picture.

Source: C2PA specification 2.2, section 18.15 (`inputTo`, `dataTypes`; its example of a private model) and table 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from limner.papers.c2pa.claims import mappings, text
from limner.papers.c2pa.provenance import Provenance
from limner.text import storable

AssetKind = Literal["model", "collection"]

_MODEL, _DATASET, _GENERATOR = "c2pa.types.model", "c2pa.types.dataset", "c2pa.types.generator"
# A model's file is no media type of its own; what has many files is `multipart/mixed` (section 18.15.5).
_FORMATS: dict[AssetKind, str] = {"model": "application/octet-stream", "collection": "multipart/mixed"}


@dataclass(frozen=True)
class Asset:
    """A model or a collection that led to a picture.

    Attributes:
        name: as its maker calls it.
        digest: sha256 of a model's file, or of a collection's contents, `sha256:` before it; as the manifest says.
        use: what it was used for, in a few words.
        paints: whether it is a generator.
    """

    kind: AssetKind
    name: str
    digest: str = ""
    use: str = ""
    paints: bool = False

    def definition(self, label: str) -> dict[str, Any]:
        """As the C2PA library takes it; `label` is by what actions call it."""
        kinds = [_GENERATOR] * self.paints + [_MODEL if self.kind == "model" else _DATASET]
        return {
            "label": label,
            "title": storable(self.name)[:500],
            "relationship": "inputTo",
            "format": _FORMATS[self.kind],
            "data_types": [{"type": kind} for kind in kinds],
            "description": f"{self.digest}; {self.use}",
        }


def assets_of(provenance: Provenance) -> dict[str, Asset]:
    """What models and collections a work was made with, by what its actions call them; none for a further edition.

    An edition is made from a file alone: the manifest of that file, which it keeps, names them.
    """
    made, how = provenance, provenance.how
    if made.edition:
        return {}
    found = {
        "model": Asset("model", made.model_name, made.model_digest, "it composed the picture", paints=True),
        "collection": Asset("collection", made.collection_name, made.collection_digest, "the model learned from it"),
    }
    if digest := how.get("upscaler_digest"):
        found["up-scaler"] = Asset("model", str(how.get("upscaler")), str(digest), "it enlarged the picture")
    if digest := how.get("translator"):
        found["translator"] = Asset("model", "translator of styles", str(digest), "it changed the style")
    exemplars = made.finish.get("exemplars") or {}
    if name := exemplars.get("name"):  # otherwise they are those that the model learned from
        digest = f"sha256:{str(exemplars.get('digest', '')).removeprefix('sha256:')}"
        found["exemplars"] = Asset("collection", str(name), digest, "the picture was finished from patches of it")
    return found


def asset_in(ingredient: Mapping[str, Any]) -> Asset | None:
    """The model or the data set that an ingredient is; None for anything else. Any program may have written it."""
    types = mappings(ingredient.get("dataTypes") or ingredient.get("data_types"))
    kinds = [text(one.get("type")) or "" for one in types]
    model = any(_is(kind, _MODEL) for kind in kinds)
    if not model and not any(_is(kind, _DATASET) for kind in kinds):
        return None
    note = text(ingredient.get("description")) or ""
    digest, _, use = note.partition("; ")
    if not digest.startswith("sha256:"):
        digest, use = "", note
    name = text(ingredient.get("dc:title")) or ""
    return Asset("model" if model else "collection", name, digest, use, _GENERATOR in kinds)


def _is(kind: str, root: str) -> bool:
    return kind == root or kind.startswith(f"{root}.")
