"""All sessions of a server: admission, lookup, resumption, viewers."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, Self

from mien.clock import Clock
from mien.live.shared import Shared
from mien.machine.memory import give_back
from mien.pipeline.worker import in_thread
from mien.serve.admission import COME_AGAIN, overloaded
from mien.serve.fields import PLAIN, Change, Opening, Steering
from mien.serve.peering import Answering, Peering
from mien.serve.portraits import Entry, Portraits
from mien.serve.records import Records
from mien.serve.refusal import Refusal, later, missing
from mien.serve.session import Asked, Session
from mien.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

ROOM_FOR = 2
"""Largest number of sessions in a room."""
_TOO_LATE = "the session has ended; begin a new one without it"
TICK = 0.5
"""Seconds between two looks at all sessions."""


@dataclass(slots=True)
class Tally:
    """Counters since the server started."""

    begun: int = 0
    refused: int = 0
    failed: int = 0
    """Offers that could not be met."""
    resumed: int = 0


class Sessions:
    """Lives on the event loop. Owns every task of every session; none outlives it."""

    def __init__(
        self,
        settings: ServeSettings,
        portraits: Portraits,
        shared: Shared,
        clock: Clock,
        answering: Answering,
        records: Records,
    ) -> None:
        self.most = settings.most_sessions or 1
        """Sessions that are admitted at once; whoever measures the machine sets it."""
        self.tally = Tally()
        self._settings = settings
        self._portraits = portraits
        self._shared = shared
        self._clock = clock
        self._answering = answering
        self.records = records
        self._sessions: dict[str, Session] = {}
        self._reserved: list[str | None] = []
        """Rooms of those whose offer is being answered; each holds a place."""
        self._group = asyncio.TaskGroup()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Sessions may be opened until this is left, which ends them."""
        failed: Exception | None = None
        async with self._group:
            ticking = self._group.create_task(self._tick())
            try:
                yield self
            except Exception as error:  # as it is: the group would wrap it
                failed = error
            finally:
                ticking.cancel()
                for session in self.all:
                    session.end("the server ends")
        if failed is not None:
            raise failed

    @property
    def all(self) -> tuple[Session, ...]:
        """From old to new; one that ends is among them until its peers are gone."""
        return tuple(self._sessions.values())

    def find(self, id: str) -> Session:
        """The session with this id.

        Raises:
            Refusal: there is none, or it has ended.
        """
        session = self._sessions.get(id)
        if session is None:
            raise missing(f"session {id[:40]!r}", "it has ended, or never was")
        return session

    def in_room(self, room: str) -> list[str]:
        """Ids of those who are in it."""
        return [session.id for session in self.all if session.room == room and session.state != "ended"]

    async def open(self, opening: Opening) -> Session:
        """A new session, or the one that is resumed; its peer's answer is there.

        Raises:
            Refusal: the server is full (503), the room is (409), or there is nothing to resume or to show (404).
            OfferError: the offer cannot be met.
        """
        if opening.resume is not None:
            return await self._resume(opening.resume, opening.sdp)
        entry = self._portraits.find(opening.portrait)
        with self._place(opening.room):
            session = self._made(opening, entry.id)
            peer = await self._answer(opening.sdp, session)
            session.connect(peer)
            self._sessions[session.id] = session
        self.tally.begun += 1
        self._group.create_task(self._run(session))
        logger.info("session %s begun with portrait %s", session.id, session.portrait.id)
        return session

    def change(self, session: Session, change: Change) -> None:
        """See `Session.change`.

        Raises:
            Refusal: there is no such portrait.
        """
        portrait = None if change.portrait is None else self._portraits.find(change.portrait)
        session.change(change, portrait, self._second(change))

    def _second(self, asked: Steering) -> Entry | None:
        """The portrait that a request names for a morph.

        Raises:
            Refusal: there is no such portrait.
        """
        return None if asked.morph is None or asked.morph == PLAIN else self._portraits.find(asked.morph)

    async def watch(self, session: Session, offer: str) -> tuple[str, Peering]:
        """Let somebody watch a session; its id as a viewer, and its peer.

        Raises:
            Refusal: too many watch (503).
            OfferError: the offer cannot be met.
        """
        self._need_room_for_viewer(session)
        id = secrets.token_hex(8)
        peer = await self._answering.answer(
            offer, self._settings.peer, sends=session.broadcast, receives=False, name=f"viewer {id}"
        )
        try:
            self._need_room_for_viewer(session)
        except Refusal:
            await peer.close("there was no room left")
            raise
        session.viewers[id] = peer
        self._group.create_task(self._forget_viewer(session, id, peer))
        return id, peer

    def _need_room_for_viewer(self, session: Session) -> None:
        limit = self._settings.limits.viewers
        if session.ended_because is not None:
            raise missing(f"session {session.id!r}", "it has ended")
        if len(session.viewers) >= limit:
            raise later(503, f"viewers: expected at most {limit} of one session, got one more", COME_AGAIN)

    async def _resume(self, token: str, offer: str) -> Session:
        session = self._resumable(token)
        peer = await self._answer(offer, session)
        if session.ended_because is not None:
            await peer.close("the session ended")
            raise missing("resume", _TOO_LATE)
        before = session.peer
        session.connect(peer)
        self.tally.resumed += 1
        if before is not None:
            await before.close("another peer took over")
        logger.info("session %s taken over by another peer", session.id)
        return session

    def _resumable(self, token: str) -> Session:
        given = token.encode()
        for session in self.all:
            if session.ended_because is None and hmac.compare_digest(session.resume_token.encode(), given):
                return session
        raise missing("resume", _TOO_LATE)

    async def _answer(self, offer: str, session: Session) -> Peering:
        try:
            return await self._answering.answer(
                offer, self._settings.peer, sends=session.broadcast, receives=True, name=f"session {session.id}"
            )
        except BaseException:
            self.tally.failed += 1
            raise

    def _made(self, opening: Opening, portrait: str) -> Session:
        plain = self._settings.reenact
        asked = Asked(
            self._portraits.find(portrait),
            opening.applied_to(plain.motion.gains),
            opening.latency or self._settings.latency,
            opening.background or plain.background,
            plain.relax if opening.relax is None else opening.relax,
            plain.wrinkles if opening.wrinkles is None else opening.wrinkles,
            plain.style if opening.style is None else opening.wished_style,
            self._second(opening),
            plain.degree if opening.degree is None else opening.degree,
            opening.room,
        )
        return Session(
            secrets.token_hex(8),
            asked,
            plain,
            self._shared,
            self._answering.broadcast(),
            self._clock,
            self._settings.limits.resume,
        )

    @contextlib.contextmanager
    def _place(self, room: str | None) -> Iterator[None]:
        """One of those that there are, kept while the offer is being answered."""
        self._need_place(room)
        self._reserved.append(room)
        try:
            yield
        finally:
            self._reserved.remove(room)

    def _need_place(self, room: str | None) -> None:
        if room is not None and len(self.in_room(room)) + self._reserved.count(room) >= ROOM_FOR:
            raise Refusal(409, f"room {room}: expected at most {ROOM_FOR} sessions, got one more; take another room")
        living = [one for one in self.all if one.state != "ended"]
        if len(living) + len(self._reserved) >= self.most:
            self._give_up_one_that_waits(living)
        loads = [load for one in self.all if (load := one.load) is not None]
        if overloaded(loads):
            self._refuse("expected room for one more, got a machine that is at its limit")

    def _give_up_one_that_waits(self, living: list[Session]) -> None:
        """A session whose peer is gone gives way to one whose peer is there."""
        waiting = [one for one in living if one.gone_since is not None]
        if not waiting:
            self._refuse(f"expected at most {self.most} at once, got one more")
        min(waiting, key=lambda one: one.gone_since or 0.0).end("it waited for its peer, and its place was needed")

    def _refuse(self, why: str) -> NoReturn:
        self.tally.refused += 1
        raise later(503, f"sessions: {why}; come again later", COME_AGAIN)

    async def _run(self, session: Session) -> None:
        try:
            await session.run()
        finally:
            try:  # its record is there before the session is gone: one of the two is always found
                await in_thread("mien-kept", partial(self.records.keep, session))
            finally:
                del self._sessions[session.id]
                del session  # else it would still be held by this very task
        await in_thread("mien-memory", give_back)

    async def _forget_viewer(self, session: Session, id: str, peer: Peering) -> None:
        await peer.wait_closed()
        session.viewers.pop(id, None)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._look()

    def _look(self) -> None:
        """At all sessions; a function of its own, that its last one is not held until the next look."""
        for session in self.all:
            session.listen()
            if session.seconds > self._settings.limits.session:
                session.end("it lasted as long as a session may")
