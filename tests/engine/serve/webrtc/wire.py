"""When packets leave and come, beside what aiortc makes of them: its own jitter buffer holds a frame for an interval.

As a script it measures a running server, from the last packet of a frame to the last packet of its answer:

    python -m tests.engine.serve.webrtc.wire http://127.0.0.1:8080/whip H264 10

The server must give the pictures back as they are (see `mirror`), so that the number in each can be read.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from statistics import quantiles
from time import perf_counter

import aiohttp
from aiortc import RTCRtpTransceiver
from aiortc.rtp import RtpPacket, is_rtcp

_WRAP = 1 << 32


class Wire:
    """Of the video of one connection; hooked in before its first packet."""

    def __init__(self, transceiver: RTCRtpTransceiver) -> None:
        self._left: dict[int, float] = {}
        self._came: dict[int, float] = {}
        self._receiver = transceiver.receiver
        self._ssrc = transceiver.sender._ssrc
        ice, receiver = transceiver.receiver.transport.transport, transceiver.receiver
        send, handle = ice._send, receiver._handle_rtp_packet

        async def sent(data: bytes) -> None:
            if 127 < data[0] < 192 and not is_rtcp(data):
                timestamp, ssrc = struct.unpack_from("!II", data, 4)
                if ssrc == self._ssrc:
                    self._left[timestamp] = perf_counter()
            await send(data)

        async def handled(packet: RtpPacket, arrival_time_ms: int) -> None:
            self._came[packet.timestamp] = perf_counter()
            await handle(packet, arrival_time_ms)

        ice._send = sent
        receiver._handle_rtp_packet = handled  # type: ignore[method-assign]

    def left(self, number: int) -> float | None:
        """When the last packet of the frame of this number left; None before it has."""
        times = list(self._left.values())
        return times[number] if number < len(times) else None

    def came(self, pts: int) -> float | None:
        """When the last packet of the frame came that was decoded with this time."""
        origin = self._receiver._RTCRtpReceiver__timestamp_mapper._origin  # type: ignore[attr-defined]
        return None if origin is None else self._came.get((origin + pts) % _WRAP)


async def measure(url: str, codec: str, seconds: float) -> list[float]:
    """Seconds of each frame, but for the first second's."""
    from tests.engine.serve.webrtc.client import Client, Pictures

    client = Client(video=Pictures(25), wants_video=True, codec=codec)
    async with aiohttp.ClientSession() as http:
        sdp = {"Content-Type": "application/sdp"}
        async with http.post(url, data=await client.offer(), headers=sdp) as answer:
            answer.raise_for_status()
            location = answer.headers["Location"]
            await client.accept(await answer.text())
        await asyncio.sleep(seconds)
        async with http.delete(url[: url.index("/", 8)] + location):
            pass
    await client.close()
    return client.latencies()[25:]


def main() -> None:
    url, codec, seconds = sys.argv[1:]
    found = asyncio.run(measure(url, codec, float(seconds)))
    parts = quantiles(found, n=100)
    told = ", ".join(f"p{rank} {parts[rank - 1] * 1e3:.1f} ms" for rank in (50, 95, 99))
    sys.stdout.write(f"{len(found)} frames: {told}\n")


if __name__ == "__main__":
    main()
