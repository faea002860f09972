"""What the names of folders say: a label, or on which side of a split the pictures in them stand."""

from __future__ import annotations

from collections.abc import Iterable

from limner.text import composed

__all__ = ["folder_label", "kept_apart"]

_SPLITS = {
    **dict.fromkeys(("train", "training", "trainset", "train_set"), "train"),
    **dict.fromkeys(("test", "testing", "val", "valid", "validation", "eval", "dev", "holdout", "hold-out"), "holdout"),
}


def kept_apart(names: Iterable[str]) -> tuple[dict[str, str], frozenset[str]]:
    """The split that folders called train, test, val and the like make, and these folders.

    A folder of such a name alone says nothing (steam trains are trained on, too): only where one to train on stands
    beside one to hold out, in the same folder, are they a split.

    Args:
        names: paths of pictures with `/`.

    Returns:
        `train` or `holdout` by name; the paths of the folders that make the split, each ending in `/`.
    """
    names = list(names)
    sides: dict[str, dict[str, str]] = {}  # parent: folder's path: side
    for name in names:
        parts = name.split("/")[:-1]
        for depth, part in enumerate(parts):
            if side := _SPLITS.get(part.casefold()):
                parent = "/".join(parts[:depth])
                sides.setdefault(parent, {})["/".join(parts[: depth + 1]) + "/"] = side
    outer = {
        folder: side
        for folders in sides.values()
        if {"train", "holdout"} <= {*folders.values()}
        for folder, side in folders.items()
    }
    split = {}
    for name in names:
        side = next((outer[folder] for folder in _folders_of(name) if folder in outer), None)
        if side:
            split[name] = side
    return split, frozenset(outer)


def folder_label(name: str, outer: frozenset[str]) -> dict[str, str]:
    """The label `folder` of a picture: where it lies, without the folders of a split."""
    parts = [folder.rstrip("/").rpartition("/")[2] for folder in _folders_of(name) if folder not in outer]
    return {"folder": composed("/".join(parts))} if parts else {}


def _folders_of(name: str) -> list[str]:
    """The folders of a path, outermost first, each with its own path and a `/` at the end."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]
