"""Routes of /api/v1/sessions (begin, read, change, end) and /api/v1/rooms (members, events)."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from msgspec import structs

from mien.pipeline.worker import in_thread
from mien.serve import fields
from mien.serve.refusal import change_of, opening_of, parsed, room_of
from mien.serve.routes.answers import JSON, answer, ice_servers, read, stream
from mien.serve.server import SERVER
from mien.serve.session import Session
from mien.serve.statistics import statistics_of

SESSION = "/api/v1/sessions/{id}"
ROOM = "/api/v1/rooms/{name}"


async def begin(request: web.Request) -> web.Response:
    """POST /api/v1/sessions: a new session, or one that is resumed."""
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    server.need_ready()
    opening = opening_of(parsed(await read(request, JSON)))
    session = await server.sessions.open(opening)
    assert session.peer is not None
    begun = fields.Begun(
        **structs.asdict(session.told()),
        sdp=session.peer.answer_sdp,
        resume_token=session.resume_token,
        ice_servers=ice_servers(server),
    )
    return answer(begun, 201, {"Location": f"/api/v1/sessions/{session.id}"})


async def list_all(request: web.Request) -> web.Response:
    """GET /api/v1/sessions: all of them."""
    return answer(fields.Sessions(sessions=[session.told() for session in request.app[SERVER].sessions.all]))


async def show(request: web.Request) -> web.Response:
    """GET /api/v1/sessions/ID: one."""
    return answer(_session(request).told())


async def change(request: web.Request) -> web.Response:
    """PATCH /api/v1/sessions/ID: steer it while it runs."""
    wanted = change_of(parsed(await read(request, JSON)))
    session = _session(request)
    request.app[SERVER].sessions.change(session, wanted)
    return answer(session.told())


async def end(request: web.Request) -> web.Response:
    """DELETE /api/v1/sessions/ID: end it."""
    _session(request).end("a client ended it")
    return web.Response(status=204)


async def record(request: web.Request) -> web.Response:
    """GET /api/v1/sessions/ID/record: who is shown, signed; also when it has ended."""
    id, sessions = request.match_info["id"], request.app[SERVER].sessions
    session = next((one for one in sessions.all if one.id == id), None)
    if session is not None:
        session.listen()
        found = await in_thread("mien-signing", partial(sessions.records.of, session))
        if found is not None:
            return answer(found)
    return answer(await in_thread("mien-signing", partial(sessions.records.kept, id)))


async def statistics(request: web.Request) -> web.Response:
    """GET /api/v1/sessions/ID/statistics: how it fares."""
    return answer(statistics_of(_session(request)))


async def events(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/sessions/ID/events: the same four times a second, until it ends."""
    session = _session(request)

    def told() -> tuple[str, fields.Table]:
        return ("ended", session.told()) if session.state == "ended" else ("statistics", statistics_of(session))

    return await stream(request, told, until="ended")


def _session(request: web.Request) -> Session:
    return request.app[SERVER].sessions.find(request.match_info["id"])


async def show_room(request: web.Request) -> web.Response:
    """GET /api/v1/rooms/NAME: who is in it."""
    return answer(_room(request))


async def room_events(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/rooms/NAME/events: the same whenever it changes."""
    _room(request)
    return await stream(request, lambda: ("room", _room(request)), news_only=True)


def _room(request: web.Request) -> fields.Room:
    name = room_of(request.match_info["name"])
    assert name is not None
    return fields.Room(name=name, sessions=request.app[SERVER].sessions.in_room(name))


ROUTES = (
    web.post("/api/v1/sessions", begin),
    web.get("/api/v1/sessions", list_all, allow_head=False),
    web.get(SESSION, show, allow_head=False),
    web.patch(SESSION, change),
    web.delete(SESSION, end),
    web.get(f"{SESSION}/record", record, allow_head=False),
    web.get(f"{SESSION}/statistics", statistics, allow_head=False),
    web.get(f"{SESSION}/events", events, allow_head=False),
    web.get(ROOM, show_room, allow_head=False),
    web.get(f"{ROOM}/events", room_events, allow_head=False),
)
