"""Lost packets are asked for as long as that is worth while: a stream of pictures over a bad network, in given time."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from itertools import pairwise

import pytest

from mien.clock import ManualClock
from mien.serve.webrtc.jitter_buffer import LEAST, MOST_MISSED, MOST_PATIENCE, Assembly, Nacks


@dataclass(frozen=True)
class Packet:
    sequence_number: int
    timestamp: int = 0
    marker: int = 0
    payload: bytes = b""
    payload_type: int = 96
    frame: int = 0
    key: bool = False


def test_what_is_missing_is_asked_for_at_once_and_again() -> None:
    clock = ManualClock()
    nacks = Nacks(clock)
    assert not nacks.add(Packet(65_534))
    assert nacks.add(Packet(1))
    assert nacks.missing == [65_535, 0]
    assert not nacks.add(Packet(2))
    clock.advance(0.01)
    assert not nacks.add(Packet(65_535))  # 10 ms, which is how long it takes
    clock.advance(0.02)
    assert nacks.add(Packet(3))
    assert nacks.missing == [0]
    assert (nacks.recovered, nacks.asked) == (1, 3)


def test_it_is_given_up_after_a_while() -> None:
    clock = ManualClock()
    nacks = Nacks(clock)
    nacks.add(Packet(1))
    asked = 0
    for number in range(3, 100):
        asked += nacks.add(Packet(number))
        clock.advance(0.02)
    assert asked == 4
    assert nacks.missing == []


@pytest.mark.parametrize(("trip", "patience"), [(0.01, LEAST), (0.1, 0.35), (0.3, MOST_PATIENCE)])
def test_a_longer_way_is_waited_for_longer_up_to_a_limit(trip: float, patience: float) -> None:
    clock = ManualClock()
    nacks = Nacks(clock)
    nacks.add(Packet(1))
    nacks.add(Packet(3))
    clock.advance(trip)
    nacks.add(Packet(2))
    assert nacks.patience == pytest.approx(patience)


def test_after_a_long_gap_nothing_is_asked_for() -> None:
    nacks = Nacks(ManualClock())
    nacks.add(Packet(1))
    assert not nacks.add(Packet(MOST_MISSED + 10))
    assert nacks.jumped
    assert not nacks.add(Packet(MOST_MISSED + 11))


def pauses(loss: float, trip: float, seed: int, seconds: float = 60.0, per_frame: int = 4) -> list[float]:
    """Seconds between two pictures that are shown, in a minute of 25 a second; all that is sent may be lost."""
    rng, clock = random.Random(seed), ManualClock()
    nacks = Nacks(clock)
    assembly = Assembly(lambda: nacks.patience, lambda packet: packet.payload == b"first")
    events: list[tuple[float, int, str, Packet]] = []
    sent: dict[int, Packet] = {}
    count, needs_key, asked_key, wanted = 0, False, -1.0, False
    shown: list[float] = []

    def push(at: float, what: str, packet: Packet) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (at, count, what, packet))

    for frame in range(round(25 * seconds)):
        push(frame * 0.04, "picture", Packet(0, frame=frame))
    number = 0
    while events:
        now, _, what, packet = heapq.heappop(events)
        clock.advance(now - clock.now())
        if what == "picture":
            for place in range(per_frame):
                first, last = place == 0, place == per_frame - 1
                made = Packet(
                    number % 65_536,
                    packet.frame * 3600,
                    int(last),
                    b"first" if first else b"",
                    96,
                    packet.frame,
                    wanted,
                )
                sent[made.sequence_number] = made
                number += 1
                if rng.random() >= loss:
                    push(now + trip / 2 + place * 0.001, "packet", made)
            wanted = False
        elif what == "again":
            if rng.random() >= loss:
                push(now + trip / 2, "packet", packet)
        elif what == "key":
            wanted = True
        else:
            if nacks.add(packet) and rng.random() >= loss:
                for missing in nacks.missing:
                    push(now + trip / 2, "again", sent[missing])
            for whole in assembly.add(packet, now):
                head = whole.packets[0]
                needs_key = not head.key and (needs_key or whole.after_loss)  # type: ignore[attr-defined]
                if not needs_key:
                    shown.append(now)
            if needs_key and now - asked_key > 0.4:
                asked_key = now
                if rng.random() >= loss:
                    push(now + trip / 2, "key", packet)
    return [b - a for a, b in pairwise(shown)]


@pytest.mark.parametrize("trip", [0.005, 0.05, 0.1])
@pytest.mark.parametrize("loss", [0.01, 0.05])
def test_a_minute_of_lost_packets_has_at_most_one_freeze(loss: float, trip: float) -> None:
    for seed in range(3):
        found = pauses(loss, trip, seed)
        assert sum(pause > 0.5 for pause in found) <= 1
        assert len(found) > 0.97 * 1500
