"""A walk as a film: frames painted once, kept until the film is whole, written as MP4, GIF or WebP."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from limner.errors import UsageError
from limner.latent.pipeline import Pipeline
from limner.latent.walking import Walk
from limner.workspace import replace_file

FORMATS = (".mp4", ".gif", ".webp")
_CHUNK = 64


def frames_of(
    walk: Walk, pipeline: Pipeline, count: int, folder: Path, key: str, progress: Callable[[int, int], object]
) -> Iterator[NDArray[np.uint8]]:
    """All frames in their order; those that a killed run has painted already are taken from its folder.

    Args:
        folder: where frames wait until the film is whole.
        key: what the frames follow from; frames of another key are painted anew.
    """
    written = folder / "walk.json"
    if not written.is_file() or written.read_text() != key:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with replace_file(written) as part:
            part.write_text(key)
    for first in range(0, count, _CHUNK):
        path = folder / f"{first:06d}.npy"
        number = min(_CHUNK, count - first)
        if not path.is_file():
            latent = next(walk.latents(count, first))
            painted = pipeline.paint(type(latent)(latent.content[:number], latent.style[:number]))
            with replace_file(path, sync=False) as part, part.open("wb") as file:
                np.save(file, painted.permute(0, 2, 3, 1).contiguous().numpy(), allow_pickle=False)
        frames = np.load(path, allow_pickle=False)
        progress(first + number, count)
        yield from frames


def film(frames: Iterator[NDArray[np.uint8]], path: Path, fps: int, scale: int = 1) -> None:
    """Write frames as a film; its suffix says the format. # each uint8 [height, width, 3]

    Args:
        scale: whole number by which every pixel is enlarged, bicubic.

    Raises:
        UsageError: no such format.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--to {path}", "is no film that limner writes", f"use one of: {', '.join(FORMATS)}")
    with replace_file(path) as part:
        if path.suffix.lower() == ".mp4":
            _mp4(frames, part, fps, scale)
        else:
            _animation(frames, part, path.suffix.lower(), fps, scale)


def _mp4(frames: Iterator[NDArray[np.uint8]], path: Path, fps: int, scale: int) -> None:
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = None
        for frame in frames:
            large = np.asarray(_scaled(frame, scale))
            # The format asks for even sides.
            large = large[: large.shape[0] // 2 * 2, : large.shape[1] // 2 * 2]
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "14", "preset": "medium"})
                stream.height, stream.width, stream.pix_fmt = large.shape[0], large.shape[1], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(large), format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())


def _animation(frames: Iterator[NDArray[np.uint8]], path: Path, suffix: str, fps: int, scale: int) -> None:
    pictures = (_scaled(frame, scale) for frame in frames)
    how: dict[str, Any] = {"quality": 85, "method": 2} if suffix == ".webp" else {"optimize": False}
    how |= {"save_all": True, "append_images": pictures, "duration": round(1000 / fps), "loop": 0}
    next(pictures).save(path, format=suffix[1:], **how)


def _scaled(frame: NDArray[np.uint8], scale: int) -> Image.Image:
    return ImageOps.scale(Image.fromarray(frame), scale, Image.Resampling.BICUBIC)


def key_of(**what: object) -> str:
    """What frames follow from, as text."""
    return json.dumps(what, sort_keys=True, default=str)
