"""What the receiver of our pictures tells, passed on beside aiortc's own use of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiortc import RTCRtpSender
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)


class Feedback(Protocol):
    """Called on the event loop."""

    def lost(self, share: float) -> None:
        """`share` of the packets since the last report did not arrive, 0..1."""
        ...

    def estimate(self, bits: int) -> None:
        """The receiver can get so many bits a second."""
        ...

    def key_frame(self) -> None:
        """It needs a picture that needs none before it."""
        ...


def listen(sender: RTCRtpSender, feedback: Feedback | None, heard: Callable[[], None]) -> None:
    """Tell `feedback` what comes for a sender; `heard` is called with every packet."""
    handle = sender._handle_rtcp_packet

    async def handled(packet: AnyRtcpPacket) -> None:
        heard()
        if feedback is not None:
            _tell(packet, sender._ssrc, feedback)
        await handle(packet)

    sender._handle_rtcp_packet = handled  # type: ignore[method-assign]


def _tell(packet: AnyRtcpPacket, ssrc: int, feedback: Feedback) -> None:
    if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
        for report in packet.reports:
            if report.ssrc == ssrc:
                feedback.lost(report.fraction_lost / 256)
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_FIR, RTCP_PSFB_PLI):
        feedback.key_frame()
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        try:
            bits, ssrcs = unpack_remb_fci(packet.fci)
        except ValueError:
            return
        if ssrc in ssrcs:
            feedback.estimate(bits)
