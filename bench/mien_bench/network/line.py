"""One direction of a bad network, as arithmetic: which packets come through, and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mien_bench.network.profiles import Way

HEADERS: Final = 28
"""Bytes of IP and UDP, which take their part of a narrow way."""
_APART: Final = 1e-6
"""Seconds between two packets that come in order."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A packet that arrives."""

    at: float
    bit: int | None = None
    """Which of its bits is turned; None: none."""


class Line:
    """Times are in seconds of any one clock, and never run back from packet to packet."""

    def __init__(self, way: Way, rng: random.Random, begun: float) -> None:
        """`begun`: what the times of cuts are counted from."""
        self._way, self._rng, self._begun = way, rng, begun
        self._bad = False
        """Whether the last packet was lost, of losses that come in bursts."""
        self._free_at = self._in_order_at = begun
        """When the narrow place has sent what waits before it, and when the last packet arrives."""
        self.waits: list[tuple[float, float]] = []
        """When each packet came to the narrow place, and for how long it waited there; none where there is no such."""

    def send(self, size: int, now: float) -> Sequence[Delivery]:
        """What becomes of a datagram of so many bytes: nothing if it is lost, two if it is doubled."""
        way = self._way
        if self.is_cut(now) or (way.largest is not None and size > way.largest) or self._is_lost():
            return ()
        leaves = self._passed(size, now)
        if leaves is None:
            return ()
        at = max(leaves + way.delay + self._rng.uniform(-way.jitter, way.jitter), self._in_order_at + _APART, now)
        if self._rng.random() < way.reordered:
            at += way.held
        else:
            self._in_order_at = at
        bit = self._rng.randrange(size * 8) if size and self._rng.random() < way.corrupted else None
        found = Delivery(at, bit)
        return (found, found) if self._rng.random() < way.duplicated else (found,)

    def is_cut(self, now: float) -> bool:
        """Whether nothing comes through."""
        past = now - self._begun - self._way.cut_at
        return self._way.cut > 0 and past >= 0 and past % self._way.cut_every < self._way.cut

    def cuts(self, until: float) -> list[tuple[float, float]]:
        """From when to when nothing came through, up to a time; only whole ones."""
        found, begin = [], self._begun + self._way.cut_at
        while self._way.cut > 0 and begin + self._way.cut <= until:
            found.append((begin, begin + self._way.cut))
            begin += self._way.cut_every
        return found

    def _is_lost(self) -> bool:
        """Two states: whether a packet is lost hangs on whether the last one was (Gilbert)."""
        way = self._way
        if way.loss <= 0:
            return False
        stays = 1 - 1 / max(way.burst, 1.0)
        enters = min(way.loss * (1 - stays) / max(1 - way.loss, 1e-9), 1.0)
        if way.burst <= 1:
            stays = enters = way.loss
        self._bad = self._rng.random() < (stays if self._bad else enters)
        return self._bad

    def _passed(self, size: int, now: float) -> float | None:
        """When a packet has left the narrow place; None where too much waits before it."""
        if self._way.rate is None:
            return now
        begin = max(self._free_at, now)
        if begin - now > self._way.queue:
            return None
        self._free_at = begin + (size + HEADERS) * 8 / self._way.rate
        self.waits.append((now, begin - now))
        return self._free_at
