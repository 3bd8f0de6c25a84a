"""Reading what a request carries, within limits, and writing what is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from mien.serve.refusal import Refusal
from mien.serve.server import SERVER

JSON = "application/json"
SDP = "application/sdp"
TRICKLE = "application/trickle-ice-sdpfrag"


async def read(request: web.Request, kind: str) -> bytes:
    """The body, which must be of one kind.

    Raises:
        Refusal: it is of another kind (415), too large (413), too slow (408), or coded otherwise than it says (400).
    """
    if request.content_type != kind:
        raise Refusal(415, f"Content-Type: expected {kind}, got {request.content_type[:80]}; change it")
    limits = request.app[SERVER].settings.limits
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await request.read()
    except TimeoutError:
        raise Refusal(408, f"body: expected it within {limits.body_seconds:g} s, got less; send it again") from None
    except web.RequestPayloadError:
        raise Refusal(400, "body: expected one that is coded as its headers say, got another; send it plain") from None
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(413, f"body: expected at most {limits.body_bytes:,} bytes, got more; send less") from None


async def read_text(request: web.Request, kind: str) -> str:
    """As `read`, as text.

    Raises:
        Refusal: as that, or it is no UTF-8 (400).
    """
    try:
        return (await read(request, kind)).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, "body: expected UTF-8, got what is none; look at its encoding") from None


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON response."""
    return web.json_response(value, status=status, headers=headers, dumps=_written)


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
