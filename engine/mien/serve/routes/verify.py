"""/api/v1/verify: what a file says of itself. It is read, and not kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import BodyPartReader, web

from mien.serve import fields
from mien.serve.refusal import Refusal
from mien.serve.routes.answers import answer
from mien.serve.routes.portraits import FORM
from mien.serve.server import SERVER
from mien.serve.settings import Limits
from mien.serve.verifying import place_of

_CHUNK = 1 << 16
_AROUND = 1 << 14
"""Bytes of a form beside its file."""


async def verify(request: web.Request) -> web.Response:
    """POST /api/v1/verify: receive a file, and say what it says."""
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    async with server.verifying.receiving() as folder:
        path = await received(request, folder, server.settings.limits)
        told = await server.verifying.told(path)
    good, lines = bool(told.pop("good")), [str(line) for line in told.pop("lines")]
    return answer(fields.Verified(good=good, lines=lines, details=told))


async def received(request: web.Request, folder: Path, limits: Limits) -> Path:
    """Write the form's file into a folder.

    Raises:
        Refusal: the form is broken (400), of another kind (415), too large (413) or slow (408), or lacks it (422).
    """
    if request.content_type != FORM:
        raise Refusal(415, f"Content-Type: expected {FORM}, got {request.content_type[:80]}; change it")
    if (request.content_length or 0) > limits.upload_bytes + _AROUND:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(request, folder, limits)
    except TimeoutError:
        raise Refusal(408, f"upload: expected it within {limits.body_seconds:g} s, got less; send it again") from None
    except (Refusal, OSError):
        raise
    except Exception as error:  # whatever aiohttp's reader makes of a broken form
        said = str(error)[:80]
        raise Refusal(400, f"upload: expected a whole form, got a broken one ({said}); send it again") from None


async def _read(request: web.Request, folder: Path, limits: Limits) -> Path:
    path: Path | None = None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name != "file" or path is not None:
            raise Refusal(422, "upload: expected one part named file, got another one; leave it out")
        path, size = place_of(folder, part.filename or ""), 0
        with path.open("wb") as file:
            while chunk := await part.read_chunk(_CHUNK):
                size += len(chunk)
                if size > limits.upload_bytes:
                    raise _too_large(limits)
                file.write(chunk)
    if path is None:
        raise Refusal(422, "file: expected a picture, a video or a record, got none; add it")
    return path


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"file: expected at most {limits.upload_bytes:,} bytes, got more; run mien verify on it")


ROUTES = (web.post("/api/v1/verify", verify),)
