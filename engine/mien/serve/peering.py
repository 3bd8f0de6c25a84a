"""What the rest of the server knows of a peer: enough to be stood in for by a test's own."""

from __future__ import annotations

from typing import Any, Protocol

from mien.capture.source import Source
from mien.emit.sink import Sink
from mien.serve.webrtc.settings import PeerSettings


class Peering(Protocol):
    """A connection that was answered; see `mien.serve.webrtc.peer.Peer`."""

    answer_sdp: str

    @property
    def source(self) -> Source: ...

    @property
    def id_of_ice(self) -> str: ...

    async def add_candidates(self, fragment: str) -> None: ...

    async def wait_closed(self) -> str: ...

    async def close(self, because: str = "closed") -> None: ...

    def statistics(self) -> dict[str, Any]: ...


class Broadcasting(Sink, Protocol):
    """What peers send from; see `mien.serve.webrtc.broadcast.Broadcast`."""

    @property
    def peers(self) -> int: ...


class Answering(Protocol):
    """Makes both."""

    def broadcast(self) -> Broadcasting: ...

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
