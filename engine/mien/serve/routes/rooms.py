"""/api/v1/rooms: who is in one, now and as it changes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from mien.serve.bodies import answer
from mien.serve.routes.events import stream
from mien.serve.server import SERVER
from mien.serve.wishes import room_of

ROOM = "/api/v1/rooms/{name}"


async def show(request: web.Request) -> web.Response:
    return answer(_room(request))


async def events(request: web.Request) -> web.StreamResponse:
    _room(request)
    return await stream(request, lambda: ("room", _room(request)), news_only=True)


def _room(request: web.Request) -> dict[str, Any]:
    name = room_of(request.match_info["name"])
    assert name is not None
    return {"name": name, "sessions": request.app[SERVER].sessions.in_room(name)}


ROUTES = (web.get(ROOM, show, allow_head=False), web.get(f"{ROOM}/events", events, allow_head=False))
