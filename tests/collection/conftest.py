"""Folders of small pictures to import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from odd_pictures import encoded, painting

__all__ = ["Make"]

Make = Callable[..., Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> Make:
    """Make a folder of `count` different pictures, with a table of rights unless `table` is False."""

    def make(count: int, name: str = "pictures", *, table: bool = True, reverse: bool = False) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = ["file,title,creator,licence,source,kind"]
        numbers = range(count)
        for i in reversed(numbers) if reverse else numbers:
            (folder / f"{i:04d}.png").write_bytes(encoded(painting(i, 48, 40), "PNG", compress_level=1))
        for i in numbers:
            lines.append(f"{i:04d}.png,Picture {i},Ada Example,CC-BY-4.0,the attic,{'odd' if i % 2 else 'even'}")
        if table:
            (folder / "pictures.csv").write_text("\n".join(lines) + "\n")
        return folder

    return make
