"""Calls between a `Client` and a `Peer` over loopback, and waiting for what they bring."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiortc import RTCIceTransport
from aiortc.rtp import is_rtcp
from tests.engine.serve.webrtc.client import Client
from tests.engine.serve.webrtc.mirror import Echo

from mien.clock import Clock
from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.settings import PeerSettings

PATIENCE = 60.0
"""Seconds until a test that hangs fails."""


@dataclass
class Call:
    """A client, the peer that answered it, and the thread that shows the one what came from it."""

    client: Client
    peer: Peer
    echo: Echo
    broadcast: Broadcast

    @property
    def wire(self) -> RTCIceTransport:
        """What the client sends by."""
        return self.client.connection.getTransceivers()[0].receiver.transport.transport


@contextlib.asynccontextmanager
async def calling(
    client: Client, settings: PeerSettings | None = None, *, clock: Clock | None = None
) -> AsyncIterator[Call]:
    """A call whose client gets back what it sends."""
    broadcast = Broadcast(clock)
    peer = await Peer.answer(await client.offer(), settings, sends=broadcast, clock=clock)
    echo = Echo(peer.source, broadcast)
    try:
        await client.accept(peer.answer_sdp)
        yield Call(client, peer, echo, broadcast)
    finally:
        await client.close()
        await peer.close()
        await asyncio.to_thread(echo.join)


async def until(met: Callable[[], bool]) -> None:
    """As soon as it holds; packets come when they come."""
    async with asyncio.timeout(PATIENCE):
        while not met():  # noqa: ASYNC110 (of threads and sockets, which know no event of ours)
            await asyncio.sleep(0.02)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await main()

    asyncio.run(timed())


def lose(wire: RTCIceTransport, is_lost: Callable[[int, bytes], bool]) -> None:
    """Let some of what is sent by `wire` get lost: told the number of an RTP packet, and the packet."""
    send, count = wire._send, 0

    async def sent(data: bytes) -> None:
        nonlocal count
        if 127 < data[0] < 192 and not is_rtcp(data):
            count += 1
            if is_lost(count, data):
                return
        await send(data)

    wire._send = sent


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def our_threads() -> list[str]:
    """What runs for peers."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("mien-") or name.endswith("-decoder")]
