"""Read-ahead of encoded packets, up to a bound, for senders that can be made to wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import TypeAlias

from av.packet import Packet
from av.stream import Stream

from mien.clock import Clock
from mien.machine.threads import begun
from mien.timeline import Arrival

ROOM = 32 << 20
"""Size of the buffer in bytes; at least two packets fit."""

Read: TypeAlias = "Packet[Stream]"


class BrokeOff(Exception):
    """The feed ended; the message is libav's reason, empty after a regular end."""


class ReadAhead:
    """Reads packets on its own thread until the buffer is full; packets are still encoded, so the buffer is small."""

    def __init__(self, read: Callable[[], Read], clock: Clock, *, counted: int, most: int) -> None:
        """Begin.

        Args:
            read: gives the next packet, or raises `BrokeOff`; what waits in it must be ended from outside.
            counted: index of the stream whose packets are counted.
            most: so many of them may wait.
        """
        self._read = read
        self._clock = clock
        self._counted, self._most = counted, most
        self._changed = Condition()
        self._waiting: deque[tuple[Read, Arrival]] = deque()
        self._bytes = self._frames = 0
        self._closed = self._ended = False
        self._reason = ""
        self._error: Exception | None = None
        self._thread = begun("mien-read-ahead", self._run)

    def take(self) -> tuple[Read, Arrival]:
        """The next packet, and when it came.

        Raises:
            BrokeOff: nothing more comes.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended or self._closed)
            if not self._waiting or self._closed:
                if self._error is not None:
                    raise self._error
                raise BrokeOff(self._reason)
            packet, arrival = self._waiting.popleft()
            self._bytes -= packet.size
            self._frames -= packet.stream_index == self._counted
            self._changed.notify_all()
        return packet, Arrival(self._clock.now(), held=True) if arrival.held else arrival

    def close(self) -> None:
        """Stop after the present read."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._keep(*self._next()):
                pass
        except BrokeOff as end:
            self._reason = str(end)
        except Exception as error:  # is raised where packets are taken
            self._error = error.with_traceback(None)
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _next(self) -> tuple[Read, bool]:
        """The next packet, and whether the buffer was full when it was read."""
        with self._changed:
            held = self._is_full()
            self._changed.wait_for(lambda: not self._is_full() or self._closed)
            if self._closed:
                raise BrokeOff("")
        return self._read(), held

    def _keep(self, packet: Read, held: bool) -> bool:
        with self._changed:
            if self._closed:
                return False
            self._waiting.append((packet, Arrival(self._clock.now(), held)))
            self._bytes += packet.size
            self._frames += packet.stream_index == self._counted
            self._changed.notify_all()
            return True

    def _is_full(self) -> bool:
        return self._frames >= self._most or (self._bytes >= ROOM and len(self._waiting) > 1)
