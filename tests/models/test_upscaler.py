"""The up-scaler's file: it comes back as it was saved, and a hostile one is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from limner.errors import ModelError
from limner.models.upscaler import (
    SHIPPED_UPSCALER,
    Upscaler,
    UpscalerConfig,
    find_upscaler,
    load_upscaler,
    save_upscaler,
    upscalers_of,
)
from limner.workspace import Workspace
from upscalers_made import made_upscaler, made_upscaler_card


def test_a_file_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    network = made_upscaler(tmp_path / "u.safetensors", name="u")
    found = load_upscaler(tmp_path / "u.safetensors")
    small, noise = torch.rand(1, 3, 20, 24) * 2 - 1, torch.randn(1, 1, 40, 48)
    assert found.network(small, noise).shape == (1, 3, 40, 48)
    assert torch.allclose(found.network(small, noise), network(small, noise), atol=0.02)
    assert found.card.name == "u"


def test_an_untrained_one_is_bicubic() -> None:
    small = torch.rand(1, 3, 16, 16)
    made = Upscaler(UpscalerConfig())(small, torch.randn(1, 1, 32, 32))
    assert torch.equal(made, torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bicubic"))


def test_what_lies_beyond_its_reach_changes_nothing() -> None:
    torch.manual_seed(1)
    network = Upscaler(UpscalerConfig(width=8, blocks=2))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    reach = network.config.reach
    small, noise = torch.rand(1, 3, 32, 4 + 2 * reach), torch.randn(1, 1, 64, 8 + 4 * reach)
    other = small.clone()
    other[:, :, :, :1] = -1
    seen = [network(x, noise)[:, :, :, 2 * (reach + 1) : 2 * (reach + 2)] for x in (small, other)]
    assert torch.equal(*seen)


def test_colours_stay(tmp_path: Path) -> None:
    network = made_upscaler(tmp_path / "u.safetensors", name="u")
    torch.nn.init.normal_(network.leave.bias, std=1.0)  # type: ignore[arg-type]
    small = torch.rand(1, 3, 40, 40) * 2 - 1
    made = network(small, torch.randn(1, 1, 80, 80))
    plain = torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bicubic")
    assert (made - plain).abs().mean() > 0.01
    assert (made - plain).mean((2, 3)).abs().max() < 0.01


def _card(change: dict[str, Any]) -> dict[str, str]:
    raw = made_upscaler_card(UpscalerConfig(width=8, blocks=1), "u").model_dump(mode="json")
    return {"limner.upscaler": json.dumps({**raw, **change})}


def _weights(width: int = 8) -> dict[str, torch.Tensor]:
    return {name: t.contiguous() for name, t in Upscaler(UpscalerConfig(width=width, blocks=1)).state_dict().items()}


@pytest.mark.parametrize(
    ("metadata", "width", "told"),
    [
        ({}, 8, "not an up-scaler of limner's"),
        ({"limner.upscaler": "[1]"}, 8, "no JSON object"),
        ({"limner.upscaler": "[" * 100_000}, 8, "no JSON object"),
        (_card({"format": 9}), 8, "later limner"),
        (_card({"config": {"width": 100_000, "blocks": 1}}), 8, "card is damaged"),
        (_card({"name": "../../escape"}), 8, "card is damaged"),
        (_card({}), 16, "do not fit its card"),
    ],
)
def test_hostile_files_are_refused_in_one_line(tmp_path: Path, metadata: dict[str, str], width: int, told: str) -> None:
    path = tmp_path / "u.safetensors"
    save_file(_weights(width), path, metadata=metadata or None)
    with pytest.raises(ModelError) as caught:
        load_upscaler(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cut_short_nonsense_and_nan_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "u.safetensors"
    made_upscaler(path, name="u")
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"", b"\x80\x04pickle", b"\xff" * 64):
        path.write_bytes(data)
        with pytest.raises(ModelError):
            load_upscaler(path)
    weights = _weights()
    weights["leave.bias"] = torch.full_like(weights["leave.bias"], float("nan"))
    save_file(weights, path, metadata=_card({}))
    with pytest.raises(ModelError, match="NaN"):
        load_upscaler(path)


def test_learned_means_the_one_of_the_collection(workspace: Workspace, tmp_path: Path) -> None:
    folder = workspace.make(upscalers_of(workspace))
    made_upscaler(folder / "own.safetensors", name="own", collection="7" * 64)
    assert find_upscaler("learned", workspace, "7" * 64).card.name == "own"
    assert find_upscaler("own", workspace).card.name == "own"
    if SHIPPED_UPSCALER.is_file():
        assert find_upscaler("learned", workspace, "8" * 64).path == SHIPPED_UPSCALER
    with pytest.raises(ModelError, match="known: learned, none, own"):
        find_upscaler("nobody", workspace)


def test_saving_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "u.safetensors"
    made_upscaler(path, name="u")
    before = path.read_bytes()
    broken = Upscaler(UpscalerConfig(width=8, blocks=1))
    torch.nn.init.constant_(broken.leave.weight, float("inf"))
    with pytest.raises(ModelError):
        save_upscaler(path, broken, made_upscaler_card(broken.config, "u"))
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.suffix != ""] == ["u.safetensors"]
