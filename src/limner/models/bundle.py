"""The model file: one `.safetensors` with the weights and, in its metadata, the card. Nothing is ever unpickled."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from limner.errors import ModelError
from limner.models.card import FORMAT, Card
from limner.models.files import Kind, read_card_of, rebuilt, sha256_of
from limner.models.latent_model import LatentModel
from limner.models.packing import pack
from limner.workspace import Workspace, replace_file

__all__ = ["SHIPPED", "Model", "find_digest", "find_model", "load_model", "read_card", "save_model"]

SHIPPED = Path(__file__).parent / "shipped"
"""The models that come with limner."""
_KIND = Kind(
    key="limner.card",
    card=Card,
    layout=FORMAT,
    noun="a model",
    where="see `limner model list`",
    again="copy the file again from where it came, or train the model again",
)


@dataclass(frozen=True)
class Model:
    """A model file, loaded.

    Attributes:
        digest: sha256 of the file, which names the model.
    """

    path: Path
    digest: str
    card: Card
    generator: LatentModel

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
    names = {name for name, _ in generator.named_parameters()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in generator.state_dict().items()}
    if small:
        tensors = pack(tensors, names)
    else:
        tensors = {name: t.to(torch.bfloat16) if name in names else t for name, t in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as part:
        save_file(tensors, part, metadata={_KIND.key: card.model_dump_json()})
        digest = sha256_of(part)
        load_model(part)
    return digest


def read_card(path: Path) -> Card:
    """The card of a model file, without its weights.

    Raises:
        ModelError: missing, damaged, not limner's, or of a future version; says which.
    """
    return read_card_of(path, _KIND)


def load_model(path: Path) -> Model:
    """Rebuild a model from its file alone.

    Raises:
        ModelError: missing, damaged, truncated, of other shapes, or of a future version; says which.
    """
    card = read_card(path)
    generator = rebuilt(path, lambda: LatentModel(card.config), _KIND.again)
    return Model(path, sha256_of(path), card, generator)


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
    wanted = digest.removeprefix("sha256:")
    files = (file for folder in (workspace.models, SHIPPED) for file in sorted(folder.glob("*.safetensors")))
    return next((file for file in files if sha256_of(file) == wanted), None)
