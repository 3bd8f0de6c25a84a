"""Protocol of a session's peer, and the source that continues from one peer to the next.

What is known of a peer is little enough to be stood in for by a test's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Condition
from types import TracebackType
from typing import Any, Protocol, Self

from mien.capture.source import Source, SourceInfo
from mien.emit.sink import Sink
from mien.errors import SourceError
from mien.frame import Frame
from mien.serve.webrtc.settings import PeerSettings
from mien.sound.sound import Sound


class Peering(Protocol):
    """A connection that was answered; see `mien.serve.webrtc.peer.Peer`."""

    answer_sdp: str

    @property
    def source(self) -> Source:
        """What the peer sends."""
        ...

    @property
    def id_of_ice(self) -> str:
        """The user name of this side's ICE, another one for each peer."""
        ...

    async def add_candidates(self, fragment: str) -> None:
        """Take candidates that are trickled."""
        ...

    async def wait_closed(self) -> str:
        """Until it is closed; why it was."""
        ...

    async def close(self, because: str = "closed") -> None:
        """End in order; closing twice is allowed, and the first reason stays."""
        ...

    def statistics(self) -> dict[str, Any]:
        """What is known of the connection, as plain JSON values."""
        ...


class Broadcasting(Sink, Protocol):
    """What peers send from; see `mien.serve.webrtc.broadcast.Broadcast`."""

    @property
    def peers(self) -> int:
        """Number of present readers."""
        ...


class Answering(Protocol):
    """Makes both."""

    def broadcast(self) -> Broadcasting:
        """What the peers of one session are sent from."""
        ...

    async def answer(
        self, offer: str, settings: PeerSettings, *, sends: Broadcasting | None, receives: bool, name: str
    ) -> Peering:
        """As `Peer.answer`.

        Raises:
            OfferError: the offer cannot be met.
        """
        ...


class WebRtc:
    """The real ones; loads them when they are first needed."""

    def broadcast(self) -> Broadcasting:
        from mien.serve.webrtc.broadcast import Broadcast

        return Broadcast()

    async def answer(
        self, offer: str, settings: PeerSettings, *, sends: Broadcasting | None, receives: bool, name: str
    ) -> Peering:
        from mien.serve.webrtc.broadcast import Broadcast
        from mien.serve.webrtc.peer import Peer

        assert sends is None or isinstance(sends, Broadcast)
        return await Peer.answer(offer, settings, sends=sends, receives=receives, name=name)


class SwitchableSource:
    """Gives what the newest source gives, and waits for another one when that ends; read by one thread.

    All else may be called from any thread.
    """

    def __init__(self, first: Source) -> None:
        self._changed = Condition()
        self._source = first
        self._read: Source | None = None
        """The one that was read last."""
        self._closed = False
        self._broken = 0

    def follow(self, source: Source) -> None:
        """Let `source` take over; the one before is closed."""
        with self._changed:
            before, self._source = self._source, source
            self._broken += before.broken_frames
            closed = self._closed
            self._changed.notify_all()
        before.close()
        if closed:
            source.close()

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def broken_frames(self) -> int:
        return self._broken + self._source.broken_frames

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._source.warnings

    def __iter__(self) -> Iterator[Frame | Sound]:
        while (source := self._next()) is not None:
            yield from source

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError("peer: expected a source that can be looked through before, got a live one")

    def close(self) -> None:
        """End the iteration."""
        with self._changed:
            self._closed = True
            source = self._source
            self._changed.notify_all()
        source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> Source | None:
        """Another source than the one that was read last; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._source is not self._read)
            self._read = self._source
            return None if self._closed else self._source
