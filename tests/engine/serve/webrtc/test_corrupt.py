"""Peers that send what no peer should."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from fractions import Fraction

import pytest
from aiortc import MediaStreamTrack
from aiortc.rtcrtpsender import RTCRtpSender
from av.packet import Packet
from tests.engine.serve.webrtc.calls import calling, run, until
from tests.engine.serve.webrtc.client import Client, Pictures

from mien.serve.webrtc.settings import PeerSettings


class Junk(MediaStreamTrack):
    """Encoded pictures that are none: aiortc packs and encrypts them all the same."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._rng = random.Random(0)
        self._number = 0

    async def recv(self) -> Packet:  # type: ignore[type-arg]
        await asyncio.sleep(0.005)
        start = b"\0\0\1" + bytes([self._rng.choice([1, 5, 6, 7, 8, 24, 28])])
        packet: Packet = Packet(start + self._rng.randbytes(self._rng.randrange(1, 3000)))  # type: ignore[type-arg]
        packet.pts, packet.time_base = self._number * 3600, Fraction(1, 90_000)
        self._number += 1
        return packet


def replace(client: Client, track: MediaStreamTrack) -> RTCRtpSender:
    sender = client.connection.getTransceivers()[0].sender
    sender.replaceTrack(track)
    return sender


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_pictures_that_are_none_are_counted_and_real_ones_seen_after_them(codec: str) -> None:
    async def main() -> None:
        client = Client(video=Pictures(25), codec=codec)
        video = client.connection.getTransceivers()[0].sender.track
        replace(client, Junk())
        async with calling(client) as call:
            await until(lambda: call.peer.statistics()["packets_in"] > 200)
            assert call.peer.closed_because == ""
            replace(client, video)
            await until(lambda: call.echo.count > 0 and call.echo.frames[-1].size == (640, 480))

    run(main)


def test_datagrams_that_are_no_packets_leave_the_call() -> None:
    async def main() -> None:
        async with calling(Client(video=Pictures(25))) as call:
            await until(lambda: call.echo.count > 5)
            found = re.search(r"udp \d+ (\d+\.\S+) (\d+) typ host", call.peer.answer_sdp)
            assert found is not None
            rng = random.Random(0)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
                for _ in range(500):
                    data = bytes([rng.randrange(256)]) + rng.randbytes(rng.randrange(0, 200))
                    wire.sendto(data, (found[1], int(found[2])))
            count = call.echo.count
            await until(lambda: call.echo.count > count + 10)
            assert call.peer.closed_because == ""

    run(main)


def test_a_flood_ends_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.serve.webrtc.statistics.FLOOD", 200)

    async def main() -> None:
        async with calling(Client(video=Pictures(25)), PeerSettings()) as call:
            await until(lambda: call.echo.count > 5)
            send = call.wire._send

            async def many(data: bytes) -> None:
                for _ in range(20):
                    await send(data)

            call.wire._send = many
            assert "packets a second" in await call.peer.wait_closed()

    run(main)
