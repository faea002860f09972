"""Pictures are kept so large that what a training shows of them is not enlarged, whatever its shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from limner.collection.cache import cache_side
from limner.workspace import Workspace
from pictures_made import made_collection


@pytest.mark.parametrize("size", [(64, 64), (128, 128), (160, 160), (128, 512), (512, 128), (64, 128)])
@pytest.mark.parametrize("shape", [(900, 900), (600, 900), (1000, 250)])
def test_the_largest_crop_is_finer_than_what_is_trained(
    size: tuple[int, int], shape: tuple[int, int], workspace: Workspace, tmp_path: Path
) -> None:
    row = replace(made_collection(workspace, tmp_path / "made", 4).rows()[0], height=shape[0], width=shape[1])
    side = cache_side([row] * 3, size)
    height, width = (side / min(shape) * length for length in shape)
    # The largest crop of the size's shape, by the size.
    assert min(height / size[0], width / size[1]) == pytest.approx(1.6, abs=0.02)
    if size[0] == size[1]:
        assert side == round(1.6 * size[0])
