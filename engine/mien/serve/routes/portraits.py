"""/api/v1/portraits: listed, uploaded with consent, shown, deleted.

An upload is a form with a picture, a consent note, perhaps a name; the picture goes to disk as it comes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import BodyPartReader, MultipartReader, web

from mien.serve import fields
from mien.serve.portraits import Entry
from mien.serve.refusal import Refusal
from mien.serve.routes.answers import answer
from mien.serve.server import SERVER
from mien.serve.settings import Limits

FORM = "multipart/form-data"
PARTS = fields.Upload.__struct_fields__
NAME_CHARACTERS = 64
_CHUNK = 1 << 16
_AROUND = 1 << 16
"""Bytes of a form beside its picture."""


async def received(request: web.Request, path: Path, limits: Limits) -> tuple[str, str]:
    """Write the picture to `path`; the portrait's name, and the consent note.

    Raises:
        Refusal: the form is broken (400), of another kind (415), too large (413) or slow (408), or lacks a part (422).
    """
    if request.content_type != FORM:
        raise Refusal(415, f"Content-Type: expected {FORM}, got {request.content_type[:80]}; change it")
    if (request.content_length or 0) > limits.upload_bytes + _AROUND:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _Form(path, limits).read(await request.multipart())
    except TimeoutError:
        raise Refusal(408, f"upload: expected it within {limits.body_seconds:g} s, got less; send it again") from None
    except (Refusal, OSError):
        raise
    except Exception as error:  # whatever aiohttp's reader makes of a broken form
        said = str(error)[:80]
        raise Refusal(400, f"upload: expected a whole form, got a broken one ({said}); send it again") from None


class _Form:
    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._texts: dict[str, str] = {}
        self._file_name: str | None = None

    async def read(self, parts: MultipartReader) -> tuple[str, str]:
        async for part in parts:
            if not isinstance(part, BodyPartReader) or part.name not in PARTS:
                raise Refusal(422, f"upload: expected the parts {', '.join(PARTS)}, got another one; leave it out")
            if part.name in self._texts or (part.name == "picture" and self._file_name is not None):
                raise Refusal(422, f"{part.name}: expected one, got two; leave one out")
            if part.name == "picture":
                self._file_name = Path(part.filename or "").stem
                await self._write(part)
            else:
                self._texts[part.name] = await self._text(part, part.name)
        if self._file_name is None:
            raise Refusal(422, "picture: expected a picture's file, got none; add it")
        consent = self._texts.get("consent", "").strip()
        if not consent:
            raise Refusal(422, "consent: expected a note on who is seen and that they agree, got none; write one")
        return self._name(), consent

    async def _write(self, part: BodyPartReader) -> None:
        size = 0
        with self._path.open("wb") as file:
            while chunk := await part.read_chunk(_CHUNK):
                size += len(chunk)
                if size > self._limits.upload_bytes:
                    raise _too_large(self._limits)
                file.write(chunk)

    async def _text(self, part: BodyPartReader, name: str) -> str:
        data, most = bytearray(), self._limits.consent_characters
        while chunk := await part.read_chunk(_CHUNK):
            data += chunk
            if len(data) > 4 * most:
                break
        text = data.decode("utf-8", "replace")
        if len(text) > most:
            raise Refusal(413, f"{name}: expected at most {most} characters, got more; shorten it")
        return text

    def _name(self) -> str:
        name = self._texts.get("name", "").strip() or self._file_name or ""
        return "".join(c for c in name if c.isprintable())[:NAME_CHARACTERS] or "portrait"


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"picture: expected at most {limits.upload_bytes:,} bytes, got more; shrink it")


PORTRAIT = "/api/v1/portraits/{id}"


async def list_all(request: web.Request) -> web.Response:
    """GET /api/v1/portraits: all of them."""
    return answer(fields.Portraits(portraits=[entry.told() for entry in request.app[SERVER].portraits.entries]))


async def add(request: web.Request) -> web.Response:
    """POST /api/v1/portraits: receive an upload."""
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    with server.portraits.receiving() as path:
        name, consent = await received(request, path, server.settings.limits)
        entry = await server.portraits.add(path, name, consent)
    return answer(entry.told(), 201, {"Location": f"/api/v1/portraits/{entry.id}"})


async def show(request: web.Request) -> web.Response:
    """GET /api/v1/portraits/ID: one."""
    return answer(_entry(request).told())


async def picture(request: web.Request) -> web.FileResponse:
    """GET /api/v1/portraits/ID/picture: its file."""
    entry = _entry(request)
    if not entry.path.is_file():
        raise Refusal(404, f"portrait {entry.id}: expected its picture, got none; upload it again")
    return web.FileResponse(entry.path, headers={"Cache-Control": "private, max-age=86400"})


async def remove(request: web.Request) -> web.Response:
    """DELETE /api/v1/portraits/ID: delete an uploaded one."""
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
