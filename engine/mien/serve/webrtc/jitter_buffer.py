"""Jitter buffer: orders packets and assembles complete encoded frames; NACK timing.

A frame is given with its last packet, not with the next one's first. A lost packet is asked for again (NACK), and
waited for as long as that takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mien.clock import Clock
from mien.serve.webrtc.settings import Codec

MOST = 2048
"""Capacity in packets: a picture of 2.5 MB."""
_WRAP, _NEWER = 1 << 16, 1 << 15
"""Sequence numbers of RTP wrap around at the first; less than the second ahead is newer, all else is older."""


class Packet(Protocol):
    """Of RTP, as far as it matters here."""

    @property
    def sequence_number(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def marker(self) -> int: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def payload_type(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A complete frame: its packets."""

    packets: tuple[Packet, ...]
    after_loss: bool
    """Whether an earlier packet was lost."""


class Assembly:
    """A frame is given as soon as its last packet is there; one that lacks a packet is waited for, then left out.

    Two frames are told apart by the marker bit, or by their timestamps where a sender sets none.
    """

    def __init__(
        self, patience: Callable[[], float], begins: Callable[[Packet], bool], *, single: bool = False
    ) -> None:
        """Begin with whatever comes first.

        Args:
            patience: seconds to wait for a packet that others have overtaken.
            begins: whether a packet is surely the first one of a frame.
            single: every packet is a frame (sound).
        """
        self._patience = patience
        self._begins_frame = begins
        self._single = single
        self._packets: dict[int, Packet] = {}
        self._came: dict[int, float] = {}
        """When each of them came."""
        self._first = self._reached = -1
        """The frame being put together begins at `_first`; all before `_reached` are there."""
        self._gap: tuple[int, float] | None = None
        """The missing packet, and since when it is awaited."""
        self._after_loss = False
        self.lost = 0
        """Incomplete frames, or runs of them, that were skipped."""

    def add(self, packet: Packet, now: float) -> list[Whole]:
        """Take a packet that came at `now` seconds; the frames that it completes."""
        if self._reached < 0:
            self._after_loss = not self._single and not self._begins_frame(packet)
        number = self._place(packet.sequence_number)
        if number < self._reached or number in self._packets:
            return []  # late, or twice
        self._packets[number], self._came[number] = packet, now
        whole = list(self._completed())
        while self._is_overdue(now):
            self._leave_out()
            whole.extend(self._completed())
        return whole

    def _place(self, sequence_number: int) -> int:
        """The unwrapped sequence number."""
        if self._reached < 0:
            self._first = self._reached = _WRAP + sequence_number
            return self._reached
        ahead = (sequence_number - self._reached + _NEWER) % _WRAP - _NEWER
        if abs(ahead) > MOST:  # the sender began anew
            self._packets.clear()
            self._came.clear()
            self._first = self._reached = self._reached - self._reached % _WRAP + _WRAP + sequence_number
            self._lose()
            return self._reached
        return self._reached + ahead

    def _completed(self) -> Iterator[Whole]:
        while (packet := self._packets.get(self._reached)) is not None:
            if self._first < self._reached and packet.timestamp != self._packets[self._first].timestamp:
                yield from self._cut()
            self._reached += 1
            if self._single or packet.marker:
                yield from self._cut()

    def _cut(self) -> Iterator[Whole]:
        packets = tuple(self._packets.pop(number) for number in range(self._first, self._reached))
        for number in range(self._first, self._reached):
            del self._came[number]
        self._first = self._reached
        if self._after_loss and not self._single and not self._begins_frame(packets[0]):
            return  # its beginning was lost
        after_loss, self._after_loss = self._after_loss, False
        yield Whole(packets, after_loss)

    def _is_overdue(self, now: float) -> bool:
        if len(self._packets) == self._reached - self._first:
            self._gap = None
            return False
        if self._gap is None or self._gap[0] != self._reached:  # each is waited for as long, whatever lacks before it
            behind = min(number for number in self._packets if number > self._reached)
            self._gap = self._reached, self._came[behind]
        return now - self._gap[1] > self._patience()

    def _leave_out(self) -> None:
        """Continue with the next frame whose first packet has arrived."""
        ahead = sorted(number for number in self._packets if number > self._reached)
        start = next((number for number in ahead if self._begins(number)), ahead[-1] + 1)
        for number in [number for number in self._packets if number < start]:
            del self._packets[number], self._came[number]
        self._first = self._reached = start
        self._lose()

    def _begins(self, number: int) -> bool:
        packet, before = self._packets[number], self._packets.get(number - 1)
        if self._single:
            return True
        if before is not None:
            return bool(before.marker) or before.timestamp != packet.timestamp
        return self._begins_frame(packet)

    def _lose(self) -> None:
        self.lost += 1
        self._after_loss = True
        self._gap = None


MOST_MISSED = 64
"""Packets that are missed at once: after a longer gap a key frame is there sooner than what was lost."""
LEAST, USUAL, MOST_PATIENCE = 0.15, 0.25, 0.6
"""Seconds that a packet is waited for: at least, as long as nobody knows how long it takes, and at most."""
_LATEST, _SOONEST = 0.06, 0.02
"""Seconds after which one is asked for again: at the latest, since the asking may be lost, and at the soonest."""
_SOONER, _LATER = 0.5, 0.1
"""How much a new recovery time counts that is shorter, or longer, since what was sent again may have been lost."""
_WATCHED = 0.8
"""Seconds after which a packet that was given up is forgotten; until then it tells how long the way is."""


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
        ahead = 0 if self._newest is None else (number - self._newest + _NEWER) % _WRAP - _NEWER
        if self._newest is None or abs(ahead) > _NEWER // 2:
            self._missed.clear()
            self._newest = number
        elif ahead > MOST_MISSED + 1:
            self._missed.clear()
            self.jumped, self._newest = True, number
        elif ahead > 0:
            for step in range(1, ahead):
                self._missed[(self._newest + step) % _WRAP] = _Missed(now, float("-inf"))
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
        if len(self._missed) > 4 * MOST_MISSED:  # nothing comes again
            self._missed.clear()
            self.jumped = True
            return []
        return due


_SLICE, _KEY_SLICE, _SEI, _SPS, _PPS, _DELIMITER = 1, 5, 6, 7, 8, 9
_TOGETHER, _FRAGMENT = 24, 28
_START = b"\0\0\1"


def begins_frame(codec: Codec, payload: bytes) -> bool:
    """Whether an RTP payload is surely the first one of a picture."""
    if codec == "vp8":  # RFC 7741: start of a partition, the partition's number
        return bool(payload) and bool(payload[0] & 0x10) and not payload[0] & 0x07
    kind = payload[0] & 31 if payload else 0
    if kind == _FRAGMENT and len(payload) > 2:
        return bool(payload[1] & 128) and _begins_picture(payload[1] & 31, payload[2])
    if kind == _TOGETHER and len(payload) > 4:
        return _begins_picture(payload[3] & 31, payload[4])
    return len(payload) > 1 and _begins_picture(kind, payload[1])


def is_key(codec: Codec, data: bytes) -> bool:
    """Whether an encoded picture (H.264 with start codes, VP8 without its descriptor) needs none before it."""
    if codec == "vp8":
        return bool(data) and not data[0] & 1
    return any(kind == _KEY_SLICE for kind in _kinds(data))


def _kinds(data: bytes) -> Iterator[int]:
    """The types of NAL units up to the first slice."""
    at = data.find(_START)
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 31
        yield kind
        if kind in (_SLICE, _KEY_SLICE):
            return
        at = data.find(_START, at + 3)


def _begins_picture(kind: int, first: int) -> bool:
    """`first` is a slice's first byte: its highest bit is set where the slice begins at macroblock 0."""
    return kind in (_SEI, _SPS, _PPS, _DELIMITER) or (kind in (_SLICE, _KEY_SLICE) and bool(first & 128))
