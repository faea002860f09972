"""Instance embeddings: where they lie, where new ones are drawn, what is known of latents around them."""

from __future__ import annotations

import pytest
import torch

from limner.models.instance_embeddings import InstanceEmbeddings

_NUMBERS, _WIDTH, _COUNT = 40, 6, 600


def fitted(
    labels: int = 2, interpolation: float = 0.5, noise: float = 0.2, count: int = _COUNT
) -> tuple[InstanceEmbeddings, torch.Tensor]:
    torch.manual_seed(5)
    rows = torch.randn(_COUNT, _WIDTH) @ (torch.randn(_WIDTH, _NUMBERS) * 2) + 0.3 * torch.randn(_COUNT, _NUMBERS)
    kinds = torch.arange(_COUNT) % max(1, labels)
    rows = rows + 5 * kinds[:, None]
    embeddings = InstanceEmbeddings(
        _NUMBERS, labels, width=_WIDTH, count=count, noise=noise, interpolation=interpolation
    )
    embeddings.fit(rows, kinds if labels else None, seed=1)
    return embeddings, rows


def drawn_noise(embeddings: InstanceEmbeddings, count: int = 300) -> torch.Tensor:
    return torch.randn(count, embeddings.drawn, generator=torch.Generator().manual_seed(9))


def test_embeddings_have_deviation_one() -> None:
    embeddings, rows = fitted(labels=0)
    assert torch.allclose(embeddings.embed(rows).std(0), torch.ones(_WIDTH), atol=0.05)


def test_without_noise_and_interpolation_a_drawn_embedding_is_that_of_a_training_picture() -> None:
    embeddings, _ = fitted(interpolation=0, noise=0)
    drawn, _ = embeddings.draw(drawn_noise(embeddings))
    assert float(torch.cdist(drawn, embeddings.points.float()).amin(1).max()) < 1e-2


def test_truncation_zero_draws_training_embeddings() -> None:
    embeddings, _ = fitted()
    drawn, _ = embeddings.draw(drawn_noise(embeddings), truncation=0.0)
    assert float(torch.cdist(drawn, embeddings.points.float()).amin(1).max()) < 1e-2
    moved, _ = embeddings.draw(drawn_noise(embeddings))
    assert float(torch.cdist(moved, embeddings.points.float()).amin(1).median()) > 0.1


def test_a_label_draws_from_its_own_pictures() -> None:
    embeddings, _ = fitted(interpolation=0, noise=0)
    asked = torch.arange(300) % 2
    drawn, told = embeddings.draw(drawn_noise(embeddings), asked)
    assert torch.equal(told, asked)
    nearest = torch.cdist(drawn, embeddings.points.float()).argmin(1)
    assert torch.equal(embeddings.labels[nearest].long(), asked)


def test_an_embedding_depends_on_its_own_noise_alone() -> None:
    embeddings, _ = fitted()
    all_of_them = embeddings.draw(drawn_noise(embeddings))[0]
    some = embeddings.draw(drawn_noise(embeddings)[100:110])[0]
    assert torch.allclose(all_of_them[100:110], some, atol=1e-5)


def test_the_gaussian_around_an_embedding_is_narrower_than_the_whole_one() -> None:
    """Latents are better known where their embedding is: most of the variance is explained."""
    embeddings, rows = fitted(labels=0, noise=0.1)
    assert float(embeddings.spread.mean()) < 0.2 * float(rows.var(0).mean())
    centre = embeddings.centre(torch.zeros(_COUNT, dtype=torch.long), embeddings.embed(rows))
    assert float((centre - rows).var()) < 0.2 * float(rows.var())


def test_of_more_latents_than_anchors_some_are_kept() -> None:
    embeddings, rows = fitted(count=50)
    assert float(torch.cdist(embeddings.points.float(), embeddings.embed(rows)).amin(1).max()) < 0.05


def test_few_axes_give_nearly_the_gaussian_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six axes are wide and the others alike: leaving these out of the basis changes little."""
    whole, rows = fitted(labels=0)
    monkeypatch.setattr("limner.models.instance_embeddings._RANK", _WIDTH + 2)
    part, _ = fitted(labels=0)
    assert part.basis.shape == (_NUMBERS, _WIDTH + 2)
    labels, drawn, time = torch.zeros(_COUNT, dtype=torch.long), whole.embed(rows), torch.full((_COUNT,), 0.5)
    noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(3))
    ours, theirs = (one.velocity(rows * 0.5 + noise * 0.5, time, labels, drawn) for one in (part, whole))
    assert float((ours - theirs).var() / theirs.var()) < 0.02
    apart = part.from_noise(noise, 1.0, centre := part.centre(labels, drawn)) - centre
    assert float(apart.var(0).sum()) == pytest.approx(float(whole.spread.sum()), rel=0.1)
