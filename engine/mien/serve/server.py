"""The server object: its parts, warm-up, readiness and shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from mien.bundles import installed_bundles
from mien.cancellation import imports_ended_by
from mien.clock import Clock, MonotonicClock
from mien.config import WARP
from mien.live.shared import Shared
from mien.machine.processor import usable_threads
from mien.pipeline.worker import in_thread
from mien.serve import fields
from mien.serve.access import Access, Connections, RateLimit
from mien.serve.admission import sustained
from mien.serve.avatars import Avatars
from mien.serve.peering import Answering, WebRtc
from mien.serve.portraits import Portraits
from mien.serve.records import Records
from mien.serve.refusal import later
from mien.serve.sessions import Sessions
from mien.serve.settings import ServeSettings
from mien.serve.verifying import Verifying

logger = logging.getLogger(__name__)

STARTING = 5.0
"""Seconds until one who came before the model was warm may come again."""


@dataclass(frozen=True, slots=True)
class Warm:
    """Results of the warm-up."""

    sessions: int
    """That the machine sustains."""
    about: str
    """Description of the model and its runtime."""


Warming = Callable[[ServeSettings, Shared, str], Warm]
"""Loads what sessions share, on a thread of its own; is given the first portrait's file."""


def warm(settings: ServeSettings, shared: Shared, picture: str) -> Warm:
    """Load the model, prepare the first portrait, and measure what a frame costs here.

    Raises:
        MienError: the model cannot be used.
    """
    with imports_ended_by(shared.graphs.need_wanted):
        from mien.serve.admission import measure

        cost, about = measure(picture, settings.reenact, shared)
    processors = settings.reenact.threads or usable_threads()
    sessions = sustained(cost, processors)
    logger.info("a frame costs %.1f ms of one processor: %d sessions at once", cost.whole * 1e3, sessions)
    return Warm(sessions, about)


@dataclass(eq=False)
class Server:
    """State shared by all routes; used on the event loop."""

    settings: ServeSettings
    portraits: Portraits
    sessions: Sessions
    shared: Shared
    clock: Clock
    avatars: Avatars = field(default_factory=Avatars)
    verifying: Verifying = field(init=False)
    access: Access = field(init=False)
    requests: RateLimit = field(init=False)
    files: RateLimit = field(init=False)
    openings: RateLimit = field(init=False)
    about: str = ""
    """Description of the model and its runtime; empty until the server is warm."""
    streams: int = 0
    """Streams of events that are open."""
    connections: Connections = field(init=False)
    answered: Counter[int] = field(default_factory=Counter)
    """Requests by the status that was answered."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    warming: asyncio.Future[None] = field(init=False)
    """Completes when the server is ready, or fails with the reason why it cannot be."""

    def __post_init__(self) -> None:
        limits = self.settings.limits
        self.access = Access(self.settings.token)
        self.connections = Connections(self.clock, limits.quiet, limits.connections)
        self.requests, self.openings = RateLimit(limits.requests), RateLimit(limits.openings)
        self.files = RateLimit(limits.files)
        self.verifying = Verifying(limits)
        self.began = self.clock.now()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls,
        settings: ServeSettings,
        *,
        answering: Answering | None = None,
        warming: Warming = warm,
        clock: Clock | None = None,
    ) -> AsyncIterator[Self]:
        """All parts, closed on leaving.

        Raises:
            SinkError: the folder for portraits cannot be used.
            SettingError: the key that signs records cannot be used.
        """
        clock, shared = clock or MonotonicClock(), Shared()
        try:
            async with Portraits.open(settings.portraits, settings.limits, shared) as portraits:
                records = await in_thread("mien-records", lambda: Records.open(settings))
                sessions = Sessions(settings, portraits, shared, clock, answering or WebRtc(), records)
                server = cls(settings, portraits, sessions, shared, clock)
                async with sessions.running():
                    server.warming = asyncio.ensure_future(server._warm(warming))
                    try:
                        yield server
                    finally:
                        server.closing.set()
                        shared.stop()
                        await asyncio.gather(server.warming, return_exceptions=True)
                        await in_thread("mien-close-avatars", server.avatars.close)
        finally:
            await in_thread("mien-close", shared.close)

    @property
    def ready(self) -> bool:
        """Whether sessions may begin."""
        return bool(self.about) and not self.closing.is_set()

    def need_ready(self) -> None:
        """Raise a Refusal while it is not."""
        if not self.ready:
            raise later(503, "sessions: expected a server that is ready, got one that is starting", STARTING)

    def need_pace(self, limit: RateLimit, client: str | None) -> None:
        """Raise a Refusal for a client that asks too often."""
        seconds = limit.wait(client or "", self.clock.now())
        if seconds > 0:
            raise later(429, f"requests: expected fewer from {client}, got one more; wait", seconds)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self.clock.now() - self.began

    def models(self) -> fields.Models:
        """That there are, and which is used."""
        used = self.settings.reenact.model
        found = [*((place.name, place.packaged) for place in installed_bundles()), (WARP, True)]
        return fields.Models(
            models=[fields.Model(name=name, packaged=packaged, used=name == used) for name, packaged in found]
        )

    async def _warm(self, warming: Warming) -> None:
        first = str(self.portraits.find(None).path)
        made = await in_thread("mien-warm", lambda: warming(self.settings, self.shared, first))
        self.sessions.most = self.settings.most_sessions or made.sessions
        self.about = made.about


SERVER = web.AppKey("server", Server)
