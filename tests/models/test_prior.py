"""The GAN keeps the contract of every generator."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.models.bundle import load_model, save_model
from limner.models.discriminators import Discriminator, PixelDiscriminator, TeacherDiscriminator, scales_of
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.models.prior import Mapping, PriorConfig
from models_made import STRAIGHT, made_card


@pytest.fixture(scope="module", params=[STRAIGHT, {}], ids=["straight", "along the Gaussian"])
def gan(request: pytest.FixtureRequest) -> LatentModel:
    torch.manual_seed(2)
    prior = PriorConfig(layers=1, channels=16, width=32, embedding_width=4, embeddings=40).model_copy(
        update=request.param
    )
    model = LatentModel(LatentModelConfig(painter=painter_config(32, 32), prior=prior, labels=("a", "b"))).eval()
    model.prior.embeddings.fit(torch.randn(40, model.config.painter.numbers), torch.arange(40) % 2, seed=0)  # type: ignore[union-attr, operator]
    torch.nn.init.normal_(model.prior.leave.weight, std=0.1)  # type: ignore[arg-type, union-attr]
    model.become_mapping()
    kept = {n: t.bfloat16().float() if t.is_floating_point() else t for n, t in model.state_dict().items()}
    model.load_state_dict(kept)
    return model


def test_it_samples_paints_and_encodes(gan: LatentModel) -> None:
    assert isinstance(gan.prior, Mapping)
    painted = gan.paint(gan.sample(3, seed=1))
    assert painted.shape == (3, 3, 32, 32)
    assert painted.dtype == torch.uint8
    assert gan.encode(painted).style.shape[0] == 3


def test_picture_i_of_a_seed_does_not_depend_on_the_batch(gan: LatentModel) -> None:
    together = gan.paint(gan.sample(70, seed=4))
    alone = gan.paint(gan.sample(1, seed=4, first=66))
    assert torch.equal(together[66:67], alone)


def test_seed_label_and_truncation_matter(gan: LatentModel) -> None:
    plain = gan.sample(8, seed=4).content
    assert not torch.equal(plain, gan.sample(8, seed=5).content)
    assert not torch.equal(plain, gan.sample(8, seed=4, truncation=0.5).content)
    assert not torch.equal(gan.sample(8, seed=4, label=0).content, gan.sample(8, seed=4, label=1).content)


def test_the_file_alone_rebuilds_it(gan: LatentModel, tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    save_model(path, gan, made_card(gan, "g").model_copy(update={"family": "gan"}))
    loaded = load_model(path)
    assert loaded.card.family == "gan"
    assert torch.equal(loaded.generator.sample(5, seed=1).content, gan.sample(5, seed=1).content)


@pytest.mark.parametrize(
    "discriminator", [PixelDiscriminator(), TeacherDiscriminator(), TeacherDiscriminator(scales=2)]
)
def test_a_discriminator_learns_to_tell_noise_from_pictures(discriminator: Discriminator) -> None:
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.randn(16, 3, 8, 8), 64, mode="bilinear").clamp(-1, 1)
    pictures = {True: smooth, False: (smooth + 0.5 * torch.randn_like(smooth)).clamp(-1, 1)}
    maps = {
        kind: [m.detach() for m in discriminator.see(discriminator.crops(shown))] for kind, shown in pictures.items()
    }
    optimiser = torch.optim.Adam([p for p in discriminator.parameters() if p.requires_grad], 1e-3)
    for _ in range(25):
        real, noisy = (torch.cat([h.mean(1) for h in discriminator(maps[kind])]) for kind in (True, False))
        loss = torch.nn.functional.softplus(noisy - real).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.3


def test_the_teacher_in_a_discriminator_never_learns() -> None:
    discriminator = TeacherDiscriminator()
    assert not any(name.startswith("_teacher") or "stem" in name for name, _ in discriminator.named_parameters())


def test_a_discriminator_looks_at_a_large_picture_made_small_and_at_a_window_of_it() -> None:
    assert [scales_of(side, 2 * side) for side in (64, 96, 128, 224, 256)] == [1, 1, 2, 2, 3]
    discriminator, pictures = TeacherDiscriminator(scales=2), torch.rand(2, 3, 128, 192)
    whole, window = discriminator.crops(pictures, (1.0, 0.5))
    assert torch.equal(whole, torch.nn.functional.avg_pool2d(pictures, 2))
    assert torch.equal(window, pictures[..., 64:, 48:144])
    maps = discriminator.see([whole, window])
    assert [len(own) for own in discriminator.perceptual(maps)] == [3, 3]
    for own, crop in zip(discriminator.perceptual(maps), (whole, window), strict=True):
        alone = TeacherDiscriminator().see([crop])[1:4]
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(own, alone, strict=True))
    assert len(discriminator(maps)) == 9
