"""What the receiver of our pictures tells, passed on beside aiortc's own use of it."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Told:
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

    def report(self, told: Told) -> None:
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
                feedback.report(Told(report.fraction_lost / 256, report.packets_lost, report.highest_sequence, trip))
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
