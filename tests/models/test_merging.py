"""Models of one start merged: which layers are whose, what stays whole, and what the card says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.errors import RightsError, UsageError
from limner.models.bundle import SHIPPED, Model, load_model, save_model
from limner.models.card import CollectionNote
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.merging import average, is_kin, levels, merged_card, swap_levels
from limner.models.painter import painter_config
from limner.rights import summary
from models_made import made_card, made_model
from rights_made import made_rights


def saved(path: Path, generator: LatentModel, **more: object) -> Model:
    save_model(path, generator, made_card(generator, path.stem).model_copy(update=more))
    return load_model(path)


def child_of(parent: Model, path: Path, seed: int = 1, **more: object) -> Model:
    """A model whose weights went on a little from the parent's."""
    generator = LatentModel(parent.card.config)
    generator.load_state_dict(parent.generator.state_dict())
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in generator.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    return saved(path, generator.eval(), **{"parents": (parent.digest,), **more})


@pytest.fixture
def parent(tmp_path: Path) -> Model:
    made_model(tmp_path / "parent.safetensors")
    return load_model(tmp_path / "parent.safetensors")


@pytest.fixture
def child(parent: Model, tmp_path: Path) -> Model:
    return child_of(parent, tmp_path / "child.safetensors")


def taken_from(merged: LatentModel, model: Model) -> set[str]:
    """Layers that are those of a model."""
    theirs = model.generator.state_dict()
    return {name for name, t in merged.state_dict().items() if name.endswith("weight") and torch.equal(t, theirs[name])}


def test_coarse_layers_are_of_the_one_and_finer_ones_of_the_other(parent: Model, child: Model) -> None:
    assert levels(parent.card.config.painter) == (8, 16)
    merged = swap_levels(parent, child, 8)
    fine = {name for name in taken_from(merged, child) if name.startswith("painter.")}
    assert {name.rsplit(".", 1)[0].split(".", 1)[1] for name in fine} == {
        "rises.0", "leave", "blocks.3.first", "blocks.3.second", "blocks.3.affine",
    }  # fmt: skip
    assert taken_from(merged, parent) >= taken_from(parent.generator, parent) - fine
    assert "painter.rises.0.weight" in taken_from(swap_levels(parent, child, 16), parent)
    drawn = parent.generator.sample(2, seed=1)
    assert torch.equal(merged.sample(2, seed=1).content, drawn.content)
    assert not torch.equal(merged.paint(drawn), parent.generator.paint(drawn))


def test_the_parts_that_a_large_painter_paints_at_each_level_count_by_their_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = LatentModelConfig(
        painter=painter_config(128, 128), prior=made_model(tmp_path / "m.safetensors").config.prior
    )
    parent = saved(tmp_path / "large.safetensors", LatentModel(config).eval())
    child = child_of(parent, tmp_path / "child.safetensors")
    assert levels(config.painter) == (8, 16, 32, 64)
    fine = taken_from(swap_levels(parent, child, 32), child)
    assert {"painter.coarse.0.weight", "painter.rises.2.weight", "painter.leave.weight"} <= fine
    assert "painter.rises.1.weight" not in fine
    assert "painter.coarse.0.weight" not in taken_from(swap_levels(parent, child, 64), child)


@pytest.mark.parametrize("at", [0, 12, 32, -8])
def test_what_is_no_level_is_refused_and_the_levels_named(parent: Model, child: Model, at: int) -> None:
    with pytest.raises(UsageError, match=rf"--at {at}: is no level.*give 8, 16"):
        swap_levels(parent, child, at)


def test_weights_lie_between(parent: Model, child: Model) -> None:
    merged = average(parent, child, 0.25).state_dict()
    ours, theirs = parent.generator.state_dict(), child.generator.state_dict()
    for name in ("encoder.enter.weight", "painter.leave.bias", "prior.layers.0.attend.weight"):
        torch.testing.assert_close(merged[name], 0.75 * ours[name] + 0.25 * theirs[name])
    drawn = parent.generator.sample(2, seed=1)
    assert torch.equal(average(parent, child, 0.0).paint(drawn), parent.generator.paint(drawn))


def test_a_prior_of_other_places_stays_whole(parent: Model, child: Model, tmp_path: Path) -> None:
    generator = LatentModel(child.card.config)
    generator.load_state_dict(child.generator.state_dict())
    generator.prior.embeddings.axes.normal_()  # type: ignore[union-attr, operator]
    other = saved(tmp_path / "other.safetensors", generator.eval(), parents=(parent.digest,))
    for share, whose in ((0.4, parent), (0.6, other)):
        merged = average(parent, other, share).state_dict()
        theirs = whose.generator.state_dict()
        assert all(torch.equal(merged[name], theirs[name]) for name in theirs if name.startswith("prior."))


def test_kin_are_known_by_card_and_weights(parent: Model, child: Model, tmp_path: Path) -> None:
    sister = child_of(parent, tmp_path / "sister.safetensors", seed=2)
    stranger = saved(tmp_path / "s.safetensors", made_model(tmp_path / "t.safetensors", seed=9))
    claims = saved(tmp_path / "c.safetensors", stranger.generator, parents=(parent.digest,))
    assert is_kin(parent, child)
    assert is_kin(child, sister)
    assert not is_kin(parent, stranger)
    assert not is_kin(parent, claims), "taught by it, perhaps, but of other weights"


def test_of_the_models_that_ship_the_emoji_are_kin() -> None:
    vae, gan, paintings = (load_model(SHIPPED / f"{n}.safetensors") for n in ("emoji-vae", "emoji-gan", "landscapes"))
    assert is_kin(vae, gan)
    assert not is_kin(vae, paintings)
    card = merged_card("m", average(vae, gan, 0.5), (vae, gan), {})
    assert (card.family, card.config.labels, card.rights) == ("vae", vae.card.config.labels, vae.card.rights)


def test_other_sizes_are_refused(parent: Model, tmp_path: Path) -> None:
    config = LatentModelConfig(painter=painter_config(64, 64), prior=parent.card.config.prior)
    large = saved(tmp_path / "l.safetensors", LatentModel(config).eval())
    with pytest.raises(UsageError, match="32x32 and 64x64; merge models of one size"):
        average(parent, large, 0.5)


def test_the_card_names_both_and_owes_what_both_owe(parent: Model, tmp_path: Path) -> None:
    others = CollectionNote(name="d", digest="2" * 64, holdout_digest="3" * 64, pictures=5, held_out=1)
    one = child_of(parent, tmp_path / "one.safetensors", rights=made_rights("Ada", "CC-BY-4.0", 9))
    two = child_of(
        parent, tmp_path / "two.safetensors", 2, rights=made_rights("Bea", "CC-BY-SA-4.0", 5), collection=others
    )
    how = {"way": "weights", "weights": [0.5, 0.5]}
    card = merged_card("both", average(one, two, 0.5), (one, two), how)
    assert card.parents == (parent.digest, one.digest, two.digest)
    assert card.credit == "Learned from pictures by Ada (CC-BY-4.0), Bea (CC-BY-SA-4.0)"
    assert card.rights.obligations == {"attribution": 14, "share-alike": 5}
    assert (card.collection.name, card.collection.pictures) == ("c + d", 14)
    assert card.collection.digest not in (one.card.collection.digest, others.digest)
    assert card.training.settings["merge"]["weights"] == [0.5, 0.5]
    assert [of["digest"] for of in card.training.settings["merge"]["of"]] == [one.digest, two.digest]
    assert card.created
    swapped = merged_card("both", average(one, two, 0.5), (two, one), how)
    assert swapped.rights == card.rights


def test_an_ancestor_s_pictures_count_once(parent: Model, tmp_path: Path) -> None:
    both = made_rights("Ada", "CC-BY-4.0", 14)
    child = child_of(parent, tmp_path / "child.safetensors", rights=both)
    for pair in ((parent, child), (child, parent)):
        assert merged_card("m", child.generator, pair, {}).rights == both


def test_a_merge_that_licences_forbid_has_no_card(parent: Model, tmp_path: Path) -> None:
    one = child_of(parent, tmp_path / "one.safetensors", rights=made_rights("Ada", "CC-BY-SA-4.0"))
    two = child_of(parent, tmp_path / "two.safetensors", 2, rights=made_rights("Bea", "CC-BY-NC-4.0"))
    with pytest.raises(RightsError, match=r"CC-BY-SA-4.0 \(Ada\) of one and CC-BY-NC-4.0 \(Bea\) of two"):
        merged_card("m", one.generator, (one, two), {})
    assert merged_card("m", one.generator, (one, parent), {}).rights != summary([])


def test_in_a_swap_every_layer_of_a_large_painter_is_of_the_model_whose_level_it_is(tmp_path: Path) -> None:
    made_model(tmp_path / "a.safetensors", size=128)
    a = load_model(tmp_path / "a.safetensors")
    b = child_of(a, tmp_path / "b.safetensors")
    ours, theirs = (model.generator.state_dict() for model in (a, b))
    for at in levels(a.card.config.painter):
        merged = swap_levels(a, b, at).state_dict()
        of = {name: "a" if torch.equal(merged[name], ours[name]) else "b" for name, _ in a.generator.named_parameters()}
        finer = [name for name in of if name.startswith(("painter.noise_inputs.", "painter.noise_gates."))]
        assert finer
        for name in finer:
            # Noise is felt, and told how much, where the doubling before it ends.
            assert of[name] == of[f"painter.rises.{int(name.split('.')[2]) + 1}.weight"], (at, name)
        assert of["painter.leave.weight"] == "b"
        assert all(torch.equal(merged[n], (ours if of[n] == "a" else theirs)[n]) for n in of)
