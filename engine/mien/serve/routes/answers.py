"""Shared by all routes: bodies within limits, JSON answers, server-sent events, ICE servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET

from mien.serve.fields import IceServer, Table
from mien.serve.refusal import Refusal, later
from mien.serve.server import SERVER, Server

JSON = "application/json"
SDP = "application/sdp"
TRICKLE = "application/trickle-ice-sdpfrag"


async def read(request: web.Request, kind: str) -> bytes:
    """The body, which must be of one kind.

    Raises:
        Refusal: it is of another kind (415), too large (413), too slow (408), or coded otherwise than it says (400).
    """
    if request.content_type != kind:
        raise Refusal(415, f"Content-Type: expected {kind}, got {request.content_type[:80]}; change it")
    limits = request.app[SERVER].settings.limits
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await request.read()
    except TimeoutError:
        raise Refusal(408, f"body: expected it within {limits.body_seconds:g} s, got less; send it again") from None
    except web.RequestPayloadError:
        raise Refusal(400, "body: expected one that is coded as its headers say, got another; send it plain") from None
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(413, f"body: expected at most {limits.body_bytes:,} bytes, got more; send less") from None


async def read_text(request: web.Request, kind: str) -> str:
    """As `read`, as text.

    Raises:
        Refusal: as that, or it is no UTF-8 (400).
    """
    try:
        return (await read(request, kind)).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, "body: expected UTF-8, got what is none; look at its encoding") from None


def answer(value: Table | dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON response."""
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=status, headers=headers, content_type=JSON, charset="utf-8")


EVERY = 0.25
"""Seconds from one event to the next."""
PATIENCE = 10.0
"""Seconds that a client may take to read one."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The last one has nginx pass events on as they come, which it else collects until there are four kilobytes."""
SILENCE = 60
"""Turns without news after which a comment shows that the stream lives: 15 s."""


async def stream(
    request: web.Request, told: Callable[[], tuple[str, Table]], *, until: str | None = None, news_only: bool = False
) -> web.StreamResponse:
    """Tell events until the client leaves, the server closes, or the event `until` was told.

    Args:
        told: gives the kind and the data of the event that is due.
        news_only: leave out what is the same as before.

    Raises:
        Refusal: too many streams are open (503).
    """
    server = request.app[SERVER]
    with _counted(server):
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            await _tell(server, response, told, until, news_only)
        return response


async def _tell(
    server: Server,
    response: web.StreamResponse,
    told: Callable[[], tuple[str, Table]],
    until: str | None,
    news_only: bool,
) -> None:
    before, silent = "", 0
    while True:
        kind, data = told()
        event = f"event: {kind}\ndata: {msgspec.json.encode(data).decode()}\n\n"
        same = news_only and event == before
        silent = silent + 1 if same else 0
        if not same or silent % SILENCE == 0:
            async with asyncio.timeout(PATIENCE):
                await response.write((": still here\n\n" if same else event).encode())
        before = event
        if kind == until or server.closing.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                await server.closing.wait()


@contextlib.contextmanager
def _counted(server: Server) -> Iterator[None]:
    most = server.settings.limits.streams
    if server.streams >= most:
        raise later(503, f"events: expected at most {most} streams, got one more; read statistics instead", 5)
    server.streams += 1
    try:
        yield
    finally:
        server.streams -= 1


def ice_servers(server: Server) -> list[IceServer]:
    """As `RTCPeerConnection` takes them."""
    return [
        IceServer(
            urls=ice.url,
            username=UNSET if ice.username is None else ice.username,
            credential=UNSET if ice.credential is None else ice.credential,
        )
        for ice in server.settings.peer.ice_servers
    ]


def ice_links(server: Server) -> list[str]:
    """As values of `Link` (RFC 9725, 4.6)."""
    links = []
    for ice in server.settings.peer.ice_servers:
        link = f'<{ice.url}>; rel="ice-server"'
        if ice.username is not None and ice.credential is not None:
            name, credential = _quoted(ice.username), _quoted(ice.credential)
            link += f'; username={name}; credential={credential}; credential-type="password"'
        links.append(link)
    return links


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
