from __future__ import annotations

import re

from limner.reports.page import HEIGHT, WIDTH, drawing
from limner.reports.record import StageCurve


def test_points_stay_inside_and_checks_rise_where_they_got_better() -> None:
    line = [(i / 100, 3.0 / (i + 1)) for i in range(500)]
    drawn = drawing(StageCurve("painter", line, [(1.0, 10.0), (2.0, 15.0), (5.0, 20.0)], "dB"))
    points = [tuple(map(float, pair.split())) for pair in re.split("[ML]", drawn.line + drawn.path) if pair.strip()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert [y for _, y in drawn.checks] == sorted((y for _, y in drawn.checks), reverse=True)
    assert "10.0 to 20.0" in drawn.said


def test_a_stage_without_points_is_drawn_all_the_same() -> None:
    drawn = drawing(StageCurve("prior", [], [], "loss"))
    assert drawn.line == drawn.path == ""
