"""Packets, in whatever order they come -> whole encoded frames, in order and without waiting for the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

MOST = 2048
"""Packets that are held back at most: a picture of 2.5 MB."""
_HALF = 1 << 15
_ROUND = 1 << 16


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
    """The packets of one frame."""

    packets: tuple[Packet, ...]
    after_loss: bool
    """Whether one before it never came."""


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
        """The packet that is waited for, and since when."""
        self._after_loss = False
        self.lost = 0
        """Frames, or rows of frames, that were left out."""

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
        """The number on a line that does not wrap."""
        if self._reached < 0:
            self._first = self._reached = _ROUND + sequence_number
            return self._reached
        ahead = (sequence_number - self._reached + _HALF) % _ROUND - _HALF
        if abs(ahead) > MOST:  # the sender began anew
            self._packets.clear()
            self._came.clear()
            self._first = self._reached = self._reached - self._reached % _ROUND + _ROUND + sequence_number
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
        """Go on with the next frame whose first packet is there."""
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
