from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest
from av.packet import Packet

from mien.capture.ahead import ROOM, BrokeOff, ReadAhead
from mien.clock import ManualClock
from mien.timeline import Arrival

PATIENCE = 10.0


class Sender:
    """Gives so many packets of a size, then ends."""

    def __init__(self, count: int, size: int = 100, error: Exception | None = None) -> None:
        self.left, self.size, self.error = count, size, error
        self.given = 0
        self.watch: dict[int, Event] = {}

    def __call__(self) -> Packet:  # type: ignore[type-arg]
        if self.given in self.watch:
            self.watch[self.given].set()
        if self.left == 0:
            raise self.error or BrokeOff("the end")
        self.left -= 1
        self.given += 1
        return Packet(self.size)

    def reached(self, number: int) -> Event:
        """Set when the packet after so many is asked for."""
        return self.watch.setdefault(number, Event())


def ahead(sender: Callable[[], Packet], clock: ManualClock | None = None, most: int = 5) -> ReadAhead:  # type: ignore[type-arg]
    return ReadAhead(sender, clock or ManualClock(), counted=0, most=most)


def test_so_many_packets_wait_and_no_more() -> None:
    sender = Sender(12)
    asked = [sender.reached(number) for number in range(13)]
    reading = ahead(sender)
    for number in range(12):
        assert asked[min(number + 4, 12)].wait(PATIENCE)
        assert sender.given <= number + 5
        reading.take()
    with pytest.raises(BrokeOff, match="the end"):
        reading.take()
    reading.close()


def test_what_had_to_wait_for_room_came_when_it_was_wanted() -> None:
    clock = ManualClock(7.0)
    reading = ahead(Sender(1_000_000), clock, most=1)
    first = reading.take()[1]
    assert first == Arrival(7.0)
    clock.advance(3.0)
    # the reader may be too slow to be kept waiting, though not for ever
    held = next(arrival for arrival in (reading.take()[1] for _ in range(1_000_000)) if arrival.held)
    assert held.at == 10.0
    reading.close()


def test_so_many_bytes_wait_and_no_more() -> None:
    sender = Sender(100, size=ROOM // 3)
    third = sender.reached(2)
    reading = ahead(sender, most=50)
    assert third.wait(PATIENCE)
    for taken in range(1, 20):
        reading.take()
        assert sender.given <= taken + 5
    reading.close()


def test_closing_ends_who_waits_for_room_and_who_waits_for_a_packet() -> None:
    full = Sender(100)
    last = full.reached(4)
    reading = ahead(full)
    assert last.wait(PATIENCE)
    reading.close()
    with pytest.raises(BrokeOff):
        reading.take()

    over = Event()

    def nothing() -> Packet:  # type: ignore[type-arg]
        over.wait(PATIENCE)
        raise BrokeOff("")

    empty, ended = ahead(nothing), Event()

    def take() -> None:
        with pytest.raises(BrokeOff):
            empty.take()
        ended.set()

    taker = Thread(target=take)
    taker.start()
    over.set()
    empty.close()
    taker.join(PATIENCE)
    assert ended.is_set()


def test_an_error_of_reading_is_raised_where_packets_are_taken() -> None:
    reading = ahead(Sender(1, error=ValueError("odd")))
    reading.take()
    with pytest.raises(ValueError, match="odd"):
        reading.take()
    reading.close()
