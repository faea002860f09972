"""What acts say of a finish."""

from __future__ import annotations

import pytest

from limner.errors import UsageError
from limner.works.finish_record import FinishRecord


def test_another_version_s_record_gives_one_line() -> None:
    with pytest.raises(UsageError, match=r"another version of limner.*paint the work anew"):
        FinishRecord.of({"exemplars": {"told": "paintings"}})


def test_an_unfinished_work_has_none() -> None:
    assert FinishRecord.of({}) is None
