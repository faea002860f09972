"""How every file of weights is read: held against its card before anything is built, and never unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from torch import nn

from limner.errors import ModelError
from limner.models.card import card_of
from limner.models.packing import SCALE, unpack

__all__ = ["Kind", "read_card_of", "rebuilt", "sha256_of"]

_Card = TypeVar("_Card", bound=BaseModel)
_Network = TypeVar("_Network", bound=nn.Module)


@dataclass(frozen=True)
class Kind(Generic[_Card]):
    """A kind of file that limner writes: one `.safetensors` with weights and, in its metadata, a card.

    Attributes:
        key: of the card in the metadata.
        card: what the card is read as.
        layout: version of the card that is known.
        noun: what such a file holds, with its article.
        where: what to give, or do, where there is no such file.
        again: what to do about a damaged one.
        largest: bytes.
    """

    key: str
    card: type[_Card]
    layout: int
    noun: str
    where: str
    again: str
    largest: int = 1 << 30


def read_card_of(path: Path, kind: Kind[_Card]) -> _Card:
    """The card of a file, without its weights.

    Raises:
        ModelError: missing, damaged, of another kind, or of a later limner; says which.
    """
    if not path.is_file():
        raise ModelError(path, "there is no such file", kind.where)
    if path.stat().st_size > kind.largest:
        raise ModelError(path, f"is too large for {kind.noun}", kind.where)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(path, f"the file is damaged or not {kind.noun} ({_short(error)})", kind.again) from None
    if kind.key not in metadata:
        raise ModelError(path, f"a .safetensors file, and not {kind.noun} of limner's", kind.where)
    return card_of(path, metadata[kind.key], kind.card, kind.layout, kind.again)


def rebuilt(path: Path, make: Callable[[], _Network], again: str) -> _Network:
    """The network with the weights of a file, fixed and ready to be used.

    Args:
        make: builds it as the file's card says; first without any memory, to compare shapes.
        again: what to do about a damaged file.

    Raises:
        ModelError: truncated, of other shapes, or not all numbers; says which.
    """
    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in make().state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            held = list(file.keys())
            found = {name: tuple(file.get_slice(name).get_shape()) for name in held if not name.endswith(SCALE)}
            if told := _misfit(expected, found):
                raise ModelError(path, f"its weights do not fit its card ({told})", again)
            weights = unpack({name: file.get_tensor(name) for name in held})
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(path, f"its weights are damaged ({_short(error)})", again) from None
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(path, f"its weights are damaged ({name} holds NaN or infinity)", again)
    network = make()
    network.load_state_dict(weights)
    network.eval().requires_grad_(False)
    return network


def sha256_of(path: Path) -> str:
    """What names a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _misfit(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> str:
    """The first difference, in words; empty where there is none."""
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        return f"{missing[0]} is missing" if missing else f"{extra[0]} is unknown"
    return next((f"{n} is {found[n]}, not {shape}" for n, shape in expected.items() if found[n] != shape), "")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
