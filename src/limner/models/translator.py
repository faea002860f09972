"""The translator: a small network that says where a picture would lie in a model's space in another label's style.

Swapping style vectors changes little where the content carries the look. A translator learned from pairs, the same
thing drawn in several styles, and changes content and styles together; encoder and painter stay as they are.

Notable features:
- it is given both labels, or that the first is unknown, and at first changes nothing;
- convolutions on the content's grid change the style from place to place; a transformer on half of the grid, which the
  style vectors join, sees what is shown;
- a part of what it finds is left out while it learns (`dropout`): pairs are few.

The file is one `.safetensors` with the weights as bytes and, in its metadata, a card; nothing is ever unpickled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from limner.models.card import Learned
from limner.models.discriminators import leaky
from limner.models.files import Kind, WeightsFile, pack
from limner.models.painter import PainterConfig
from limner.models.prior import LatentNetwork, ModulatedBlock

_HEAD = 40


class TranslatorConfig(BaseModel):
    """Everything that shapes a translator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    painter: PainterConfig
    """Of the model in whose space it works."""
    labels: tuple[str, ...] = Field(min_length=2, max_length=1000)
    """Names of the styles, in the order of the model's labels."""
    channels: int = Field(96, ge=8, le=512, multiple_of=8)
    """Of the convolutions on the content's grid."""
    width: int = Field(160, ge=_HEAD, le=1024, multiple_of=_HEAD)
    """Of the transformer on half of the grid, and of what tells the labels."""
    before: int = Field(1, ge=0, le=8)
    """Residual blocks of convolutions before the transformer."""
    layers: int = Field(2, ge=0, le=16)
    """Layers of the transformer."""
    after: int = Field(2, ge=0, le=8)
    """Residual blocks of convolutions after it."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Share of what is found that is left out while it learns."""


class _Layer(nn.Module):
    """A transformer layer whose inputs the labels scale and shift. # [n, tokens, width] -> the same"""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.heads = width // _HEAD
        self.affine = nn.Linear(width, 4 * width)
        self.attend = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.grow = nn.Linear(width, 3 * width)
        self.shrink = nn.Linear(3 * width, width)
        self.drop = nn.Dropout(dropout)
        for last in (self.merge, self.shrink):
            nn.init.zeros_(last.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        a, b, c, d = self.affine(condition)[:, None].chunk(4, dim=-1)
        y = torch.addcmul(b, F.layer_norm(x, x.shape[-1:]).to(a.dtype), 1 + a)
        q, k, v = self.attend(y).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.drop(self.merge(y))
        y = torch.addcmul(d, F.layer_norm(x, x.shape[-1:]).to(c.dtype), 1 + c)
        grown: Tensor = x + self.drop(self.shrink(F.gelu(self.grow(y))))
        return grown


class Translator(LatentNetwork):
    """Whitened latents of one label to those of the same things in another."""

    def __init__(self, config: TranslatorConfig) -> None:
        super().__init__()
        self.config = config
        painter, channels, width = config.painter, config.channels, config.width
        count = len(config.labels)
        self.known = nn.Embedding((count + 1) * count, width)
        self.enter = nn.Conv2d(painter.content_channels, channels, 3, padding=1)
        self.before = nn.ModuleList(ModulatedBlock(channels, width, config.dropout) for _ in range(config.before))
        self.fall = nn.Conv2d(4 * channels, width, 1)
        self.style_in = nn.Linear(painter.style_width, width)
        tokens = math.prod(painter.grid) // 4 + painter.blocks
        self.position = nn.Parameter(torch.randn(tokens, width) * 0.3)
        self.layers = nn.ModuleList(_Layer(width, config.dropout) for _ in range(config.layers))
        self.rise = nn.Conv2d(width, 4 * channels, 1)
        self.after = nn.ModuleList(ModulatedBlock(channels, width, config.dropout) for _ in range(config.after))
        self.style_out = nn.Linear(width, painter.style_width)
        self.leave = nn.Conv2d(channels, painter.content_channels, 3, padding=1)
        for last in (self.style_out, self.leave):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, rows: Tensor, sources: Tensor, targets: Tensor) -> Tensor:
        """Rows of the same things in other styles. # [n, numbers], [n], [n] -> [n, numbers]

        Args:
            sources, targets: labels that rows are and should be of; in sources the count of labels means unknown.
        """
        condition = F.silu(self.known(sources * len(self.config.labels) + targets))
        x, styles = self.features(self.config.painter, rows, condition, condition)
        changed = torch.cat([self.leave(F.silu(x)).flatten(1), self.style_out(styles).flatten(1)], dim=1)
        return rows + changed.float()


class PairDiscriminator(nn.Module):
    """Says how real pictures look, given the label that they should be of and what they were translated from.

    Small heads on a frozen teacher's features of both pictures, and one on the pixels of the result.

    Args:
        widths: channels of the teacher's features; none without a teacher.
        labels: how many there are; each head has an opinion for each.
    """

    def __init__(self, widths: Sequence[int], labels: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_head(2 * width, labels, stride=1 if i else 2) for i, width in enumerate(widths))
        self.pixels = _head(12, labels, stride=2)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, 0.2)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def see(self, before: list[Tensor], pictures: Tensor, maps: list[Tensor], labels: Tensor) -> list[Tensor]:
        """What it looks at, as `forward` takes it.

        Args:
            before: the teacher's features of what was translated.
            pictures: the result. # [n, 3, h, w]
            maps: the teacher's features of the result.
        """
        both = [torch.cat([a, b], 1) for a, b in zip(before, maps, strict=True)]
        return [*both, F.pixel_unshuffle(pictures, 2), labels]

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """What each head thinks of each place. # what `see` gives -> one [n, places] a head"""
        *seen, labels = maps
        own = torch.arange(len(labels), device=labels.device)
        heads = zip((*self.heads, self.pixels), seen, strict=True)
        return [head(one)[own, labels].flatten(1).float() for head, one in heads]


def _head(channels: int, labels: int, stride: int) -> nn.Sequential:
    return leaky(
        nn.Conv2d(channels, 64, 3, stride, padding=1), nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, labels, 1)
    )


class TranslatorCard(Learned):
    """Everything that a translator says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 2
    model: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    """The model file in whose space it works."""
    model_name: str
    config: TranslatorConfig
    pairs: str
    """The column that says which pictures show the same thing."""
    label: str
    """The column that names the styles."""


_COMMAND = "`limner train-translator`"
_KIND = Kind(
    "limner.translator", TranslatorCard, Translator, "a translator",
    f"give a file that {_COMMAND} wrote", f"train it again with {_COMMAND}", 64 << 20,
)  # fmt: skip
load_translator = _KIND.load
TranslatorFile = WeightsFile[TranslatorCard, Translator]


def save_translator(path: Path, network: Translator, card: TranslatorCard) -> str:
    """Write the file in one step, weights as bytes with a scale a row, and return its sha256."""
    tensors = {name: tensor.float() for name, tensor in network.state_dict().items()}
    return _KIND.save(path, pack(tensors, tensors), card)
