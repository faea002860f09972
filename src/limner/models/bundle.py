"""The model file: one `.safetensors` with the weights and, in its metadata, the card. Nothing is ever unpickled."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch

from limner.errors import ModelError
from limner.models.card import Card
from limner.models.files import Kind, WeightsFile, file_of_digest, pack
from limner.models.latent_model import LatentModel
from limner.workspace import Workspace

SHIPPED = Path(__file__).parent / "shipped"
"""The models that come with limner."""
_KIND = Kind("limner.card", Card, LatentModel, "a model", "see `limner model list`", "train the model again")
read_card = _KIND.read_card


class Model(WeightsFile[Card, LatentModel]):
    """A model file, loaded; the digest names the model."""

    @property
    def generator(self) -> LatentModel:
        """The network."""
        return self.network

    @property
    def name(self) -> str:
        """What it is called here; its card says what it was called when it was made."""
        return self.path.stem


def save_model(path: Path, generator: LatentModel, card: Card, *, small: bool = False) -> str:
    """Write the model file in one step and return its sha256.

    Args:
        small: weights as bytes with a scale a row, half of the size; otherwise weights are stored in bfloat16,
            statistics in float32.
    """
    names, tensors = {name for name, _ in generator.named_parameters()}, generator.state_dict()
    if small:
        return _KIND.save(path, pack(tensors, names), card)
    return _KIND.save(path, {n: t.to(torch.bfloat16) if n in names else t for n, t in tensors.items()}, card)


def load_model(path: Path) -> Model:
    """Rebuild a model from its file alone.

    Raises:
        ModelError: missing, damaged, truncated, of other shapes, or of another format; says which.
    """
    return Model(**vars(_KIND.load(path)))


def find_model(reference: str, workspace: Workspace) -> Path:
    """The file of a model that is given as a path, by its name in the workspace, or by that of one that ships.

    Raises:
        ModelError: neither; names close ones.
    """
    named = f"{reference}.safetensors"
    for path in (Path(reference), workspace.models / named, SHIPPED / named):
        with suppress(OSError, ValueError):  # a name that no file can have
            if path.is_file():
                return path
    there = sorted({file.stem for folder in (workspace.models, SHIPPED) for file in folder.glob("*.safetensors")})
    known = f"models here: {', '.join(there)}" if there else "train one with `limner train COLLECTION`"
    raise ModelError(reference[:80], "no such model file and no model of this name", known)


def find_digest(digest: str, workspace: Workspace) -> Path | None:
    """The file of the model with this sha256 among those of the workspace and those that ship; None for none."""
    folders = workspace.models, SHIPPED
    return file_of_digest(digest, (file for folder in folders for file in sorted(folder.glob("*.safetensors"))))
