"""Media tracks of one peer: pictures and sound, encoded for it on a thread of its own, and paced.

Pictures say how long a receiver may hold them back (playout-delay, a header extension of RTP that Chromium reads): by
itself it steadies them by as much as they come irregularly, in a narrow network by hundreds of milliseconds. Format:
https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/playout-delay/README.md
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import av
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpParameters
from aiortc.rtp import (
    RTP_HEADER_LENGTH,
    HeaderExtensions,
    HeaderExtensionsMap,
    is_rtcp,
    pack_header_extensions,
    unpack_header_extensions,
)

from mien.clock import Clock
from mien.handover import Closed, LoopSlot
from mien.serve.webrtc.bitrate import BitrateControl, ReceiverReport, Reports
from mien.serve.webrtc.broadcast import Broadcast, Picture
from mien.serve.webrtc.encoders import SoundEncoder, SoundPacket, VideoPacket, video_encoder
from mien.serve.webrtc.inside import SendingThrough, add_header_extension, ssrc_of, write_header_extensions
from mien.serve.webrtc.settings import Codec, PeerSettings
from mien.sound.delay import RATE, RUN, Listener, SoundLine
from mien.stats import Latency

FASTER = 2.5
"""How many times faster than the video's rate packets go."""
AT_ONCE = 0.1
"""Seconds of that rate that go without waiting: usual pictures are not held up."""
LONGEST = 0.25
"""Seconds that a packet waits at most: then pictures are left out by the encoder, not delayed here."""
RETRANSMISSION_SHARE = 0.5
"""Share of the rate that may go for retransmissions. What is beyond is not sent: where so much is lost, sending it
twice loses more."""
RETRANSMISSION_BURST = 0.3
"""Seconds of that share that may go at once."""
_WRAP, _NEWER = 1 << 16, 1 << 15
"""Sequence numbers of RTP wrap around at the first; less than the second ahead is newer, all else is older."""


class PacingBucket:
    """A bucket of bits, filled at `FASTER` times the rate. Times are in seconds of any one clock."""

    def __init__(self) -> None:
        self._owed = 0.0
        """Bits that went and are not yet paid for."""
        self._at: float | None = None

    def wait(self, size: int, rate: float, now: float) -> float:
        """Seconds until a packet of `size` bytes may go, which is taken to go then; `rate`: bits a second."""
        if self._at is not None:
            self._owed = max(self._owed - (now - self._at) * FASTER * rate, 0.0)
        self._at = now
        waits = max(self._owed - AT_ONCE * rate, 0.0) / (FASTER * rate)
        self._owed += size * 8
        return min(waits, LONGEST)


class RetransmissionBudget:
    """A bucket of bits for retransmissions. Times are in seconds of any one clock."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._at: float | None = None

    def takes(self, size: int, rate: float, now: float) -> bool:
        """Whether a packet of `size` bytes may go; `rate`: of the video, in bits a second."""
        if self._at is not None:
            self._owed = max(self._owed - (now - self._at) * RETRANSMISSION_SHARE * rate, 0.0)
        self._at = now
        fits = self._owed < RETRANSMISSION_BURST * RETRANSMISSION_SHARE * rate
        self._owed += size * 8 if fits else 0
        return fits


class PacedTransport(SendingThrough):
    """A sender's transport: new packets of this sender wait their turn, a retransmission goes at once or not at all."""

    def __init__(self, transport: Any, ssrc: int, rate: Callable[[], int], clock: Clock) -> None:
        super().__init__(transport)
        self._ssrc, self._rate, self._clock = ssrc, rate, clock
        self._pace, self._retransmissions = PacingBucket(), RetransmissionBudget()
        self._newest: int | None = None

    async def send(self, data: bytes) -> None:
        """Send a packet, at its turn."""
        if not is_rtcp(data):
            rate, now = self._rate(), self._clock.now()
            is_new = self._is_new(data)
            if not is_new and not self._retransmissions.takes(len(data), rate, now):
                return
            waits = self._pace.wait(len(data), rate, now)
            if waits > 0 and is_new:
                await asyncio.sleep(waits)
        await super().send(data)

    def _is_new(self, data: bytes) -> bool:
        """Told by its number; a retransmission has an older one, or is a stream of its own."""
        if len(data) < RTP_HEADER_LENGTH or int.from_bytes(data[8:12], "big") != self._ssrc:
            return False
        number = int.from_bytes(data[2:4], "big")
        is_new = self._newest is None or 0 < (number - self._newest) % _WRAP < _NEWER
        if is_new:
            self._newest = number
        return is_new


def pace(sender: RTCRtpSender, rate: Callable[[], int], clock: Clock) -> None:
    """Let a sender that has not begun spread its packets at some times its `rate` in bits a second."""
    sender.setTransport(PacedTransport(sender.transport, ssrc_of(sender), rate, clock))  # type: ignore[arg-type]


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

    def report(self, told: ReceiverReport) -> None:
        """Take note of what the receiver reports."""
        now = self._clock.now()
        report = self._reports.add(told, now)
        if report is None:
            return
        self.loss = report.lost
        self.round_trip = self.round_trip if report.round_trip is None else report.round_trip
        self.control.report(report, now)

    def estimate(self, bits: int) -> None:
        """Take note of so many bits a second that the receiver can get."""
        self.control.estimate(bits, self._clock.now())

    def key_frame(self) -> None:
        """Send one as soon as that is allowed again."""
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
        self._listener = Listener()
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
        samples = self._line.read(self._listener, self._clock.now())
        try:
            return None if samples is None else self._encoder.encode(samples, number)
        except _BROKEN as error:
            logger.warning("sound was not encoded (%s); the encoder begins anew", error)
            self._encoder = SoundEncoder()
            return None


PLAYOUT_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
LONGEST_PLAYOUT: Final = 0.1
"""Seconds."""
_STEP: Final = 0.01
_VALUE: Final = round(LONGEST_PLAYOUT / _STEP).to_bytes(3, "big")
"""12 bits of the least delay, which is 0, and 12 of the largest."""


class _WithPlayout(HeaderExtensionsMap):
    """Writes the extension into each packet where the receiver knows it."""

    def __init__(self) -> None:
        super().__init__()
        self._id: int | None = None

    def configure(self, parameters: RTCRtpParameters) -> None:
        super().configure(parameters)
        self._id = next((known.id for known in parameters.headerExtensions if known.uri == PLAYOUT_URI), None)

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        profile, packed = super().set(values)
        if self._id is None:
            return profile, packed
        return pack_header_extensions([*unpack_header_extensions(profile, packed), (self._id, _VALUE)])


def know_playout_delay() -> None:
    """Let all of this process's connections agree upon the extension for video; more than once is allowed."""
    add_header_extension("video", PLAYOUT_URI)


def tell_playout_delay(sender: RTCRtpSender) -> None:
    """Let a sender that has not begun say it with each packet."""
    write_header_extensions(sender, _WithPlayout())
