"""Bandwidth estimation for senders (REMB) from the arrival times of their packets.

A congested network and a busy machine both delay packets. Congestion makes a standing queue: for a while every packet
is delayed. A busy machine reads its socket late, but empties it again and again, and then a packet that has just
arrived has no delay. So the shortest delay within each quarter of a second decides. aiortc's own estimator confuses the
two and reduces senders to almost nothing.
"""

from __future__ import annotations

from collections import deque

WINDOW = 250
"""Milliseconds of which the shortest delay counts."""
STANDING = 60
"""Milliseconds of delay beyond the shortest of the last `SHORTEST` windows: beyond, a queue stands."""
SHORTEST = 120
CUT = 0.85
"""Share of what arrives that is told where a queue stands, so that it empties."""
RISE, CREEP = 1.02, 1.005
"""By how much it rises in a window without: usually, and near a rate at which a queue stood."""
NEAR = 0.75
REMEMBERED = 60_000
"""Milliseconds for which that rate counts."""
LEAST, BEGIN, MOST = 60_000, 1_000_000, 3_000_000
"""Bits a second."""
EASY = 800_000
"""Bits a second that are told to be possible as long as no queue has stood, however little comes."""
_TOLD_EVERY = 500
_SETTLE = 500
"""Milliseconds after a cut in which its effect is awaited."""
_SEND_TICKS = 1 << 24
"""abs-send-time: 24 bits, of which the lower 18 are the fraction of a second."""


class Arrivals:
    """In place of aiortc's estimator: the same call, whose times are given."""

    def __init__(self) -> None:
        self._ssrcs: set[int] = set()
        self._sent: int | None = None
        """Ticks of the last packet's sending, on a line that does not wrap."""
        self._window: tuple[int, float, int] | None = None
        """When it began, its shortest delay, and the bytes that came in it."""
        self._shortest: deque[float] = deque(maxlen=SHORTEST)
        self._rates: deque[float] = deque(maxlen=3)
        """Bits a second of the last windows."""
        self._bits = float(BEGIN)
        self._ceiling: tuple[float, int] | None = None
        self._stood = 0
        """Windows in a row in which a queue stood."""
        self._cut_at = self._told_at = -(1 << 60)

    @property
    def bits(self) -> int:
        """That may be sent, a second."""
        return round(self._bits)

    def add(
        self, arrival_time_ms: int, abs_send_time: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """Take a packet; what is to be told now, and of which streams."""
        if len(self._ssrcs) < 16:
            self._ssrcs.add(ssrc)
        delay = arrival_time_ms - self._placed(abs_send_time) * 1000 / (1 << 18)
        if self._window is None:
            self._window = arrival_time_ms, delay, 0
        begun, shortest, size = self._window
        self._window = begun, min(shortest, delay), size + payload_size
        cut = arrival_time_ms - begun >= WINDOW and self._judge(arrival_time_ms)
        if not cut and arrival_time_ms - self._told_at < _TOLD_EVERY:
            return None
        self._told_at = arrival_time_ms
        return self.bits, list(self._ssrcs)

    def _placed(self, abs_send_time: int) -> int:
        if self._sent is None:
            self._sent = abs_send_time
        half = _SEND_TICKS // 2
        self._sent += (abs_send_time - self._sent + half) % _SEND_TICKS - half
        return self._sent

    def _judge(self, now: int) -> bool:
        """End a window; whether less is to be sent at once."""
        assert self._window is not None
        begun, delay, size = self._window
        self._window = None
        length = now - begun
        if length > 8 * WINDOW:  # nothing came for long: what waited there says nothing of the rate
            self._rates.clear()
            self._stood = 0
            return False
        self._rates.append(size * 8000 / length)
        self._shortest.append(delay)
        waits = delay - min(self._shortest)
        self._stood = self._stood + 1 if waits > STANDING else 0
        if self._stood >= 2 and now - self._cut_at >= _SETTLE:
            arrives = sum(self._rates) / len(self._rates)
            self._cut_at, self._ceiling = now, (arrives, now)
            self._bits = max(min(self._bits, CUT * arrives), LEAST)
            return True
        if not self._stood:
            near = (
                self._ceiling is not None
                and now - self._ceiling[1] < REMEMBERED
                and self._bits > NEAR * self._ceiling[0]
            )
            most = max(self._bits, EASY if self._ceiling is None else 0, 1.5 * max(self._rates))
            self._bits = min(self._bits * (CREEP if near else RISE), most, MOST)
        return False
