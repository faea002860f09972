"""Curves as paths for an SVG inside a page, so that they take the page's colours and need no second file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limner.reports.record import StageCurve

__all__ = ["HEIGHT", "WIDTH", "Drawing", "drawing"]

WIDTH, HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 472, 18, 172
_KEEP = 0.9
_POINTS = 240


@dataclass(frozen=True)
class Drawing:
    """One stage, drawn.

    Attributes:
        line: path of the smoothed training loss.
        checks: places of the checks.
        ends: first and last value of the checks.
        values: the same with their places and anchors, as labels beside their points.
        ticks: places and texts below the axis.
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
