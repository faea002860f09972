"""Patches: what is changed in another program's text, each with its reason, in a copy beside the installed one."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["PATCHES", "Patch", "PatchError", "patch_text", "patched_copy"]


class PatchError(ValueError):
    """A patch does not fit: the program's text is not what it was written for."""


@dataclass(frozen=True)
class Patch:
    """One replacement.

    Attributes:
        file: within the package's folder.
        old: the text as it is.
        new: the text as it has to be.
        times: how often `old` is there.
        why: the reason, for the list that is published.
    """

    file: str
    old: str
    new: str
    times: int
    why: str

    def as_dict(self) -> dict[str, str | int]:
        """For JSON."""
        return asdict(self)


_ASSERT = "assert torch.cuda.is_available(), 'You need to have an Nvidia GPU with CUDA installed.'"
_NO_CUDA = "refuses to be imported without CUDA"
_MOVES = "moves tensors to CUDA whatever there is"

PATCHES: dict[str, tuple[Patch, ...]] = {
    "lightweight_gan": (
        Patch("lightweight_gan.py", _ASSERT, "", 1, _NO_CUDA),
        Patch("diff_augment_test.py", _ASSERT, "", 1, _NO_CUDA),
        Patch("lightweight_gan.py", ".cuda(self.rank)", "", 11, _MOVES),
        Patch("lightweight_gan.py", "self.cuda(rank)", "pass", 1, _MOVES),
        Patch("lightweight_gan.py", "torch.device(f'cuda:{self.rank}')", "torch.device('cpu')", 1, _MOVES),
    ),
    "stylegan2_pytorch": (
        Patch("stylegan2_pytorch.py", _ASSERT, "", 1, _NO_CUDA),
        Patch("stylegan2_pytorch.py", ".cuda(self.rank)", "", 7, _MOVES),
        Patch("stylegan2_pytorch.py", ".cuda(device)", "", 2, _MOVES),
        Patch("stylegan2_pytorch.py", "self.cuda(rank)", "pass", 1, _MOVES),
    ),
    "torchgan": (
        Patch("logging/visualize.py", "range=(-1, 1)", "value_range=(-1, 1)", 1, "torchvision renamed the argument"),
    ),
}
"""What each program needs to start on a current PyTorch without CUDA, and nothing else."""


def patch_text(text: str, patch: Patch) -> str:
    """The text with one patch applied.

    Raises:
        PatchError: the old text is not there as often as it should be.
    """
    found = text.count(patch.old)
    if found != patch.times:
        raise PatchError(f"{patch.file}: {patch.old!r} is there {found} times, not {patch.times}: another version?")
    return text.replace(patch.old, patch.new)


def patched_copy(package: Path, target: Path, patches: tuple[Patch, ...]) -> None:
    """Copy an installed package and patch the copy.

    Args:
        package: folder of the installed package, left as it is.
        target: where the copy will lie; an older one is replaced.

    Raises:
        PatchError: a patch does not fit; no copy is left.
    """
    texts: dict[str, str] = {}
    for patch in patches:
        text = texts.get(patch.file) or (package / patch.file).read_text()
        texts[patch.file] = patch_text(text, patch)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in texts.items():
        (target / name).write_text(text)
