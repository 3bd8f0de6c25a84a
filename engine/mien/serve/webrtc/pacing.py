"""Packets of a large picture, spread out: sent at once they would fill a narrow network's queue, and overflow it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpSender
from aiortc.rtp import RTP_HEADER_LENGTH, is_rtcp

from mien.clock import Clock
from mien.serve.webrtc.inside import SendingThrough, ssrc_of

FASTER = 2.5
"""How many times faster than the video's rate packets go."""
AT_ONCE = 0.1
"""Seconds of that rate that go without waiting: usual pictures are not held up."""
LONGEST = 0.25
"""Seconds that a packet waits at most: then pictures are left out by the encoder, not delayed here."""
AGAIN = 0.5
"""Share of the rate that may go for packets that are asked for again. What is beyond is not sent: where so much is
lost, sending it twice loses more."""
AGAIN_AT_ONCE = 0.3
"""Seconds of that share that may go at once."""
_HALF, _ROUND = 1 << 15, 1 << 16


class Pace:
    """A bucket of bits, filled at `FASTER` times the rate. Times are in seconds of any one clock."""

    def __init__(self) -> None:
        self._owed = 0.0
        """Bits that went and are not yet paid for."""
        self._at: float | None = None

    def wait(self, size: int, rate: float, now: float) -> float:
        """Seconds until a packet of `size` bytes may go, which is taken to go then; `rate`: bits a second."""
        if self._at is not None:
            self._owed = max(self._owed - (now - self._at) * FASTER * rate, 0.0)
        self._at = now
        waits = max(self._owed - AT_ONCE * rate, 0.0) / (FASTER * rate)
        self._owed += size * 8
        return min(waits, LONGEST)


class Again:
    """A bucket of bits for what is asked for again. Times are in seconds of any one clock."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._at: float | None = None

    def takes(self, size: int, rate: float, now: float) -> bool:
        """Whether a packet of `size` bytes may go; `rate`: of the video, in bits a second."""
        if self._at is not None:
            self._owed = max(self._owed - (now - self._at) * AGAIN * rate, 0.0)
        self._at = now
        fits = self._owed < AGAIN_AT_ONCE * AGAIN * rate
        self._owed += size * 8 if fits else 0
        return fits


class Paced(SendingThrough):
    """A sender's transport: new packets of this sender wait their turn, what is asked for again goes or does not."""

    def __init__(self, transport: Any, ssrc: int, rate: Callable[[], int], clock: Clock) -> None:
        super().__init__(transport)
        self._ssrc, self._rate, self._clock = ssrc, rate, clock
        self._pace, self._again = Pace(), Again()
        self._newest: int | None = None

    async def send(self, data: bytes) -> None:
        """Send a packet, at its turn."""
        if not is_rtcp(data):
            rate, now = self._rate(), self._clock.now()
            is_new = self._is_new(data)
            if not is_new and not self._again.takes(len(data), rate, now):
                return
            waits = self._pace.wait(len(data), rate, now)
            if waits > 0 and is_new:
                await asyncio.sleep(waits)
        await super().send(data)

    def _is_new(self, data: bytes) -> bool:
        """Told by its number; a retransmission has an older one, or is a stream of its own."""
        if len(data) < RTP_HEADER_LENGTH or int.from_bytes(data[8:12], "big") != self._ssrc:
            return False
        number = int.from_bytes(data[2:4], "big")
        is_new = self._newest is None or 0 < (number - self._newest) % _ROUND < _HALF
        if is_new:
            self._newest = number
        return is_new


def pace(sender: RTCRtpSender, rate: Callable[[], int], clock: Clock) -> None:
    """Let a sender that has not begun spread its packets at some times its `rate` in bits a second."""
    sender.setTransport(Paced(sender.transport, ssrc_of(sender), rate, clock))  # type: ignore[arg-type]
