"""Sets of pictures with one planted defect each: the numbers tell which."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Literal

import pytest
import torch
from torch import Tensor

from limner.errors import UsageError
from limner.measure.findings import MEANINGS, Finding, QualityReport
from limner.measure.quality import FEATURES, RealPictures, extractor, inception_missing, measure_sets
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.statistics import Estimate
from pictures_made import made_picture


@pytest.fixture(scope="module", autouse=True)
def few_patches() -> Iterator[None]:
    """An eighth of the patches: what is planted here is seen all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limner.measure.patches._ROWS", 4096)
        yield


@cache
def made(start: int, stop: int, step: int = 1) -> Tensor:
    shown = [torch.from_numpy(made_picture(n, 32)).permute(2, 0, 1) for n in range(start, stop, step)]
    return torch.stack(shown)


@cache
def measured(name: str) -> QualityReport:
    fakes = {
        "fresh": made(400, 520),
        "copies": made(0, 120),
        "one kind": made(400, 640, 2),
        "noise": torch.randint(0, 256, (120, 3, 32, 32), generator=torch.Generator().manual_seed(1)).to(torch.uint8),
    }
    return measure_sets(RealPictures.of(made(0, 200), made(200, 300), made(300, 400)), fakes[name], ["random"])


def test_fresh_pictures_are_as_real() -> None:
    numbers = measured("fresh").by("random").findings()
    assert set(numbers) == set(MEANINGS)
    for name, found in numbers.items():
        assert found.low <= found.value <= found.high
        assert found.floor is not None
        verdict = found.against_floor(MEANINGS[name].good)
        assert verdict != "worse", name
        assert verdict == "as real" or not found.low <= found.floor.value <= found.high, name
    assert measured("fresh").counts == {"training": 200, "held_out": 100, "chose": 100, "generated": 120}


def test_what_cannot_be_told_is_not_called_real() -> None:
    def verdict(value: float, spread: float, count: int, floor: float, good: Literal["low", "high"] = "high") -> str:
        real = Estimate(floor, floor - 0.05, floor + 0.05, 100)
        return Finding(value=value, low=value - spread, high=value + spread, count=count, floor=real).against_floor(
            good
        )

    assert verdict(0.80, 0.05, 100, 0.82) == "as real"
    assert verdict(0.80, 0.05, 100, 0.87) == "cannot tell"  # the intervals meet, and the real value lies outside
    assert verdict(0.80, 0.05, 8, 0.82) == "cannot tell"
    assert verdict(0.20, 0.05, 8, 0.82) == "cannot tell"
    assert verdict(0.60, 0.05, 100, 0.82) == "worse"
    assert verdict(0.60, 0.05, 100, 0.82, "low") == "better"


def test_copies_are_told() -> None:
    numbers = measured("copies").by("random")
    assert numbers.memorised.value == 1
    assert numbers.memorised.against_floor("low") == "worse"
    assert numbers.kid.against_floor("low") == "as real"


def test_a_missing_kind_is_told_by_recall_not_precision() -> None:
    numbers, fresh = measured("one kind").by("random"), measured("fresh").by("random")
    assert numbers.coverage.against_floor("high") == "worse"
    assert numbers.recall.value < fresh.recall.value
    assert numbers.precision.against_floor("high") != "worse"
    assert numbers.kid.against_floor("low") == "worse"


def test_noise_is_told_by_everything() -> None:
    numbers = measured("noise").by("random")
    assert numbers.precision.value == 0
    assert numbers.frechet.against_floor("low") == "worse"
    assert measured("noise").patches[32].against_floor("low") == "worse"


def test_a_report_survives_its_file() -> None:
    report = measured("fresh")
    assert QualityReport.model_validate_json(report.model_dump_json()) == report
    with pytest.raises(KeyError):
        report.by("teacher")


def test_the_same_seed_gives_the_same_numbers() -> None:
    again = measure_sets(RealPictures.of(made(0, 200), made(200, 300), made(300, 400)), made(400, 520), ["random"])
    assert again == measured("fresh")


def test_views_of_a_picture_count_once() -> None:
    real = RealPictures.of(
        made(0, 60).repeat(2, 1, 1, 1),
        made(60, 100).repeat(3, 1, 1, 1),
        training_of=torch.arange(60).repeat(2),
        held_out_of=torch.arange(40).repeat(3),
    )
    twice = measure_sets(real, made(100, 140), ["random"])
    assert twice.counts == {"training": 60, "held_out": 40, "chose": 0, "generated": 40}


@pytest.mark.parametrize(
    ("train", "fake", "features", "named"),
    [
        (made(0, 3), made(0, 10), "random", "3 training pictures"),
        (made(0, 10), made(0, 10)[..., :16], "random", "training pictures of"),
        (made(0, 10), made(0, 10), "mine", "features mine"),
    ],
)
def test_mistakes_are_named(train: Tensor, fake: Tensor, features: str, named: str) -> None:
    with pytest.raises(UsageError, match=named) as mistake:
        measure_sets(RealPictures.of(train, fake), fake, [features])
    assert mistake.value.remedy


def test_inception_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", "/nowhere")
    assert inception_missing()
    assert "\n" not in inception_missing()


@pytest.mark.parametrize("name", FEATURES)
def test_features_depend_on_the_picture_alone(name: str) -> None:
    extract = extractor(name)
    pictures = made(0, 70)
    whole = extract(pictures)
    assert torch.isfinite(whole).all()
    assert torch.allclose(whole[66:67], extract(pictures[66:67]), atol=1e-4)


def test_the_yardstick_sees_colours_and_sharpness() -> None:
    features = SelfSupervisedFeatures()
    pictures = made(1, 121, 2)
    deviation = features(pictures).std(0).clamp_min(1e-3)

    def moved(changed: Tensor) -> float:
        return float(((features(changed) - features(pictures)) / deviation).square().mean().sqrt())

    x = pictures.float()
    blurred = [torch.nn.functional.avg_pool2d(x, 2 * k + 1, 1, k).to(torch.uint8) for k in (1, 2, 4)]
    grey = [(x + share * (x.mean(1, keepdim=True) - x)).to(torch.uint8) for share in (0.2, 0.5, 1.0)]
    for weak, middle, strong in (map(moved, blurred), map(moved, grey)):
        assert 0.02 < weak < middle < strong


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_thousand_pictures_fit_in_a_gigabyte() -> None:
    program = """
import torch
from limner.measure.quality import RealPictures, measure_sets
torch.set_num_threads(1)
def pictures(count, seed):
    small = torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return small.repeat_interleave(4, 2).repeat_interleave(4, 3)
measure_sets(RealPictures.of(pictures(2000, 1), pictures(300, 2)), pictures(10000, 3), ["random"])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    kilobytes = re.search(r"VmHWM:\s+(\d+) kB", told)
    assert kilobytes
    assert int(kilobytes[1]) < 810_000, told  # at 64 px it is 187 MB more
