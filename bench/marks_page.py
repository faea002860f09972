"""What the bench found of watermarks: kept in one file, part by part, and told in `bench/README.md`."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from bench.false_alarms import THRESHOLDS
from bench.mark_pictures import CREDIT
from bench.marks import MARKERS
from bench.marks_table import table, unmet
from bench.places import RESULTS
from limner.workspace import replace_file

__all__ = ["FIGURE", "keep", "kept", "section", "titles"]

_FILE = RESULTS / "marks.json"
FIGURE = RESULTS / "marks.png"

_HEAD = """# Watermarks

```
make bench-marks PHOTOGRAPHS=FOLDER     # limner and three others, false alarms, removal; YES=1 downloads
.venv/bin/python -m bench marks --photographs FOLDER --only limner    # the tables, of limner alone
.venv/bin/python -m bench marks --photographs FOLDER --alarms         # 20,000 pictures without a mark
.venv/bin/python -m bench marks --photographs FOLDER --removal        # how a mark is lost, and copied
```

FOLDER is where `dpkg-deb -x` unpacked the Debian packages named below, or any folder of photographs; without it
paintings alone are marked. All programs mark the same pictures and meet the same attacks (`bench/attacks.py`); the
slow ones get fewer, the first of the same pictures. None of these was looked at while limner's mark was made; other
views of 32 of the 37 photographs were. limner's message is 48 bits and a check of 16; the others' have no check, so
they answer whatever they are shown. A share is of messages read exactly, in percent, with its 95 % interval; **bold**
meets the target, which is limner's own. Crops leave so much of each side, off centre, and are not resized back. Two in
a row are two different ones of the first list, all 56 ordered pairs dealt out. Milliseconds are of the processor's
time on one core, other work beside.
"""


def titles() -> dict[str, str]:
    """Of all watermarks, in the order of the table."""
    return {marker.name: marker.title for marker in MARKERS.values()}


def kept() -> dict[str, Any]:
    """What was found so far; empty where nothing was."""
    found: dict[str, Any] = json.loads(_FILE.read_text()) if _FILE.is_file() else {}
    return found


def keep(part: str, value: dict[str, Any]) -> None:
    """Put one part of what was found in the place of the former."""
    found = kept() | {part: value | {"when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}}
    with replace_file(_FILE) as part_file:
        part_file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def section() -> str:
    """Everything about watermarks as Markdown; empty where nothing was measured."""
    found = kept()
    parts = [_table(found["table"])] if "table" in found else []
    parts += [_alarms(found["alarms"])] if "alarms" in found else []
    parts += [_removal(found["removal"])] if "removal" in found else []
    return "\n".join([_HEAD, *parts, CREDIT]) + "\n" if parts else ""


def _table(found: dict[str, Any]) -> str:
    parts = [f"Measured on {found['machine']['processor']}, {_day(found)}.\n"]
    for size, programs in found["sizes"].items():
        parts.append(f"## Marks at {size} px\n\n{table(int(size), programs, titles())}")
        if "limner" in programs:
            missed = unmet(int(size), programs["limner"])
            parts.append(f"limner misses: {'; '.join(missed)}.\n" if missed else "limner meets every target.\n")
    parts.append(f'<img src="results/{FIGURE.name}" width="900" alt="messages read exactly, by attack">\n')
    parts += [f"{titles()[name]} was not run: {why}\n" for name, why in found["not_run"].items()]
    runs = {name: told for programs in found["sizes"].values() for name, told in programs.items()}
    for name, told in runs.items():
        versions = ", ".join(f"{package} {version}" for package, version in told["versions"].items())
        parts.append(f"- {titles()[name]} ({versions}): {'; '.join(told['choices']) or 'as it comes'}")
    return "\n".join(parts) + "\n"


def _alarms(found: dict[str, Any]) -> str:
    over = [found["all"][way]["threshold"] for way in ("guessed", "searched")]
    lines = [
        "## False alarms\n",
        "How often known carriers stand out by chance, in two searches: in the pose that the sizes suggest (over "
        f"{over[0]} deviations counts), and in any pose (over {over[1]}). A message needs the check of 16 bits, too.\n",
        "| pictures without a mark of this key | count | message read | over, guessed pose | over, searched pose | "
        "highest, guessed | highest, searched |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in [*found["by_source"].items(), ("all", found["all"])]:
        ways = [one[way] for way in ("guessed", "searched")]
        shown = [str(way["passed"]) for way in ways] + [f"{way['highest']:.1f}" for way in ways]
        lines.append(f"| {name} | {one['pictures']:,} | {one['messages']} | {' | '.join(shown)} |")
    lines.append(
        "\nA message is read where known carriers stand out by so many deviations *and* the check of 16 bits holds, "
        "which it does by chance once in 65,536. By the counts above the rate is "
        f"{found['rate_argued']:.1e} a picture; with "
        f"the upper ends of the 95 % intervals of both counts it is {found['rate_argued_below']:.1e}. "
        f"Measured {_day(found)}.{_since(found['all'])}\n"
    )
    return "\n".join(lines)


def _removal(found: dict[str, Any]) -> str:
    lines = [
        f"## Removal\n\n{found['count']} pictures of {found['size']} px, {_day(found)}, by the models of that day. "
        "PSNR and SSIM say what the picture pays, "
        "measured against the marked one where its size stays.\n",
        "| what was done | still read exactly, % | another message read | PSNR, dB | SSIM |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in found["attacks"].items():
        harm = [f"{one['psnr']:.1f}", f"{one['ssim']:.3f}"] if "psnr" in one else ["", ""]
        lines.append(f"| {name} | {_share(one)} | {one['wrong']} | {' | '.join(harm)} |")
    lost = [name for name, one in found["attacks"].items() if one["value"] < 0.5]
    lines.append(f"\nWhat takes the mark from more than half of the pictures: {'; '.join(lost) or 'none of these'}.")
    lines.append(
        "\nCopied onto pictures without a mark, as the mean of what works hold, tile upon tile:\n\n"
        "| copied | message of such a work read, % | any message read |\n| --- | --- | --- |"
    )
    for name, one in found["copies"].items():
        lines.append(f"| {name} | {_share(one)} | {one['any_message']} of {one['count']} |")
    return "\n".join(lines) + "\n"


def _day(found: dict[str, Any]) -> str:
    """When a part was measured."""
    return str(found["when"][:10])


def _since(found: dict[str, Any]) -> str:
    """What the reader asks for today, where that is not what was measured."""
    changed = [
        f"{found[way]['threshold']} in a {way} pose is {today} today"
        for way, today in THRESHOLDS.items()
        if found[way]["threshold"] != today
    ]
    return f" The threshold of {' and of '.join(changed)} (docs/decisions.md)." if changed else ""


def _share(one: dict[str, Any]) -> str:
    return f"{100 * one['value']:.1f} ({100 * one['low']:.0f} to {100 * one['high']:.0f})"
