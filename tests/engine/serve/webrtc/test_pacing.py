"""Packets wait their turn, with the time given."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.rtp import RtpPacket

from mien.clock import ManualClock
from mien.serve.webrtc.sending import (
    FASTER,
    LONGEST,
    RETRANSMISSION_SHARE,
    PacedTransport,
    PacingBucket,
    RetransmissionBudget,
)

RATE = 200_000


def test_usual_pictures_are_not_held_up() -> None:
    pace = PacingBucket()
    waits = [pace.wait(1000, RATE, number * 0.04) for number in range(100)]
    assert max(waits) == 0.0


def test_a_large_picture_takes_some_times_the_rate() -> None:
    pace, now = PacingBucket(), 0.0
    for _ in range(10):
        now += pace.wait(1200, RATE, now)
    assert now == pytest.approx((9 * 1200 * 8 - 0.1 * RATE) / (FASTER * RATE), rel=0.01)


def test_no_packet_waits_for_long() -> None:
    pace = PacingBucket()
    assert max(pace.wait(1200, 50_000, 0.0) for _ in range(100)) == LONGEST


def test_what_is_asked_for_again_takes_its_share_and_no_more() -> None:
    budget = RetransmissionBudget()
    sent = sum(budget.takes(1000, RATE, number * 0.01) for number in range(3000))
    assert sent * 8000 / 30 == pytest.approx(RETRANSMISSION_SHARE * RATE, rel=0.1)
    assert all(RetransmissionBudget().takes(1000, RATE, number * 0.2) for number in range(100))


class Wire:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def _send_rtp(self, data: bytes) -> None:
        self.sent.append(data)


def packet(number: int, ssrc: int = 7) -> bytes:
    made = RtpPacket(payload_type=96, sequence_number=number, timestamp=0)
    made.ssrc, made.payload = ssrc, bytes(1200)
    return made.serialize()


def test_what_is_asked_for_again_and_reports_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def main() -> None:
        wire = Wire()
        paced = PacedTransport(wire, 7, lambda: RATE, ManualClock())
        for number in (65_533, 65_534, 65_535, 0, 1):
            await paced._send_rtp(packet(number))
        assert len(slept) == 2  # those that do not go at once
        for again in (packet(65_534), packet(5, ssrc=8), bytes([128, 200]) + bytes(26)):
            await paced._send_rtp(again)
        assert (len(slept), len(wire.sent)) == (2, 8)

    monkeypatch.setattr("mien.serve.webrtc.sending.asyncio.sleep", sleep)
    asyncio.run(main())
