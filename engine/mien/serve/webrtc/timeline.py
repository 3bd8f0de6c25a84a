"""Common time line of a peer's pictures and sound.

Each RTP stream has its own clock with a random start. Sender reports relate both to the sender's clock; until they
arrive, packets that arrive together are taken as simultaneous.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mien.timeline import JUMP, by_clock, jumped

VIDEO_RATE = 90_000
SOUND_RATE = 48_000
APART = 0.02
"""Seconds by which sound must be elsewhere than it was placed before it is moved."""
BELIEVED = 2.0
"""Seconds by which reports may contradict the arrival: beyond, the sender's clock is not to be trusted."""
_WRAP = 1 << 32


class Count:
    """RTP timestamps -> places on a line that begins at 0 and does not wrap.

    Where the count jumps, the line goes on with the time that has passed.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._time_base = Fraction(1, rate)
        self._last: int | None = None
        self._ticks = 0
        self._came = 0.0

    def ticks(self, timestamp: int, now: float) -> int:
        """The place of what came at `now` seconds."""
        if self._last is None:
            self._last, self._came = timestamp, now
        placed = self._ticks + _difference(timestamp, self._last)
        expected = by_clock((self._ticks, self._came), now, self._time_base)
        if jumped(placed, expected, self._time_base):
            placed = expected
        if placed >= self._ticks:  # an older one leaves the line as it was
            self._ticks, self._came, self._last = placed, now, timestamp
        return placed

    def at(self, timestamp: int) -> float | None:
        """The place of any timestamp near the latest one, in seconds; None before the first."""
        if self._last is None:
            return None
        return (self._ticks + _difference(timestamp, self._last)) / self._rate


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`timestamp` was the count at `seconds` of the sender's clock."""

    seconds: float
    timestamp: int


class PeerTimeline:
    """The video's count is the line; sound is placed on it. Used by one thread."""

    def __init__(self) -> None:
        self._video = Count(VIDEO_RATE)
        self._sound = Count(SOUND_RATE)
        self._video_report: SenderReport | None = None
        self._sound_report: SenderReport | None = None
        self._lead: float | None = None
        """What the line was at a moment, less that moment: seconds, of the latest picture."""
        self._shift: float | None = None
        """Seconds from the sound's count to the line."""

    def video(self, timestamp: int, now: float) -> int:
        """The place of a picture that was complete at `now`, in ticks of 1/90000 s."""
        ticks = self._video.ticks(timestamp, now)
        self._lead = ticks / VIDEO_RATE - now
        return ticks

    def sound(self, timestamp: int, now: float) -> int | None:
        """The place of sound that came at `now`, in samples of 1/48000 s; None as long as there is no picture."""
        own = self._sound.ticks(timestamp, now) / SOUND_RATE
        if self._lead is None:
            return None
        arrived = now + self._lead - own
        reported = self._reported()
        if reported is not None and abs(reported - arrived) < BELIEVED:
            if self._shift is None or abs(reported - self._shift) > APART:
                self._shift = reported
        elif self._shift is None or abs(arrived - self._shift) > JUMP:
            self._shift = arrived
        return round((own + self._shift) * SOUND_RATE)

    def report_video(self, report: SenderReport) -> None:
        """Take note of the pictures' sender report."""
        self._video_report = report

    def report_sound(self, report: SenderReport) -> None:
        """Take note of the sound's sender report."""
        self._sound_report = report

    def _reported(self) -> float | None:
        """The shift that the sender's reports ask for."""
        if self._video_report is None or self._sound_report is None:
            return None
        picture = self._video.at(self._video_report.timestamp)
        sound = self._sound.at(self._sound_report.timestamp)
        if picture is None or sound is None:
            return None
        return picture + self._sound_report.seconds - self._video_report.seconds - sound


def _difference(timestamp: int, other: int) -> int:
    return (timestamp - other + _WRAP // 2) % _WRAP - _WRAP // 2
