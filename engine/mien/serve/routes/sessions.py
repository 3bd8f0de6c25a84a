"""/api/v1/sessions: begun, read, changed while they run, ended."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from mien.serve.bodies import JSON, answer, read
from mien.serve.routes.events import stream
from mien.serve.routes.ice import ice_servers
from mien.serve.server import SERVER
from mien.serve.session import Session
from mien.serve.views import statistics_of
from mien.serve.wishes import change_of, opening_of, parsed

SESSION = "/api/v1/sessions/{id}"


async def begin(request: web.Request) -> web.Response:
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    server.need_ready()
    opening = opening_of(parsed(await read(request, JSON)))
    session = await server.sessions.open(opening)
    assert session.peer is not None
    more = {"sdp": session.peer.answer_sdp, "resume_token": session.resume_token, "ice_servers": ice_servers(server)}
    return answer(session.as_json() | more, 201, {"Location": f"/api/v1/sessions/{session.id}"})


async def list_all(request: web.Request) -> web.Response:
    return answer({"sessions": [session.as_json() for session in request.app[SERVER].sessions.all]})


async def show(request: web.Request) -> web.Response:
    return answer(_session(request).as_json())


async def change(request: web.Request) -> web.Response:
    wanted = change_of(parsed(await read(request, JSON)))
    session = _session(request)
    request.app[SERVER].sessions.change(session, wanted)
    return answer(session.as_json())


async def end(request: web.Request) -> web.Response:
    _session(request).end("a client ended it")
    return web.Response(status=204)


async def statistics(request: web.Request) -> web.Response:
    return answer(statistics_of(_session(request)))


async def events(request: web.Request) -> web.StreamResponse:
    session = _session(request)

    def told() -> tuple[str, dict[str, Any]]:
        return ("ended", session.as_json()) if session.state == "ended" else ("statistics", statistics_of(session))

    return await stream(request, told, until="ended")


def _session(request: web.Request) -> Session:
    return request.app[SERVER].sessions.find(request.match_info["id"])


ROUTES = (
    web.post("/api/v1/sessions", begin),
    web.get("/api/v1/sessions", list_all, allow_head=False),
    web.get(SESSION, show, allow_head=False),
    web.patch(SESSION, change),
    web.delete(SESSION, end),
    web.get(f"{SESSION}/statistics", statistics, allow_head=False),
    web.get(f"{SESSION}/events", events, allow_head=False),
)
