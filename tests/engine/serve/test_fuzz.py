"""A thousand requests that are wrong in some way, byte by byte, from a fixed seed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from urllib.parse import quote

import pytest
from tests.engine.serve.harness import LIMITS, SETTINGS, open_idle, run, serving

COUNT = 1000
AT_ONCE = 20
REPLY = 1.0
"""Seconds that are given to an answer: there is none to what waits for more."""
NASTY = [
    b"\x00",
    b"\r\n",
    b"\r\n\r\n",
    b"\xff\xfe",
    b"../" * 8,
    b"%00",
    b"%2e%2e%2f",
    b"A" * 9000,
    b"{" * 3000,
    b"[" * 3000,
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"Range: bytes=0-0,-1\r\n",
    "ü😀\u202e".encode(),
]


Parts = tuple[str, str, str, bytes]
"""Method, path, kind of content, body."""


def _requests() -> list[Parts]:
    """One that is right for every kind."""
    offer = json.dumps({"sdp": "v=0", "gains": {"pose": 1}, "room": "tea", "background": "blur"}).encode()
    form = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n\x89PNG\r\n--b--\r\n'
    sdp, trickle = "application/sdp", "application/trickle-ice-sdpfrag"
    gets = ["/", "/page/main.js", "/metrics", "/healthz", "/api/v1/portraits/mira/picture", "/api/v1/rooms/tea/events"]
    gets += ["/api/v1/sessions", "/api/v1/sessions/x/statistics", "/api/v1/server", "/api/v1/openapi.json", "/room/tea"]
    return [
        *(("GET", path, "text/plain", b"") for path in gets),
        *(("DELETE", path, "text/plain", b"") for path in ("/whip/x", "/whep/x/y", "/api/v1/portraits/x")),
        ("POST", "/api/v1/sessions", "application/json", offer),
        ("PATCH", "/api/v1/sessions/x", "application/json", b'{"panic": true}'),
        ("POST", "/whip?portrait=mira&resume=x", sdp, b"v=0\r\n"),
        ("PATCH", "/whip/x", trickle, b"a=candidate:1 1 udp 1 192.0.2.1 9 typ host"),
        ("POST", "/whep/x", sdp, b"v=0\r\n"),
        ("POST", "/api/v1/portraits", "multipart/form-data; boundary=b", form),
    ]


def _request(method: str, path: str, kind: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _spoilt(random: Random) -> bytes:
    """Every other one is still HTTP: then only its path and body are spoilt, so that it gets as far as a route."""
    method, path, kind, body = random.choice(_requests())
    if random.random() < 0.5:
        return _spoilt_bytes(random, _request(method, path, kind, body))
    if not body or random.random() < 0.3:
        at = random.randrange(1, len(path) + 1)
        path = path[:at] + quote(_spoilt_bytes(random, path[at:].encode() or b"x")[:200], safe="/?&=%")
    return _request(random.choice([method, "POST", "GET"]), path, kind, _spoilt_bytes(random, body or b"{}"))


def _spoilt_bytes(random: Random, given: bytes) -> bytes:
    data = bytearray(given)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        deed = random.randrange(6)
        if deed == 0:
            data[at : at + 1] = bytes([random.randrange(256)])
        elif deed == 1:
            data[at:at] = random.choice(NASTY)
        elif deed == 2:
            del data[at : at + random.randint(1, 40)]
        elif deed == 3:
            data[at:at] = data[random.randrange(len(data) + 1) :][:60]
        elif deed == 4:
            data = data[: max(at, 1)]
        else:
            data[at:at] = random.randbytes(random.randint(1, 60))
        data = data or bytearray(b"\x00")
    return bytes(data)


@pytest.fixture
def spoilt() -> Iterator[bytes]:
    random = Random(6)
    return (_spoilt(random) for _ in range(COUNT))


def test_a_thousand_wrong_requests_leave_the_server_as_it_was(
    spoilt: Iterator[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No answer says that the server failed, none makes it say more than a line, and after all it is well."""
    monkeypatch.setattr("mien.serve.session.open_live", open_idle)
    caplog.set_level(logging.WARNING)

    async def main() -> None:
        limits = replace(LIMITS, body_seconds=REPLY)
        async with serving(replace(SETTINGS, limits=limits, most_sessions=1000)) as place:
            host, port = place.url.removeprefix("http://").split(":")

            async def one_after_the_other() -> None:
                for data in spoilt:
                    await _send(host, int(port), data)

            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(one_after_the_other())
            await place.ask("GET", "/healthz")
            await place.begin()
            assert [status for status in place.server.answered if status >= 500 and status != 503] == []
            assert sum(place.server.answered.values()) > COUNT / 3, "many reached a route"
            await place.until_true(lambda: place.server.streams == 0)

    run(main)
    assert {record.name for record in caplog.records} <= {"mien.serve.http"}
    assert all("\n" not in record.getMessage() and record.exc_info is None for record in caplog.records)
    assert len(caplog.records) <= COUNT


async def _send(host: str, port: int, data: bytes) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        with contextlib.suppress(ConnectionError, TimeoutError):
            writer.write(data)
            await writer.drain()
            async with asyncio.timeout(REPLY / 4):
                answer = await reader.read(1 << 16)
                assert not answer or answer.startswith(b"HTTP/"), answer[:80]
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
