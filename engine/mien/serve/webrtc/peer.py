"""One WebRTC connection."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self

from aiortc.exceptions import OperationError
from aiortc.sdp import candidate_from_sdp

from mien.clock import Clock, MonotonicClock
from mien.serve.webrtc.answer import announce, fragment_of, restored
from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.candidates import read_fragment, usable
from mien.serve.webrtc.offer import Offer, OfferError, read_offer
from mien.serve.webrtc.settings import PeerSettings
from mien.serve.webrtc.source import PeerSource
from mien.serve.webrtc.statistics import Liveness, PeerStatistics
from mien.serve.webrtc.wiring import Wiring

__all__ = ["OfferError", "Peer"]

WATCH = 1.0
"""Seconds between two looks at whether a peer is still there."""

logger = logging.getLogger(__name__)


class Peer:
    """A connection that was answered; lives on the event loop that made it, but for its `source`."""

    def __init__(
        self, offer: Offer, settings: PeerSettings, sends: Broadcast | None, receives: bool, name: str, clock: Clock
    ) -> None:
        """See `answer`, which makes it whole."""
        self.name = name
        self.answer_sdp = ""
        """With all candidates."""
        self.closed_because = ""
        """Why it was closed, in words; empty while it is open."""
        hears = receives and offer.audio in ("sendrecv", "sendonly")
        self.source = PeerSource(name, clock, sound=hears, largest=settings.largest, threads=settings.threads)
        """What the peer sends, for one thread; ends at once where it sends nothing."""
        self._offer, self._settings, self._clock = offer, settings, clock
        self._live = Liveness(clock.now(), first_media=settings.first_media, idle=settings.idle)
        self._wiring = Wiring(
            offer, settings, source=self.source, receives=receives, sends=sends, alive=self._live.heard, clock=clock
        )
        self._statistics = PeerStatistics(self._wiring, self.source.decoding, clock.now())
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wiring.connection.on("connectionstatechange", self._changed)
        if not receives:
            self.source.close()

    @classmethod
    async def answer(
        cls,
        offer: str,
        settings: PeerSettings | None = None,
        *,
        sends: Broadcast | None = None,
        receives: bool = True,
        name: str = "peer",
        clock: Clock | None = None,
    ) -> Self:
        """Answer an offer; what it begins goes on by itself until the peer leaves, is silent, or is closed.

        Args:
            offer: SDP, at most 64 KiB.
            sends: what the peer gets to see, where its offer wants something.
            receives: whether it must send a picture; else nothing is taken from it, and it must want to receive one.
            name: for messages and the log.
            clock: of the frames that come and go; None: the machine's.

        Raises:
            OfferError: the offer is no SDP (400), is too long (413), or cannot be met (422), or no port is free (503);
                nothing is left open.
        """
        read = read_offer(offer, receives=receives)
        if receives and read.video not in ("sendrecv", "sendonly"):
            raise OfferError("offer: expected one that sends a picture, got none", 422)
        if not receives and (sends is None or read.video not in ("sendrecv", "recvonly")):
            raise OfferError("offer: expected one that receives a picture, got none", 422)
        peer = cls(read, settings or PeerSettings(), sends, receives, name, clock or MonotonicClock())
        try:
            await peer._begin()
        except OfferError:
            await peer.close("it cannot be reached")
            raise
        except OperationError as error:
            await peer.close("its offer was refused")
            codecs = " or ".join(name.upper() for name in peer._settings.codecs)
            raise OfferError(f"offer: expected {codecs} among its codecs, got none", 422) from error
        except Exception as error:  # aiortc raises whatever its parts do
            await peer.close("its offer was refused")
            logger.info("%s: its offer was refused (%s: %s)", name, type(error).__name__, error)
            raise OfferError("offer: expected one that can be met, got one with an error in it", 422) from error
        except BaseException:
            await peer.close("it was given up")
            raise
        return peer

    @property
    def id_of_ice(self) -> str:
        """The user name of this side's ICE, as the answer has it: another one for each peer (for ETags)."""
        return fragment_of(self.answer_sdp)

    async def add_candidates(self, fragment: str) -> None:
        """Take trickled candidates (application/trickle-ice-sdpfrag); a closed peer ignores them.

        Raises:
            OfferError: malformed (400), too long (413), or an ICE restart, which there is none of (422).
        """
        read = read_fragment(fragment)
        if read.fragment not in (None, self._offer.fragment):
            raise OfferError("candidates: expected some of this session, got an ICE restart; begin anew", 422)
        mids = self._wiring.carriers
        for mid, text in read.candidates:
            kept = usable(text)
            if self.closed_because or kept is None:
                continue
            candidate = candidate_from_sdp(kept)
            candidate.sdpMid = mid if mid in mids else mids[0]
            await self._wiring.connection.addIceCandidate(candidate)

    async def wait_closed(self) -> str:
        """Until it is closed by either side or has been silent for too long; `closed_because`."""
        return await asyncio.shield(self._closed)

    async def close(self, because: str = "closed") -> None:
        """End in order; closing twice is allowed, and the first reason stays."""
        if self.closed_because:
            await self.wait_closed()
            return
        self.closed_because = because
        self.source.close()
        self._wiring.end()
        try:
            await self._wiring.close()
        finally:
            for task in self._tasks:
                if task is not asyncio.current_task():
                    task.cancel()
            if not self._closed.done():
                self._closed.set_result(because)
            logger.info("%s: closed (%s)", self.name, because)

    def statistics(self) -> dict[str, Any]:
        """Plain JSON values: `state` (connecting, connected, closed), and what `PeerStatistics` tells."""
        silent = self._live.silent_for(self._clock.now())
        state = "closed" if self.closed_because else "connecting" if silent is None else "connected"
        heard = None if silent is None else round(silent, 3)
        return {"state": state, "last_media_seconds": heard, **self._statistics.as_json()}

    async def _begin(self) -> None:
        answer = await self._wiring.answer()
        if "a=candidate:" not in answer:
            ports = self._settings.ports
            told = "one" if ports is None else f"one of {ports[0]} to {ports[1]}"
            raise OfferError(f"peer: expected a free UDP port ({told}), got none; try again later", 503)
        self.answer_sdp = announce(restored(answer, self._offer), self._settings.announced)
        self._start(self._watch())

    def _changed(self) -> None:
        """aiortc has nothing between connected and failed."""
        state = self._wiring.connection.connectionState
        if state not in ("failed", "closed") or self.closed_because:
            return
        if self._wiring.is_refused:
            because = "its DTLS handshake failed: its certificate must be the offered one, and of RSA or P-256"
        elif self._live.silent_for(self._clock.now()) is None:
            because = "no connection came about"
        else:
            because = "the connection was closed by the peer or broke off"
        self._start(self.close(because))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            datagrams = await self._wiring.measure()
            now = self._clock.now()
            self._statistics.measure(now)
            because = self._live.verdict(datagrams, now)
            if because:
                await self.close(because)
                return

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
