"""A server behind a bad network: its HTTP as it is, its media through a relay.

What passes is rewritten so that media can take no other way: offers lose their candidates, answers get the relay's in
place of the server's own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from mien.clock import Clock, MonotonicClock
from mien.errors import MienError
from mien_bench.network.profiles import Network
from mien_bench.network.relay import Address, Relay

_OWN: Final = ("host", "content-length", "origin", "referer", "transfer-encoding", "content-encoding", "connection")
"""Headers that are the connection's own affair, or name another place."""
_SDP, _TRICKLE, _JSON = "application/sdp", "application/trickle-ice-sdpfrag", "application/json"
STARTING: Final = 20.0


class Front:
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
            told = await answer.read()
            if answer.status == 201:
                told = await _rewritten(told, answer.content_type, self._relayed)
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OWN]
            return web.Response(status=answer.status, body=told, headers=kept)

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
        told = json.loads(body)
    except ValueError:
        return body
    if not isinstance(told, dict) or not isinstance(told.get("sdp"), str):
        return body
    return json.dumps({**told, "sdp": await rewrite(told["sdp"])}).encode()
