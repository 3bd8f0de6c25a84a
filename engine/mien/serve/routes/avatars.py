"""/api/v1/avatars: portraits of nobody."""

from __future__ import annotations

from aiohttp import web

from mien.serve.refusal import parsed, somebody_of
from mien.serve.routes.answers import JSON, read
from mien.serve.server import SERVER


async def make(request: web.Request) -> web.Response:
    """POST /api/v1/avatars: somebody's picture, which is not kept."""
    server = request.app[SERVER]
    wish = somebody_of(parsed(await read(request, JSON)))
    return web.Response(body=await server.avatars.made(wish), content_type="image/png")


ROUTES = (web.post("/api/v1/avatars", make),)
