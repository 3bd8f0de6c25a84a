"""Network impairment as a pure function: presets, and which packets of one direction arrive when."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HEADERS: Final = 28
"""Bytes of IP and UDP headers, which use bandwidth, too."""
_APART: Final = 1e-6
"""Seconds between two packets that come in order."""


@dataclass(frozen=True, slots=True)
class Direction:
    """Impairment of one direction. Times in seconds; probabilities from 0 to 1."""

    loss: float = 0.0
    """Probability that a packet is lost."""
    burst: float = 1.0
    """How many are lost in a row, on average."""
    delay: float = 0.0
    jitter: float = 0.0
    """By how much the delay varies, up and down, evenly distributed; packets stay in order."""
    reordered: float = 0.0
    """Probability that a packet is overtaken by others."""
    held: float = 0.02
    """For how long those are held back."""
    duplicated: float = 0.0
    corrupted: float = 0.0
    """Probability that a bit of a media packet is flipped."""
    cut: float = 0.0
    """Duration of an outage, in which nothing passes."""
    cut_at: float = 6.0
    """Beginning of the first outage."""
    cut_every: float = 14.0
    """From one beginning to the next."""
    rate: float | None = None
    """Bandwidth in bits a second; None: unlimited."""
    queue: float = 0.25
    """Seconds of packets at that rate that wait at most; more are lost."""
    largest: int | None = None
    """Bytes of a datagram; larger ones are lost."""


@dataclass(frozen=True, slots=True)
class Network:
    """Both directions of a network, and the requirements on a call over it."""

    about: str
    up: Direction
    """From the peer to the server."""
    down: Direction
    freezes: float | None = None
    """Pauses of more than 500 ms a minute that are allowed; None: not asked."""
    silence: float | None = None
    """Milliseconds without sound that are allowed."""


def _both(about: str, direction: Direction, freezes: float | None = None, silence: float | None = None) -> Network:
    return Network(about, direction, direction, freezes, silence)


NETWORKS: Final[Mapping[str, Network]] = {
    "clean": _both("a relay that does nothing, to compare with", Direction(), 0, 100.0),
    "loss1": _both("1 % of the packets lost each way", Direction(loss=0.01), 1, 100.0),
    "loss5": _both("5 % lost", Direction(loss=0.05), 1, 100.0),
    "loss10": _both("10 % lost", Direction(loss=0.10)),
    "bursts": _both("3 % lost, four in a row", Direction(loss=0.03, burst=4.0)),
    "jitter": _both("50 ms of delay, which vary by 30 ms", Direction(delay=0.05, jitter=0.03), 1, 100.0),
    "reorder": _both("5 % of the packets overtaken, by 20 ms", Direction(delay=0.01, reordered=0.05), 1, 100.0),
    "cut": _both("nothing for 2 s, every 14 s", Direction(delay=0.01, cut=2.0)),
    "narrow": _both("300 kbit/s each way, of which 250 ms wait at most", Direction(delay=0.02, rate=300e3)),
    "narrow-up": Network("300 kbit/s to the server only", Direction(delay=0.02, rate=300e3), Direction(delay=0.02)),
    "mobile": _both(
        "40 ms, which vary by 20, 2 % lost, 1.5 Mbit/s",
        Direction(loss=0.02, burst=2.0, delay=0.04, jitter=0.02, rate=1.5e6),
    ),
    "far": _both("150 ms each way, 2 % lost", Direction(loss=0.02, delay=0.15)),
    "dirty": _both(
        "2 % twice, 1 % with a turned bit", Direction(duplicated=0.02, corrupted=0.01, delay=0.01), 1, 100.0
    ),
}
"""By the name that `--network` takes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A packet that arrives."""

    at: float
    bit: int | None = None
    """Which of its bits is turned; None: none."""


class Line:
    """Times are in seconds of any one clock, and never run back from packet to packet."""

    def __init__(self, direction: Direction, rng: random.Random, begun: float) -> None:
        """`begun`: what the times of cuts are counted from."""
        self._direction, self._rng, self._begun = direction, rng, begun
        self._bad = False
        """Whether the last packet was lost, of losses that come in bursts."""
        self._free_at = self._in_order_at = begun
        """When the bottleneck has sent what waits before it, and when the last packet arrives."""
        self.waits: list[tuple[float, float]] = []
        """When each packet came to the bottleneck, and for how long it waited there; none where there is no such."""

    def send(self, size: int, now: float) -> Sequence[Delivery]:
        """Deliveries of a datagram of so many bytes: none if it is lost, two if it is duplicated."""
        direction = self._direction
        if self.is_cut(now) or (direction.largest is not None and size > direction.largest) or self._is_lost():
            return ()
        leaves = self._passed(size, now)
        if leaves is None:
            return ()
        at = max(
            leaves + direction.delay + self._rng.uniform(-direction.jitter, direction.jitter),
            self._in_order_at + _APART,
            now,
        )
        if self._rng.random() < direction.reordered:
            at += direction.held
        else:
            self._in_order_at = at
        bit = self._rng.randrange(size * 8) if size and self._rng.random() < direction.corrupted else None
        found = Delivery(at, bit)
        return (found, found) if self._rng.random() < direction.duplicated else (found,)

    def is_cut(self, now: float) -> bool:
        """Whether nothing comes through."""
        past = now - self._begun - self._direction.cut_at
        return self._direction.cut > 0 and past >= 0 and past % self._direction.cut_every < self._direction.cut

    def cuts(self, until: float) -> list[tuple[float, float]]:
        """From when to when nothing came through, up to a time; only whole ones."""
        found, begin = [], self._begun + self._direction.cut_at
        while self._direction.cut > 0 and begin + self._direction.cut <= until:
            found.append((begin, begin + self._direction.cut))
            begin += self._direction.cut_every
        return found

    def _is_lost(self) -> bool:
        """Gilbert model: whether a packet is lost depends on whether the last one was."""
        direction = self._direction
        if direction.loss <= 0:
            return False
        stays = 1 - 1 / max(direction.burst, 1.0)
        enters = min(direction.loss * (1 - stays) / max(1 - direction.loss, 1e-9), 1.0)
        if direction.burst <= 1:
            stays = enters = direction.loss
        self._bad = self._rng.random() < (stays if self._bad else enters)
        return self._bad

    def _passed(self, size: int, now: float) -> float | None:
        """When a packet leaves the bottleneck; None where its queue is full."""
        if self._direction.rate is None:
            return now
        begin = max(self._free_at, now)
        if begin - now > self._direction.queue:
            return None
        self._free_at = begin + (size + HEADERS) * 8 / self._direction.rate
        self.waits.append((now, begin - now))
        return self._free_at
