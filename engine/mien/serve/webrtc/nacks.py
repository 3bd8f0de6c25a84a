"""Which packets are asked for again, and when.

aiortc asks when a later packet shows that one is missing, and again only when another one is: of those that are asked
for, one in ten is lost a second time where 5 % are, and a picture waits in vain for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mien.clock import Clock
from mien.serve.webrtc.assembly import Packet

MOST = 64
"""Packets that are missed at once: after a longer gap a key frame is there sooner than what was lost."""
LEAST, USUAL, MOST_PATIENCE = 0.15, 0.25, 0.6
"""Seconds that a packet is waited for: at least, as long as nobody knows how long it takes, and at most."""
_LATEST, _SOONEST = 0.06, 0.02
"""Seconds after which one is asked for again: at the latest, since the asking may be lost, and at the soonest."""
_SOONER, _LATER = 0.5, 0.1
"""How much a new recovery time counts that is shorter, or longer, since what was sent again may have been lost."""
_WATCHED = 0.8
"""Seconds after which a packet that was given up is forgotten; until then it tells how long the way is."""
_HALF, _ROUND = 1 << 15, 1 << 16


@dataclass(slots=True)
class _Missed:
    since: float
    asked: float
    """For the last time."""
    times: int = 0


class Nacks:
    """In place of aiortc's generator: `add` and `missing`. Lives on the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: int | None = None
        self._missed: dict[int, _Missed] = {}
        self._trip: float | None = None
        """Seconds from asking for a packet to its coming."""
        self.missing: list[int] = []
        """The packets that are due to be asked for at this time."""
        self.jumped = False
        """Whether so many were missed at once that none is asked for; whoever reads it sets it back."""
        self.asked = self.recovered = 0

    @property
    def patience(self) -> float:
        """Seconds that a lost packet is worth waiting for: time to ask for it more than once."""
        trip = self._trip
        return USUAL if trip is None else min(max(LEAST, 2.5 * trip + 0.1), MOST_PATIENCE)

    def add(self, packet: Packet) -> bool:
        """Take note of a packet of the stream, or of one that came again; whether there is something to ask for."""
        now, number = self._clock.now(), packet.sequence_number
        ahead = 0 if self._newest is None else (number - self._newest + _HALF) % _ROUND - _HALF
        if self._newest is None or abs(ahead) > _HALF // 2:
            self._missed.clear()
            self._newest = number
        elif ahead > MOST + 1:
            self._missed.clear()
            self.jumped, self._newest = True, number
        elif ahead > 0:
            for step in range(1, ahead):
                self._missed[(self._newest + step) % _ROUND] = _Missed(now, float("-inf"))
            self._newest = number
        elif (found := self._missed.pop(number, None)) is not None:
            self._came(found, now)
        self.missing = self._due(now)
        return bool(self.missing)

    def _came(self, found: _Missed, now: float) -> None:
        trip = now - found.since  # it is asked for at once; nobody knows which time of asking it answers
        if found.times > 0:
            weight = 1.0 if self._trip is None else _SOONER if trip < self._trip else _LATER
            self._trip = (self._trip or 0.0) * (1 - weight) + weight * trip
        self.recovered += found.times > 0

    def _due(self, now: float) -> list[int]:
        again = _LATEST if self._trip is None else min(max(1.5 * self._trip, _SOONEST), _LATEST)
        for number in [number for number, one in self._missed.items() if now - one.since > _WATCHED]:
            del self._missed[number]
        wanted = ((number, one) for number, one in self._missed.items() if now - one.since <= self.patience)
        due = [number for number, one in wanted if now - one.asked >= again]
        for number in due:
            self._missed[number].asked, self._missed[number].times = now, self._missed[number].times + 1
        self.asked += len(due)
        if len(self._missed) > 4 * MOST:  # nothing comes again
            self._missed.clear()
            self.jumped = True
            return []
        return due
