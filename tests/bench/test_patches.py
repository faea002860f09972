"""Patches of other programs fit the text they were written for, or say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.patches import PATCHES, Patch, PatchError, patch_text, patched_copy

_ONE = Patch("a.py", "assert cuda()", "", 1, "refuses to be imported without CUDA")


def _package(folder: Path, text: str) -> Path:
    package = folder / "installed" / "a"
    package.mkdir(parents=True)
    (package / "a.py").write_text(text)
    return package


def test_a_patch_replaces_what_it_says() -> None:
    assert patch_text("import x\nassert cuda()\n", _ONE) == "import x\n\n"


@pytest.mark.parametrize("text", ["", "assert cuda()\nassert cuda()\n"], ids=["gone", "twice"])
def test_another_version_is_refused(text: str) -> None:
    with pytest.raises(PatchError, match="another version"):
        patch_text(text, _ONE)


def test_only_the_copy_is_patched(tmp_path: Path) -> None:
    package = _package(tmp_path, "assert cuda()\n")
    patched_copy(package, tmp_path / "copy" / "a", (_ONE,))
    assert (package / "a.py").read_text() == "assert cuda()\n"
    assert (tmp_path / "copy" / "a" / "a.py").read_text() == "\n"


def test_no_copy_is_left_where_a_patch_does_not_fit(tmp_path: Path) -> None:
    package = _package(tmp_path, "nothing to see\n")
    with pytest.raises(PatchError):
        patched_copy(package, tmp_path / "copy" / "a", (_ONE,))
    assert not (tmp_path / "copy").exists()


def test_every_patch_says_why() -> None:
    assert all(patch.why and patch.old != patch.new and patch.times for own in PATCHES.values() for patch in own)
