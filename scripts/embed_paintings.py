"""Make the paintings that ship with limner from a folder of larger ones: chosen, made smaller, written as AVIF.

    python scripts/embed_paintings.py ../shared/data/paintings-large

Landscapes stay as large as a finish at 1,024 px asks for; portraits and scenes are smaller. Left out: pictures of other
kinds, and whatever was painted after 1930, since its public domain would have to be shown one by one.
"""

from __future__ import annotations

import argparse
import csv
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from limner import pictures
from limner.collection import PAINTINGS, Collection, import_collection
from limner.workspace import Workspace

SIDES = {"landscape": 1024, "scene": 512, "portrait": 512}
"""Largest shorter side of each kind that ships, px."""
QUALITY = {"landscape": 42, "scene": 48, "portrait": 48}
LAST_YEAR = 1930


def main() -> None:
    """Write the pictures and their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with pictures.csv")
    parser.add_argument("--to", type=Path, default=PAINTINGS, help="folder that is filled")
    told = parser.parse_args()
    with (told.source / "pictures.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in SIDES and _is_old(row["year"])]
    (told.to / "img").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda row: _write(row, told.source, told.to), rows))
    columns = ["file", "title", "creator", "year", "kind", "licence", "source"]
    with (told.to / "pictures.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(written)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_collection(told.to, "paintings", workspace)
        (told.to / "digest").write_text(f"{Collection.open('paintings', workspace).digest}\n")
    size = sum(path.stat().st_size for path in (told.to / "img").iterdir())
    print(f"{len(written)} paintings, {size / 1e6:.1f} MB, in {told.to}")


def _is_old(year: str) -> bool:
    """Whether the last year that is told is early enough; of a picture without a year its painter's is known."""
    found = re.findall(r"\d{4}", year)
    return not found or int(found[-1]) <= LAST_YEAR


def _write(row: dict[str, str], source: Path, to: Path) -> dict[str, str]:
    """Write one picture; its row with the new name."""
    name = Path(row["file"]).with_suffix(".avif")
    path = to / name
    if not path.is_file():
        picture = Image.fromarray(pictures.read(source / row["file"]).pixels)
        share = SIDES[row["kind"]] / min(picture.size)
        if share < 1:
            size = round(picture.width * share), round(picture.height * share)
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        picture.save(path, quality=QUALITY[row["kind"]], speed=8, max_threads=1)
    return {**row, "file": name.as_posix()}


if __name__ == "__main__":
    main()
