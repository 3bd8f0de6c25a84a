"""The application: every route of a server, and what is done around each."""

from __future__ import annotations

from aiohttp import web

from mien.serve.middleware import add_headers, answering
from mien.serve.routes import about, page, portraits, rooms, sessions, whip
from mien.serve.server import SERVER, Server

ROUTES = (*about.ROUTES, *sessions.ROUTES, *portraits.ROUTES, *rooms.ROUTES, *whip.ROUTES, *page.ROUTES)


def application(server: Server) -> web.Application:
    """To be run while `server` runs."""
    app = web.Application(middlewares=[answering], client_max_size=server.settings.limits.body_bytes)
    app[SERVER] = server
    app.add_routes(ROUTES)
    app.on_response_prepare.append(add_headers)
    return app
