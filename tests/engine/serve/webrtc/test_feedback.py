"""What a receiver tells, as the packets that it sends."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiortc import RTCPeerConnection, RTCRtpSender
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

from mien.serve.webrtc.bitrate import ReceiverReport, listen

SSRC = 1234


class Noted:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def report(self, told: ReceiverReport) -> None:
        self.told.append(told.share if told.round_trip is None else (told.share, round(told.round_trip, 2)))

    def estimate(self, bits: int) -> None:
        self.told.append(bits)

    def key_frame(self) -> None:
        self.told.append("key")


def told_of(*packets: AnyRtcpPacket, more: dict[str, Any] | None = None) -> tuple[list[Any], int, int]:
    """What is told, how often something was heard, and how often aiortc got it, too."""
    passed: list[AnyRtcpPacket] = []

    async def handle(packet: AnyRtcpPacket) -> None:
        passed.append(packet)

    sender = SimpleNamespace(_ssrc=SSRC, _handle_rtcp_packet=handle, **(more or {}))
    noted, heard = Noted(), []
    listen(cast(RTCRtpSender, sender), noted, lambda: heard.append(1))

    async def main() -> None:
        for packet in packets:
            await sender._handle_rtcp_packet(packet)

    asyncio.run(main())
    return noted.told, len(heard), len(passed)


def report(ssrc: int, lost: int) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(ssrc=ssrc, fraction_lost=lost, packets_lost=0, highest_sequence=0, jitter=0, lsr=0, dlsr=0)


def test_losses_are_shares() -> None:
    info = RtcpSenderInfo(ntp_timestamp=0, rtp_timestamp=0, packet_count=0, octet_count=0)
    packets = (
        RtcpRrPacket(ssrc=1, reports=[report(SSRC, 64), report(99, 255)]),
        RtcpSrPacket(ssrc=1, sender_info=info, reports=[report(SSRC, 0)]),
    )
    assert told_of(*packets) == ([0.25, 0.0], 2, 2)


def test_each_report_tells_its_own_round_trip() -> None:
    sent = {"_RTCRtpSender__lsr": 77, "_RTCRtpSender__lsr_time": time.time() - 0.5}
    mine = replace(report(SSRC, 0), lsr=77, dlsr=65536 // 4)
    told, _, _ = told_of(RtcpRrPacket(ssrc=1, reports=[mine, replace(mine, lsr=76)]), more=sent)
    assert told == [(0.0, pytest.approx(0.25, abs=0.05)), 0.0], "half a second ago, a quarter of which it was held"


@pytest.mark.parametrize("set_by", [-3600.0, -0.5, 3600.0])
def test_a_system_clock_that_is_set_makes_no_round_trip(set_by: float) -> None:
    sent = {"_RTCRtpSender__lsr": 77, "_RTCRtpSender__lsr_time": time.time() - 0.1 - set_by}
    mine = replace(report(SSRC, 0), lsr=77, dlsr=65536 // 20)
    assert told_of(RtcpRrPacket(ssrc=1, reports=[mine]), more=sent)[0] == [0.0], "the share alone"


def test_what_is_asked_for_and_held_no_more_becomes_a_key_frame() -> None:
    history = {number % RTP_HISTORY_SIZE: SimpleNamespace(sequence_number=number) for number in range(65_500, 65_536)}
    nacks = [RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=SSRC, lost=lost) for lost in ([65_510], [65_400])]
    held = {"_RTCRtpSender__rtp_history": history}
    assert told_of(nacks[0], more=held)[0] == []
    assert told_of(nacks[1], more=held)[0] == ["key"]


def test_aiortc_has_what_is_looked_at() -> None:
    async def main() -> None:
        sender = RTCPeerConnection().addTransceiver("video").sender
        assert {"lsr", "lsr_time", "rtp_history"} <= {name.removeprefix("_RTCRtpSender__") for name in vars(sender)}

    asyncio.run(main())


def test_requests_for_key_frames() -> None:
    kinds = (RTCP_PSFB_PLI, RTCP_PSFB_FIR)
    assert told_of(*(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=SSRC) for kind in kinds))[0] == ["key", "key"]


def test_estimates_are_taken_if_they_are_for_this_stream() -> None:
    def remb(fci: bytes) -> RtcpPsfbPacket:
        return RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)

    told, _, _ = told_of(remb(pack_remb_fci(500_000, [SSRC])), remb(pack_remb_fci(1, [7])), remb(b"junk"))
    assert told == [500_000]


def test_what_is_else_only_counts_as_heard() -> None:
    assert told_of(RtcpByePacket(sources=[1])) == ([], 1, 1)
