"""What one peer is sent: pictures and sound, encoded for it alone on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from mien.clock import Clock
from mien.handover import Closed, LoopSlot
from mien.serve.webrtc.bitrate import BitrateControl, Reports
from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.encoders import SoundEncoder, SoundPacket, VideoPacket, video_encoder
from mien.serve.webrtc.feedback import Told
from mien.serve.webrtc.pictures import Picture
from mien.serve.webrtc.settings import Codec, PeerSettings
from mien.serve.webrtc.soundline import RATE, RUN, Place, SoundLine
from mien.stats import Latency

SLOWEST_KEYS = 0.3
"""Seconds between two key frames that a peer may ask for."""
_BEHIND = 0.2
"""Seconds after which sound that was not sent in time is left out."""
_TICKS = 90_000

_BROKEN = (av.FFmpegError, ValueError, MemoryError)
"""What a fault of one encoder raises."""

logger = logging.getLogger(__name__)


class PictureTrack(MediaStreamTrack):
    """aiortc asks it for the next encoded picture."""

    kind = "video"

    def __init__(self, broadcast: Broadcast, codec: Codec, settings: PeerSettings, clock: Clock) -> None:
        super().__init__()
        self.codec = codec
        self.control = BitrateControl(settings.bitrate)
        self._reports = Reports()
        self.latency = Latency()
        """From the picture's showing to its encoded form."""
        self.frames = self.keys = self.bytes = 0
        self.round_trip: float | None = None
        """Seconds, as last measured."""
        self.loss: float | None = None
        """Share of what went that did not arrive, as last told."""
        self._broadcast, self._clock = broadcast, clock
        self._settings = settings
        self._encoder = video_encoder(codec, settings.bitrate, settings.threads)
        self._thread = ThreadPoolExecutor(1, "mien-encode")
        self._begun = clock.now()
        self._ticks = -1
        self._wanted, self._key_at = True, float("-inf")
        self._newest: LoopSlot[Picture] = LoopSlot()
        broadcast.join(self._newest)

    async def recv(self) -> VideoPacket:
        """The next picture, with the time at which it was shown."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                picture = await self._newest.take()
                packet = await loop.run_in_executor(self._thread, self._encoded, picture)
            except (Closed, RuntimeError):  # the latter of a thread that has ended
                raise MediaStreamError from None
            if packet is not None:
                return packet

    def stop(self) -> None:
        self._broadcast.leave(self._newest)
        self._newest.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
        super().stop()

    def report(self, told: Told) -> None:
        now = self._clock.now()
        report = self._reports.add(told, now)
        if report is None:
            return
        self.loss = report.lost
        self.round_trip = self.round_trip if report.round_trip is None else report.round_trip
        self.control.report(report, now)

    def estimate(self, bits: int) -> None:
        self.control.estimate(bits, self._clock.now())

    def key_frame(self) -> None:
        self._wanted = True

    def _encoded(self, picture: Picture) -> VideoPacket | None:
        now = self._clock.now()
        ticks = max(round((picture.at - self._begun) * _TICKS), self._ticks + 1)
        key = self._wanted and now - self._key_at >= SLOWEST_KEYS
        if key:
            self._wanted, self._key_at = False, now
        try:
            packet = self._encoder.encode(picture.planes, ticks, self.control.target, key=key)
        except _BROKEN as error:
            logger.warning("a picture was not encoded (%s); the encoder begins anew", error)
            self._encoder = video_encoder(self.codec, self._settings.bitrate, self._settings.threads)
            return None
        if packet is not None:
            self._ticks = ticks
            self.frames += 1
            self.keys += packet.is_keyframe
            self.bytes += packet.size
            self.latency.record(max(self._clock.now() - picture.at, 0.0))
        return packet


class SoundTrack(MediaStreamTrack):
    """aiortc asks it for the next 20 ms of encoded sound, which it gives when they are due."""

    kind = "audio"

    def __init__(self, line: SoundLine, clock: Clock) -> None:
        super().__init__()
        self._line, self._clock = line, clock
        self._encoder = SoundEncoder()
        self._thread = ThreadPoolExecutor(1, "mien-encode-sound")
        self._place = Place()
        self._number = 0
        self._due = clock.now()
        self.frames = self.bytes = 0

    async def recv(self) -> SoundPacket:
        """The next run; waits as long as there is none."""
        loop = asyncio.get_running_loop()
        while self.readyState == "live":
            await asyncio.sleep(self._until_due())
            try:
                packet = await loop.run_in_executor(self._thread, self._encoded, self._number)
            except RuntimeError:
                break
            self._number += RUN
            if packet is not None:
                self.frames += 1
                self.bytes += packet.size
                return packet
        raise MediaStreamError

    def stop(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        super().stop()

    def _until_due(self) -> float:
        now = self._clock.now()
        left_out = max(round((now - self._due - _BEHIND) * RATE) // RUN, 0)
        self._due += (1 + left_out) * RUN / RATE
        self._number += left_out * RUN
        return max(self._due - now, 0.0)

    def _encoded(self, number: int) -> SoundPacket | None:
        samples = self._line.read(self._place, self._clock.now())
        try:
            return None if samples is None else self._encoder.encode(samples, number)
        except _BROKEN as error:
            logger.warning("sound was not encoded (%s); the encoder begins anew", error)
            self._encoder = SoundEncoder()
            return None
