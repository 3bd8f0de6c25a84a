"""A relay in user space before a server: its HTTP passes as it is, its media through an impaired line.

Offers and answers are rewritten so that media can take no other route: offers lose their candidates, answers get the
relay's in place of the server's own.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from mien.clock import Clock, MonotonicClock
from mien.errors import MienError
from mien_bench.network.impairment import HEADERS, Line, Network

Address = tuple[str, int]

MOST_PEERS: Final = 32
"""Most addresses of the peer that are distinguished: one for each of its candidates."""
BIN: Final = 0.1
"""Seconds of traffic that are counted together."""
_OWN: Final = ("host", "content-length", "origin", "referer", "transfer-encoding", "content-encoding", "connection")
"""Hop-by-hop headers, and those that name another host."""
_SDP, _TRICKLE, _JSON = "application/sdp", "application/trickle-ice-sdpfrag", "application/json"
STARTING: Final = 20.0


@dataclass(slots=True)
class Traffic:
    """Traffic of one direction; bytes with their headers, by tenths of a second."""

    offered: dict[int, int] = field(default_factory=dict)
    delivered: dict[int, int] = field(default_factory=dict)
    packets: int = 0
    lost: int = 0

    def bits(self, which: dict[int, int], begin: float, end: float) -> float:
        """A second, between two times since the relay began."""
        first, last = round(begin / BIN), round(end / BIN)
        return sum(which.get(number, 0) for number in range(first, last)) * 8 / max((last - first) * BIN, BIN)


class Relay:
    """A relay before one address of a server, on the event loop; what a peer sends to `address` passes the network.

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


class ServerProxy:
    """Listens on loopback, on an event loop of a thread of its own; close it."""

    def __init__(self, server: str, network: Network, *, seed: int = 0, clock: Clock | None = None) -> None:
        """`server`: address of one that runs, by HTTP."""
        self.relays: list[Relay] = []
        """One for each answer, in their order; to be read once media have ended."""
        self.url = ""
        self._server, self._network, self._seed = server.rstrip("/"), network, seed
        self._clock = clock or MonotonicClock()
        self._loop = asyncio.new_event_loop()
        self._ended: asyncio.Event | None = None
        self._thread = Thread(target=self._run, name="bench-network", daemon=True)
        self._told: Future[str] = Future()

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self._told.result(STARTING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:
            if not self._told.done():
                self._told.set_exception(error)
            raise
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        app = web.Application(client_max_size=32 << 20)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        async with aiohttp.ClientSession() as self._http:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self._told.set_result(f"http://127.0.0.1:{runner.addresses[0][1]}")
            await self._ended.wait()
            await runner.cleanup()
            for relay in self.relays:
                relay.close()

    async def _pass(self, request: web.Request) -> web.Response:
        body = await _rewritten(await request.read(), request.content_type, _hidden)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        url = self._server + request.path_qs
        async with self._http.request(request.method, url, data=body, headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
            if answer.status == 201:
                body = await _rewritten(body, answer.content_type, self._relayed)
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OWN]
            return web.Response(status=answer.status, body=body, headers=kept)

    async def _relayed(self, answer: str) -> str:
        server = _address_of(answer)
        relay = Relay(self._network, self._seed + len(self.relays), self._clock)
        self.relays.append(relay)
        host, port = await relay.open(server)
        lines = answer.splitlines()
        at = next(place for place, line in enumerate(lines) if line.startswith("a=candidate:"))
        only = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host"
        kept = [only if place == at else line for place, line in enumerate(lines) if place == at or not _tells(line)]
        return "".join(f"{line}\r\n" for line in kept)


async def _hidden(offer: str) -> str:
    """Without candidates: only the relay knows where the peer is."""
    return "".join(f"{line}\r\n" for line in offer.splitlines() if not _tells(line))


def _tells(line: str) -> bool:
    return line.startswith(("a=candidate", "a=end-of-candidates"))


def _address_of(answer: str) -> Address:
    """Of the first candidate by IPv4.

    Raises:
        MienError: there is none.
    """
    for line in answer.splitlines():
        parts = line.split(" ")
        if line.startswith("a=candidate:") and len(parts) > 5 and "." in parts[4]:
            return parts[4], int(parts[5])
    raise MienError("network: expected an answer with a candidate by IPv4, got none")


async def _rewritten(body: bytes, kind: str, rewrite: Callable[[str], Any]) -> bytes:
    """SDP, as it is or within JSON; anything else stays."""
    if kind in (_SDP, _TRICKLE) or body.startswith(b"v=0"):  # not all say what they send
        made: str = await rewrite(body.decode())
        return made.encode()
    if kind != _JSON:
        return body
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if not isinstance(answer, dict) or not isinstance(answer.get("sdp"), str):
        return body
    return json.dumps({**answer, "sdp": await rewrite(answer["sdp"])}).encode()
