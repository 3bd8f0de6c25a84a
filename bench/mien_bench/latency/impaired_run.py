"""A run over an impaired network: what the network did, and the quality of the call."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from mien.clock import MonotonicClock
from mien_bench.latency.trace import Observed
from mien_bench.network.impairment import NETWORKS, Network
from mien_bench.network.relay import Relay
from mien_bench.results import Chart, Check, Fact, Line, Row

FREEZE: Final = 0.5
"""Seconds without a new picture that count as a freeze."""
SETTLED: Final = 3.0
"""Seconds in which a sender must adapt its rate to the bandwidth, and pictures must begin."""
RECOVERED: Final = 1000.0
"""Milliseconds after an outage in which pictures must resume."""
LATE: Final = 400.0
"""Milliseconds from glass to glass allowed on a network of little bandwidth."""
_FITS: Final = 1.15
"""Offered rate over bandwidth up to which a sender counts as adapted."""


@dataclass(frozen=True, slots=True)
class ImpairedNetwork:
    """What the relays recorded of one run. Times in seconds of the bench's clock."""

    network: Network
    relays: Sequence[Relay]
    silences: tuple[tuple[float, float], ...] | None = None
    """When each gap in the sound ended, on the far end's clock, and how long it was; None: nobody listened."""
    concealed: float | None = None
    """Fraction of the sound that the far end concealed; None: it does not report that."""
    offset: float = 0.0
    """Seconds to add to the far end's times to get the bench's clock."""


@dataclass(frozen=True, slots=True)
class CallQuality:
    """How one run went."""

    pauses: tuple[tuple[float, float], ...]
    """From when to when no new picture came, for longer than `FREEZE`, beside cuts."""
    minutes: float
    longest: float
    """Seconds between two new pictures at most, beside cuts."""
    silence: float
    """Seconds of the longest gap in the sound, beside cuts."""
    recoveries: tuple[float, ...]
    """Seconds from the end of each cut to the next new picture."""
    traffic: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Kilobits a second that were offered "up" and "down", second by second."""


@contextlib.contextmanager
def impaired(name: str | None, url: str, seed: int) -> Iterator[tuple[str, list[Relay]]]:
    """The address by which a server is reached over a network, and the relays on the path."""
    if name is None:
        yield url, []
        return
    from mien_bench.network.relay import ServerProxy  # aiohttp is loaded where it is needed

    with ServerProxy(url, NETWORKS[name], seed=seed) as front:
        yield front.url, front.relays


def wall_offset(origin: float) -> float:
    """Seconds to add to a page's times to get the bench's clock; `origin`: of the page, in seconds since 1970."""
    return origin - (time.time() - MonotonicClock().now())


def call_quality(observed: Observed, impairment: ImpairedNetwork, leave_out: float) -> CallQuality:
    """Judge one run, without so many seconds after its first picture; at most a quarter of it."""
    fresh = [at + impairment.offset for at in _fresh(observed)]
    cuts = [cut for relay in impairment.relays[:1] for cut in relay.line_down.cuts(fresh[-1] if fresh else 0.0)]
    judged = [at for at in fresh if at >= fresh[0] + min(leave_out, (fresh[-1] - fresh[0]) / 4)]
    heard = [(at + impairment.offset, length) for at, length in impairment.silences or ()]
    heard = [(at, length) for at, length in heard if judged and judged[0] + length <= at <= judged[-1]]
    gaps = [(a, b) for a, b in pairwise(judged) if not _meets(a, b, cuts)]
    met = [(end, next((at for at in fresh if at >= end), None)) for begin, end in cuts if fresh and begin > fresh[0]]
    length = judged[-1] - judged[0] if judged else 0.0
    return CallQuality(
        tuple((a, b) for a, b in gaps if b - a > FREEZE),
        length / 60,
        max((b - a for a, b in gaps), default=0.0),
        max((length for end, length in heard if not _meets(end - length, end, cuts)), default=0.0),
        tuple(at - end for end, at in met if at is not None),
        {direction: _rates(impairment.relays, direction, fresh[-1] if fresh else 0.0) for direction in ("up", "down")},
    )


def rows_of(
    observations: Sequence[Observed],
    impairments: Sequence[ImpairedNetwork],
    condition: Mapping[str, Fact],
    leave_out: float,
) -> list[Row]:
    """The repetitions of one path over one network."""
    pairs = zip(observations, impairments, strict=True)
    qualities = [call_quality(observed, impairment, leave_out) for observed, impairment in pairs]

    def row(name: str, unit: str, values: Sequence[float], note: str = "") -> Row:
        return Row(name, unit, tuple(values), "lower", dict(condition), note=note)

    freezes = [len(one.pauses) / max(one.minutes, 1e-9) for one in qualities]
    gaps = [one.longest * 1e3 for one in qualities]
    rows = [
        row("freezes", "a minute", freezes, "over 500 ms, beside cuts"),
        row("longest frame gap", "ms", gaps, "between two new pictures, beside cuts"),
    ]
    if all(one.silences is not None for one in impairments):
        rows.append(row("longest audio gap", "ms", [1e3 * one.silence for one in qualities]))
    if all(one.concealed is not None for one in impairments):
        rows.append(row("concealed audio", "%", [100 * (one.concealed or 0.0) for one in impairments]))
    if all(one.recoveries for one in qualities):
        longest = [1e3 * max(one.recoveries) for one in qualities]
        rows.append(row("recovery after an outage", "ms", longest, "the longest"))
    for direction in ("up", "down"):
        rates = [one.traffic[direction] for one in qualities]
        rows += _traffic_rows(direction, rates, impairments, condition, leave_out)
    return rows


def _traffic_rows(
    direction: str,
    rates: Sequence[Sequence[float]],
    impairments: Sequence[ImpairedNetwork],
    condition: Mapping[str, Fact],
    leave_out: float,
) -> Iterator[Row]:
    """Rate, adaptation to the bandwidth, queueing delay and loss of one direction."""
    if all(rates):
        yield _kbits(f"offered {direction}, last half", [_mean(one[len(one) // 2 :]) for one in rates], condition)
    limit = _limit(impairments[0].network, direction)
    if limit is not None and all(rates):
        fitted = tuple(_fitted(one, limit) for one in rates)
        yield Row(f"time to fit the bandwidth, {direction}", "s", fitted, "lower", dict(condition))
        waits = tuple(1e3 * _waited(impairment, direction, leave_out) for impairment in impairments)
        yield Row(f"queueing delay {direction}, p95", "ms", waits, "lower", dict(condition))
    lost = tuple(100 * sum(_lost(one, direction)) / max(sum(_sent(one, direction)), 1) for one in impairments)
    yield Row(f"packet loss {direction}", "%", lost, "lower", dict(condition))


def checks_of(name: str, rows: Sequence[Row], network: Network) -> list[Check]:
    """Requirements on a call over a network."""
    medians = {row.name: row.median for row in rows}
    asked: list[tuple[str, float | None, str]] = [
        ("freezes", network.freezes, "a minute"),
        ("longest audio gap", network.silence, "ms"),
        ("recovery after an outage", RECOVERED, "ms"),
        ("time to fit the bandwidth, up", SETTLED, "s"),
        ("time to fit the bandwidth, down", SETTLED, "s"),
        ("glass to glass p95", LATE if network.up.rate or network.down.rate else None, "ms"),
    ]
    return [
        Check(f"{name}: {what}", f"<= {limit:g} {unit}", f"{medians[what]:.3g} {unit}", medians[what] <= limit)
        for what, limit, unit in asked
        if limit is not None and what in medians
    ]


def chart_of(name: str, observed: Observed, impairment: ImpairedNetwork) -> Chart:
    """The rate that was offered, second by second."""
    rates = call_quality(observed, impairment, 0.0).traffic
    lines = tuple(
        Line(direction, tuple(map(float, range(len(found)))), found, "steps")
        for direction, found in rates.items()
        if found
    )
    limit = _limit(impairment.network, "down") or _limit(impairment.network, "up")
    return Chart(
        f"Offered to the network: {name}",
        "seconds",
        "kbit/s",
        lines,
        limit=limit,
        about="All that was sent, with headers.",
    )


def _meets(begin: float, end: float, cuts: Sequence[tuple[float, float]]) -> bool:
    """Whether an interval overlaps an outage or the recovery time after it."""
    return any(begin < over + RECOVERED / 1e3 and cut < end for cut, over in cuts)


def _fresh(observed: Observed) -> list[float]:
    """When each frame was seen for the first time."""
    first: dict[int, float] = {}
    for at, code in zip(observed.at, observed.codes, strict=True):
        if code is not None:
            first.setdefault(code[0], at)
    return list(first.values())


def _rates(relays: Sequence[Relay], direction: str, until: float) -> tuple[float, ...]:
    """Of all relays together, from the first one's beginning."""
    if not relays:
        return ()
    begun = relays[0].begun
    return tuple(
        sum(_traffic_bits(relay, direction, begun + second - relay.begun) for relay in relays) / 1e3
        for second in range(max(int(until - begun), 0))
    )


def _traffic_bits(relay: Relay, direction: str, begin: float) -> float:
    traffic = relay.up if direction == "up" else relay.down
    return traffic.bits(traffic.offered, begin, begin + 1.0)


def _fitted(rates: Sequence[float], limit: float) -> float:
    """Seconds from the first excess over the bandwidth until two seconds in a row without one."""
    over = [rate > _FITS * limit for rate in rates]
    if True not in over:
        return 0.0
    first = over.index(True)
    calm = (place for place in range(first, len(over)) if not any(over[place : place + 2]))
    return float(next(calm, len(over)) - first)


def _waited(impairment: ImpairedNetwork, direction: str, leave_out: float) -> float:
    """95th percentile of the queueing delay at the bottleneck, in seconds."""
    found = [
        wait
        for relay in impairment.relays
        for at, wait in (relay.line_up if direction == "up" else relay.line_down).waits
        if at - relay.begun > leave_out + 1  # connecting takes about as long
    ]
    return float(np.percentile(found, 95)) if found else 0.0


def _limit(network: Network, direction: str) -> float | None:
    rate = network.up.rate if direction == "up" else network.down.rate
    return None if rate is None else rate / 1e3


def _lost(impairment: ImpairedNetwork, direction: str) -> list[int]:
    return [(relay.up if direction == "up" else relay.down).lost for relay in impairment.relays]


def _sent(impairment: ImpairedNetwork, direction: str) -> list[int]:
    return [(relay.up if direction == "up" else relay.down).packets for relay in impairment.relays]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


def _kbits(name: str, values: Sequence[float], condition: Mapping[str, Fact]) -> Row:
    return Row(name, "kbit/s", tuple(values), "neither", dict(condition))
