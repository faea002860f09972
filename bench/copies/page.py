"""The copies' part of `bench/README.md`, written from the results."""

from __future__ import annotations

from typing import Any

from bench.copies.alterations import KINDS
from bench.copies.comparing import kept
from bench.copies.methods import METHODS
from bench.copies.pictures import SETS
from bench.copies.table import GATES, MOST_ALARMS, TARGETS, by_kind, figure, overview
from bench.places import RESULTS

__all__ = ["FIGURE", "draw", "section"]

FIGURE = RESULTS / "copies.png"
_HEAD = """# Copies

```
make bench-copies                # limner's copy gate and the others on both sets; YES=1 downloads; hours on two cores
.venv/bin/python -m bench copies --set emoji --only limner pdq-8     # these alone
.venv/bin/python -m bench copies --overtrained                       # models that learned ten pictures by heart
.venv/bin/python -m bench copies --shipped                           # the models that ship
.venv/bin/python -m bench copies --times                             # with 10,000 and 1,000,000 indexed pictures
```

2,000 altered copies of training pictures, 200 more altered twice, and honest new pictures by the same hands, dealt by
one seed before limner's gate was there. Whoever made the gate was told recall by kind while at it, and could see sheets
of misses. **Paintings**: 300 of 484 are imported, limner
holds 30 of them out, 270 are learned from; the other 184 are honest, whole and in 12 windows each. **Emoji**: three
quarters of the concepts of four styles are imported, each concept in all styles or in none; honest are the others and
people of concepts that were not imported, whole and in a window each. Copies and honest pictures have a shorter side of
128, 256 or 512 px (emoji 128 or 256), as works have.

*Whole* copies show all of the picture: flip, quarter turn, rotation by 2 to 10 degrees, colour (hue by 10 to 40
degrees, saturation 0.5 to 1.6, brightness 0.7 to 1.3, contrast 0.7 to 1.4, all at once), JPEG 30, blur (a Gaussian of
0.5 to 2 % of the shorter side). *Partial* ones show a part of it, or it as a part: a crop takes 10 to 50 % of the area
away, an occlusion covers 30 % with a colour or a piece of an honest picture, and a pasted copy lies within an honest
picture, its side so much of that one's: at 25 % in a work of 128 px it is 32 px large. Cut-off corners of a rotation
count as whole.

*Kin* are emoji that are no honest test: the same drawing in another colour or with another mouth. A picture from
outside is kin where it, or the same in another tone of skin, shares a quarter or more of its drawn cells (16 px of 128,
brightness and contrast set aside; as it is, mirrored, a little shifted or scaled) with one training picture. No
descriptor takes part in that rule, and pairs at every share were looked at. What the rule lets pass is named in
`copies/kin.txt`: that list was made by eye, from the honest pictures that any program found nearest to a training
picture. An alarm on kin is no false alarm; how many are stopped is told. Windows that show hardly anything (grey levels
that deviate by less than 8 of 255) are left out, too: any two of them are alike.

Each program gives the distance to the nearest training picture. Its threshold is the one that one in 1,000 pictures of
one half of the honest ones pass, or fewer; the other half, of other concepts and other paintings, tells the false
alarms. Shares are percent with their 95 % interval (Wilson); **bold** meets limner's target, 97 % of whole and 90 % of
partial ones. Milliseconds are of the processor for one picture, one thread, other work beside, and hold the description
alone; limner's hold its search and second look, too.
"""


def section() -> str:
    """All of it as Markdown; empty where nothing was measured."""
    found = {name: kept(name) for name in SETS if kept(name)}
    parts = [_set(name, one) for name, one in found.items()]
    if found:
        parts.append(f'<img src="results/{FIGURE.name}" width="900" alt="copies found, by kind">\n')
        parts += [_sheets(found)]
    parts += [_more(kept(name)) for name in ("overtrained", "shipped", "times") if kept(name)]
    return "\n".join([_HEAD, *parts]) if parts else ""


def draw() -> None:
    """The figure, anew."""
    found = {name: kept(name) for name in SETS if kept(name)}
    if found:
        figure(found, FIGURE)


def _set(name: str, found: dict[str, Any]) -> str:
    counts = found["set"]
    about = (
        f"{counts['training']:,} training pictures; {counts['planted']:,} copies; {counts['honest']:,} honest pictures "
        f"from {counts['honest pictures']:,} ({counts['honest families']:,} concepts or paintings), "
        f"{counts['reporting']:,} of them in the half that reports; {counts['kin']:,} kin left out by the rule, "
        f"{counts['named']:,} by name, and {counts['plain']:,} plain windows. "
        f"{found['machine']['processor']}, {found['when'][:10]}.\n"
    )
    parts = [f"## Copies of {name}\n", about, overview(found), _missed(found), "By kind, percent found:\n"]
    parts.append(by_kind(found))
    parts += [f"{METHODS[name].title} was not run: {why}.\n" for name, why in found.get("not_run", {}).items()]
    return "\n".join(parts)


def _missed(found: dict[str, Any]) -> str:
    """Which of limner's targets (recall, false alarms) its gate does not meet."""
    told = []
    for name, title in GATES.items():
        if name in found["methods"]:
            values = {of: found["methods"][name]["classes"][of.value]["value"] for of in TARGETS}
            missed = [f"{of.value} {value:.1%}" for of, value in values.items() if value < TARGETS[of]]
            alarms = found["methods"][name]["alarms"]["value"]
            missed += [f"false alarms {alarms:.2%}"] if alarms > MOST_ALARMS else []
            if not any(values.values()):
                told.append(f"{title}: honest pictures reach the highest score, so that no threshold keeps to that.")
                continue
            told.append(f"{title} misses: {', '.join(missed)}." if missed else f"{title} meets the targets.")
    return " ".join(told) + "\n" if told else ""


def _sheets(found: dict[str, Any]) -> str:
    kinds = len(KINDS)
    lines = [f"One row a kind ({kinds}), each copy beside what it was made from:\n"]
    for name in found:
        path = RESULTS / f"copies-{name}.png"
        if path.is_file():
            lines.append(f'<img src="results/{path.name}" width="900" alt="planted copies of {name}">\n')
    return "\n".join(lines)


def _more(found: dict[str, Any]) -> str:
    return "\n".join([f"## {found['title']}\n", *found["told"], ""])
