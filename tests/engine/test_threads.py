from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.threads import ENOUGH, Shares, share_out, usable_threads


@given(st.integers(1, 1024))
def test_nobody_is_left_without_and_no_more_is_shared_out_than_there_is(threads: int) -> None:
    shares = share_out(threads)
    assert min(shares.decode, shares.synthesis, shares.encode) >= 1
    assert shares.synthesis <= threads
    if threads >= ENOUGH:
        parse = 1
        assert parse + shares.synthesis + shares.encode == threads


@pytest.mark.parametrize(("threads", "shares"), [(2, Shares(1, 2, 1)), (4, Shares(1, 2, 1)), (16, Shares(1, 11, 4))])
def test_shares_of_usual_machines(threads: int, shares: Shares) -> None:
    assert share_out(threads) == shares


def test_there_is_a_processor() -> None:
    assert usable_threads() >= 1
