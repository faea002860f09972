"""Is a style what it says it is? Emoji are drawn in four styles, so the right answer of every mix is known.

    python -m bench mixing MODEL COLLECTION

For concepts of which no picture was trained on: the content of a concept in one style, painted with another style, is
compared with the concept's own picture in that style. The model must have been trained with `--label style` on the
emoji, imported with `--together codepoints`.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from limner import pictures
from limner.collection import Collection, Row
from limner.errors import UsageError
from limner.latent.painting import Brush
from limner.latent.restyling import label_style, restyle
from limner.models.painter import Latent
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.training.augmentation import centred
from limner.training.stages import save_sheet

__all__ = ["mixing"]

_SHOWN = 8
_TOLD = ("concept", "possible", "style", "distance")


class _Judge:
    """Tells styles apart by features: a linear classifier. # {style: [n, width]}"""

    def __init__(self, known: dict[str, Tensor]) -> None:
        rows = torch.cat(list(known.values()))
        names = torch.arange(len(known)).repeat_interleave(torch.tensor([len(own) for own in known.values()]))
        self._found = LogisticRegression(C=0.1, max_iter=300).fit(rows.numpy(), names.numpy())

    def __call__(self, rows: Tensor) -> Tensor:
        """Number of the style of each row. # [n, width] -> [n]"""
        return torch.from_numpy(self._found.predict(rows.numpy()))


def mixing(brush: Brush, collection: Collection, folder: Path) -> dict[str, Any]:
    """Measure style mixing, write `mixing-MODEL.json` and a sheet, and return what was found.

    For every ordered pair of styles: `concept`, how often the nearest of all pictures of the target style is the right
    concept, and `possible`, how often it is where the model paints the right picture itself again; `style`, how often a
    classifier that learned from real pictures of the concepts that were trained on calls it the target style;
    `distance`, to the right picture, by that of the plain average of the two latents.
    """
    styles = brush.model.card.config.labels
    config = brush.model.card.config.painter
    rows = _by_concept(collection.rows(), styles)
    unseen = [name for name, own in rows.items() if all(row.split == "holdout" for row in own.values())]
    if not unseen:
        raise UsageError(collection.name, "holds out no whole concept", "import it with --together codepoints")
    names = list(rows)
    features = SelfSupervisedFeatures()
    shown = {s: _read(collection, [rows[n][s] for n in names], (config.height, config.width)) for s in styles}
    known = {style: features(own) for style, own in shown.items()}
    everything = torch.cat([known[style] for style in styles])
    scale = everything.std(0).clamp_min(1e-6)
    number = {name: i for i, name in enumerate(names)}
    asked = torch.tensor([number[name] for name in unseen])
    others = torch.tensor([number[name] for name in names if name not in set(unseen)])
    judge = _Judge({style: known[style][others] / scale for style in styles})
    latents = {style: brush.encode(shown[style][asked]) for style in styles}
    pairs: list[dict[str, Any]] = []
    sheets: list[Tensor] = []
    for one, other in itertools.permutations(styles, 2):
        style = label_style(brush, other)
        painted = brush.paint(restyle(latents[one], style))
        average = brush.paint(Latent(*((a + b) / 2 for a, b in zip(latents[one], style, strict=True))))
        seen, plain = features(painted) / scale, features(average) / scale
        right = torch.cdist(seen, known[other] / scale).argmin(1) == asked
        again = features(brush.paint(latents[other])) / scale
        possible = torch.cdist(again, known[other] / scale).argmin(1) == asked
        stylish = judge(seen) == styles.index(other)
        truth = known[other][asked] / scale
        distance = (seen - truth).norm(dim=1).mean() / (plain - truth).norm(dim=1).mean()
        shares = {
            "concept": right.float().mean(), "possible": possible.float().mean(), "style": stylish.float().mean(),
            "distance": distance,
        }  # fmt: skip
        pairs.append({"from": one, "to": other, **{name: float(value) for name, value in shares.items()}})
        sheets += [shown[one][asked[:_SHOWN]], painted[:_SHOWN], shown[other][asked[:_SHOWN]]]
    found: dict[str, Any] = {
        "model": brush.model.card.name,
        "digest": brush.model.digest,
        "concepts": len(unseen),
        "chance": 1 / len(names),
        "style of real pictures": float(
            torch.cat([judge(known[style][asked] / scale) == i for i, style in enumerate(styles)]).float().mean()
        ),
        **{name: sum(float(pair[name]) for pair in pairs) / len(pairs) for name in _TOLD},
        "pairs": pairs,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"mixing-{brush.model.card.name}.json").write_text(json.dumps(found, indent=2))
    save_sheet(torch.cat(sheets), folder / f"mixing-{brush.model.card.name}.png", columns=_SHOWN)
    return found


def _by_concept(rows: Sequence[Row], styles: Sequence[str]) -> dict[str, dict[str, Row]]:
    """The pictures of each concept that there is in all styles."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row.labels.get("style") in styles:
            found[row.labels["codepoints"]][row.labels["style"]] = row
    return {name: own for name, own in sorted(found.items()) if len(own) == len(styles)}


def _read(collection: Collection, rows: Sequence[Row], size: tuple[int, int]) -> Tensor:
    return torch.stack([centred(pictures.read(collection.picture_path(row)).pixels, size) for row in rows])
