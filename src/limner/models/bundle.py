"""The model file: one `.safetensors` with the weights and, in its metadata, the card. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from limner.errors import ModelError
from limner.models.card import Card, card_of
from limner.models.packing import SCALE, pack, unpack
from limner.models.vae import VAE
from limner.workspace import Workspace, replace_file

__all__ = ["SHIPPED", "Model", "find_digest", "find_model", "load_model", "read_card", "save_model"]

_KEY = "limner.card"
_FORMAT = 2
SHIPPED = Path(__file__).parent / "shipped"
"""The models that come with limner."""
_AGAIN = "copy the file again from where it came, or train the model again"


@dataclass(frozen=True)
class Model:
    """A model file, loaded.

    Attributes:
        digest: sha256 of the file, which names the model.
    """

    path: Path
    digest: str
    card: Card
    generator: VAE


def save_model(path: Path, generator: VAE, card: Card, *, small: bool = False) -> str:
    """Write the model file in one step and return its sha256.

    Args:
        small: weights as bytes with a scale a row, half of the size; otherwise weights are stored in bfloat16,
            statistics in float32.
    """
    names = {name for name, _ in generator.named_parameters()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in generator.state_dict().items()}
    if small:
        tensors = pack(tensors, names)
    else:
        tensors = {name: t.to(torch.bfloat16) if name in names else t for name, t in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as part:
        save_file(tensors, part, metadata={_KEY: card.model_dump_json()})
        digest = _digest(part)
        load_model(part)
    return digest


def read_card(path: Path) -> Card:
    """The card of a model file, without its weights.

    Raises:
        ModelError: missing, damaged, not limner's, or of a future version; says which.
    """
    if not path.is_file():
        raise ModelError(path, "there is no such model file", "see `limner model list`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(path, f"the file is damaged or no model ({_short(error)})", _AGAIN) from None
    if _KEY not in metadata:
        raise ModelError(path, "a .safetensors file without limner's card", "give a model that limner trained")
    return card_of(path, metadata[_KEY], Card, _FORMAT, _AGAIN)


def load_model(path: Path) -> Model:
    """Rebuild a model from its file alone.

    Raises:
        ModelError: missing, damaged, truncated, of other shapes, or of a future version; says which.
    """
    card = read_card(path)
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in VAE(card.config).state_dict().items()}
    weights: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt") as file:
            held = list(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in held if not name.endswith(SCALE)}
            _compare(path, {n: tuple(s) for n, s in expected.items()}, shapes)
            weights = unpack({name: file.get_tensor(name) for name in held})
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(path, f"its weights are damaged ({_short(error)})", _AGAIN) from None
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(path, f"its weights are damaged ({name} holds NaN or infinity)", _AGAIN)
    generator = VAE(card.config)
    generator.load_state_dict(weights)
    generator.eval().requires_grad_(False)
    return Model(path, _digest(path), card, generator)


def find_model(reference: str, workspace: Workspace) -> Path:
    """The file of a model that is given as a path, by its name in the workspace, or by that of one that ships.

    Raises:
        ModelError: neither; names close ones.
    """
    path = Path(reference)
    if path.is_file():
        return path
    named = workspace.models / f"{reference}.safetensors"
    if named.is_file():
        return named
    shipped = SHIPPED / f"{reference}.safetensors"
    if shipped.is_file():
        return shipped
    there = sorted({file.stem for folder in (workspace.models, SHIPPED) for file in folder.glob("*.safetensors")})
    known = f"models here: {', '.join(there)}" if there else "train one with `limner train COLLECTION`"
    raise ModelError(reference, "no such model file and no model of this name", known)


def find_digest(digest: str, workspace: Workspace) -> Path | None:
    """The file of the model with this sha256 among those of the workspace and those that ship; None for none."""
    wanted = digest.removeprefix("sha256:")
    files = (file for folder in (workspace.models, SHIPPED) for file in sorted(folder.glob("*.safetensors")))
    return next((file for file in files if _digest(file) == wanted), None)


def _compare(path: Path, expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> None:
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        told = f"{missing[0]} is missing" if missing else f"{extra[0]} is unknown"
        raise ModelError(path, f"its weights do not fit its card ({told})", _AGAIN)
    for name, shape in expected.items():
        if found[name] != shape:
            raise ModelError(path, f"its weights do not fit its card ({name} is {found[name]}, not {shape})", _AGAIN)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
