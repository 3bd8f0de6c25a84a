"""The page's own files, from the package."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from mien.serve.refusal import Refusal

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


async def index(request: web.Request) -> web.FileResponse:
    return _file("index.html")


async def asset(request: web.Request) -> web.FileResponse:
    return _file(request.match_info["file"])


def _file(name: str) -> web.FileResponse:
    """Only what lies in the folder itself; what a client names is looked for among those, never opened."""
    for path in FOLDER.iterdir():
        if path.name == name and path.suffix in KINDS and path.is_file():
            return web.FileResponse(path, headers={"Content-Type": f"{KINDS[path.suffix]}"})
    raise Refusal(404, f"{name[:80]!r}: expected one of the page's files, got none")


ROUTES = (web.get("/", index), web.get("/room/{name}", index), web.get("/page/{file}", asset))
