"""The page of a demo: one HTML file that needs nothing else, not even a network or a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limner.errors import UsageError
from limner.papers.evidence.pages import environment
from limner.reports.record import DemoRecord, StageCurve
from limner.text import printable
from limner.workspace import replace_file

WIDTH, HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 472, 18, 172
_KEEP = 0.9
_POINTS = 240
_LICENCES = {
    "LicenseRef-Public-Domain-US": "public domain in the United States",
    "CC0-1.0": "CC0 1.0, given to the public domain",
    "CC-BY-4.0": "Creative Commons Attribution 4.0",
    "CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0",
    "LicenseRef-All-Rights-Reserved": "all rights reserved",
    "Apache-2.0": "Apache License 2.0",
    "MIT": "MIT License",
}


def render_demo(record: DemoRecord) -> str:
    """The page as HTML. Titles, creators and everything else are escaped: they are the words of strangers."""
    pages = environment("limner.reports")
    pages.filters["licence"] = lambda text: _LICENCES.get(text, text)
    pages.filters["visible"] = printable
    template = pages.get_template("demo.html.j2")
    curves = [drawing(curve) for curve in record.learned.curves]
    return template.render(demo=record, curves=curves, curve_width=WIDTH, curve_height=HEIGHT)


def write_demo(record: DemoRecord, path: Path) -> None:
    """Write the page in one step: whoever is interrupted leaves the old page or the new one.

    Raises:
        UsageError: the place cannot be written to.
    """
    page = render_demo(record)
    try:
        with replace_file(path) as part:
            part.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(path, f"cannot be written ({error.strerror})", "choose another place with --to") from error


@dataclass(frozen=True)
class Drawing:
    """One stage, drawn.

    Attributes:
        line: path of the smoothed training loss.
        ends: first and last value of the checks.
        values: the same with their places and anchors, as labels beside their points.
        said: the curve in words, for those who cannot see it.
    """

    title: str
    unit: str
    line: str
    path: str
    checks: Sequence[tuple[float, float]]
    ends: tuple[str, str]
    values: Sequence[tuple[float, float, str, str]]
    ticks: Sequence[tuple[float, str]]
    said: str


def drawing(curve: StageCurve) -> Drawing:
    """The paths of a curve; each of its two lines fills the height by itself."""
    line = _smooth(curve.line)
    longest = max([x for x, _ in [*line, *curve.checks]], default=0.0) or 1.0
    checks = _placed(curve.checks, longest)
    ends = tuple(_number(value) for _, value in (curve.checks[0], curve.checks[-1])) if curve.checks else ("–", "–")
    ticks = [(_LEFT + share * (_RIGHT - _LEFT), f"{longest * share:.1f}") for share in (0.0, 0.5, 1.0)]
    said = f"{curve.title}: over {longest:.1f} minutes, {curve.unit} went from {ends[0]} to {ends[1]}."
    return Drawing(
        title=curve.title,
        unit=curve.unit,
        line=_path(_placed(line, longest)),
        path=_path(checks),
        checks=checks,
        ends=(ends[0], ends[1]),
        values=_labels(checks, (ends[0], ends[1])),
        ticks=ticks,
        said=said,
    )


def _labels(checks: list[tuple[float, float]], ends: tuple[str, str]) -> list[tuple[float, float, str, str]]:
    if len(checks) < 2:
        return []
    (x0, y0), (x1, y1) = checks[0], checks[-1]
    return [(x0, y0 - 9, ends[0], "start"), (x1, y1 - 9, ends[1], "end")]


def _placed(points: Sequence[tuple[float, float]], longest: float) -> list[tuple[float, float]]:
    if not points:
        return []
    values = sorted(y for _, y in points)
    low, high = values[0], values[max(0, int(len(values) * 0.98) - 1)] if len(values) > 20 else values[-1]
    # What hardly changes is drawn flat, not blown up to the whole height.
    span = max(high - low, 0.05 * abs(high)) or 1.0
    return [
        (
            round(_LEFT + x / longest * (_RIGHT - _LEFT), 1),
            round(_BOTTOM - min(1.0, (y - low) / span) * (_BOTTOM - _TOP), 1),
        )
        for x, y in points
    ]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if i else 'M'}{x} {y}" for i, (x, y) in enumerate(points))


def _smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    weight = total = 0.0
    for x, y in points:
        total, weight = total * _KEEP + y, weight * _KEEP + 1
        out.append((x, total / weight))
    return out[:: max(1, len(out) // _POINTS)]


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
