"""What a demo is going to do, settled before anything is written: whose pictures, from which model, how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limner.errors import UsageError
from limner.models import bundle
from limner.models.bundle import read_card
from limner.rights import parse_licence

_PAINTINGS, _EMOJI = ("landscapes",), ("emoji-gan", "emoji-vae")
_MINUTES, _MINUTES_OWN = 2.0, 5.0
_SIZE = (64, 96)
_WHERE = ("kind=landscape",)

Size = tuple[int, int]


@dataclass(frozen=True)
class Opener:
    """A shipped model that a demo opens with."""

    path: Path
    by_label: bool = False
    """Whether it paints some pictures of each label, one label after the other."""


@dataclass(frozen=True)
class Plan:
    """One demo.

    Attributes:
        size: height and width.
        pictures: folder of the person's own pictures; None for the paintings that ship with limner.
        creator, licence: of own pictures whose row or file says nothing.
        parent: the model file that is trained on; None starts from nothing.
        aside: why a shipped model is not used as the parent, where one might expect it.
    """

    folder: Path
    minutes: float
    size: Size
    where: tuple[str, ...] = ()
    pictures: Path | None = None
    creator: str = ""
    licence: str = ""
    opening: tuple[Opener, ...] = ()
    parent: Path | None = None
    aside: str = ""


def shipped() -> tuple[Opener, ...]:
    """The models that a demo opens with, of each kind one; none where the installation has none."""
    found = ((_there(_PAINTINGS), False), (_there(_EMOJI), True))
    return tuple(Opener(path, by_label) for path, by_label in found if path)


def plan_paintings(folder: Path, *, minutes: float | None, size: Size | None, where: Sequence[str]) -> Plan:
    """A demo with the paintings that ship with limner, learned from nothing."""
    return Plan(folder, minutes or _MINUTES, size or _SIZE, tuple(where) or _WHERE, opening=shipped())


def plan_own(
    folder: Path,
    pictures: Path,
    *,
    minutes: float | None,
    size: Size | None,
    where: Sequence[str],
    creator: str,
    licence: str,
) -> Plan:
    """A demo with a person's own pictures, on which the shipped model of paintings goes on learning.

    Raises:
        UsageError: `pictures` is no folder that can be used.
        RightsError: `licence` is no SPDX expression.
    """
    _check(pictures, folder)
    parent, aside = _parent(size)
    return Plan(
        folder,
        minutes or _MINUTES_OWN,
        size or (_size_of(parent) if parent else _SIZE),
        tuple(where),
        pictures=pictures,
        creator=creator.strip(),
        licence=parse_licence(licence),
        opening=(Opener(parent),) if parent else shipped(),
        parent=parent,
        aside=aside,
    )


def _parent(size: Size | None) -> tuple[Path | None, str]:
    """The shipped model to train on, or why there is none."""
    path = _there(_PAINTINGS)
    if path is None:
        return None, "no model of paintings is in this installation: the training starts from nothing"
    own = _size_of(path)
    if size is None or size == own:
        return path, ""
    return None, f"--size {_said(size)}: {path.stem} paints {_said(own)}, so the training starts from nothing"


def _there(names: Sequence[str]) -> Path | None:
    paths = (bundle.SHIPPED / f"{name}.safetensors" for name in names)
    return next((path for path in paths if path.is_file()), None)


def _size_of(model: Path) -> Size:
    painter = read_card(model).config.painter
    return painter.height, painter.width


def _check(pictures: Path, folder: Path) -> None:
    """Say what is wrong with a folder of pictures, before anything is written."""
    try:
        why = "" if any(pictures.iterdir()) else "is empty"
    except FileNotFoundError:
        why = "there is no such folder"
    except NotADirectoryError:
        why = "is a file"
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
    if why:
        raise UsageError(pictures, why, "give a folder of pictures")
    own, to = pictures.resolve(), folder.resolve()
    if own.is_relative_to(to) or to.is_relative_to(own):
        raise UsageError(
            f"--to {folder}",
            f"is not apart from {pictures}, and the demo would take its own pictures for yours",
            f"choose a folder elsewhere, e.g. --to {own.parent / f'{own.name}-demo'}",
        )


def _said(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
