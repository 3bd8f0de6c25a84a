"""The rate that a peer is sent at over a narrow network, in given time: encoder, pace, network, reports."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from mien.serve.webrtc.bitrate import BitrateControl, ReceiverReport, Reports
from mien.serve.webrtc.sending import PacingBucket
from mien.serve.webrtc.settings import BitrateLimits
from mien_bench.network.impairment import Direction, Line

SOUND = 84_000
"""Bits a second, with headers, beside the pictures."""
PACKET = 1200


@dataclass
class Run:
    """What became of one."""

    rates: list[float] = field(default_factory=list)
    """Bits that were sent in each second."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    lost: int = 0
    targets: list[int] = field(default_factory=list)


def sent_over(way: Direction, seconds: float, *, before: bool = True, seed: int = 0) -> Run:
    """Pictures of as many bits as the target allows, 25 a second, and reports about once a second.

    Args:
        before: whether a round trip was known before the first picture.
    """
    rng, run = random.Random(seed), Run()
    line, pace = Line(way, random.Random(seed), 0.0), PacingBucket()
    control, reports = BitrateControl(BitrateLimits()), Reports()
    back = way.delay
    if before:
        control.met(way.delay + back, 0.0)
    number = lost = highest = 0
    trip, next_report, free = 0.0, 1.0, 0.0
    for frame in range(round(seconds * 25)):
        now = frame * 0.04
        bits = control.target / 25 * (5 if frame == 0 else rng.uniform(0.7, 1.3))
        sizes = [round(SOUND / 25 / 8 / 2)] * 2 + [PACKET] * round(bits / 8 / PACKET) + [round(bits / 8) % PACKET + 1]
        at = max(now, free)
        for place, size in enumerate(sizes):
            if place >= 2:
                at += pace.wait(size, control.target, at)
            deliveries = line.send(size, at)
            number += 1
            second = int(at)
            run.rates.extend([0.0] * (second + 1 - len(run.rates)))
            run.rates[second] += size * 8
            if deliveries:
                highest, trip = number, deliveries[0].at - at + back
                run.waits.append((at, deliveries[0].at - at - way.delay))
            else:
                lost += 1
        free = at
        if now >= next_report:
            next_report = now + rng.uniform(0.8, 1.2)
            report = reports.add(ReceiverReport(0.0, lost, highest, trip), now)
            if report is not None:
                control.report(report, now)
        run.targets.append(control.target)
    run.lost = lost
    return run


@pytest.mark.parametrize("queue", [0.1, 0.25, 1.0])
@pytest.mark.parametrize("rate", [300e3, 500e3])
def test_it_comes_down_to_a_narrow_network_and_its_queue_empties(rate: float, queue: float) -> None:
    run = sent_over(Direction(delay=0.02, rate=rate, queue=queue), 60.0)
    over = [second for second, bits in enumerate(run.rates) if bits > 1.15 * rate]
    assert sum(second < 10 for second in over) <= 5
    assert sum(second >= 10 for second in over) <= 6
    settled = sorted(wait for at, wait in run.waits if at > 10)
    assert settled[int(0.95 * len(settled))] < 0.25
    assert sum(run.rates[20:]) / len(run.rates[20:]) > 0.5 * rate


def test_a_queue_that_nobody_knows_the_round_trip_before_is_found_too() -> None:
    run = sent_over(Direction(delay=0.02, rate=300e3, queue=0.25), 60.0, before=False)
    settled = sorted(wait for at, wait in run.waits if at > 15)
    assert settled[int(0.95 * len(settled))] < 0.25


@pytest.mark.parametrize("loss", [0.01, 0.05])
def test_lost_packets_alone_leave_it_high(loss: float) -> None:
    run = sent_over(Direction(delay=0.05, jitter=0.02, loss=loss), 60.0)
    assert min(run.targets[250:]) > 900_000
