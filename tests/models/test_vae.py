"""The VAE as a generator: repeatable, batch-independent, at every size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import Latent, Painter, painter_config
from limner.models.prior import FlowPrior, MixturePrior, PriorConfig
from models_made import STRAIGHT


@pytest.fixture(scope="module", params=[STRAIGHT, {}, {"kind": "mixture"}], ids=["straight flow", "flow", "mixture"])
def model(request: pytest.FixtureRequest) -> LatentModel:
    torch.manual_seed(1)
    prior = PriorConfig(steps=2, layers=2).model_copy(update=request.param)
    model = LatentModel(LatentModelConfig(painter=painter_config(32, 32), prior=prior, labels=("a", "b"))).eval()
    for parameter in model.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    if isinstance(model.prior, MixturePrior):
        model.prior.fit(torch.randn(400, model.config.painter.numbers), torch.arange(400) % 2, seed=0)
    return model.requires_grad_(False)


def test_it_samples_paints_and_encodes(model: LatentModel) -> None:
    latents = model.sample(3, seed=1)
    painted = model.paint(latents)
    assert (painted.shape, painted.dtype) == ((3, 3, 32, 32), torch.uint8)
    assert [part.shape for part in model.encode(painted)] == [part.shape for part in latents]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_picture_i_of_a_seed_does_not_depend_on_the_batch(model: LatentModel, precision: torch.dtype) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        whole = model.paint(model.sample(70, seed=9, label=1))
        one = model.paint(model.sample(1, seed=9, label=1, first=66))
        some = model.paint(model.sample(19, seed=9, label=1, first=50))
    assert torch.equal(whole[66:67], one)
    assert torch.equal(whole[50:69], some)


def test_seeds_and_truncation_matter(model: LatentModel) -> None:
    a, b = model.sample(2, seed=1), model.sample(2, seed=2)
    assert not torch.equal(a.content, b.content)
    calm = model.sample(8, seed=1, truncation=0.0)
    assert calm.content.std() < a.content.std()


@pytest.mark.parametrize(
    ("height", "width"), [(32, 32), (64, 64), (128, 192), (96, 64), (256, 256), (512, 512), (288, 512)]
)
def test_every_size_encodes_and_paints(height: int, width: int) -> None:
    config = painter_config(height, width)
    model = LatentModel(
        LatentModelConfig(painter=config, prior=PriorConfig(kind="mixture", axes=4, components=2))
    ).eval()
    pictures = torch.randint(0, 256, (1, 3, height, width), dtype=torch.uint8)
    latent = model.encode(pictures)
    assert latent.content.shape == (1, config.content_channels, *config.grid)
    assert latent.style.shape == (1, config.blocks, config.style_width)
    with torch.inference_mode():
        assert model.painter(latent).shape == (1, 3, height, width)


def test_whitening_goes_there_and_back() -> None:
    model = LatentModel(LatentModelConfig(painter=painter_config(64, 64)))
    latents = Latent(torch.randn(50, 6, 8, 8) * 3 + 1, torch.randn(50, 5, 16) * 0.2)
    model.whitening.fit(latents)
    rows = model.whitening(latents)
    assert abs(float(rows.std()) - 1) < 0.05
    back = model.whitening.back(rows)
    assert torch.allclose(back.content, latents.content, atol=1e-4)
    assert torch.allclose(back.style, latents.style, atol=1e-4)


@pytest.mark.parametrize("told", [{**STRAIGHT, "steps": 20, "shift": 1.0}, {"steps": 1}], ids=["straight", "gaussian"])
def test_untrained_flow_draws_the_gaussian_it_was_fitted_to(told: dict[str, object]) -> None:
    """Before any training the flow is the best one for a Gaussian around embeddings: its draws vary as the latents do.

    Along the Gaussian path one step is exact.
    """
    painter = painter_config(32, 32).model_copy(update={"content_channels": 1, "style_width": 1})
    config = PriorConfig(layers=1, channels=8, width=32, embedding_width=8, embeddings=3000, interpolation=0)
    prior = FlowPrior(painter, config.model_copy(update=told), labels=2)
    torch.manual_seed(0)
    numbers = painter.numbers
    labels = torch.arange(3000) % 2
    mix = torch.randn(numbers, numbers) / numbers**0.5
    rows = torch.randn(3000, numbers) @ mix + torch.randn(2, numbers)[labels]
    prior.embeddings.fit(rows, labels, seed=0)
    with torch.inference_mode():
        drawn = prior(torch.randn(3000, prior.noise_numbers), labels)
    for label in (0, 1):
        wanted, found = rows[labels == label], drawn[labels == label]
        assert float((wanted.mean(0) - found.mean(0)).abs().max()) < 0.2
        assert float((wanted.T.cov() - found.T.cov()).abs().mean()) < 0.05


def test_both_paths_lead_to_the_same_latents_and_the_gaussian_one_in_fewer_steps() -> None:
    torch.manual_seed(6)
    painter = painter_config(32, 32)
    prior = FlowPrior(painter, PriorConfig(layers=1, channels=16, width=32, embedding_width=4, embeddings=40))
    prior.embeddings.fit(torch.randn(40, painter.numbers) * torch.linspace(0.3, 1.5, painter.numbers), None, seed=0)
    torch.nn.init.normal_(prior.leave.weight, std=0.03)
    noise = torch.randn(16, prior.noise_numbers)

    def drawn(**told: object) -> Tensor:
        prior.config = prior.config.model_copy(update=told)
        with torch.inference_mode():
            found: Tensor = prior(noise)
        return found

    exact = drawn(path="straight", start=0.0, steps=400, shift=1.0)
    also = drawn(path="gaussian", start=0.0, steps=200, shift=1.0)
    assert float((also - exact).abs().max()) < 0.01
    few = drawn(start=0.2, steps=2, shift=1.5)
    assert float((few - exact).std()) < 0.5 * float((drawn(path="straight", start=0.0, steps=6) - exact).std())


def test_a_new_painter_paints_no_grid() -> None:
    """Pixels that a shuffle makes of one place start alike."""
    torch.manual_seed(4)
    painter = Painter(painter_config(64, 64))
    latent = Latent(torch.randn(1, 6, 8, 8), torch.randn(1, 5, 16))
    with torch.no_grad():
        painted = painter(latent)
    for down, across in ((0, 1), (1, 0), (1, 1)):
        assert torch.equal(painted[..., down::2, across::2], painted[..., ::2, ::2])


def test_a_large_painter_cannot_paint_a_pattern_of_its_own() -> None:
    """Rises that make four different pixels of one leave no mark where doublings are smoothed, and do where not."""
    torch.manual_seed(4)
    told = {}
    for smooth in (False, True):
        config = painter_config(128, 128)
        assert config.noise_maps
        painter = Painter(config if smooth else config.model_copy(update={"noise_maps": 0}))
        for layer in (*painter.rises, painter.leave):
            assert isinstance(layer, torch.nn.Conv2d)
            torch.nn.init.normal_(layer.weight, std=0.1)
        # The last shuffle has a loss of its own against single pixels.
        painter.leave.weight.data = painter.leave.weight.data[::4].repeat_interleave(4, dim=0)
        with torch.no_grad():
            even = Latent(torch.ones(1, config.content_channels, *config.grid), torch.zeros(1, config.blocks, 16))
            inner = painter(even)[..., 48:-48, 48:-48]
        told[smooth] = float(inner.std((2, 3)).mean() / inner.abs().mean())
    assert told[True] < 0.02 < 0.1 < told[False]


def test_a_large_painter_has_noise_of_its_own_and_paints_the_same_from_its_file_alone() -> None:
    def new(seed: int) -> Painter:
        torch.manual_seed(seed)
        painter = Painter(painter_config(128, 128))
        torch.nn.init.normal_(painter.leave.weight, std=0.1)
        painter.start_noise()
        return painter.requires_grad_(False)

    one, other = new(1), new(2)
    latent = Latent(torch.randn(1, 6, 8, 8), torch.randn(1, 6, 16))
    painted = one(latent)
    other.load_state_dict(one.state_dict())
    assert torch.equal(other(latent), painted)
    one.noise_inputs[1].weight.zero_()  # type: ignore[operator]
    assert float((one(latent) - painted).abs().mean()) > 1e-3
    assert not Painter(painter_config(64, 64)).noise_inputs


def test_gates_scale_the_noise_by_what_is_painted_there() -> None:
    """Gates change nothing at first; then the same noise is added to one picture and not to another."""
    torch.manual_seed(1)
    config = painter_config(128, 128)
    gated = Painter(config)
    torch.nn.init.normal_(gated.leave.weight, std=0.1)
    gated.start_noise()
    still = Painter(config)
    latent = Latent(torch.randn(2, 6, 8, 8), torch.randn(2, 6, 16))
    with torch.no_grad():
        still.load_state_dict(gated.state_dict())
        for layer in still.noise_inputs:
            layer.weight.zero_()  # type: ignore[operator]
        one, other = (gated(latent) - still(latent)).mean(1)
        # At first the noise enters as it is; only the blocks after it depend on the latent.
        assert float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]) > 0.9
        for gate in gated.noise_gates:
            gate.weight.normal_(std=5.0)  # type: ignore[operator]
        still.load_state_dict(gated.state_dict())
        for layer in still.noise_inputs:
            layer.weight.zero_()  # type: ignore[operator]
        one, other = (gated(latent) - still(latent)).mean(1)
    assert float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]) < 0.9


def test_a_mixture_fitted_again_is_the_same(seed: int = 5) -> None:
    rows = torch.randn(96, 64, generator=torch.Generator().manual_seed(1))
    fitted = []
    for other in (1, 2):
        torch.manual_seed(other)
        mixture = MixturePrior(painter_config(32, 32), PriorConfig(kind="mixture", components=3, axes=8))
        wide = torch.cat([rows, torch.zeros(96, len(mixture.rest) - 64)], dim=1)
        mixture.fit(wide, None, seed)
        fitted.append(mixture.state_dict())
        drawn = torch.rand(())
        torch.manual_seed(other)
        assert torch.equal(drawn, torch.rand(())), "it drew from what others draw from"
    assert all(torch.equal(tensor, fitted[1][name]) for name, tensor in fitted[0].items())
