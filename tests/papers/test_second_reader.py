"""The npm package @trustnxt/c2pa-ts, which shares no code with the other readers, agrees on every format.

`make test` installs it where Node is; elsewhere these tests are skipped, and fail on CI.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from limner.ledger import Ledger
from limner.papers import Identity, Publisher
from limner.papers.publishing.exporting import Export, export
from limner.papers.publishing.former import open_former
from limner.papers.publishing.labels import LabelRequest
from limner.retouching.retouching import Retouch, publish_retouched, returned
from limner.workspace import Workspace
from papers.test_tampering import REGIONS, flipped, region
from published_made import KINDS, picture, provenance, publish, publisher
from works.test_intake import origin, taken_in

FOLDER = Path(__file__).parent / "node"
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules" / "@trustnxt").exists(),
    reason="needs Node 20 and npm; `make test` then installs the package",
)


def read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What the package says of each file."""
    run = subprocess.run(
        ["node", str(FOLDER / "read.mjs"), *map(str, paths)], capture_output=True, text=True, check=True, timeout=120
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_it_finds_works_and_editions_valid(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path / "other")
    theirs = tmp_path / "theirs.jpg"
    with Publisher(Identity.new(other, "Bob"), Ledger.open(other.ledger)) as ready:
        ready.publish(picture(64), theirs, provenance(title="Their sea"))
    ingredients = taken_in(workspace, origin(theirs))
    works = [publish(workspace, f"work.{kind}", size=96, ingredients=ingredients).path for kind in KINDS]
    with publisher(workspace) as ready:
        former = open_former(works[0], workspace)
        wish = Export(long_edge=64, label=LabelRequest("eu", "fr"))
        works += [export(former, workspace.works / f"web.{kind}", ready, wish).path for kind in KINDS]
    over = tmp_path / "over.png"
    Image.open(works[0]).rotate(180).save(over)
    request = Retouch(over, "hand", unrelated="noise has no structure")
    one = returned(open_former(works[0], workspace), request, workspace)
    with publisher(workspace) as ready:
        works.append(publish_retouched(one, workspace.works / "retouched.webp", ready, workspace).work.path)
    found = read(works)
    assert [one["codes"] for one in found] == [[]] * len(works)
    assert all(one["valid"] for one in found)
    assert [one["titles"] for one in found[:4]] == [["Their sea", "Dusk no. 7"]] * 4
    assert found[8]["titles"] == ["Their sea", "Dusk no. 7", "Dusk no. 7, retouched"]
    assert [one["titles"] for one in found[4:8]] == [["Their sea", "Dusk no. 7", "Dusk no. 7"]] * 4


def test_it_finds_a_flipped_byte(workspace: Workspace, tmp_path: Path) -> None:
    changed: dict[Path, str] = {}
    for kind in KINDS:
        data = publish(workspace, f"work.{kind}").path.read_bytes()
        for name in REGIONS:
            places = region(data, name)
            for at in places[:: max(1, len(places) // 6)]:
                path = tmp_path / f"{name}-{at}.{kind}"
                path.write_bytes(flipped(data, at))
                changed[path] = f"{kind} {name} {at}"
    found = read(list(changed))
    assert [told for told, one in zip(changed.values(), found, strict=True) if one["valid"]] == []
