"""Places among training pictures: where they lie, where new ones are drawn, what is known of latents around them."""

from __future__ import annotations

import pytest
import torch

from limner.models.anchors import Anchors

_NUMBERS, _WIDTH, _COUNT = 40, 6, 600


def fitted(
    labels: int = 2, reach: float = 0.5, shake: float = 0.2, count: int = _COUNT
) -> tuple[Anchors, torch.Tensor]:
    torch.manual_seed(5)
    rows = torch.randn(_COUNT, _WIDTH) @ (torch.randn(_WIDTH, _NUMBERS) * 2) + 0.3 * torch.randn(_COUNT, _NUMBERS)
    kinds = torch.arange(_COUNT) % max(1, labels)
    rows = rows + 5 * kinds[:, None]
    anchors = Anchors(_NUMBERS, labels, width=_WIDTH, count=count, shake=shake, reach=reach)
    anchors.fit(rows, kinds if labels else None, seed=1)
    return anchors, rows


def noise(anchors: Anchors, count: int = 300) -> torch.Tensor:
    return torch.randn(count, anchors.drawn, generator=torch.Generator().manual_seed(9))


def test_places_have_deviation_one() -> None:
    anchors, rows = fitted(labels=0)
    assert torch.allclose(anchors.place(rows).std(0), torch.ones(_WIDTH), atol=0.05)


def test_without_shake_and_reach_a_drawn_place_is_that_of_a_training_picture() -> None:
    anchors, _ = fitted(reach=0, shake=0)
    places, _ = anchors.draw(noise(anchors))
    assert float(torch.cdist(places, anchors.points.float()).amin(1).max()) < 1e-2


def test_truncation_zero_draws_training_places() -> None:
    anchors, _ = fitted()
    places, _ = anchors.draw(noise(anchors), truncation=0.0)
    assert float(torch.cdist(places, anchors.points.float()).amin(1).max()) < 1e-2
    moved, _ = anchors.draw(noise(anchors))
    assert float(torch.cdist(moved, anchors.points.float()).amin(1).median()) > 0.1


def test_a_label_draws_from_its_own_pictures() -> None:
    anchors, _ = fitted(reach=0, shake=0)
    asked = torch.arange(300) % 2
    places, told = anchors.draw(noise(anchors), asked)
    assert torch.equal(told, asked)
    nearest = torch.cdist(places, anchors.points.float()).argmin(1)
    assert torch.equal(anchors.labels[nearest].long(), asked)


def test_a_place_depends_on_its_own_noise_alone() -> None:
    anchors, _ = fitted()
    all_of_them = anchors.draw(noise(anchors))[0]
    some = anchors.draw(noise(anchors)[100:110])[0]
    assert torch.allclose(all_of_them[100:110], some, atol=1e-5)


def test_the_gaussian_around_a_place_is_narrower_than_the_whole_one() -> None:
    """Latents are better known where their place is: most of the variance is explained."""
    anchors, rows = fitted(labels=0, shake=0.1)
    assert float(anchors.spread.mean()) < 0.2 * float(rows.var(0).mean())
    centre = anchors.centre(torch.zeros(_COUNT, dtype=torch.long), anchors.place(rows))
    assert float((centre - rows).var()) < 0.2 * float(rows.var())


def test_of_more_latents_than_anchors_some_are_kept() -> None:
    anchors, rows = fitted(count=50)
    assert float(torch.cdist(anchors.points.float(), anchors.place(rows)).amin(1).max()) < 0.05


def test_few_axes_give_nearly_the_gaussian_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six axes are wide and the others alike: leaving these out of the basis changes little."""
    whole, rows = fitted(labels=0)
    monkeypatch.setattr("limner.models.anchors._RANK", _WIDTH + 2)
    part, _ = fitted(labels=0)
    assert part.basis.shape == (_NUMBERS, _WIDTH + 2)
    labels, places, time = torch.zeros(_COUNT, dtype=torch.long), whole.place(rows), torch.full((_COUNT,), 0.5)
    noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(3))
    ours, theirs = (one.velocity(rows * 0.5 + noise * 0.5, time, labels, places) for one in (part, whole))
    assert float((ours - theirs).var() / theirs.var()) < 0.02
    apart = part.gaussian(labels, places, noise) - part.centre(labels, places)
    assert float(apart.var(0).sum()) == pytest.approx(float(whole.spread.sum()), rel=0.1)
