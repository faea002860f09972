"""`bench/README.md`: written from the results, never by hand."""

from __future__ import annotations

from collections.abc import Sequence

from bench.copies.page import section as copies_section
from bench.marks_page import section
from bench.places import BENCH, RESULTS
from bench.programs import PROGRAMS
from bench.results_table import Result, key_of, merged, quality_columns, read_results, speed_columns, table

__all__ = ["page", "write_page"]

_HEAD = """# limner beside what people use today

This page is written by `python -m bench report` from `bench/results/*.json`; do not edit it.

```
make bench                # all usual programs, 20 minutes each; says first what it would download, YES=1 allows it
make bench MINUTES=5      # a quick look
.venv/bin/python -m bench quality --only lightweight-gan --minutes 5 --seed 0
.venv/bin/python -m bench speed    # importing, training, painting and signing of limner alone
```

Every program learns from the same training pictures (64 px, limner's own split; the hold-out is shown to none), for
the same minutes by the clock from its first step (or of the processor's own time, where a table says so: other programs
ran beside, and painting was not timed), on as many cores. Then each paints
2,000 pictures, and one yardstick that no program was trained with measures all. The others run by their own training
loops and defaults; where that was not possible, or where something else was chosen, it is listed below. limner cuts
its views from the same pictures at 102 px, as it always does.
"""

_NOTES = """
## How to read the tables

| head | what it says |
| --- | --- |
| KID, Fréchet | distance between painted and held-out pictures; lower is better |
| precision | share of painted pictures that lie among real ones; these features forgive blur |
| recall | share of real pictures that lie among painted ones |
| coverage | share of real pictures with a painted one close by |
| memorised | share painted closer to a training picture than the closest 1 % of held-out ones are; 1 % is none |
| PSNR | of held-out pictures encoded and painted again, where a program has an encoder |
| path length | how much pictures change on the way between two latents; lower is smoother, and grey is smoothest |
| detour | that way by the distance of its two ends; 1 is straight |
| by a fade's | path length by that of a cross-fade between the same pictures; below 1 is smoother than fading |
| learns | training pictures a second, in the first stage; limner's two later stages stand in columns of their own |
| one picture | drawn and painted alone, median of 20 |
| best | at the best batch of 16 to 256 |
| memory | peak of the largest process while it trained |

The *floor* of a number is what real training pictures get in the place of painted ones: the best that can be. With one
seed brackets hold the 95 % interval within it, with several the lowest and the highest seed. An empty cell was not
measured. `*`: the machine was not idle when this training began; its speeds are too low, and its quality may be.
"""


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    order = list(PROGRAMS)
    parts = [_HEAD]
    for (data, minutes, threads, vectors, own_time), programs in merged(results).items():
        first = next(iter(programs.values()))[0]
        cores = "one core" if threads == 1 else f"{threads} cores"
        own = " (the processor's own minutes)" if own_time else ""
        parts.append(f"## {data}: {minutes:g} minutes on {cores} with {vectors}{own}\n")
        parts.append(
            f"{first['data']['training']:,} training pictures, {first['data']['holdout']:,} held out; "
            f"{first['machine']['processor']}. Yardstick: {first['quality']['features']}; "
            f"floor of KID {_floor(first, 'kid', '.3f')}, of the Fréchet distance {_floor(first, 'frechet', '.1f')}, "
            f"of precision {_floor(first, 'precision', '.2f')}, of coverage {_floor(first, 'coverage', '.2f')}.\n"
        )
        parts.append("How good the pictures are:\n")
        parts.append(table(programs, order, quality_columns()) + "\n")
        parts.append("How fast each program learns and paints, and what it needs:\n")
        parts.append(table(programs, order, speed_columns()))
        parts.append(_sheets(data, programs, order))
    if results:
        parts.append(_NOTES)
        parts.append(_changes(results))
        credits = sorted({r["data"]["credit"] for r in results if r["data"]["credit"]})
        parts.append(
            "## Credit\n\nThe sheets of held-out pictures show their makers' own work.\n\n" + "\n\n".join(credits)
        )
    return "\n".join(parts).rstrip() + "\n"


def _floor(result: Result, name: str, form: str) -> str:
    return format(result["quality"][name]["floor"]["value"], form)


def _sheets(data: str, programs: dict[str, list[Result]], order: Sequence[str]) -> str:
    shown = [("held-out pictures", f"{data}-real")]
    for name in sorted(programs, key=lambda n: order.index(n) if n in order else len(order)):
        one = programs[name][0]
        vectors, own = one["machine"]["vectors"], one.get("own_time", False)
        key = key_of(data, one["minutes"], name, one["seed"], one["threads"], vectors, own)
        shown.append((one["title"], key))
    lines = ["\n<table>"]
    for start in range(0, len(shown), 3):
        row = shown[start : start + 3]
        lines.append("<tr>" + "".join(f"<th>{title}</th>" for title, _ in row) + "</tr>")
        images = (f'<td><img src="results/{key}.png" width="264" alt="{title}"></td>' for title, key in row)
        lines.append("<tr>" + "".join(images) + "</tr>")
    return "\n".join([*lines, "</table>\n"])


def _changes(results: Sequence[Result]) -> str:
    """What was patched and what was chosen, program by program."""
    parts = ["## What was changed in the other programs\n"]
    for name in PROGRAMS:
        own = [r for r in results if r["program"] == name]
        if not own:
            continue
        result = own[-1]
        parts.append(f"**{result['title']}** (torch {result['run']['versions']['torch']})\n")
        for patch in result["patches"]:
            new = f"`{patch['new']}`" if patch["new"] else "nothing"
            old = patch["old"] if len(patch["old"]) < 60 else patch["old"][:57] + "..."
            parts.append(f"- patch, {patch['file']}: `{old}` became {new}, {patch['times']} times: {patch['why']}")
        choices = _choices(own)
        parts += [f"- {choice}" for choice in choices]
        if not result["patches"] and not choices:
            parts.append("- nothing")
        parts.append("")
    return "\n".join(parts)


def _choices(results: Sequence[Result]) -> list[str]:
    """What was chosen in all trainings of a program, and, with the processor, what in some."""
    found = []
    for choice in dict.fromkeys(choice for result in results for choice in result["run"]["choices"]):
        own = [result for result in results if choice in result["run"]["choices"]]
        processors = ", ".join(sorted({result["machine"]["vectors"] for result in own}))
        found.append(choice if len(own) == len(results) else f"{choice} ({processors})")
    return found


def write_page() -> None:
    """Write `bench/README.md`, and print its tables."""
    results = read_results(RESULTS)
    parts = [page(results), section(), copies_section()]
    (BENCH / "README.md").write_text("\n".join(part for part in parts if part))
    for (data, minutes, threads, vectors, own_time), programs in merged(results).items():
        for shown in (quality_columns(), speed_columns()):
            print(f"\n{data}, {minutes:g} minutes, {threads} threads, {vectors}{', own time' if own_time else ''}\n")
            print(table(programs, list(PROGRAMS), shown))
