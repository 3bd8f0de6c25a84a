"""Streams of server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

from mien.serve.refusal import later
from mien.serve.server import SERVER, Server

EVERY = 0.25
"""Seconds from one event to the next."""
PATIENCE = 10.0
"""Seconds that a client may take to read one."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The last one has nginx pass events on as they come, which it else collects until there are four kilobytes."""
SILENCE = 60
"""Turns without news after which a comment shows that the stream lives: 15 s."""


async def stream(
    request: web.Request, told: Callable[[], tuple[str, Any]], *, until: str | None = None, news_only: bool = False
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
    told: Callable[[], tuple[str, Any]],
    until: str | None,
    news_only: bool,
) -> None:
    before, silent = "", 0
    while True:
        kind, data = told()
        event = f"event: {kind}\ndata: {json.dumps(data, allow_nan=False)}\n\n"
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
