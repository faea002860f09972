"""How every file of weights is written and read: checked against its card before anything is built, never unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from limner.errors import ModelError
from limner.models.card import Learned
from limner.workspace import replace_file

_SCALE = ":scale"
"""What is added to a name for the scales of its rows or columns."""
_SMALL = 2048

_Card = TypeVar("_Card", bound=Learned)
_Network = TypeVar("_Network", bound=nn.Module)


@dataclass(frozen=True)
class WeightsFile(Generic[_Card, _Network]):
    """A file of weights, loaded."""

    path: Path
    digest: str
    card: _Card
    network: _Network


@dataclass(frozen=True)
class Kind(Generic[_Card, _Network]):
    """A kind of file that limner writes: one `.safetensors` with weights and, in its metadata, a card.

    Attributes:
        network: makes the network of a card's config, with weights of any value.
        noun: what such a file holds, with its article.
        where: what to give, or do, where there is no such file.
        again: how to make a damaged one anew.
    """

    key: str
    card: type[_Card]
    network: Callable[[Any], _Network]
    noun: str
    where: str
    again: str
    largest: int = 1 << 30

    @property
    def _remedy(self) -> str:
        return f"copy the file again from where it came, or {self.again}"

    def save(self, path: Path, tensors: Mapping[str, Tensor], card: _Card) -> str:
        """Write a file in one step, read it back, and return its sha256."""
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with torch.inference_mode(False), replace_file(path) as part:
            save_file(kept, part, metadata={self.key: card.model_dump_json()})
            return self.load(part).digest

    def read_card(self, path: Path) -> _Card:
        """The card of a file, without its weights.

        Raises:
            ModelError: missing, damaged, of another kind or format; says which.
        """
        if not path.is_file():
            raise ModelError(path, "there is no such file", self.where)
        if path.stat().st_size > self.largest:
            raise ModelError(path, f"is too large for {self.noun}", self.where)
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(path, f"the file is damaged or not {self.noun} ({_short(error)})", self._remedy) from None
        if self.key not in metadata:
            raise ModelError(path, f"a .safetensors file, and not {self.noun} of limner's", self.where)
        return self._parsed(path, metadata[self.key])

    def load(self, path: Path) -> WeightsFile[_Card, _Network]:
        """The file with its network, fixed and ready to be used.

        Raises:
            ModelError: missing, damaged, truncated, of another kind, format or shape, or not all numbers; says which.
        """
        card = self.read_card(path)
        with torch.device("meta"):  # no memory is taken before the shapes are known to fit
            expected = {name: tuple(tensor.shape) for name, tensor in self.network(card.config).state_dict().items()}
        try:
            with safe_open(path, framework="pt") as file:
                names = list(file.keys())
                found = {name: tuple(file.get_slice(name).get_shape()) for name in names if not name.endswith(_SCALE)}
                if misfit := _misfit(expected, found):
                    raise ModelError(path, f"its weights do not fit its card ({misfit})", self._remedy)
                weights = unpack({name: file.get_tensor(name) for name in names})
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            raise ModelError(path, f"its weights are damaged ({_short(error)})", self._remedy) from None
        for name, tensor in weights.items():
            if not torch.isfinite(tensor).all():
                raise ModelError(path, f"its weights are damaged ({name} holds NaN or infinity)", self._remedy)
        network = self.network(card.config)
        network.load_state_dict(weights)
        network.eval().requires_grad_(False)
        return WeightsFile(path, sha256_of(path), card, network)

    def _parsed(self, path: Path, text: str) -> _Card:
        try:
            raw = json.loads(text)
            version = raw.get("format")
        except (ValueError, AttributeError, RecursionError):
            raise ModelError(path, "its card is no JSON object", self._remedy) from None
        own = self.card.model_fields["format"].default
        if version != own:
            later = isinstance(version, int) and version > own
            who, remedy = ("a later", "update limner") if later else ("an earlier", "train it again")
            raise ModelError(path, f"made by {who} limner (format {version!r:.20}, not {own})", remedy)
        try:
            return self.card.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ModelError(path, f"its card is damaged (at {where}: {first['msg']})", self._remedy) from None


def pack(tensors: Mapping[str, Tensor], weights: Iterable[str]) -> dict[str, Tensor]:
    """Tensors as a small file keeps them: matrices as bytes with one scale a row, or a column where there are fewer.

    Rounding a weight to one of 255 steps of its row's largest changes it by 0.2 % of that on average; the file is half
    of what bfloat16 takes. Pictures differ from those of the whole file by 49 dB (emoji, 64 px, median of 32).

    Args:
        weights: names of those that were learned; of these the small ones are kept as bfloat16.
    """
    learned = set(weights)
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim > 1 and tensor.numel() >= _SMALL and tensor.is_floating_point():
            rows = tensor.float().flatten(1)
            along = 0 if len(rows) > 4 * rows.shape[1] and tensor.ndim == 2 else 1
            scale = (rows.abs().amax(along, keepdim=True) / 127).clamp_min(1e-12)
            packed[name] = (rows / scale).round().to(torch.int8).reshape(tensor.shape)
            packed[name + _SCALE] = scale.flatten()
        else:
            packed[name] = tensor.to(torch.bfloat16) if name in learned else tensor
    return packed


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file, small or not, as float32 (whole numbers stay what they are).

    Raises:
        ValueError: scales that fit no tensor.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(_SCALE):
            if tensors.get(name.removesuffix(_SCALE), tensor).dtype != torch.int8:
                raise ValueError(f"{name} fits no tensor")
            continue
        scale = tensors.get(name + _SCALE)
        if scale is None:
            found[name] = tensor.float() if tensor.is_floating_point() else tensor
        elif scale.shape == tensor.shape[:1]:
            found[name] = tensor.float() * scale.float().reshape(-1, *[1] * (tensor.ndim - 1))
        elif scale.shape == tensor.shape[1:]:
            found[name] = tensor.float() * scale.float()
        else:
            raise ValueError(f"{name + _SCALE} is {tuple(scale.shape)}, not {tuple(tensor.shape[:1])}")
    return found


def sha256_of(path: Path) -> str:
    """What names a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_of_digest(digest: str, files: Iterable[Path]) -> Path | None:
    """The first of these files with a sha256; None for none."""
    wanted = digest.removeprefix("sha256:")
    return next((file for file in files if file.is_file() and sha256_of(file) == wanted), None)


def _misfit(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> str:
    """The first difference, in words; empty where there is none."""
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        return f"{missing[0]} is missing" if missing else f"{extra[0]} is unknown"
    return next((f"{n} is {found[n]}, not {shape}" for n, shape in expected.items() if found[n] != shape), "")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
