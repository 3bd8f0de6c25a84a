"""A relay of datagrams in user space, with a bad network within."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mien.clock import Clock
from mien_bench.network.line import HEADERS, Line
from mien_bench.network.profiles import Network

Address = tuple[str, int]

MOST_PEERS: Final = 32
"""Addresses of the peer that are told apart: one for each of its candidates."""
BIN: Final = 0.1
"""Seconds of traffic that are counted together."""


@dataclass(slots=True)
class Traffic:
    """What took one direction; bytes with their headers, by the number of the tenth of a second."""

    offered: dict[int, int] = field(default_factory=dict)
    delivered: dict[int, int] = field(default_factory=dict)
    packets: int = 0
    lost: int = 0

    def bits(self, which: dict[int, int], begin: float, end: float) -> float:
        """A second, between two times since the relay began."""
        first, last = round(begin / BIN), round(end / BIN)
        return sum(which.get(number, 0) for number in range(first, last)) * 8 / max((last - first) * BIN, BIN)


class Relay:
    """Stands before one address of a server, on the event loop; what a peer sends to `address` takes the network.

    Each address of the peer gets a socket of its own towards the server, so that ICE sees as many pairs as without.
    """

    def __init__(self, network: Network, seed: int, clock: Clock) -> None:
        self.begun = clock.now()
        self.up, self.down = Traffic(), Traffic()
        rng = random.Random(seed)
        self.line_up = Line(network.up, random.Random(rng.random()), self.begun)
        self.line_down = Line(network.down, random.Random(rng.random()), self.begun)
        self.address: Address = ("", 0)
        self._clock = clock
        self._server: Address = ("", 0)
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}
        self._loop = asyncio.get_running_loop()
        self._closed = False

    async def open(self, server: Address) -> Address:
        """Listen on any port of the server's own host; that address."""
        self._server = server
        made, _ = await self._loop.create_datagram_endpoint(lambda: _Socket(self._came_up), local_addr=(server[0], 0))
        self._front = made
        self.address = made.get_extra_info("sockname")[:2]
        return self.address

    def close(self) -> None:
        """What is on its way is lost; closing twice is allowed."""
        self._closed = True
        if self._front is not None:
            self._front.close()
        for back in self._backs.values():
            if not back.cancel() and back.exception() is None:
                back.result().close()

    def _came_up(self, data: bytes, peer: Address) -> None:
        if peer not in self._backs:
            if len(self._backs) >= MOST_PEERS:
                return
            self._backs[peer] = asyncio.ensure_future(self._opened_for(peer))
        back = self._backs[peer]

        def deliver(sent: bytes) -> None:
            if back.done():
                _pass_on(back, sent)
            else:  # its socket is not open yet
                back.add_done_callback(lambda opened: _pass_on(opened, sent))

        self._take(self.line_up, self.up, data, deliver)

    async def _opened_for(self, peer: Address) -> asyncio.DatagramTransport:
        def came(data: bytes, _: Address) -> None:
            assert self._front is not None
            front = self._front
            self._take(self.line_down, self.down, data, lambda sent: front.sendto(sent, peer))

        made, _ = await self._loop.create_datagram_endpoint(lambda: _Socket(came), remote_addr=self._server)
        return made

    def _take(self, line: Line, traffic: Traffic, data: bytes, deliver: Callable[[bytes], None]) -> None:
        now = self._clock.now()
        size = len(data) + HEADERS
        _count(traffic.offered, now - self.begun, size)
        traffic.packets += 1
        deliveries = line.send(len(data), now)
        traffic.lost += not deliveries
        for one in deliveries:
            # before there are keys, DTLS ends at a turned bit, from which UDP's checksum keeps it in truth
            sent = _turned(data, one.bit) if one.bit is not None and 127 < data[0] < 192 else data
            self._loop.call_later(max(one.at - now, 0.0), self._arrive, traffic, size, sent, deliver)

    def _arrive(self, traffic: Traffic, size: int, data: bytes, deliver: Callable[[bytes], None]) -> None:
        if not self._closed:
            _count(traffic.delivered, self._clock.now() - self.begun, size)
            deliver(data)


def _pass_on(back: asyncio.Future[asyncio.DatagramTransport], data: bytes) -> None:
    if not back.cancelled() and back.exception() is None:
        back.result().sendto(data)


class _Socket(asyncio.DatagramProtocol):
    """Hands on what comes; what a socket complains of is as good as lost."""

    def __init__(self, came: Callable[[bytes, Address], None]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._came(data, (addr[0], addr[1]))


def _count(bins: dict[int, int], at: float, size: int) -> None:
    number = int(at / BIN)
    bins[number] = bins.get(number, 0) + size


def _turned(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
