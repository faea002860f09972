"""What the shell offers after Tab: models, collections, labels, directions. Nothing heavy is loaded; nothing fails."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from limner.workspace import Workspace

DIRECTIONS = (
    *("brightness", "warmth", "colourfulness", "contrast"),
    *("horizon", "symmetry", "detail", "hue"),
)
"""What models are moved along, whatever else they know."""
_SHIPPED = Path(__file__).parents[1] / "models" / "shipped"
_LARGEST_HEADER = 64 << 20


def models(incomplete: str) -> list[str]:
    """Names of models of the workspace, and of those that ship."""
    return _fitting((file.stem for file in _files()), incomplete)


def collections(incomplete: str) -> list[str]:
    """Names of collections of the workspace."""
    folder = Workspace.default().collections
    found = folder.iterdir() if folder.is_dir() else ()
    return _fitting((one.name for one in found if not one.name.startswith(".")), incomplete)


def labels(incomplete: str) -> list[str]:
    """Labels of the models that stand in the command line already."""
    # Typer hands on nothing of a line that ends in an option; the shell does.
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = {*line.split()}
    named = [file for file in _files() if file.stem in words]
    named += [file for word in words if word.endswith(".safetensors") and (file := Path(word)).is_file()]
    return _fitting((label for file in named for label in _labels_in(file)), incomplete)


def directions(incomplete: str) -> list[str]:
    """`NAME=` of what models are moved along."""
    return _fitting((f"{name}=" for name in DIRECTIONS), incomplete)


def _files() -> list[Path]:
    return [file for folder in (Workspace.default().models, _SHIPPED) for file in sorted(folder.glob("*.safetensors"))]


def _labels_in(file: Path) -> list[str]:
    """The labels in the card of a model's file; none where it cannot be read."""
    try:
        with file.open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            head: dict[str, Any] = json.loads(opened.read(min(size, _LARGEST_HEADER)))
        cards = [json.loads(text) for text in head.get("__metadata__", {}).values() if text.startswith("{")]
        return [str(name) for card in cards for name in card.get("config", {}).get("labels", [])]
    except (OSError, ValueError, AttributeError):
        return []


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
