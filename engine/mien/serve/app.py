"""The aiohttp application: routes, and middleware around every request.

Who asks, how often, and one JSON answer and one line of the log for what goes wrong.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from mien.errors import MienError, reason_of
from mien.machine.outputs import is_full
from mien.serve.access import CROSS_ORIGIN, PAGE, PREFLIGHT
from mien.serve.log import in_a_line
from mien.serve.refusal import Refusal, error_of
from mien.serve.routes import about, avatars, portraits, sessions, verify, whip
from mien.serve.routes.answers import answer
from mien.serve.server import SERVER, Server
from mien.serve.webrtc.offer import OfferError

logger = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


def place_of(request: web.Request) -> str:
    """The pattern of the route that was found, empty where none was."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


@web.middleware
async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let who may pass, and make one JSON answer and one line of the log of whatever goes wrong."""
    server, connection = request.app[SERVER], request.protocol
    server.connections.begin(connection)
    try:
        response = await _answered(request, handler)
    finally:
        server.connections.end(connection)
    server.answered[response.status] += 1
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    server = request.app[SERVER]
    try:
        if request.method == "OPTIONS":
            return _preflight(request.path)
        place = place_of(request)
        server.need_pace(server.files if place in PAGE else server.requests, request.remote)
        server.access.check(place, request.headers)
        return await handler(request)
    except Refusal as refusal:
        return answer(error_of(str(refusal)), refusal.status, refusal.headers)
    except OfferError as error:
        return answer(error_of(str(error)), error.status)
    except MienError as error:
        return answer(error_of(str(error)), 422)
    except web.HTTPException as error:
        return _of_aiohttp(request, error)
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        logger.error("%s %s failed: %s", request.method, place_of(request) or "?", in_a_line(error))
        if isinstance(error, OSError) and is_full(error):
            told = f"server: expected room on its disk, got none ({reason_of(error)}); come again when there is some"
            return answer(error_of(told), 507)
        return answer(error_of("server: expected to answer, got an error; its log says more"), 500)


def _preflight(path: str) -> web.Response:
    accepts = {"Accept-Post": "application/sdp"} if path == "/whip" or path.startswith("/whep/") else {}
    return web.Response(status=204, headers={**PREFLIGHT, **accepts})


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    """404 and 405, which the router raises, and what reading a body may raise."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        message = f"method: expected one of {allowed}, got {error.method[:20]}; see /api/v1/openapi.json"
        return answer(error_of(message), 405, {"Allow": allowed})
    if error.status == 404:
        return answer(error_of(f"{request.path[:100]}: expected an address that is here, got none"), 404)
    return answer(error_of(error.reason), error.status)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """To every answer, also to streams: for other origins, and against guessing browsers."""
    response.headers.update(CROSS_ORIGIN)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if place_of(request) in PAGE:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-store")


ROUTES = (*about.ROUTES, *sessions.ROUTES, *portraits.ROUTES, *avatars.ROUTES, *verify.ROUTES, *whip.ROUTES)


def application(server: Server) -> web.Application:
    """To be run while `server` runs."""
    app = web.Application(middlewares=[answering], client_max_size=server.settings.limits.body_bytes)
    app[SERVER] = server
    app.add_routes(ROUTES)
    app.on_response_prepare.append(add_headers)
    return app
