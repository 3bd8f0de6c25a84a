"""What a bad network does to packets, with the time given."""

from __future__ import annotations

import random

import pytest

from mien_bench.network.impairment import HEADERS, NETWORKS, Direction, Line

SIZE = 1000


def delays(way: Direction, count: int = 20_000, step: float = 0.01, seed: int = 1) -> list[float | None]:
    """Of packets that are sent one after the other; None: lost."""
    line = Line(way, random.Random(seed), 0.0)
    found = [line.send(SIZE, number * step) for number in range(count)]
    return [got[0].at - number * step if got else None for number, got in enumerate(found)]


def runs(lost: list[bool]) -> list[int]:
    """How many were lost in a row, each time."""
    marks = "".join("x" if one else " " for one in lost)
    return [len(run) for run in marks.split()]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("burst", [1.0, 4.0])
def test_the_share_that_is_asked_is_lost(share: float, burst: float) -> None:
    lost = [delay is None for delay in delays(Direction(loss=share, burst=burst))]
    assert sum(lost) / len(lost) == pytest.approx(share, rel=0.2)
    assert sum(runs(lost)) / len(runs(lost)) == pytest.approx(max(burst, 1 / (1 - share)), rel=0.15)


def test_the_same_seed_loses_the_same() -> None:
    way = NETWORKS["mobile"].up
    assert delays(way) == delays(way) != delays(way, seed=2)


def test_delays_vary_as_asked_and_packets_stay_in_order() -> None:
    found = [delay for delay in delays(Direction(delay=0.05, jitter=0.03), step=0.001) if delay is not None]
    assert min(found) == pytest.approx(0.02, abs=0.01)
    assert max(found) == pytest.approx(0.08, abs=0.001)
    arrivals = [number * 0.001 + delay for number, delay in enumerate(found)]
    assert arrivals == sorted(arrivals)


def test_some_are_overtaken() -> None:
    found = [delay for delay in delays(Direction(reordered=0.05, held=0.02)) if delay is not None]
    assert sum(delay > 0.01 for delay in found) / len(found) == pytest.approx(0.05, rel=0.2)


def test_nothing_comes_through_a_cut() -> None:
    way = Direction(cut=2.0, cut_at=6.0, cut_every=14.0)
    lost = [number / 100 for number, delay in enumerate(delays(way, 3000)) if delay is None]
    assert [min(lost), len(lost)] == [6.0, 400]
    assert all(6 <= at < 8 or 20 <= at < 22 for at in lost)
    assert Line(way, random.Random(0), 100.0).cuts(123.0) == [(106.0, 108.0), (120.0, 122.0)]


def test_a_narrow_place_lets_its_rate_through_and_its_queue_is_bounded() -> None:
    found = delays(Direction(rate=300e3, queue=0.25), 2000)
    through = [delay for delay in found if delay is not None]
    bits = len(through) * (SIZE + HEADERS) * 8
    assert bits / 20 == pytest.approx(300e3, rel=0.03)
    assert max(through) <= 0.25 + (SIZE + HEADERS) * 8 / 300e3 + 1e-9
    assert all(
        delay == pytest.approx((SIZE + HEADERS) * 8 / 300e3) for delay in delays(Direction(rate=300e3), 50, step=0.1)
    )


def test_doubled_and_changed_packets() -> None:
    line = Line(Direction(duplicated=0.1, corrupted=0.1), random.Random(0), 0.0)
    found = [line.send(10, float(number)) for number in range(2000)]
    assert sum(len(got) == 2 for got in found) / 2000 == pytest.approx(0.1, rel=0.2)
    assert sum(got[0].bit is not None for got in found) / 2000 == pytest.approx(0.1, rel=0.2)
    assert all(got[0].bit is None or got[0].bit < 80 for got in found)


def test_large_datagrams_do_not_fit() -> None:
    line = Line(Direction(largest=1200), random.Random(0), 0.0)
    assert [len(line.send(size, 0.0)) for size in (1200, 1201)] == [1, 0]
