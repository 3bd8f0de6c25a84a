"""Routes about the server (health, metrics, models, statistics), and the page's static files."""

from __future__ import annotations

import threading
from pathlib import Path

from aiohttp import web

from mien.config import GAIN_LIMIT
from mien.machine.memory import memory
from mien.provenance import own_version
from mien.serve import fields
from mien.serve.openapi import document
from mien.serve.refusal import Refusal
from mien.serve.routes.answers import answer, ice_servers
from mien.serve.server import SERVER, Server
from mien.serve.statistics import metrics_of
from mien.style.opening import style_names

FOLDER = Path(__file__).parents[1] / "page"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


async def alive(request: web.Request) -> web.Response:
    """GET /healthz: that the event loop turns."""
    return answer(fields.Status(status="ok"))


async def ready(request: web.Request) -> web.Response:
    """GET /readyz: whether the model is warm."""
    if request.app[SERVER].ready:
        return answer(fields.Status(status="ready"))
    return answer(fields.Status(status="starting"), 503, {"Retry-After": "5"})


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics: counters for Prometheus."""
    return web.Response(
        body=metrics_of(request.app[SERVER]), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


async def openapi(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json: the API as programs read it."""
    return answer(document(own_version()))


async def server(request: web.Request) -> web.Response:
    """GET /api/v1/server: what the server is; open to all, and then tells less."""
    return answer(_server(request.app[SERVER], request.app[SERVER].access.authorised(request.headers)))


async def models(request: web.Request) -> web.Response:
    """GET /api/v1/models: those that are here."""
    return answer(request.app[SERVER].models())


async def statistics(request: web.Request) -> web.Response:
    """GET /api/v1/statistics: how the server fares."""
    server = request.app[SERVER]
    tally = server.sessions.tally
    return answer(
        fields.ServerStatistics(
            seconds=round(server.seconds, 3),
            sessions=len(server.sessions.all),
            max_sessions=server.sessions.most,
            sessions_begun=tally.begun,
            sessions_resumed=tally.resumed,
            sessions_refused=tally.refused,
            sessions_failed=tally.failed,
            portraits=len(server.portraits.entries),
            streams=server.streams,
            memory_bytes=memory(),
            threads=threading.active_count(),
        )
    )


def _server(server: Server, authorised: bool) -> fields.Server:
    settings, limits = server.settings, server.settings.limits
    return fields.Server(
        version=own_version(),
        token_required=server.access.needs_token,
        authorised=authorised,
        ice_servers=ice_servers(server) if authorised else [],
        max_sessions=server.sessions.most,
        sessions=len(server.sessions.all),
        ready=server.ready,
        mark=settings.reenact.mark,
        model=settings.reenact.model,
        backend=server.about or None,
        resume_seconds=limits.resume,
        target_latency_ms=round(settings.latency * 1e3, 3),
        gain_limit=GAIN_LIMIT,
        styles=list(style_names()),
        upload=fields.UploadLimits(
            bytes=limits.upload_bytes, pixels=limits.upload_pixels, consent_characters=limits.consent_characters
        ),
    )


async def index(request: web.Request) -> web.FileResponse:
    """GET / and /room/NAME: the page."""
    return _file("index.html")


async def asset(request: web.Request) -> web.FileResponse:
    """GET /page/FILE: one of the page's files."""
    return _file(request.match_info["file"])


def _file(name: str) -> web.FileResponse:
    """Only what lies in the folder itself; what a client names is looked for among those, never opened."""
    for path in FOLDER.iterdir():
        if path.name == name and path.suffix in KINDS and path.is_file():
            return web.FileResponse(path, headers={"Content-Type": f"{KINDS[path.suffix]}"})
    raise Refusal(404, f"{name[:80]!r}: expected one of the page's files, got none")


ROUTES = (
    web.get("/healthz", alive),
    web.get("/readyz", ready),
    web.get("/metrics", metrics, allow_head=False),
    web.get("/api/v1/openapi.json", openapi, allow_head=False),
    web.get("/api/v1/server", server, allow_head=False),
    web.get("/api/v1/models", models, allow_head=False),
    web.get("/api/v1/statistics", statistics, allow_head=False),
    web.get("/", index),
    web.get("/room/{name}", index),
    web.get("/page/{file}", asset),
)
