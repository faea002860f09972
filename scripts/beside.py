"""Draw docs/pictures/beside.png: what programs paint after the same twenty minutes, from the bench's results."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from limner.papers.verify.showing import font

ROOT = Path(__file__).parents[1]
_RESULTS = ROOT / "bench" / "results"
_RUNS = {
    "lightweight-gan 1.2.1": "emoji-20min-lightweight-gan-seed0-threads1-avx512.png",
    "stylegan2-pytorch 1.9.0": "emoji-20min-stylegan2-pytorch-seed0-threads1-avx512-own.png",
    "pythae 0.1.2, VAE": "emoji-20min-pythae-vae-seed0-threads1-avx512-own.png",
    "limner, GAN, finished": "emoji-20min-limner-gan-finished-seed0-threads1-avx512-own.png",
}
_SIDE, _GAP, _HEAD = 330, 18, 32


def main() -> None:
    """Five by five of each, side by side, the first ones as they came."""
    width = len(_RUNS) * (_SIDE + _GAP) - _GAP
    canvas = Image.new("RGB", (width, _HEAD + _SIDE), (252, 251, 248))
    draw = ImageDraw.Draw(canvas)
    for number, (title, name) in enumerate(_RUNS.items()):
        left = number * (_SIDE + _GAP)
        draw.text((left, 6), title, (60, 58, 54), font(16))
        with Image.open(_RESULTS / name) as sheet:
            canvas.paste(sheet.convert("RGB").crop((0, 0, _SIDE, _SIDE)), (left, _HEAD))
    canvas.save(ROOT / "docs" / "pictures" / "beside.png", optimize=True)


if __name__ == "__main__":
    main()
