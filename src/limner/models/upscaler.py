"""The up-scaler: a small network that paints a picture at twice its size, and its file.

Notable features:
- it looks at the small picture, and only the last two convolutions, which are narrow, run at twice its size: 2048 px
  take seconds on a laptop; what it finds is added to the bicubic enlargement, and at first it finds nothing;
- features are enlarged smoothly: a pixel shuffle, which treats each pixel of four in its own way, left a grid;
- it adds detail alone: the mean of each 9 px stays what it was, for a discriminator that sees crops pulls blue skies
to grey;
- a map of noise joins in at the large size: the fine noise that it paints has to come from somewhere;
- it sees `reach` pixels around each place and no further, so that tiles with so much around them fit without a seam.

The file is one `.safetensors` with the weights and, in its metadata, a card; nothing is ever unpickled.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from limner.errors import ModelError
from limner.models.card import Learned
from limner.models.files import Kind, WeightsFile, file_of_digest
from limner.models.painter import Block
from limner.workspace import Workspace, replace_file

SHIPPED_UPSCALER = Path(__file__).parent / "shipped-upscaler" / "paintings-upscaler.safetensors"
"""The up-scaler that comes with limner."""

STRENGTH = 0.6
"""Share of the detail that prints get where nothing is said; all of it looks chiselled after five doublings."""
_LOCAL = 9
"""Side of the square, px at twice the size, of which the mean is left as it is."""


class UpscalerConfig(BaseModel):
    """What shapes an up-scaler."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(32, ge=8, le=256)
    """Channels at the size of the small picture."""
    blocks: int = Field(3, ge=1, le=16)
    """Residual blocks of two convolutions there."""
    fine: int = Field(12, ge=4, le=128)
    """Channels at twice the size, beside the enlarged picture and the noise; 16 in all, which processors like."""

    @property
    def reach(self) -> int:
        """How many pixels of the small picture around a place take part in what is painted there."""
        return 2 * self.blocks + 4 + _LOCAL // 4


class Upscaler(nn.Module):
    """Twice the size. # float [n, 3, h, w] in -1..1 and noise [n, 1, 2h, 2w] -> [n, 3, 2h, 2w]"""

    def __init__(self, config: UpscalerConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv2d(3, config.width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(config.width) for _ in range(config.blocks))
        self.narrow = nn.Conv2d(config.width, config.fine, 1)
        self.fine = nn.Conv2d(config.fine + 4, config.fine + 4, 3, padding=1)
        self.leave = nn.Conv2d(config.fine + 4, 3, 3, padding=1)
        self._start()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def _start(self) -> None:
        """Features of the size of pictures from the first step on (He et al. 2015); no noise and no change at first."""
        for layer in (self.enter, self.narrow, self.fine):
            nn.init.kaiming_normal_(layer.weight)
        for block in self.blocks:
            nn.init.kaiming_normal_(block.first.weight)  # type: ignore[union-attr, arg-type]
        self.fine.weight[:, -1] = 0
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, noise: Tensor, strength: float = 1.0) -> Tensor:
        """Pictures of twice the size, roughly in -1..1 and not clamped.

        Args:
            strength: share of the detail that is added; 0 is bicubic.
        """
        x = self.enter(pictures)
        for block in self.blocks:
            x = block(x)
        plain = F.interpolate(pictures.float(), scale_factor=2.0, mode="bicubic")
        x = F.interpolate(self.narrow(F.silu(x)), scale_factor=2.0, mode="bilinear")
        x = self.fine(torch.cat([x, plain.to(x), noise.to(x)], 1))
        made: Tensor = plain + strength * _detail(self.leave(F.silu(x)).float())
        return made


def _detail(found: Tensor) -> Tensor:
    """Without its local mean: lines and noise, and no colour. # [n, 3, h, w] -> [n, 3, h, w]"""
    across, down = (1, _LOCAL), (_LOCAL, 1)
    mean = F.avg_pool2d(found, across, 1, (0, _LOCAL // 2), count_include_pad=False)
    return found - F.avg_pool2d(mean, down, 1, (_LOCAL // 2, 0), count_include_pad=False)


class UpscalerCard(Learned):
    """Everything that an up-scaler says about itself; its quality stands beside Lanczos's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    config: UpscalerConfig
    parents: tuple[str, ...] = ()
    """sha256 of the model file whose painted pictures it learned to enlarge, if any."""


_COMMAND = "`limner train-upscaler`"
_KIND = Kind(
    "limner.upscaler", UpscalerCard, Upscaler, "an up-scaler",
    f"give a file that {_COMMAND} wrote, its name, `learned` or `none`", f"train it again with {_COMMAND}", 64 << 20,
)  # fmt: skip
load_upscaler = _KIND.load
UpscalerFile = WeightsFile[UpscalerCard, Upscaler]


def save_upscaler(path: Path, network: Upscaler, card: UpscalerCard) -> str:
    """Write the file in one step, weights in bfloat16, and return its sha256."""
    return _KIND.save(path, {name: t.to(torch.bfloat16) for name, t in network.state_dict().items()}, card)


def upscalers_of(workspace: Workspace) -> Path:
    """The folder of the up-scalers that were trained here."""
    return workspace.root / "upscalers"


def find_upscaler(reference: str, workspace: Workspace, collection: str = "") -> UpscalerFile:
    """The up-scaler of a name or a file; for `learned` the newest of the collection, or the one that ships.

    Args:
        collection: sha256 of the collection that the work's model learned from.

    Raises:
        ModelError: there is none, or its file is damaged.
    """
    folder = upscalers_of(workspace)
    there = sorted(folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime, reverse=True)
    if reference == "learned":
        for file in there:
            one = load_upscaler(file)
            if one.card.collection.digest == collection:
                return one
        if not SHIPPED_UPSCALER.is_file():
            remedy = "train one with `limner train-upscaler COLLECTION`, or give --upscaler none"
            raise ModelError("--upscaler learned", "none was trained here on this collection, and none ships", remedy)
        return load_upscaler(SHIPPED_UPSCALER)
    for path in (Path(reference), folder / f"{reference}.safetensors"):
        if path.is_file():
            return load_upscaler(path)
    known = ", ".join(["learned", "none", *sorted(file.stem for file in there)])
    raise ModelError(reference, "no up-scaler file and no up-scaler of this name", f"known: {known}")


def find_upscaler_digest(digest: str, workspace: Workspace) -> UpscalerFile | None:
    """The up-scaler with this sha256 among those of the workspace and the one that ships; None for none."""
    file = file_of_digest(digest, (*sorted(upscalers_of(workspace).glob("*.safetensors")), SHIPPED_UPSCALER))
    return None if file is None else load_upscaler(file)


def kept_upscaler(file: UpscalerFile, workspace: Workspace) -> UpscalerFile:
    """The same up-scaler from a place of limner's; one from elsewhere is copied into the workspace."""
    if find_upscaler_digest(file.digest, workspace) is None:
        folder = workspace.make(upscalers_of(workspace))
        path = folder / f"{file.card.name}.safetensors"
        if path.exists():
            path = folder / f"{file.card.name}-{file.digest[:8]}.safetensors"
        with replace_file(path) as part:
            part.write_bytes(file.path.read_bytes())
    return file
