"""What is measured of pictures, on pictures of which the answer is known."""

from __future__ import annotations

import pytest
import torch

from limner.latent.attributes import ATTRIBUTES, lab, measure_attributes


def measured(picture: torch.Tensor) -> dict[str, float]:
    return dict(zip(ATTRIBUTES, measure_attributes(picture[None].to(torch.uint8))[0].tolist(), strict=True))


def plain(red: int, green: int, blue: int) -> torch.Tensor:
    return torch.tensor([red, green, blue])[:, None, None].expand(3, 64, 64).clone()


@pytest.mark.parametrize(
    ("rgb", "wanted"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[int, int, int], wanted: tuple[float, float, float]) -> None:
    found = lab(plain(*rgb)[None].to(torch.uint8))[0, :, 0, 0]
    assert found.tolist() == pytest.approx(wanted, abs=0.05)


def test_brightness_warmth_and_contrast() -> None:
    assert measured(plain(250, 250, 250))["brightness"] > measured(plain(90, 90, 90))["brightness"] + 40
    assert measured(plain(220, 180, 60))["warmth"] > 30 > -20 > measured(plain(60, 120, 220))["warmth"]
    half = plain(0, 0, 0)
    half[:, :, 32:] = 255
    assert measured(half)["contrast"] > 45
    assert measured(plain(128, 128, 128))["contrast"] < 1e-3


def test_a_horizon_is_found_where_it_is_drawn() -> None:
    for height in (0.25, 0.5, 0.75):
        picture = plain(180, 200, 240)
        picture[:, round(64 * (1 - height)) :] = torch.tensor([70, 60, 40])[:, None, None]
        assert measured(picture)["horizon"] == pytest.approx(height, abs=0.05)


def test_symmetry_is_of_left_and_right() -> None:
    torch.manual_seed(0)
    noise = torch.randint(0, 255, (3, 64, 32))
    mirrored = torch.cat([noise, noise.flip(2)], dim=2)
    assert measured(mirrored)["symmetry"] == pytest.approx(0, abs=1e-3)
    assert measured(torch.randint(0, 255, (3, 64, 64)))["symmetry"] < -0.8


def test_detail_is_in_the_finest_lines() -> None:
    torch.manual_seed(0)
    coarse = torch.randint(0, 255, (3, 8, 8)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    fine = torch.randint(0, 255, (3, 64, 64))
    assert measured(fine)["detail"] > measured(coarse)["detail"] + 10


def test_colourfulness_and_hue() -> None:
    assert measured(plain(128, 128, 128))["colourfulness"] < 0.1
    many = torch.randint(0, 255, (3, 64, 64), generator=torch.Generator().manual_seed(1))
    assert measured(many)["colourfulness"] > 40
    hues = [measured(plain(*rgb))["hue"] for rgb in ((60, 160, 60), (200, 180, 40), (200, 60, 50))]
    assert hues == sorted(hues)


def test_large_pictures_measure_as_small_ones_do() -> None:
    torch.manual_seed(0)
    small = torch.randint(0, 255, (3, 16, 16)).repeat_interleave(4, 1).repeat_interleave(4, 2)
    large = small.repeat_interleave(2, 1).repeat_interleave(2, 2)
    one, other = measured(small), measured(large)
    for name in ("brightness", "warmth", "contrast", "symmetry", "horizon"):
        assert one[name] == pytest.approx(other[name], rel=0.15, abs=0.1), name
