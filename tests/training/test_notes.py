"""The rights in all pictures that weights were learned from: each picture once, and no decision is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from limner.collection import Collection
from limner.models.card import Card
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.rights import Accepted, RightsSummary, summary
from limner.training.notes import collection_note, rights_with
from limner.workspace import Workspace
from models_made import made_card
from pictures_made import made_collection

_WHY = Accepted(reason="a measurement", pictures=3, why={"no licence": 3})
_HALF = ("kind=matt",)


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    return made_collection(workspace, tmp_path / "made", 12)


def _card(collection: Collection, where: tuple[str, ...], rights: RightsSummary) -> Card:
    note = collection_note(collection, where, learned=rights.pictures, held_out=0)
    return made_card(LatentModel(LatentModelConfig(painter=painter_config(32, 32)))).model_copy(
        update={"collection": note, "rights": rights}
    )


@pytest.mark.parametrize(
    ("theirs", "own", "theirs_accepted", "own_accepted", "counted"),
    [
        ((), (), None, None, 12),
        ((), _HALF, None, None, 12),
        (_HALF, (), None, None, 12),
        (_HALF, _HALF, None, None, 6),
        ((), (), _WHY, _WHY, 12),
        ((), (), _WHY, None, 12),
        ((), (), None, _WHY, 12),
        (_HALF, (), _WHY, None, 18),
        ((), _HALF, None, _WHY, 18),
    ],
)
def test_pictures_of_both_count_once_and_held_ones_are_told(
    collection: Collection,
    theirs: tuple[str, ...],
    own: tuple[str, ...],
    theirs_accepted: Accepted | None,
    own_accepted: Accepted | None,
    counted: int,
) -> None:
    parent = _card(collection, theirs, summary(collection.rows(theirs), theirs_accepted))
    found = rights_with(summary(collection.rows(own), own_accepted), parent, collection, own)
    assert found.pictures == counted
    assert found.accepted == (theirs_accepted or own_accepted)


def test_two_reasons_are_both_told_and_the_pictures_once(collection: Collection) -> None:
    parent = _card(collection, (), summary(collection.rows(), _WHY))
    other = _WHY.model_copy(update={"reason": "a school"})
    found = rights_with(summary(collection.rows(), other), parent, collection, ())
    assert found.pictures == 12
    assert found.accepted == _WHY.model_copy(update={"reason": "a measurement; a school"})


def test_other_pictures_are_added(collection: Collection, workspace: Workspace, tmp_path: Path) -> None:
    other = made_collection(workspace, tmp_path / "other", 5, name="other", creator="Bo Example")
    own = summary(collection.rows())
    assert rights_with(own, None, collection, ()) == own
    found = rights_with(own, _card(other, (), summary(other.rows())), collection, ())
    assert found.creators == {"Ada Example": 12, "Bo Example": 5}
