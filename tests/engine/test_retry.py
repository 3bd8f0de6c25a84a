from __future__ import annotations

import pytest

from mien.errors import SettingError
from mien.retry import Retry


def test_waits_grow_up_to_a_limit() -> None:
    retry = Retry(first=0.5, factor=2, most=3)
    assert [retry.delay(tries) for tries in range(5)] == [0.5, 1, 2, 3, 3]
    assert retry.delay(100_000) == 3


def test_patience_ends() -> None:
    retry = Retry(first=1, factor=2, most=4, patience=7)
    assert [retry.delay(tries) for tries in range(4)] == [1, 2, 4, None]
    assert Retry(patience=0).delay(0) is None


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SettingError):
        Retry(first=9, most=1)
