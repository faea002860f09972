"""Results of several trainings become one table and one page."""

from __future__ import annotations

from typing import Any

import pytest

from bench.page import page
from bench.programs import PROGRAMS
from bench.results_table import merged, quality_columns, speed_columns, table


def _estimate(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "count": 2000, "floor": {"value": 0.01}}


def _table(results: dict[str, list[dict[str, Any]]]) -> str:
    return "\n".join(table(results, list(PROGRAMS), shown) for shown in (quality_columns(), speed_columns()))


def _result(program: str = "limner-vae", seed: int = 0, kid: float = 0.5, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "program": program,
        "title": PROGRAMS[program].title,
        "family": PROGRAMS[program].family,
        "minutes": 5.0,
        "seed": seed,
        "threads": 2,
        "data": {"name": "emoji", "credit": "Learned from pictures by A (MIT)", "training": 5552, "holdout": 320},
        "machine": {"processor": "a processor", "vectors": "AVX2", "load_before": 0.1},
        "patches": [],
        "run": {
            "training": {
                "stages": [
                    {"name": "painter", "per_second": 130.0, "pictures": 16000},
                    {"name": "prior", "per_second": 200.0, "pictures": 40000},
                    {"name": "sampler, after the minutes", "per_second": 1.0, "pictures": 5552},
                ]
            },
            "painting": {"one_seconds": 0.25, "best_per_second": 107.0, "per_second": {"16": 31.0}},
            "memory": {"training": {"own": 3e8, "largest_child": 1.2e9, "children": 1}},
            "choices": ["no labels"],
            "parameters": {"encoder": 1_500_000, "painter": 2_300_000},
            "versions": {"torch": "2.13.0"},
        },
        "quality": {
            "features": "some features",
            "kid": _estimate(kid),
            "frechet": _estimate(30.0),
            "precision": _estimate(0.8),
            "recall": _estimate(0.6),
            "coverage": _estimate(0.7),
            "memorised": _estimate(0.002),
            "psnr": _estimate(24.0),
            "path_length": _estimate(3.0) | {"detour": 1.5},
            "report": {"features": [{}, {"kid": _estimate(0.9)}]},
        },
    }
    return told | changes


def _row(text: str, title: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {title} |"))


def test_one_seed_shows_its_interval() -> None:
    assert "0.500 (0.400 to 0.600)" in _row(_table({"limner-vae": [_result()]}), "limner, VAE, bare")


def test_speeds_and_needs() -> None:
    row = _row(table({"limner-vae": [_result()]}, list(PROGRAMS), speed_columns()), "limner, VAE, bare")
    assert row.endswith("| 130 | 200 |  | 16,000 | 250 | 31 | 107 | 1.2 | 3.8 |")


def test_seeds_are_merged_into_mean_and_range() -> None:
    results = [_result(seed=seed, kid=kid) for seed, kid in enumerate([0.5, 0.8, 0.2])]
    ((key, programs),) = merged(results).items()
    assert key == ("emoji", 5.0, 2, "AVX2", False)
    row = _row(_table(programs), "limner, VAE, bare")
    assert "| 3 | 0.500 (0.200 to 0.800) |" in row


def test_other_minutes_threads_and_processors_are_other_tables() -> None:
    wide = {"processor": "a processor", "vectors": "AVX512", "load_before": 0.1}
    others = [_result(minutes=20.0), _result(threads=1), _result(machine=wide), _result(own_time=True)]
    assert len(merged([_result(), *others])) == 5


def test_painting_is_not_timed_beside_other_work() -> None:
    result = _result(own_time=True, machine={"processor": "a processor", "vectors": "AVX2", "load_before": 3.0})
    result["run"]["painting"] = {"pictures": 2000, "seconds": 80.0}
    row = _row(table({"limner-vae": [result]}, list(PROGRAMS), speed_columns()), "limner, VAE, bare")
    assert row.endswith("| 130 | 200 |  | 16,000 |  |  |  | 1.2 | 3.8 |")
    assert "(the processor's own minutes)" in page([result])


def test_programs_stand_in_the_order_of_the_bench() -> None:
    results = [_result("pythae-vae"), _result("limner-vae")]
    shown = _table(merged(results)["emoji", 5.0, 2, "AVX2", False])
    assert shown.index("limner, VAE, bare") < shown.index("pythae")


def test_a_fade_is_told_where_it_was_measured() -> None:
    result = _result()
    assert _row(_table({"limner-vae": [result]}), "limner, VAE, bare").endswith("| 1.5 |  |")
    result["quality"]["path_length"]["fade"] = 0.772
    assert _row(_table({"limner-vae": [result]}), "limner, VAE, bare").endswith("| 1.5 | 0.77 |")


def test_without_an_encoder_there_is_no_psnr() -> None:
    result = _result("stylegan2-pytorch")
    del result["quality"]["psnr"]
    assert "|  |" in _row(_table({"stylegan2-pytorch": [result]}), "stylegan2-pytorch 1.9.0")


@pytest.mark.parametrize(("load", "marked"), [(0.2, False), (3.0, True)])
def test_a_busy_machine_is_marked(load: float, marked: bool) -> None:
    result = _result(machine={"processor": "a processor", "vectors": "AVX2", "load_before": load})
    assert ("*" in _table({"limner-vae": [result]})) is marked


def test_the_page_lists_patches_choices_sheets_and_credit() -> None:
    patch = {"file": "a.py", "old": "assert cuda()", "new": "", "times": 1, "why": "refuses to be imported"}
    text = page([_result(patches=[patch])])
    assert "- patch, a.py: `assert cuda()` became nothing, 1 times: refuses to be imported" in text
    assert "- no labels" in text
    assert 'src="results/emoji-5min-limner-vae-seed0-threads2-avx2.png"' in text
    assert "Learned from pictures by A (MIT)" in text


def test_a_page_without_results_tells_how_to_make_some() -> None:
    assert "make bench" in page([])


def test_what_was_chosen_on_some_processors_says_on_which() -> None:
    wide = _result(machine={"processor": "a processor", "vectors": "AVX512", "load_before": 0.1})
    wide["run"]["choices"] = ["no labels", "precision bf16"]
    text = page([_result(), wide])
    assert "- no labels\n- precision bf16 (AVX512)\n" in text
