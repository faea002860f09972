"""The sentences and the credit line of a trace, from shares as they may be found."""

from __future__ import annotations

from limner.influence.shares import GroupShare, Influence, Method, ranked
from limner.models.card import Card
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.statistics import Estimate
from limner.works.trace_label import label_of
from limner.works.trace_wording import limits, verdict_line
from limner.works.tracing import Nearest
from models_made import made_card
from rights_made import made_rights


def share(name: str, portion: float, low: float, value: float, high: float, values: int = 1) -> GroupShare:
    return GroupShare(name, values, portion, Estimate(value, low, high, 20))


def found(*shares: GroupShare, method: Method = Method.ENSEMBLE) -> Influence:
    return ranked("creator", method, shares, 24)


def card() -> Card:
    prior = PriorConfig(layers=1, channels=16, width=32)
    made = made_card(LatentModel(LatentModelConfig(painter=painter_config(32, 32), prior=prior)))
    return made.model_copy(update={"rights": made_rights("Ada Example", "CC-BY-4.0", 9)})


ADA, BO = share("Ada", 0.2, 0.5, 0.7, 0.8), share("Bo", 0.8, 0.2, 0.3, 0.45)


def test_who_stands_out_is_named_with_its_share_and_what_is_owed_stays() -> None:
    line = label_of(card(), found(BO, ADA), None, None)
    assert line.startswith("Composition shaped most by pictures of Ada (about 70%). ")
    assert line.endswith("Pictures by Ada Example (CC-BY-4.0).")
    assert verdict_line(found(BO, ADA)) == (
        "Ada comes first, with 70% (95 %: 50% to 80%): more than the 20% that the number of pictures lets expect."
    )


def test_nobody_is_named_on_a_wall_by_an_estimate_or_where_intervals_cross() -> None:
    crossing = found(ADA, share("Bo", 0.8, 0.2, 0.3, 0.55))
    for one in (crossing, found(ADA, BO, method=Method.ESTIMATE)):
        assert label_of(card(), one, None, None).startswith("Composition learned from 9 pictures")
    assert "seems to come first" in verdict_line(found(ADA, BO, method=Method.ESTIMATE))


def test_the_sentence_names_the_one_whose_interval_crosses_the_first() -> None:
    second, third = share("Bo", 0.3, 0.2, 0.3, 0.4), share("Cy", 0.3, 0.0, 0.1, 0.6)
    assert "the intervals of Ada and Cy cross" in verdict_line(found(ADA, second, third))


def test_many_small_ones_that_come_first_are_named_on_no_wall() -> None:
    many = share("80 others", 0.6, 0.75, 0.85, 0.95, values=80)
    one = found(many, share("Ada", 0.4, 0.05, 0.15, 0.25))
    assert verdict_line(one).startswith("80 others together come first")
    assert "80 others" not in label_of(card(), one, None, None)
    assert any("counted together" in line for line in limits(card(), one))


def test_what_the_copy_gate_recorded_is_read_and_what_is_no_record_is_not() -> None:
    one = {"digest": "ab", "title": "Dusk", "creator": "Ada", "licence": "CC0-1.0", "score": 0.31, "look": 0.8}
    assert Nearest.of([one, "odd", {"title": "no score"}]) == (Nearest("ab", "Dusk", "Ada", "CC0-1.0", 0.31),)
    assert Nearest.of(None) == ()
