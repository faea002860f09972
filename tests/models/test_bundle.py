"""The model file: it rebuilds the model, and says what is wrong with a bad one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from limner.errors import ModelError
from limner.models.bundle import find_model, load_model, read_card, save_model
from limner.models.card import FORMAT
from limner.workspace import Workspace
from models_made import made_card, made_model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    made_model(path)
    return path


def test_the_file_alone_rebuilds_the_model(path: Path) -> None:
    generator = made_model(path)
    model = load_model(path)
    assert model.card.config == generator.config
    ours, theirs = (m.paint(m.sample(3, seed=5, label=1)) for m in (generator, model.generator))
    assert torch.equal(ours, theirs)


def test_truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="damaged"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 4, b"\xff" * 64, b"GIF89a" + b"\0" * 100])
def test_no_model_at_all(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or not a model"):
        load_model(path)


def test_flipped_bits_are_not_silently_infinite(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2000:] = b"\x80\x7f" * 1000
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="NaN or infinity"):
        load_model(path)


def _rewritten(path: Path, change: Any) -> None:
    with safe_open(path, "pt") as file:
        card = json.loads(file.metadata()["limner.card"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(card, tensors)
    save_file(tensors, path, metadata={"limner.card": json.dumps(card)})


def test_a_future_version_is_refused(path: Path) -> None:
    _rewritten(path, lambda card, tensors: card.update(format=99))
    with pytest.raises(ModelError, match="later limner"):
        load_model(path)


def test_an_earlier_version_says_train_again(path: Path) -> None:
    _rewritten(path, lambda card, tensors: card.update(format=FORMAT - 1))
    with pytest.raises(ModelError, match="earlier limner"):
        load_model(path)


def test_a_wrong_shape_is_named(path: Path) -> None:
    _rewritten(path, lambda card, tensors: tensors.update({"painter.leave.bias": torch.zeros(5)}))
    with pytest.raises(ModelError, match=r"painter\.leave\.bias is \(5,\)"):
        load_model(path)


def test_a_missing_weight_is_named(path: Path) -> None:
    _rewritten(path, lambda card, tensors: tensors.pop("painter.leave.bias"))
    with pytest.raises(ModelError, match=r"painter\.leave\.bias is missing"):
        load_model(path)


@pytest.mark.parametrize(
    "painter", [{"widths": [10**6, 96]}, {"height": 10**6}, {"factor": 7}, {"style_width": 10**9}, {"depths": [0, 0]}]
)
def test_a_hostile_configuration_allocates_nothing(path: Path, painter: dict[str, Any]) -> None:
    _rewritten(path, lambda card, tensors: card["config"]["painter"].update(painter))
    with pytest.raises(ModelError, match="card is damaged"):
        load_model(path)


def test_a_foreign_safetensors_file(path: Path) -> None:
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="not a model of limner's"):
        read_card(path)


def test_an_unknown_name_tells_the_known_ones(path: Path, workspace: Workspace) -> None:
    workspace.make(workspace.models)
    path.replace(workspace.models / "meadow.safetensors")
    assert find_model("meadow", workspace).name == "meadow.safetensors"
    with pytest.raises(ModelError, match="meadow"):
        find_model("mirror", workspace)


def test_a_small_file_is_half_as_large_and_paints_the_same_to_the_eye(tmp_path: Path) -> None:
    model = made_model(tmp_path / "m.safetensors")
    save_model(tmp_path / "small.safetensors", model, made_card(model, "small"), small=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("m", "small")]
    assert sizes[1] < 0.6 * sizes[0]
    loaded = load_model(tmp_path / "small.safetensors").generator
    latent = model.sample(8, seed=1)
    apart = (model.paint(latent).float() - loaded.paint(latent).float()).abs()
    assert 0 < float(apart.mean()) < 1.5


@pytest.mark.parametrize("spoil", ["shape", "alone"])
def test_scales_that_fit_nothing_are_refused(tmp_path: Path, spoil: str) -> None:
    model = made_model(tmp_path / "m.safetensors")
    path = tmp_path / "small.safetensors"
    save_model(path, model, made_card(model, "small"), small=True)

    def change(card: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        name = next(name for name in tensors if name.endswith(":scale"))
        if spoil == "shape":
            tensors[name] = tensors[name][:-1].clone()
        else:
            tensors["nothing:scale"] = tensors.pop(name)

    _rewritten(path, change)
    with pytest.raises(ModelError, match="weights"):
        load_model(path)
