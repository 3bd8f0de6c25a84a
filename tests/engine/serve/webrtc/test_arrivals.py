"""What senders are told, by packets that come as through a full network, to a busy machine, and as usual."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mien.serve.webrtc.arrivals import BEGIN, EASY, LEAST, MOST, Arrivals

SIZE = 1000
TICKS = 1 << 18


def told(
    rate: Callable[[float, int], float], arrives: Callable[[float], float], seconds: float, begin: float = 0.0
) -> tuple[Arrivals, list[tuple[float, int]]]:
    """A sender of packets at `rate(now, told)` bits a second, which `arrives` lets come at a time; what it is told."""
    arrivals, said, at, heard = Arrivals(), list[tuple[float, int]](), begin, BEGIN
    while at < begin + seconds:
        came = arrives(at)
        answer = arrivals.add(round(came * 1000), round(at * TICKS) % (1 << 24), SIZE, 1)
        if answer is not None:
            heard = answer[0]
            assert answer[1] == [1]
            said.append((came, heard))
        at += SIZE * 8 / rate(at, heard)
    return arrivals, said


class Bottleneck:
    """Lets a rate through; what comes faster waits, without a bound."""

    def __init__(self, rate: float) -> None:
        self._rate, self._free = rate, 0.0
        self.longest = 0.0

    def __call__(self, at: float) -> float:
        self._free = max(self._free, at) + SIZE * 8 / self._rate
        self.longest = max(self.longest, self._free - at)
        return self._free + 0.02


@pytest.mark.parametrize("rate", [200e3, 300e3, 600e3])
@pytest.mark.parametrize("begin", [0.0, 60.0])
def test_a_full_network_is_found_within_three_seconds_and_stays_empty(rate: float, begin: float) -> None:
    way = Bottleneck(rate)
    _, said = told(lambda now, heard: heard, way, 60.0, begin)
    first = next(at for at, bits in said if bits < 1.1 * rate)
    assert first - begin < 3.0
    settled = [bits for at, bits in said if at > begin + 20]
    assert 0.6 * rate < sum(settled) / len(settled) < 1.05 * rate


def test_a_standing_queue_is_emptied_and_stays_short() -> None:
    way = Bottleneck(300e3)
    waits: list[float] = []

    def arrives(at: float) -> float:
        came = way(at)
        if at > 15:
            waits.append(came - at)
        return came

    told(lambda now, heard: heard, arrives, 90.0)
    assert sorted(waits)[int(0.95 * len(waits))] < 0.2


def test_a_busy_machine_is_no_full_network() -> None:
    rng = random.Random(0)
    busy_until = 0.0

    def arrives(at: float) -> float:
        nonlocal busy_until
        if at > busy_until and rng.random() < 0.1:  # a fifth of a second in which nothing is read, again and again
            busy_until = at + rng.uniform(0.05, 0.22)
        return max(at, busy_until) + 0.01

    arrivals, said = told(lambda now, heard: 500e3, arrives, 60.0)
    assert min(bits for _, bits in said) >= EASY
    assert arrivals.bits >= EASY


def test_jitter_and_a_drifting_clock_are_no_full_network() -> None:
    rng = random.Random(0)
    _, said = told(lambda now, heard: 700e3, lambda at: at * 1.0001 + 0.05 + rng.uniform(-0.03, 0.03), 120.0)
    assert min(bits for _, bits in said) >= EASY


def test_little_that_comes_does_not_hold_down_what_may_be_sent() -> None:
    _, said = told(lambda now, heard: 50e3, lambda at: at + 0.01, 30.0)
    assert min(bits for _, bits in said) >= EASY


def test_a_break_of_two_seconds_is_no_full_network() -> None:
    arrivals = Arrivals()
    for number in range(1000):
        at = number * 0.016 + (2.0 if number > 500 else 0.0)
        arrivals.add(round(at * 1000) + 10, round(at * TICKS) % (1 << 24), SIZE, 1)
    assert arrivals.bits >= EASY


def test_it_is_bounded() -> None:
    fast, _ = told(lambda now, heard: heard, lambda at: at + 0.01, 200.0)
    slow, _ = told(lambda now, heard: 400e3, Bottleneck(20e3), 30.0)
    assert (fast.bits, slow.bits) == (MOST, LEAST)
