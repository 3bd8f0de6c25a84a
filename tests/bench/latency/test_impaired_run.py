"""What is told of a run over a bad network, of runs that are known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from mien_bench.latency.impaired_run import ImpairedNetwork, call_quality, checks_of, rows_of
from mien_bench.latency.trace import Observed
from mien_bench.network.impairment import NETWORKS, Direction, Line, Network
from mien_bench.network.relay import Traffic


@dataclass
class FakeRelay:
    """What is read of a relay, with the traffic given."""

    line_down: Line
    line_up: Line
    begun: float = 100.0
    up: Traffic = field(default_factory=Traffic)
    down: Traffic = field(default_factory=Traffic)


def impairment(
    network: Network, up: Sequence[float] = (), silences: tuple[tuple[float, float], ...] | None = None
) -> ImpairedNetwork:
    """`up`: bits that were offered in each second."""
    relay = FakeRelay(Line(network.down, random.Random(0), 100.0), Line(network.up, random.Random(0), 100.0))
    for number in range(200):
        relay.line_up.send(300, 104.0 + number * 0.1)
    for second, bits in enumerate(up):
        relay.up.offered[second * 10] = round(bits / 8)
    return ImpairedNetwork(network, [relay], silences)  # type: ignore[list-item]


def observed(*gaps: tuple[float, float], seconds: float = 20.0, begin: float = 101.0) -> Observed:
    """25 pictures a second, but none from and to certain times."""
    times = [begin + number * 0.04 for number in range(round(seconds * 25))]
    kept = [(number, at) for number, at in enumerate(times) if not any(a < at < b for a, b in gaps)]
    return Observed(tuple(at for _, at in kept), tuple((number, 0) for number, _ in kept))


def test_freezes_are_counted_beside_cuts() -> None:
    network = Network("", Direction(cut=2.0), Direction(cut=2.0))
    seen = observed((106.0, 108.3), (110.0, 110.7), (112.0, 112.4))
    told = call_quality(seen, impairment(network), 0.0)
    assert [round(end - begin, 1) for begin, end in told.pauses] == [0.7]
    assert told.longest == pytest.approx(0.72, abs=0.05)
    assert told.recoveries == pytest.approx((0.3,), abs=0.05)
    assert told.minutes == pytest.approx(1 / 3, abs=0.01)


def test_a_picture_that_is_shown_again_ends_no_freeze() -> None:
    plain = observed((105.0, 106.0))
    again = Observed(
        (*plain.at[:100], 105.5, *plain.at[100:]), (*plain.codes[:100], plain.codes[50], *plain.codes[100:])
    )
    assert len(call_quality(again, impairment(NETWORKS["clean"]), 0.0).pauses) == 1


def test_how_long_a_rate_takes_to_come_down_is_told() -> None:
    rates = [200e3, 900e3, 700e3, 290e3, 310e3, 280e3, *[290e3] * 14]
    rows = {row.name: row for row in rows_of([observed()], [impairment(NETWORKS["narrow-up"], rates)], {}, 0.0)}
    assert rows["time to fit the bandwidth, up"].values == (2.0,)
    assert rows["offered up, last half"].median == pytest.approx(290, abs=1)
    assert rows["queueing delay up, p95"].values == (0.0,)


def test_what_is_asked_is_checked() -> None:
    loss = NETWORKS["loss5"]
    good = rows_of([observed()], [impairment(loss, silences=((103.0, 0.02), (107.0, 0.06), (100.9, 0.5)))], {}, 0.0)
    assert all(check.kept for check in checks_of("x", good, loss))
    bad = rows_of([observed((104.0, 105.0), (107.0, 108.0))], [impairment(loss, silences=((110.0, 0.15),))], {}, 0.0)
    assert [check.kept for check in checks_of("x", bad, loss)] == [False, False]
