"""Is a style what it says it is? Emoji are drawn in four styles, so the right answer of every mix is known.

    python -m bench mixing MODEL COLLECTION [--learned-from COLLECTION]

For concepts of which no picture was trained on: a concept's picture in one style, in the style of another by the
model's translator, by another style vector (`swap`) and by plain averaging, is compared with the concept's own picture
there. The model must have been trained with `--label style` on the emoji, imported with `--together codepoints`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.yardstick import Concepts, Seen, Yardstick, summed
from limner.collection import Collection
from limner.latent.pipeline import Pipeline
from limner.latent.restyling import label_style, restyle, translate
from limner.models.painter import Latent
from limner.models.translator import TranslatorFile
from limner.pictures.sheets import save_sheet

__all__ = ["mixing", "told"]

_SHOWN = 12
_COLUMNS = ("self-supervised", "teacher deep", "teacher mixed", "pixels")


def mixing(
    pipeline: Pipeline,
    collection: Collection,
    folder: Path,
    translator: TranslatorFile | None = None,
    own: Collection | None = None,
) -> dict[str, Any]:
    """Measure every way to another style, write `mixing-MODEL.json` and sheets, and return what was found.

    For each way: `concept`, by each way to see how often the nearest of all pictures of the target style is the right
    concept; `style`, how often a judge that learned from real pictures of the concepts that were trained on calls it
    the target style; `distance` to the right picture, as a share of that of the plain average of the two latents.
    Beside the ways: `real`, the right picture itself; `possible`, the right picture painted again by the model; and
    `unchanged`, the picture as it was, painted again.

    Args:
        own: what the model was trained on, where that is another hold-out: figures come for target pictures that the
            model itself never saw (`new`), and for those that it did (`known`), too.
    """
    concepts = Concepts.of(collection, pipeline, own)
    yardstick = Yardstick(concepts, pipeline)
    ways = _ways(pipeline, concepts, translator)
    seen: dict[str, list[Seen]] = {}
    sheets: dict[tuple[str, str], list[Tensor]] = {pair: [concepts.asked(pair[0])[:_SHOWN]] for pair in concepts.pairs}
    for name, way in ways.items():
        seen[name] = []
        for pair in concepts.pairs:
            painted = way(*pair)
            seen[name].append(yardstick.see(painted, pair[1]))
            if name in ("swap", "translated"):
                sheets[pair].append(painted[:_SHOWN])
    found: dict[str, Any] = {
        "model": pipeline.model.card.name,
        "digest": pipeline.model.digest,
        "translator": None if translator is None else translator.digest,
        "concepts": len(concepts.unseen),
        "chance": 1 / len(next(iter(concepts.shown.values()))),
        "ways": {name: summed(rows, seen["average"]) for name, rows in seen.items()},
        "new": {name: summed(rows, seen["average"], True) for name, rows in seen.items()},
        "known": {name: summed(rows, seen["average"], False) for name, rows in seen.items()},
        "pairs": {
            f"{one} to {other}": {name: summed([rows[i]], [seen["average"][i]]) for name, rows in seen.items()}
            for i, (one, other) in enumerate(concepts.pairs)
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"mixing-{pipeline.model.card.name}.json").write_text(json.dumps(found, indent=2))
    for style in concepts.styles:
        rows = [row for pair in concepts.pairs if pair[0] == style for row in (*sheets[pair], _truth(concepts, pair))]
        save_sheet(torch.cat(rows), folder / f"mixing-{pipeline.model.card.name}-{style}.png", columns=_SHOWN)
    return found


def told(found: dict[str, Any]) -> str:
    """What was found, as a table of text."""
    lines = [f"{found['model']}: {found['concepts']} unseen concepts, chance {found['chance']:.2%}"]
    for part in ("ways", "new", "known"):
        pictures = next(iter(found[part].values()))["pictures"]
        lines.append(f"{part} ({pictures} pictures): right concept and distance by {', '.join(_COLUMNS)}; style")
        for name, one in found[part].items():
            shares = "  ".join(f"{one['concept'][column]:4.0%}" for column in _COLUMNS)
            far = "  ".join(f"{one['distance'][column]:.2f}" for column in _COLUMNS)
            lines.append(f"  {name:<12}{shares}   {far}   {one['style']:4.0%}")
    return "\n".join(lines)


def _ways(
    pipeline: Pipeline, concepts: Concepts, translator: TranslatorFile | None
) -> dict[str, Callable[[str, str], Tensor]]:
    """Pictures of all unseen concepts of one style in another, by each way. # -> uint8 [m, 3, h, w]"""
    latents = {style: pipeline.encode(concepts.asked(style)) for style in concepts.styles}
    looks = {style: label_style(pipeline, style) for style in concepts.styles}

    def average(one: str, other: str) -> Tensor:
        return pipeline.paint(Latent(*((a + b) / 2 for a, b in zip(latents[one], looks[other], strict=True))))

    ways: dict[str, Callable[[str, str], Tensor]] = {
        "real": lambda one, other: concepts.asked(other),
        "possible": lambda one, other: pipeline.paint(latents[other]),
        "unchanged": lambda one, other: pipeline.paint(latents[one]),
        "average": average,
        "swap": lambda one, other: pipeline.paint(restyle(latents[one], looks[other])),
    }
    if translator is not None:
        file = translator
        ways["translated"] = lambda one, other: pipeline.paint(translate(pipeline, file, latents[one], other, one))
        ways["untold"] = lambda one, other: pipeline.paint(translate(pipeline, file, latents[one], other))
    return ways


def _truth(concepts: Concepts, pair: tuple[str, str]) -> Tensor:
    return concepts.asked(pair[1])[:_SHOWN]
