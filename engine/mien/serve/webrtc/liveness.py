"""Whether a peer is still there: by what it sends, not by ICE consent, which some real publishers never answer."""

from __future__ import annotations

FLOOD = 20_000
"""Packets a second above which a peer is no caller: 200 Mbit/s."""


class Liveness:
    """Times are in seconds of any one clock."""

    def __init__(self, begun: float, *, first_media: float, idle: float) -> None:
        """`first_media`, `idle`: see `PeerSettings`."""
        self._begun = begun
        self._first_media = first_media
        self._idle = idle
        self._heard_at: float | None = None
        self._packets = 0
        self._looked_at = begun

    def heard(self, now: float) -> None:
        """Take note of an authentic packet."""
        self._heard_at = now

    def silent_for(self, now: float) -> float | None:
        """Seconds since something was heard; None before."""
        return None if self._heard_at is None else now - self._heard_at

    def verdict(self, packets: int, now: float) -> str:
        """Why the peer is to be closed; empty where it is not. `packets`: datagrams that came so far, of any kind."""
        rate = (packets - self._packets) / max(now - self._looked_at, 0.5)
        self._packets, self._looked_at = packets, now
        if rate > FLOOD:
            return f"it sent {rate:.0f} packets a second"
        if self._heard_at is None:
            return f"nothing came within {self._first_media:g} s" if now - self._begun > self._first_media else ""
        return f"nothing came for {self._idle:g} s" if now - self._heard_at > self._idle else ""
