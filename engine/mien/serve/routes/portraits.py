"""/api/v1/portraits: listed, uploaded with consent, shown, deleted."""

from __future__ import annotations

from aiohttp import web

from mien.serve.bodies import answer
from mien.serve.portraits import Entry
from mien.serve.refusal import Refusal
from mien.serve.routes.upload import received
from mien.serve.server import SERVER

PORTRAIT = "/api/v1/portraits/{id}"


async def list_all(request: web.Request) -> web.Response:
    return answer({"portraits": [entry.as_json() for entry in request.app[SERVER].portraits.entries]})


async def add(request: web.Request) -> web.Response:
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    with server.portraits.receiving() as path:
        name, consent = await received(request, path, server.settings.limits)
        entry = await server.portraits.add(path, name, consent)
    return answer(entry.as_json(), 201, {"Location": f"/api/v1/portraits/{entry.id}"})


async def show(request: web.Request) -> web.Response:
    return answer(_entry(request).as_json())


async def picture(request: web.Request) -> web.FileResponse:
    entry = _entry(request)
    if not entry.path.is_file():
        raise Refusal(404, f"portrait {entry.id}: expected its picture, got none; upload it again")
    return web.FileResponse(entry.path, headers={"Cache-Control": "private, max-age=86400"})


async def remove(request: web.Request) -> web.Response:
    request.app[SERVER].portraits.remove(_entry(request).id)
    return web.Response(status=204)


def _entry(request: web.Request) -> Entry:
    return request.app[SERVER].portraits.find(request.match_info["id"])


ROUTES = (
    web.get("/api/v1/portraits", list_all, allow_head=False),
    web.post("/api/v1/portraits", add),
    web.get(PORTRAIT, show, allow_head=False),
    web.get(f"{PORTRAIT}/picture", picture, allow_head=False),
    web.delete(PORTRAIT, remove),
)
