"""A session: one person's live run, which outlives its peers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mien.clock import Clock
from mien.config import Gains, ReenactSettings
from mien.errors import MienError, Stopped
from mien.live.making import Shown
from mien.live.session import LiveRequest, LiveSession, open_live
from mien.live.shared import Shared
from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien.serve import fields
from mien.serve.admission import Load
from mien.serve.history import History
from mien.serve.log import in_a_line
from mien.serve.peering import Broadcasting, Peering, SwitchableSource
from mien.serve.portraits import Entry
from mien.stats import Statistics

logger = logging.getLogger(__name__)

NOTICES = 20
FPS_APART, FPS_OVER = 0.2, 1.5
"""Seconds between two looks that count, and over which the rate is taken."""
FAILED = "it failed; the server's log says why"


class Fps:
    """Frames per second of late: looks at counters now and then; used by one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=64)
        self.coming = 0.0
        """Frames a second that the source gave."""
        self.going = 0.0
        """Frames a second that were shown."""

    def see(self, statistics: Statistics) -> None:
        """Look at the counters; whoever asks oftener than every fifth of a second is told the same again."""
        now = self._clock.now()
        if self._seen and now - self._seen[-1][0] < FPS_APART:
            return
        self._seen.append((now, statistics.frames_in, statistics.frames_out))
        while len(self._seen) > 2 and now - self._seen[1][0] >= FPS_OVER:
            self._seen.popleft()
        (then, came, went), (_, comes, goes) = self._seen[0], self._seen[-1]
        if now > then:
            self.coming, self.going = (comes - came) / (now - then), (goes - went) / (now - then)


@dataclass(frozen=True, slots=True)
class Asked:
    """Initial settings of a session."""

    portrait: Entry
    gains: Gains
    latency: float
    background: str
    relax: float
    wrinkles: float
    style: str | None = None
    morph: Entry | None = None
    degree: float = ReenactSettings().degree
    room: str | None = None


class Session:
    """Lives on the event loop; the run itself has threads of its own."""

    def __init__(
        self,
        id: str,
        asked: Asked,
        settings: ReenactSettings,
        shared: Shared,
        broadcast: Broadcasting,
        clock: Clock,
        resume: float,
    ) -> None:
        """For `resume` seconds it waits for a peer that is gone."""
        self.id = id
        self.room = asked.room
        self.portrait = asked.portrait
        """As it is shown."""
        self.gains = asked.gains
        self.latency = asked.latency
        self.relax, self.wrinkles = asked.relax, asked.wrinkles
        self.broadcast = broadcast
        self.peer: Peering | None = None
        self.viewers: dict[str, Peering] = {}
        self.resume_token = secrets.token_urlsafe(24)
        self.notices: deque[tuple[int, str]] = deque(maxlen=NOTICES)
        self.ended_because: str | None = None
        self.ended = asyncio.Event()
        self.gone_since: float | None = None
        """Since when it has had no peer."""
        self.fps = Fps(clock)
        self.live: LiveSession | None = None
        """The run, once it is open."""
        self.began = clock.now()
        self.history = History(asked.portrait, asked.morph, asked.degree)
        self.ended_at: datetime | None = None
        self.metadata: dict[str, str] = {}
        """Of the run, once it is open; see `LiveSession.metadata`."""
        self.marked = settings.mark
        """Whether the visible mark is drawn."""
        self._settings = replace(
            settings,
            motion=replace(settings.motion, gains=asked.gains),
            background=asked.background,
            relax=asked.relax,
            wrinkles=asked.wrinkles,
            style=asked.style,
            morph=None if asked.morph is None else str(asked.morph.path),
            degree=asked.degree,
        )
        self._shared = shared
        self._clock = clock
        self._resume = resume
        self._source: SwitchableSource | None = None
        self._wanted = Shown.by((str(asked.portrait.path),), self._settings)
        self._paused = self._panic = False
        self._noticed = 0
        self._followed = asyncio.Event()

    # What a client sees

    @property
    def state(self) -> fields.State:
        """What it does at present."""
        if self.ended_because is not None:
            return "ended"
        if self.gone_since is not None:
            return "waiting"
        return "opening" if self.live is None else "running"

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock.now() - self.began

    @property
    def load(self) -> Load | None:
        """Present load; None while no frames come."""
        if self.live is None or self.state != "running" or self.live.statistics.frames_out == 0:
            return None
        latency = self.live.statistics.stage(CAPTURE_TO_EMIT).recent
        return Load(self.seconds, self.live.statistics.live.level, latency, self.latency)

    def told(self) -> fields.Session:
        """SESSION of the API."""
        self.listen()
        return fields.Session(
            id=self.id,
            state=self.state,
            ended_because=self.ended_because,
            portrait=self.portrait.id,
            room=self.room,
            gains=fields.Gains(**{name: getattr(self.gains, name) for name in fields.GAINS}),
            target_latency_ms=round(self.latency * 1e3, 3),
            background=self._shown.background,
            style=self._shown.style or fields.PLAIN,
            morph=self._morph_id,
            degree=self._shown.degree,
            relax=self.relax,
            wrinkles=self.wrinkles,
            paused=self._paused,
            panic=self._panic,
            mark=self.marked,
            seconds=round(self.seconds, 3),
            whep=f"/whep/{self.id}",
            viewers=len(self.viewers),
        )

    @property
    def _shown(self) -> Shown:
        return self._wanted if self.live is None else self.live.shown

    @property
    def _morph_id(self) -> str:
        """Id of the portrait that the shown one is blended with."""
        entry = None if self._shown.morph is None else self.history.at(self._shown.morph)
        return fields.PLAIN if entry is None else entry.id

    # What changes it

    def connect(self, peer: Peering) -> None:
        """Let a peer take over from the one before, which may already be gone."""
        self.peer, self.gone_since = peer, None
        self.resume_token = secrets.token_urlsafe(24)
        if self._source is None:
            self._source = SwitchableSource(peer.source)
        else:
            self._source.follow(peer.source)
        self._followed.set()

    def change(self, change: fields.Change, portrait: Entry | None, morph: Entry | None) -> None:
        """Take effect with the next frame; a portrait, background, style or morph when it is prepared.

        `portrait` and `morph` are those that `change` names.
        """
        self.history.give(portrait, morph)
        self.gains = change.applied_to(self.gains)
        if change.latency is not None:
            self.latency = change.latency
        self.relax = self.relax if change.relax is None else change.relax
        self.wrinkles = self.wrinkles if change.wrinkles is None else change.wrinkles
        self._paused = self._paused if change.paused is None else change.paused
        self._panic = self._panic if change.panic is None else change.panic
        before = self._wanted
        self._wanted = Shown(
            before.pictures if portrait is None else (str(portrait.path),),
            change.background or before.background,
            before.style if change.style is None else change.wished_style,
            before.morph if change.morph is None else (None if morph is None else str(morph.path)),
            before.degree if change.degree is None else change.degree,
        )
        if self.live is None:
            return
        self._steer(self.live)
        if change.rezero:
            self.live.rezero()
        if self._wanted != before:
            self.live.show(self._wanted)

    def end(self, because: str) -> None:
        """End in order, soon."""
        if self.ended_because is not None:
            return
        self.ended_because = because
        if self._source is not None:
            self._source.close()
        if self.live is not None:
            self.live.stop()

    def listen(self) -> None:
        """Collect the run's messages."""
        if self.live is None:
            return
        for text in self.live.notices():
            self.notice(text)
        shown = self.live.shown
        self.portrait = self.history.at(shown.pictures[0])
        second = None if shown.morph is None else self.history.at(shown.morph)
        self.history.show(self.portrait, second, shown.degree)
        self.fps.see(self.live.statistics)

    def notice(self, text: str) -> None:
        """Tell the client; files are named as it knows them."""
        second = () if self._wanted.morph is None else (self._wanted.morph,)
        for picture in {*self._wanted.pictures, *second, str(self.portrait.path)}:
            text = text.replace(picture, f"portrait {self.history.at(picture).name}")
        self._noticed += 1
        self.notices.append((self._noticed, text))

    # Its life

    async def run(self) -> None:
        """Until it is ended; never raises but when cancelled. One line in the log says how it went."""
        watching = asyncio.create_task(self._watch())
        try:
            await self._run()
        except Exception as error:
            self._fail(error)
        finally:
            self.end(self.ended_because or "the server ends")
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._close()
            self.ended_at = datetime.now(UTC)
            self.ended.set()
        logger.info("session %s ended after %.0f s: %s", self.id, self.seconds, self.ended_because)

    async def _run(self) -> None:
        assert self._source is not None
        request = LiveRequest(self._wanted.pictures, self._source, self.broadcast, self._settings, self.latency)
        wanted = self._wanted
        async with open_live(request, self._shared) as live:
            if self.ended_because is not None:
                return
            self.live, self.metadata = live, live.metadata
            self._steer(live)
            if self._wanted != wanted:
                live.show(self._wanted)
            await live.run()
            self.listen()

    def _steer(self, live: LiveSession) -> None:
        live.set_gains(self.gains)
        live.promise(self.latency)
        live.adjust(self.relax, self.wrinkles)
        live.paused, live.panic = self._paused, self._panic

    def _fail(self, error: Exception) -> None:
        if isinstance(error, Stopped):  # it ends while it begins: whoever ends it says why
            return
        if isinstance(error, MienError):
            self.notice(str(error))
            self.ended_because = self.ended_because or self.notices[-1][1]
            logger.warning("session %s: %s", self.id, error)
        else:
            self.ended_because = FAILED
            logger.error("session %s failed: %s", self.id, in_a_line(error))

    async def _watch(self) -> None:
        """See peers go, and the session with the last of them, unless another one comes in time."""
        while self.peer is not None:
            peer = self.peer
            because = await peer.wait_closed()
            if self.peer is not peer:
                continue
            self._followed.clear()
            self.peer, self.gone_since = None, self._clock.now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._resume):
                    await self._followed.wait()
            if self.peer is None:
                self.end(because)

    async def _close(self) -> None:
        peers = [*self.viewers.values(), *([self.peer] if self.peer is not None else [])]
        await asyncio.gather(*(peer.close("the session ended") for peer in peers), return_exceptions=True)
        self.viewers.clear()
        self.broadcast.discard()
