"""A server on loopback, with peers that are fakes: a source that the test feeds, a broadcast that keeps the newest."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray
from tests.engine.pipeline.fakes import FedSource

from mien.capture.source import SourceInfo
from mien.clock import Clock, MonotonicClock
from mien.config import WARP, Gains, ReenactSettings
from mien.emit.sink import SinkBase
from mien.frame import Frame
from mien.live.making import Shown
from mien.live.session import LiveRequest
from mien.live.shared import Shared
from mien.serve.running import listening, tls_of
from mien.serve.server import Server, Warm
from mien.serve.settings import Limits, Rate, ServeSettings
from mien.serve.webrtc.offer import OfferError
from mien.sound.sound import Sound
from mien.stats import LiveStatistics

PATIENCE = 60.0
"""Seconds until a test that hangs fails."""
OFFER = "v=0\r\nfake"
OFTEN = Rate(10_000.0, 10_000.0)
LIMITS = Limits(requests=OFTEN, openings=OFTEN)
SETTINGS = ServeSettings(
    port=0,
    most_sessions=2,
    reenact=ReenactSettings(model=WARP, size=128, mark=False, invisible_mark=False),
    limits=LIMITS,
)
INFO = SourceInfo("fake", 256, 256, Fraction(25), Fraction(1, 25), None, None, seekable=False, live=True, sound=None)


class PeerFeed(FedSource):
    """What a fake peer sends."""

    @property
    def info(self) -> SourceInfo:
        return INFO


class FakeBroadcast(SinkBase):
    """Keeps the newest picture, and counts; `on_write` may look at, or fail, each frame, on the run's thread."""

    def __init__(self, on_write: Callable[[Frame], None] = lambda frame: None) -> None:
        self.newest: Frame | None = None
        self.count = 0
        self.discarded = self.finished = False
        self.peers = 0
        self._on_write = on_write

    def write(self, frame: Frame) -> None:
        self._on_write(frame)
        self.newest, self.count = frame, self.count + 1

    def write_sound(self, sound: Sound) -> None:
        pass

    def finish(self) -> None:
        self.finished = True

    def discard(self) -> None:
        self.discarded = True


class FakePeer:
    """Closed by the test or by the server."""

    _numbers = itertools.count(1)

    def __init__(self, name: str, receives: bool) -> None:
        self.name = name
        self.receives = receives
        self.answer_sdp = "v=0\r\nanswer"
        self.source = PeerFeed()
        self.candidates: list[str] = []
        self.id_of_ice = f"ice{next(self._numbers)}"
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def add_candidates(self, fragment: str) -> None:
        if not fragment.startswith("a="):
            raise OfferError("candidates: expected lines of candidates, got none", 400)
        self.candidates.append(fragment)

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._closed)

    @property
    def closed_because(self) -> str:
        return self._closed.result() if self._closed.done() else ""

    async def close(self, because: str = "closed") -> None:
        if not self._closed.done():
            self._closed.set_result(because)
        self.source.close()

    def statistics(self) -> dict[str, Any]:
        return {"state": "connected", "bitrate_in": 1000}


@dataclass
class FakeAnswering:
    """Answers what begins as SDP does; remembers the peers."""

    on_write: Callable[[Frame], None] = lambda frame: None
    peers: list[FakePeer] = field(default_factory=list)
    broadcasts: list[FakeBroadcast] = field(default_factory=list)

    def broadcast(self) -> FakeBroadcast:
        self.broadcasts.append(FakeBroadcast(self.on_write))
        return self.broadcasts[-1]

    async def answer(self, offer: str, settings: object, *, sends: object, receives: bool, name: str) -> FakePeer:
        if not offer.startswith("v=0"):
            raise OfferError("offer: expected SDP, got what is none")
        if "unmet" in offer:
            raise OfferError("offer: expected a codec that is known, got none", 422)
        self.peers.append(FakePeer(name, receives))
        return self.peers[-1]


@dataclass
class Place:
    """A server that listens, and a client of it."""

    server: Server
    answering: FakeAnswering
    url: str
    http: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any
    ) -> Answer:
        async with self.http.request(method, self.url + path, headers=headers, **more) as response:
            text = await response.read()
            assert response.status == status, (response.status, text)
            return Answer(response.headers, text)

    async def begin(self, **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "/api/v1/sessions", status=201, json={"sdp": OFFER, **body})
        told: dict[str, Any] = answer.json
        return told

    async def until(self, path: str, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What `path` answers as soon as it is as wished."""
        async with asyncio.timeout(PATIENCE):
            while True:
                told: dict[str, Any] = (await self.ask("GET", path)).json
                if met(told):
                    return told
                await asyncio.sleep(0.02)

    async def until_true(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not met():  # noqa: ASYNC110 (of a run's own threads, which know no event)
                await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Answer:
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


class IdleLive:
    """A live run that does nothing until it is stopped."""

    def __init__(self, request: LiveRequest) -> None:
        self.statistics = LiveStatistics(MonotonicClock())
        self.shown = Shown.by(request.pictures, request.settings)
        self.backend = "idle"
        self.metadata: dict[str, str] = {}
        self.paused = self.panic = self.recording = False
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    def show(self, shown: Shown) -> None:
        self.shown = shown

    def rezero(self) -> None:
        pass

    def set_gains(self, gains: Gains) -> None:
        pass

    def promise(self, latency: float) -> None:
        pass

    def adjust(self, relax: float, wrinkles: float) -> None:
        pass

    def notices(self) -> list[str]:
        return []


@contextlib.asynccontextmanager
async def open_idle(request: LiveRequest, shared: Shared) -> AsyncIterator[IdleLive]:
    """In place of `open_live`, where a test is of the server alone."""
    yield IdleLive(request)


def at_once(settings: ServeSettings, shared: Shared, picture: str) -> Warm:
    """In place of warming: two sessions fit."""
    return Warm(2, "warp")


@contextlib.asynccontextmanager
async def serving(
    settings: ServeSettings = SETTINGS,
    *,
    answering: FakeAnswering | None = None,
    warming: Callable[..., Warm] = at_once,
    clock: Clock | None = None,
) -> AsyncIterator[Place]:
    answering = answering or FakeAnswering()
    async with (
        Server.running(settings, answering=answering, warming=warming, clock=clock) as server,
        listening(server, tls_of(settings)) as (host, port),
        aiohttp.ClientSession() as http,
    ):
        if warming is at_once:
            await server.warming
        yield Place(server, answering, f"http://{host}:{port}", http)


def limited(**limits: Any) -> ServeSettings:
    return replace(SETTINGS, limits=replace(LIMITS, **limits))


def run(main: Callable[[], Awaitable[None]], patience: float = 2 * PATIENCE) -> None:
    async def timed() -> None:
        async with asyncio.timeout(patience):
            await main()

    asyncio.run(timed())


async def feed(peer: FakePeer, picture: NDArray[np.uint8], numbers: range, clock: Clock, every: float = 0.04) -> None:
    """Frames of one picture, as a camera gives them."""
    for number in numbers:
        peer.source.feed(Frame(picture, number, Fraction(1, 25), captured_at=clock.now()))
        await asyncio.sleep(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
