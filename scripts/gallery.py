"""Make docs/gallery.md and its pictures: every steering tool, shown by what its own commands made.

    python scripts/gallery.py            # all of it, a few minutes
    python scripts/gallery.py mix walk   # these sections' pictures alone

Each picture on the page is what the commands above it left, in a workspace of the script's own; nothing is picked.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from limner import pictures
from limner.collection import PAINTINGS
from limner.pictures.writing import write

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = DOCS / "pictures" / "gallery"
_GAP, _TITLE = 12, 26
_PAINTING = PAINTINGS / "img" / "adam-mickiewicz_pan-tadeusz_maude-ashurst-biggs.avif"
_PAPER, _INK = (252, 251, 248), (60, 58, 54)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Section:
    """One tool.

    Attributes:
        name: of its picture.
        title, text: as the page shows them.
        commands: what is run, in order; `limner` before each. `OUT` is a folder, `PAINTING.jpg` one that comes with
            limner.
        rows: files of `OUT` to show, with a word on each; a row a line.
        shown: one file that is shown as it is, in place of rows; `HOME` is the workspace.
        size: side of each picture on the page, pixels.
    """

    name: str
    title: str
    text: str
    commands: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    shown: str | None = None
    size: int = 192


def _numbered(pattern: str, numbers: Sequence[int], words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((pattern.format(number), word) for number, word in zip(numbers, words, strict=True))


_STYLES = ("openmoji", "noto", "fluent-flat")
_WARM = ("-2", "-1", "0", "+1", "+2")
SECTIONS = (
    Section(
        "move",
        "Move",
        "Directions are found by what they change in pictures, and each changes as little else as can be: steps are "
        "counted in deviations of the model's own pictures. Above warmth, below the horizon.",
        tuple(f"move 1:10 --model landscapes --along warmth={i} --to OUT/w{i}.png" for i in _WARM)
        + tuple(f"move 1:10 --model landscapes --along horizon={i} --to OUT/h{i}.png" for i in _WARM),
        (
            tuple((f"w{i}.png", f"warmth {i}") for i in _WARM),
            tuple((f"h{i}.png", f"horizon {i}") for i in _WARM),
        ),
    ),
    Section(
        "landscape",
        "Landscapes in words",
        "Pictures that come near to the words are looked for, the rest of the way is steered. Abstraction leads to "
        "few, flat, large forms. What each word changed is measured and printed.",
        (
            "landscape --horizon 0.4 --time day -n 5 --to OUT/day",
            "landscape --horizon 0.4 --time dusk -n 5 --to OUT/dusk",
            "landscape --time day --abstraction 0.4 -n 5 --to OUT/forms",
            "landscape --time dusk --abstraction 0.9 -n 5 --to OUT/flat",
        ),
        tuple(
            _numbered(folder + "/{}", range(5), [word] + [""] * 4)
            for folder, word in (
                ("day", "day, horizon 0.4"),
                ("dusk", "dusk, horizon 0.4"),
                ("forms", "day, abstraction 0.4"),
                ("flat", "dusk, abstraction 0.9"),
            )
        ),
    ),
    Section(
        "mix",
        "Mix",
        "Content of one and style of the other, block by block; by weight; or by region.",
        (
            "sample landscapes -n 2 --seed 1 --first 27 --size 384 --to OUT/s",
            "mix 1:27 1:28 --model landscapes --weights 0.5,0.5 --size 384 --to OUT/half.png",
            "mix 1:27 1:28 --model landscapes --region rectangle:0,0.5,1,1 --size 384 --to OUT/region.png",
        ),
        (
            (
                ("s/landscapes-1-00027.png", "A"),
                ("s/landscapes-1-00028.png", "B"),
                ("half.png", "half of each"),
                ("region.png", "A, and B below"),
            ),
        ),
    ),
    Section(
        "restyle",
        "In another style",
        "Where the same things were drawn in several styles, a translator learns from such pairs what a picture would "
        "be in another one; the emoji models come with theirs. It is finished from pictures of that style: outlines, "
        "fills and palette are its own, and what a thing is can get lost.",
        (
            "sample emoji-vae --label twemoji -n 5 --seed 5 --to OUT/s",
            *(
                f"restyle 5:{i} --model emoji-vae --label twemoji --style {style} --to OUT/{style}{i}.png"
                for style in _STYLES
                for i in range(5)
            ),
        ),
        (
            _numbered("s/{}", range(5), ["twemoji"] + [""] * 4),
            *(_numbered(style + "{}.png", range(5), [f"in {style}"] + [""] * 4) for style in _STYLES),
        ),
        size=128,
    ),
    Section(
        "invert",
        "Begin with a picture of one's own",
        "The picture is encoded, then the nearest latent is looked for: a work from here on, that can be moved, mixed "
        "and walked from. limner says so where a picture lies outside what the model can paint.",
        (
            "invert landscapes PAINTING.jpg --to OUT/found.png",
            "move OUT/found.png --along brightness=-1.5 --along warmth=1 --to OUT/evening.png",
            "mix OUT/found.png 1:22 --weights 0.6,0.4 --to OUT/mixed.png",
        ),
        (
            (
                ("PAINTING.jpg", "a painting"),
                ("found.png", "found in the model"),
                ("evening.png", "darker and warmer"),
                ("mixed.png", "with one of the model's"),
            ),
        ),
    ),
    Section(
        "evolve",
        "Evolve",
        "Keep what you like; the next generation comes from it. Each choice is an act of yours in the ledger.",
        (
            "evolve landscapes --seed 3 --name dusk",
            "evolve landscapes --name dusk --keep 1,4 --mutation 0.4",
            "evolve landscapes --name dusk --publish 6 --to OUT/six.png",
        ),
        (),
        "HOME/evolutions/dusk/001/sheet.png",
    ),
    Section(
        "merge",
        "Merge two models",
        "A model and one that was trained from it, half and half, or coarse layers of one and fine ones of the other. "
        "Otherwise a new model learns from both. Licences are joined, or the merge is refused.",
        (
            "sample emoji-vae -n 5 --seed 1 --first 8 --label noto --to OUT/a",
            "sample emoji-gan -n 5 --seed 1 --first 8 --label noto --to OUT/b",
            "merge emoji-vae emoji-gan --weights 0.5,0.5 --name between",
            "sample between -n 5 --seed 1 --first 8 --label noto --to OUT/c",
        ),
        tuple(
            _numbered(folder + "/{}", range(5), [word] + [""] * 4)
            for folder, word in (("a", "emoji-vae"), ("b", "emoji-gan"), ("c", "half and half"))
        ),
    ),
    Section(
        "enlarge",
        "Larger prints",
        "Painted again from its latent and finished at the larger size: what was coarse stays, strokes become finer. "
        "(A work that was not finished is enlarged by a small network that learned from the paintings.)",
        (
            "sample landscapes -n 1 --seed 1 --first 1 --size 256 --to OUT/s",
            "enlarge OUT/s/landscapes-1-00001.png --to 1024 --out OUT/large.png",
        ),
        ((("s/0", "384x256"), ("large.png", "1024x683")),),
        size=512,
    ),
    Section(
        "family",
        "Where a work comes from",
        "Every act is in the ledger, and every work knows its parents: `limner family` draws them, `limner reproduce` "
        "paints a work again and compares.",
        (
            "sample landscapes -n 2 --seed 1 --first 27 --to OUT/s",
            "move OUT/s/landscapes-1-00027.png --along warmth=1 --to OUT/warm.png",
            "mix OUT/warm.png OUT/s/landscapes-1-00028.png --weights 0.6,0.4 --to OUT/both.png",
            "restyle OUT/both.png --style 1:33 --strength 0.7 --to OUT/last.png",
            "family OUT/last.png --to OUT/family.png",
            "reproduce OUT/last.png",
        ),
        (),
        "family.png",
    ),
    Section(
        "walk",
        "Walk",
        "A film from picture to picture, in steps that look equally long: each picture goes on from the one before, so "
        "that nothing flickers. (Here as an animated WebP; MP4 and GIF too.)",
        ("walk 7:1 7:4 7:6 --model landscapes --loop --seconds 8 --fps 12 --size 288 --to OUT/walk.webp",),
        (),
        "walk.webp",
    ),
)


def main() -> None:
    """Run the commands, compose the pictures, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="sections whose pictures are made anew; all otherwise")
    told = parser.parse_args()
    unknown = set(told.only) - {section.name for section in SECTIONS}
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        home = {**os.environ, "LIMNER_HOME": f"{place}/home"}
        limner("identity new --name Gallery", home, Path(place))
        for section in SECTIONS:
            if told.only and section.name not in told.only:
                continue
            out = Path(place) / section.name
            out.mkdir()
            for command in section.commands:
                print("limner", command, flush=True)
                limner(command, home, out)
            if section.shown:
                suffix = Path(section.shown).suffix
                path = section.shown.replace("HOME", home["LIMNER_HOME"])
                (PICTURES / f"{section.name}{suffix}").write_bytes((out / path).read_bytes())
            else:
                write(compose(section, out), PICTURES / f"{section.name}.png")
    (DOCS / "gallery.md").write_text(page())


def limner(command: str, home: dict[str, str], out: Path) -> None:
    """One command of the program.

    Raises:
        SystemExit: it failed.
    """
    words = [word.replace("OUT", str(out)).replace("PAINTING.jpg", str(_PAINTING)) for word in shlex.split(command)]
    done = subprocess.run([sys.executable, "-m", "limner", *words], env=home, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"limner {command}: {done.stderr}")


def compose(section: Section, out: Path) -> Pixels:
    """The section's pictures as one, a word above each. # -> uint8 [h, w, 3]"""
    shown, font = section.size, ImageFont.load_default(14)
    rows = [[(_fitted(_found(out, name), shown), word) for name, word in row] for row in section.rows]
    heights = [max(picture.height for picture, _ in row) + _TITLE + _GAP for row in rows]
    wide = max(len(row) for row in rows) * (shown + _GAP) + _GAP
    canvas = Image.new("RGB", (wide, sum(heights) + _GAP), _PAPER)
    draw, top = ImageDraw.Draw(canvas), _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, (picture, word) in enumerate(row):
            left = _GAP + column * (shown + _GAP)
            draw.text((left, top + 2), word, fill=_INK, font=font)
            canvas.paste(picture, (left, top + _TITLE))
        top += height
    return np.asarray(canvas)


def _fitted(path: Path, shown: int) -> Image.Image:
    """A picture whose longer side is `shown` px."""
    picture = Image.fromarray(pictures.read(path).pixels)
    picture.thumbnail((shown, shown), Image.Resampling.LANCZOS)
    share = shown / max(picture.size)
    return picture.resize((round(picture.width * share), round(picture.height * share)), Image.Resampling.BICUBIC)


def _found(out: Path, name: str) -> Path:
    """A file by its name, or the n-th of a folder by `folder/n`."""
    if name == "PAINTING.jpg":
        return _PAINTING
    if (out / name).is_file():
        return out / name
    folder, _, number = name.rpartition("/")
    return sorted((out / folder).glob("*.png"))[int(number)]


def page() -> str:
    """The whole page, in Markdown."""
    parts = [
        "# What an artist can do with a model\n",
        "Every picture here was made by the commands beside it, with the models that come with limner; nothing was "
        "picked but the stations of the film. `SEED:NUMBER` names a picture of a seed; a work's file and one's own "
        "picture do as well. This page is written by `python scripts/gallery.py`.\n",
    ]
    for section in SECTIONS:
        suffix = Path(section.shown).suffix if section.shown else ".png"
        parts += [
            f"## {section.title}\n",
            section.text + "\n",
            f"![{section.title}](pictures/gallery/{section.name}{suffix})\n",
            "```sh\n" + "\n".join(_plain(section.commands)) + "\n```\n",
        ]
    return "\n".join(parts)


def _plain(commands: Sequence[str]) -> list[str]:
    """Commands as they are typed; of many that differ by a number alone, the first one."""
    found: dict[str, str] = {}
    for command in commands:
        found.setdefault(re.sub(r"[+-]?\d+(\.\d+)?", "#", command), command)
    return ["limner " + command.replace("OUT/", "").replace("PAINTING", "painting") for command in found.values()]


if __name__ == "__main__":
    main()
