"""What the server is and how it fares: for pages, programs, probes and Prometheus."""

from __future__ import annotations

import threading
from importlib.metadata import version
from typing import Any

from aiohttp import web

from mien.config import GAIN_LIMIT
from mien.machine.memory import memory
from mien.serve.bodies import answer
from mien.serve.metrics import metrics_of
from mien.serve.openapi import document
from mien.serve.routes.ice import ice_servers
from mien.serve.server import SERVER, Server


async def alive(request: web.Request) -> web.Response:
    return answer({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    if request.app[SERVER].ready:
        return answer({"status": "ready"})
    return answer({"status": "starting"}, 503, {"Retry-After": "5"})


async def metrics(request: web.Request) -> web.Response:
    return web.Response(
        body=metrics_of(request.app[SERVER]), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


async def openapi(request: web.Request) -> web.Response:
    return answer(document(version("mien")))


async def server(request: web.Request) -> web.Response:
    return answer(_server(request.app[SERVER], request.app[SERVER].access.authorised(request.headers)))


async def models(request: web.Request) -> web.Response:
    return answer({"models": request.app[SERVER].models()})


async def statistics(request: web.Request) -> web.Response:
    server = request.app[SERVER]
    tally = server.sessions.tally
    told: dict[str, Any] = {
        "seconds": round(server.seconds, 3),
        "sessions": len(server.sessions.all),
        "max_sessions": server.sessions.most,
        "sessions_begun": tally.begun,
        "sessions_resumed": tally.resumed,
        "sessions_refused": tally.refused,
        "sessions_failed": tally.failed,
        "portraits": len(server.portraits.entries),
        "streams": server.streams,
        "memory_bytes": memory(),
        "threads": threading.active_count(),
    }
    return answer(told)


def _server(server: Server, authorised: bool) -> dict[str, Any]:
    settings, limits = server.settings, server.settings.limits
    return {
        "version": version("mien"),
        "token_required": server.access.needs_token,
        "authorised": authorised,
        "ice_servers": ice_servers(server) if authorised else [],
        "max_sessions": server.sessions.most,
        "sessions": len(server.sessions.all),
        "ready": server.ready,
        "mark": settings.reenact.mark,
        "model": settings.reenact.model,
        "backend": server.about or None,
        "resume_seconds": limits.resume,
        "target_latency_ms": round(settings.latency * 1e3, 3),
        "gain_limit": GAIN_LIMIT,
        "upload": {
            "bytes": limits.upload_bytes,
            "pixels": limits.upload_pixels,
            "consent_characters": limits.consent_characters,
        },
    }


ROUTES = (
    web.get("/healthz", alive),
    web.get("/readyz", ready),
    web.get("/metrics", metrics, allow_head=False),
    web.get("/api/v1/openapi.json", openapi, allow_head=False),
    web.get("/api/v1/server", server, allow_head=False),
    web.get("/api/v1/models", models, allow_head=False),
    web.get("/api/v1/statistics", statistics, allow_head=False),
)
