"""A small server that answers the page as `mien serve` does, with what a test wants: full, lost, faceless, refusing.

It sends the camera's own picture back, so no model runs. What the page does with the real server is tested beside.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiortc.mediastreams
from aiohttp import BodyPartReader, web
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

import mien
from mien import samples

PAGE = Path(mien.__file__).parent / "serve" / "page"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".html": "text/html"}
POLICY = "default-src 'self'"
"""Stricter than the real server's: the page needs no more."""
LINES = ["signed", "marked", "so it is"]
"""What is told of every file."""
CONNECTION = {"codec": "h264", "round_trip_ms": 11.8, "packets_lost": 2}
STAGES = {
    "capture": 2.0,
    "parse": 9.0,
    "motion": 1.0,
    "reenact": 6.0,
    "paint": 31.0,
    "fuse": 12.0,
    "smooth": 5.0,
    "encode": 7.0,
}


@dataclass
class FakeSession:
    id: str
    connection: RTCPeerConnection
    portrait: str
    room: str | None
    wish: dict[str, Any]
    tracks: list[aiortc.mediastreams.MediaStreamTrack] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    frames: int = 0


class FakeServer:
    """Runs on a thread of its own from entering to leaving; attributes may be set from any thread."""

    def __init__(self) -> None:
        self.told = 0
        self.behave()
        self.sessions: dict[str, FakeSession] = {}
        self.opened: list[dict[str, Any]] = []
        """Bodies of all openings, in their order."""
        self.ended: list[str] = []
        self.uploads: list[dict[str, str]] = []
        self.portraits: dict[str, bytes] = {}
        self.wishes: list[dict[str, Any]] = []
        """For portraits of nobody, in their order."""
        self.verified: list[tuple[str | None, str | None, bytes]] = []
        """Part, file's name and bytes of what was to be verified."""
        self.origin = ""
        self._connections: list[RTCPeerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-server")
        self._relay: MediaRelay | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0

    def behave(self) -> None:
        """Refuse nothing, and tell that all is well."""
        self.token: str | None = None
        self.ready = True
        self.full = 0
        """So many openings are refused with 503."""
        self.retry_after = 2
        self.refuse_change: str | None = None
        """The message with which changes are refused."""
        self.refuse_swap: str | None = None
        """What is told of a portrait that cannot be made."""
        self.refuse_upload: str | None = None
        self.refuse_verify: str | None = None
        self.good = True
        """Whether a file is told to be mien's and unchanged."""
        self.face: str | None = "found"
        self.level = "full"
        self.cause: str | None = None
        self.notices: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def tell(self, text: str) -> None:
        """Have the page told something new."""
        self.told += 1
        self.notices.append({"number": self.told, "text": text})

    def cut(self) -> None:
        """Lose every connection, and answer nothing until `mend`."""
        self.run(self._stop())

    def mend(self) -> None:
        self.run(self._start())

    def drop_media(self) -> None:
        """Lose every peer connection, but go on answering."""
        self.run(self._drop())

    def end_session(self) -> None:
        """End the only session, as a limit on its length does."""
        self.run(self._forget(self.session))

    @property
    def session(self) -> FakeSession:
        """The only one."""
        (one,) = self.sessions.values()
        return one

    async def _drop(self) -> None:
        connections, self._connections = self._connections, []
        for connection in connections:
            await connection.close()

    async def _start(self) -> None:
        self._relay = MediaRelay()
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/room/{name}", self._index),
                web.get("/page/{file}", self._file),
                web.get("/api/v1/server", self._server),
                web.get("/api/v1/portraits", self._list),
                web.post("/api/v1/portraits", self._upload),
                web.post("/api/v1/avatars", self._somebody),
                web.get("/api/v1/portraits/{id}/picture", self._picture),
                web.delete("/api/v1/portraits/{id}", self._remove),
                web.post("/api/v1/verify", self._verify),
                web.post("/api/v1/sessions", self._open),
                web.patch("/api/v1/sessions/{id}", self._change),
                web.delete("/api/v1/sessions/{id}", self._end),
                web.get("/api/v1/sessions/{id}/events", self._events),
                web.get("/api/v1/rooms/{name}/events", self._room),
                web.post("/whep/{id}", self._watch),
                web.delete("/whep/{id}/{viewer}", self._leave),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.origin = f"http://127.0.0.1:{self._port}"

    async def _stop(self) -> None:
        await self._drop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        open_paths = ("/page/", "/room/", "/api/v1/server")
        bare = request.path == "/" or request.path.startswith(open_paths)
        if not bare and not self._authorised(request):
            return _error(401, "token: expected a bearer token, got none; see what the server printed")
        response: web.StreamResponse = await handler(request)
        return response

    def _authorised(self, request: web.Request) -> bool:
        return self.token is None or request.headers.get("Authorization") == f"Bearer {self.token}"

    async def _index(self, request: web.Request) -> web.Response:
        return _file(PAGE / "index.html")

    async def _file(self, request: web.Request) -> web.Response:
        path = PAGE / request.match_info["file"]
        return _file(path) if path.is_file() else _error(404, f"{path.name}: expected a file, got none")

    async def _server(self, request: web.Request) -> web.Response:
        told = {"version": "0.0-fake", "token_required": self.token is not None, "ice_servers": [], "ready": self.ready}
        told |= {"styles": ["scream", "starry-night"]}
        return web.json_response({**told, "authorised": self._authorised(request), "mark": True})

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"portraits": [_portrait(id, True) for id in samples.portraits()] + self._own()})

    def _own(self) -> list[dict[str, Any]]:
        return [_portrait(id, False) for id in self.portraits]

    async def _picture(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        body = self.portraits.get(id) or samples.portraits()[id].read_bytes()
        return web.Response(body=body, content_type="image/png" if body[:4] == b"\x89PNG" else "image/jpeg")

    async def _somebody(self, request: web.Request) -> web.Response:
        self.wishes.append(await request.json())
        return web.Response(body=samples.portraits()["mira"].read_bytes(), content_type="image/jpeg")

    async def _upload(self, request: web.Request) -> web.Response:
        parts: dict[str, bytes] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            assert part.name is not None
            parts[part.name] = bytes(await part.read())
        if self.refuse_upload is not None:
            return _error(422, self.refuse_upload)
        id = f"own-{len(self.uploads)}"
        self.uploads.append({"id": id, "consent": parts["consent"].decode()})
        self.portraits[id] = parts["picture"]
        return web.json_response(_portrait(id, False), status=201)

    async def _verify(self, request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            self.verified.append((part.name, part.filename, bytes(await part.read())))
        if self.refuse_verify is not None:
            return _error(422, self.refuse_verify)
        return web.json_response({"good": self.good, "lines": LINES, "details": {"changed": not self.good}})

    async def _remove(self, request: web.Request) -> web.Response:
        del self.portraits[request.match_info["id"]]
        return web.Response(status=204)

    async def _open(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.opened.append({name: value for name, value in wish.items() if name != "sdp"})
        if self.full > 0:
            self.full -= 1
            return _error(503, "sessions: expected a free place, got none; come again", self.retry_after)
        members = [one for one in self.sessions.values() if one.room and one.room == wish.get("room")]
        id = str(wish["resume"]) if wish.get("resume") in self.sessions else f"s{len(self.opened)}"
        if len(members) >= 2:
            return _error(409, "room: expected at most 2, got one more; take another room")
        connection = self._connection()
        session = FakeSession(id, connection, wish.get("portrait") or "mira", wish.get("room"), wish)
        self.sessions[id] = session
        answer = await self._answer(connection, wish["sdp"], session)
        told = {"id": id, "resume_token": id, "sdp": answer, "portrait": session.portrait, "whep": f"/whep/{id}"}
        return web.json_response(told, status=201)

    def _connection(self) -> RTCPeerConnection:
        self._connections.append(RTCPeerConnection())
        return self._connections[-1]

    async def _answer(self, connection: RTCPeerConnection, offer: str, session: FakeSession) -> str:
        @connection.on("track")
        def send_back(track: aiortc.mediastreams.MediaStreamTrack) -> None:
            assert self._relay is not None
            session.tracks.append(track)
            connection.addTrack(self._relay.subscribe(track, buffered=False))

        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    async def _change(self, request: web.Request) -> web.Response:
        session = self.sessions.get(request.match_info["id"])
        if session is None:
            return _error(404, "session: expected one that runs, got none; begin a new one")
        if self.refuse_change is not None:
            return _error(422, self.refuse_change)
        change = await request.json()
        session.changes.append(change)
        if "portrait" in change and self.refuse_swap is not None:
            self.tell(self.refuse_swap)
        else:
            session.portrait = change.get("portrait", session.portrait)
        return web.json_response({"id": session.id, "portrait": session.portrait})

    async def _forget(self, session: FakeSession) -> None:
        del self.sessions[session.id]

    async def _end(self, request: web.Request) -> web.Response:
        session = self.sessions.pop(request.match_info["id"], None)
        if session is not None:
            self.ended.append(session.id)
            await session.connection.close()
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        session = self.sessions.get(request.match_info["id"])
        if session is None:
            return _error(404, "session: expected one that runs, got none; begin a new one")
        return await _stream(request, self._statistics(session))

    async def _statistics(self, session: FakeSession) -> AsyncIterator[tuple[str, Any]]:
        while session.id in self.sessions:
            session.frames += 6
            yield "statistics", self._told(session)
            await asyncio.sleep(0.25)
        yield "ended", {"id": session.id, "state": "ended"}

    def _told(self, session: FakeSession) -> dict[str, Any]:
        wave = 1 + 0.25 * ((session.frames // 6) % 9 - 4) / 4
        means = {name: ms * (wave if name in ("paint", "parse") else 1.0) for name, ms in STAGES.items()}
        means["capture_to_emit"] = sum(means.values()) + 9.0
        stages = {name: _stage(session.frames, mean) for name, mean in means.items()}
        frames = {"in": session.frames, "out": session.frames, "dropped": 3, "broken": 0, "without_face": 0}
        told = {
            "face": self.face,
            "level": self.level,
            "cause": self.cause,
            "notices": self.notices,
            "stages": stages,
            "portrait": session.portrait,
        }
        more = {"latency_ms": means["capture_to_emit"], "fps_in": 25.0, "fps_out": 24.8, "frames": frames}
        return {**told, **more, "backend": "oneshot-live, openvino int8", "connection": CONNECTION}

    async def _room(self, request: web.Request) -> web.StreamResponse:
        return await _stream(request, self._members(request.match_info["name"]))

    async def _members(self, name: str) -> AsyncIterator[tuple[str, Any]]:
        while True:
            ids = [one.id for one in self.sessions.values() if one.room == name]
            yield "room", {"name": name, "sessions": ids}
            await asyncio.sleep(0.2)

    async def _watch(self, request: web.Request) -> web.Response:
        session = self.sessions.get(request.match_info["id"])
        if session is None or self._relay is None:
            return _error(404, "session: expected one that runs, got none")
        connection = self._connection()
        for track in session.tracks:
            connection.addTrack(self._relay.subscribe(track, buffered=False))
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        headers = {"Location": f"/whep/{session.id}/1"}
        sdp = str(connection.localDescription.sdp)
        return web.Response(status=201, text=sdp, content_type="application/sdp", headers=headers)

    async def _leave(self, request: web.Request) -> web.Response:
        return web.Response(status=200)


def _stage(count: int, mean: float) -> dict[str, float]:
    return {
        "count": count,
        "mean_ms": mean,
        "p50_ms": mean,
        "p95_ms": mean * 1.3,
        "p99_ms": mean * 1.7,
        "max_ms": mean * 2,
    }


def _portrait(id: str, sample: bool) -> dict[str, Any]:
    picture = f"/api/v1/portraits/{id}/picture"
    return {"id": id, "name": id.capitalize(), "sample": sample, "width": 512, "height": 512, "picture": picture}


def _file(path: Path) -> web.Response:
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8", headers=headers)


def _error(status: int, message: str, retry_after: int | None = None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    what, _, advice = message.partition("; ")
    return web.json_response({"error": {"message": what, "do": advice}}, status=status, headers=headers)


async def _stream(request: web.Request, events: AsyncIterator[tuple[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    try:
        async for name, value in events:
            await response.write(f"event: {name}\ndata: {json.dumps(value)}\n\n".encode())
    except ConnectionError:
        pass  # the page went away
    return response
