"""Sheets: many pictures of one size side by side on one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from limner.pictures.writing import write

if TYPE_CHECKING:
    from torch import Tensor


def save_sheet(painted: Tensor, path: Path, columns: int = 8) -> None:
    """Save pictures as one sheet. # uint8 [n, 3, h, w]"""
    write(sheet(painted.permute(0, 2, 3, 1).numpy(), columns=columns), path)


def sheet(pictures: NDArray[np.uint8], *, columns: int | None = None, gap: int = 2) -> NDArray[np.uint8]:
    """Lay pictures out in rows. # uint8 [n, h, w, 3] -> [rows * (h + gap) + gap, columns * (w + gap) + gap, 3]

    Args:
        columns: pictures a row; the square root of the count by default.
    """
    count, height, width = pictures.shape[:3]
    columns = columns or max(1, math.ceil(math.sqrt(count)))
    rows = -(-count // columns)
    out = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        out[top : top + height, left : left + width] = picture
    return out
