"""One WebRTC connection."""

from __future__ import annotations

from typing import Any, Self

from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.offer import OfferError
from mien.serve.webrtc.settings import PeerSettings
from mien.serve.webrtc.source import PeerSource

__all__ = ["OfferError", "Peer"]


class Peer:
    """A connection that was answered; lives on the event loop that made it, but for its `source`."""

    answer_sdp: str
    """With all candidates."""
    source: PeerSource
    """What the peer sends, for one thread; ends at once where it sends nothing."""
    closed_because: str
    """Why it was closed, in words; empty while it is open."""

    @classmethod
    async def answer(
        cls,
        offer: str,
        settings: PeerSettings | None = None,
        *,
        sends: Broadcast | None = None,
        receives: bool = True,
        name: str = "peer",
    ) -> Self:
        """Answer an offer; what it begins goes on by itself until the peer leaves, is silent, or is closed.

        Args:
            offer: SDP, at most 64 KiB.
            sends: what the peer gets to see, where its offer wants something.
            receives: whether it must send a picture; else nothing is taken from it, and it must want to receive one.
            name: for messages and the log.

        Raises:
            OfferError: the offer is no SDP (400), or cannot be met (422); nothing is left open.
        """
        raise NotImplementedError

    @property
    def id_of_ice(self) -> str:
        """The user-name fragment of this side, as the answer has it: changes with every session (for ETags)."""
        raise NotImplementedError

    async def add_candidates(self, fragment: str) -> None:
        """Take trickled candidates (application/trickle-ice-sdpfrag).

        Raises:
            OfferError: malformed (400), or an ICE restart, which there is none of (422).
        """
        raise NotImplementedError

    async def wait_closed(self) -> str:
        """Until it is closed by either side or has been silent for too long; `closed_because`."""
        raise NotImplementedError

    async def close(self, because: str = "closed") -> None:
        """End in order; closing twice is allowed."""
        raise NotImplementedError

    def statistics(self) -> dict[str, Any]:
        """Plain JSON values; None where nothing is known yet.

        `state` (connecting, connected, closed), `codec` (h264 or vp8), `bitrate_in`, `bitrate_out` and
        `target_bitrate_out` in bits a second, `packets_in`, `packets_out`, `packets_lost` (of what came), `lost_out`
        (share of what went, 0..1), `round_trip_ms`, `frames_in`, `frames_out`, `key_frames_out`, `width_in`,
        `height_in`, `last_media_seconds`: how long ago something came.
        """
        raise NotImplementedError
