"""Congestion control: RTCP feedback of a receiver, and the encoder's bitrate that follows it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiortc import RTCRtpSender
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from mien.serve.webrtc.inside import are_gone, listen_to_rtcp, round_trip, ssrc_of
from mien.serve.webrtc.settings import BitrateLimits


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """A receiver's report (RFC 3550, 6.4.1)."""

    share: float
    """Of the packets since the last report, that did not arrive, 0..1: of two packets, often."""
    lost: int
    """Packets in all that did not arrive."""
    highest: int
    """Number of the latest packet that did, which does not wrap at 2^16."""
    round_trip: float | None
    """Seconds; None: not known."""


class Feedback(Protocol):
    """Called on the event loop."""

    def report(self, told: ReceiverReport) -> None:
        """What a report says, of which there may be several a second."""
        ...

    def estimate(self, bits: int) -> None:
        """The receiver can get so many bits a second."""
        ...

    def key_frame(self) -> None:
        """It needs a picture that needs none before it."""
        ...


def listen(sender: RTCRtpSender, feedback: Feedback | None, heard: Callable[[], None]) -> None:
    """Tell `feedback` what comes for a sender; `heard` is called with every packet."""

    def told(packet: AnyRtcpPacket) -> None:
        heard()
        if feedback is not None:
            _tell(packet, sender, feedback)

    listen_to_rtcp(sender, told)


def _tell(packet: AnyRtcpPacket, sender: RTCRtpSender, feedback: Feedback) -> None:
    if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
        for report in packet.reports:
            if report.ssrc == ssrc_of(sender):
                trip = round_trip(sender, report)
                feedback.report(
                    ReceiverReport(report.fraction_lost / 256, report.packets_lost, report.highest_sequence, trip)
                )
    elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
        if are_gone(sender, packet.lost):
            feedback.key_frame()
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_FIR, RTCP_PSFB_PLI):
        feedback.key_frame()
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        try:
            bits, ssrcs = unpack_remb_fci(packet.fci)
        except ValueError:
            return
        if ssrc_of(sender) in ssrcs:
            feedback.estimate(bits)


CALM, CALM_IN_TIME = 0.02, 0.06
"""Share of lost packets up to which the rate rises; the latter where round trips are known to be no longer than usual:
then packets are lost by chance, as by radio, and sending less loses no fewer."""
LOSSY, LOSSY_IN_TIME = 0.10, 0.14
"""Share of lost packets from which on it falls."""
SMOOTH = 0.4
"""How much a new report counts: some thirty packets a second tell little."""
PERIOD, FEWEST = 0.8, 20
"""Seconds and packets of which at least a share is worked out: some receivers report after every two packets."""
FLOODED = 0.25
"""Share of lost packets from which on it falls at once, to somewhat less than what arrives; below by half as much."""
RISE, CREEP = 1.08, 1.02
"""By how much it rises in a second: usually, and near a rate at which packets queued not long ago."""
NEAR = 0.75
"""Share of such a rate from which on it is near."""
REMEMBERED = 60.0
"""Seconds for which that rate counts."""
QUEUED = 0.1
"""Seconds that round trips may take longer than the shortest one: beyond, in two reports on end, packets queue on the
way; a busy machine makes single ones longer."""
SHORTEST = 30.0
"""Seconds for which the shortest round trip counts: a way may become a longer one."""
LONG_QUEUED = 0.2
"""Seconds that no busy machine makes of a round trip's."""
QUEUED_CUT, LONG_QUEUED_CUT = 0.85, 0.7
"""Of what is sent, or arrives, so that a queue empties."""
STALE = 10.0
"""Seconds after which what the receiver estimated counts no more."""
BREAK = 3.0
"""Seconds between two reports from which on nothing came through at all: what was lost meanwhile says nothing of the
rate."""
_STEP = 1.0
"""Seconds between two steps upwards, or two for the same queue."""


@dataclass(frozen=True, slots=True)
class LossReport:
    """A receiver report."""

    lost: float
    """Share of the packets since its last report, 0..1."""
    round_trip: float | None = None
    """Seconds, of this report alone."""


class Reports:
    """Aggregates RTCP reports to one `LossReport` about each second. Times as in `BitrateControl`."""

    def __init__(self) -> None:
        self._base: tuple[int, int, float] | None = None
        """Packets lost, the latest one's number, and when."""
        self._trips: list[float] = []

    def add(self, told: ReceiverReport, now: float) -> LossReport | None:
        """Take one; the share of losses, and the shortest round trip, since the last that was given."""
        if told.round_trip is not None:
            self._trips.append(told.round_trip)
        if self._base is None:
            self._base = told.lost, told.highest, now
            return self._given(told.share)
        lost, highest, at = self._base
        sent = (told.highest - highest) % (1 << 32)
        if now - at < PERIOD or sent < FEWEST:
            return None
        self._base = told.lost, told.highest, now
        return self._given(min(max((told.lost - lost) / sent, 0.0), 1.0))

    def _given(self, share: float) -> LossReport:
        # the shortest: a busy machine makes single ones longer, a queue all of them
        report = LossReport(share, min(self._trips, default=None))
        self._trips.clear()
        return report


class BitrateControl:
    """The target follows the receiver's estimate (REMB) and its reports of loss and delay; one thread.

    Loss alone is no sure sign of a full network below `LOSSY`, nor is a low estimate, since one that gets little
    guesses low; longer round trips are, and then the estimate is what arrives. Times are in seconds of any one clock.
    """

    def __init__(self, limits: BitrateLimits) -> None:
        self._limits = limits
        self._target = float(limits.begin)
        self._estimate: tuple[float, float] | None = None
        self._trips: deque[tuple[float, float]] = deque()
        """When and how long, those that are the shortest from their time on."""
        self._lost = 0.0
        """Share, smoothed."""
        self._long = 0
        """Reports on end of longer round trips."""
        self._suffers = False
        self._ceiling: tuple[float, float] | None = None
        """The rate at which packets queued, and when that was."""
        self._reported_at: float | None = None
        self._rose_at = self._cut_at = float("-inf")

    @property
    def target(self) -> int:
        """Bits a second, within the limits."""
        return round(self._target)

    def estimate(self, bits: float, now: float) -> None:
        """Take the receiver's own estimate of what it can get, in bits a second."""
        self._estimate = (bits, now)
        self._set(self._target, now)

    def report(self, report: LossReport, now: float) -> None:
        """Take a receiver's report, about one a second."""
        after_break = self._reported_at is not None and now - self._reported_at > BREAK
        self._reported_at = now
        waits = self._waits(report.round_trip, now)
        queued = waits > 0
        lost = 0.0 if after_break else report.lost
        self._lost += SMOOTH * (lost - self._lost)
        in_time = report.round_trip is not None and not queued
        lossy, calm = (LOSSY_IN_TIME, CALM_IN_TIME) if in_time else (LOSSY, CALM)
        falls = lost > FLOODED or self._lost > lossy
        self._suffers = queued or falls
        if queued or falls:
            self._set(self._target * min(self._queue_share(waits, now), self._loss_share(lost, lossy)), now)
        elif self._lost < calm and now - self._rose_at >= _STEP:
            self._rose_at = now
            self._set(self._target * (CREEP if self._is_near(now) else RISE), now)

    def _queue_share(self, waits: float, now: float) -> float:
        """What is left of the rate where packets wait so many seconds."""
        if waits <= 0 or now - self._cut_at < _STEP:
            return 1.0
        self._cut_at, self._ceiling = now, (self._target, now)
        return QUEUED_CUT if waits <= LONG_QUEUED else LONG_QUEUED_CUT

    def _loss_share(self, lost: float, lossy: float) -> float:
        if lost > FLOODED:
            return LONG_QUEUED_CUT * (1 - lost)
        return 1 - self._lost / 2 if self._lost > lossy else 1.0

    def _is_near(self, now: float) -> bool:
        """Whether packets queued at about this rate not long ago."""
        if self._ceiling is None or now - self._ceiling[1] > REMEMBERED:
            return False
        return self._target > NEAR * self._ceiling[0]

    def met(self, round_trip: float, now: float) -> None:
        """Take note of a round trip in seconds, such as one before anything was sent, when no packets can queue."""
        while self._trips and now - self._trips[0][0] > SHORTEST:
            self._trips.popleft()
        while self._trips and self._trips[-1][1] >= round_trip:
            self._trips.pop()
        self._trips.append((now, round_trip))

    def _waits(self, round_trip: float | None, now: float) -> float:
        """Seconds that packets queue on the way."""
        if round_trip is None:
            return 0.0
        self.met(round_trip, now)
        waits = round_trip - self._trips[0][1]
        self._long = self._long + 1 if waits > QUEUED else 0
        return waits if self._long >= 2 or waits > LONG_QUEUED else 0.0

    def _set(self, bits: float, now: float) -> None:
        if self._estimate is not None and now - self._estimate[1] < STALE:
            bits = min(bits, self._estimate[0] if self._suffers else max(self._estimate[0], self._limits.easy))
        self._target = min(max(bits, self._limits.least), self._limits.most)
