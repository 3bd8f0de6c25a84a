"""Decoding of a peer's frames on its own thread, with short bounded queues and packet loss concealment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from threading import Thread
from typing import cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.capture.pixels import PixelReader, describe
from mien.clock import Clock
from mien.frame import Frame
from mien.handover import DropQueue
from mien.machine.threads import begun
from mien.serve.webrtc.settings import Codec
from mien.sound.sound import Sound, SoundFormat
from mien.stats import Latency
from mien.timeline import TIME_BASE

Samples = NDArray[np.float32]

RATE = 48_000
LONGEST = 0.1
"""Seconds that are made up at most; what is longer stays silent."""
_FADE = 0.08
"""Seconds in which what is made up fades away."""
_JOIN = 120
"""Samples over which it passes into what comes then."""
_KEPT = 1920
"""Samples of the past that are looked at: 40 ms."""
_SHORTEST, _LONGEST = 120, 840
"""Samples of a period: 400 to 57 Hz."""


class Concealment:
    """Of one stream, (2, n) float32; used by one thread."""

    def __init__(self) -> None:
        self._past = np.zeros((2, 0), np.float32)

    def heard(self, samples: Samples) -> None:
        """Take note of what is heard."""
        self._past = (
            np.concatenate([self._past, samples], axis=1)[:, -_KEPT:]
            if samples.shape[1] < _KEPT
            else samples[:, -_KEPT:]
        )

    def made_up(self, count: int, after: Samples) -> tuple[Samples, Samples]:
        """`count` samples in place of lost ones, and what came after them, with a soft join."""
        if self._past.shape[1] < _KEPT or count > LONGEST * RATE:
            return np.zeros((2, count), np.float32), after
        join = min(_JOIN, after.shape[1])
        total = count + join
        period = self._period()
        places = np.arange(total) % period - period
        made = self._past[:, places] * np.maximum(1 - np.arange(total, dtype=np.float32) / (_FADE * RATE), 0)
        share = (np.arange(join, dtype=np.float32) + 0.5) / join
        joined = after.copy()
        joined[:, :join] = made[:, count:] * (1 - share) + after[:, :join] * share
        return np.asarray(made[:, :count], np.float32), joined

    def _period(self) -> int:
        """Samples after which the past is most like itself."""
        mono = self._past.mean(axis=0)
        last = mono[-_LONGEST:]
        lags = np.arange(_SHORTEST, _LONGEST + 1)
        shifted = np.lib.stride_tricks.sliding_window_view(mono, _LONGEST)[len(mono) - _LONGEST - lags]
        energy = np.sqrt((shifted**2).sum(axis=1)) + 1e-9
        return int(lags[np.argmax(shifted @ last / energy)])


FORMAT = SoundFormat(48_000, 2)
"""Of all sound that comes."""
PICTURES, SOUNDS = 30, 100
"""Encoded frames that may wait: a second of pictures, two of sound."""
_DECODERS = {"h264": "h264", "vp8": "vp8"}
_LOW_DELAY = "low_delay"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A complete encoded frame."""

    codec: Codec | None
    """None: Opus."""
    data: bytes
    pts: int
    """In ticks of 1/90000 s, or in samples."""
    came_at: float
    """Seconds of the clock."""
    key: bool = False
    after_loss: bool = False
    """Of sound: whether some before it never came."""


class Waiting:
    """What the decoder has not come to yet, in order: put by one thread, taken by one; `put` never waits.

    Where pictures find no room all of them are dropped, and further ones up to the next key frame: a picture is of no
    use without those before it. Of sound the oldest is kept.
    """

    def __init__(self) -> None:
        self._queue: DropQueue[Encoded] = DropQueue(
            {True: PICTURES, False: SOUNDS}, lambda item: item.codec is not None
        )
        self._until_key = True
        """Whether pictures are of no use before a key frame."""
        self._left_out = 0

    @property
    def dropped(self) -> int:
        """Encoded pictures that were not decoded."""
        return self._queue.dropped(True) + self._left_out

    def put(self, item: Encoded) -> bool:
        """Append. False: a key frame is needed now."""
        if item.codec is None:
            self._queue.offer(item)
            return True
        if self._queue.is_full(True):
            self._queue.drop(True)
            self._until_key = True
        if self._until_key and not item.key:
            self._left_out += 1
            return False
        self._until_key = False
        self._queue.offer(item)
        return True

    def __iter__(self) -> Iterator[Encoded]:
        """The oldest, waiting for one, until closed."""
        return iter(self._queue)

    def close(self) -> None:
        """Drop what waits, and end."""
        self._queue.close(empty=True)


class MediaDecoder:
    """Decodes what is put into what is taken, from `start` to `close`."""

    def __init__(self, decoded: DropQueue[Frame | Sound], clock: Clock, *, largest: int, threads: int) -> None:
        """`largest`: pixels of a picture that is decoded; larger ones are broken."""
        self.waiting = Waiting()
        self.latency = Latency()
        """From the last packet of a picture to its pixels."""
        self.broken = 0
        """Frames that failed to decode."""
        self.needs_key = False
        """Whether one did not decode since that was last told."""
        self.size: tuple[int, int] | None = None
        """(width, height) of the newest picture."""
        self.frames = 0
        self._decoded, self._clock = decoded, clock
        self._options = {"max_pixels": str(largest)}
        self._threads = threads
        self._video: tuple[Codec, VideoCodecContext] | None = None
        self._sound: AudioCodecContext | None = None
        self._concealment = Concealment()
        self._heard_to: int | None = None
        self.concealed = 0
        """Concealed gaps in the sound."""
        self._pixels = PixelReader()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin; more than once is allowed."""
        if self._thread is None:
            self._thread = begun("mien-decode", self._run)

    def close(self) -> None:
        """End, from any thread; what waits is dropped. Does not wait for the thread."""
        self.waiting.close()
        self._decoded.close(empty=True)

    def join(self) -> None:
        """Wait for the thread, after `close`."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        for item in self.waiting:
            try:
                self._decode(item)
            except (av.FFmpegError, ValueError, MemoryError) as error:
                self.broken += 1
                self.needs_key = self.needs_key or item.codec is not None
                if self.broken == 1:
                    said = describe(error) if isinstance(error, av.FFmpegError) else str(error)
                    logger.warning("a frame did not decode (%s); further ones are only counted", said)

    def _decode(self, item: Encoded) -> None:
        if item.codec is None:
            self._hear(item)
            return
        packet = cast("Packet[VideoStream]", Packet(item.data))
        packet.pts, packet.time_base = item.pts, TIME_BASE
        for picture in self._video_context(item.codec).decode(packet):
            self._see(picture, item)

    def _see(self, picture: VideoFrame, item: Encoded) -> None:
        size = picture.width, picture.height
        if size != self.size:
            self._pixels, self.size = PixelReader(), size
        pixels = self._pixels.read(picture)
        pts = item.pts if picture.pts is None else picture.pts
        self._decoded.put(Frame(pixels, pts, TIME_BASE, captured_at=item.came_at))
        self.latency.record(max(self._clock.now() - item.came_at, 0.0))
        self.frames += 1

    def _hear(self, item: Encoded) -> None:
        packet = cast("Packet[AudioStream]", Packet(item.data))
        for frame in self._sound_context().decode(packet):
            samples = frame.to_ndarray()
            if frame.format.is_packed:
                samples = samples.reshape(-1, FORMAT.channels).T
            if samples.dtype == np.int16:
                samples = samples.astype(np.float32) / 32768
            self._listen(np.ascontiguousarray(samples, np.float32), item)

    def _listen(self, samples: NDArray[np.float32], item: Encoded) -> None:
        lost = 0 if self._heard_to is None or not item.after_loss else item.pts - self._heard_to
        if 0 < lost <= LONGEST * FORMAT.rate:
            made, samples = self._concealment.made_up(lost, samples)
            self.concealed += 1
            self._decoded.put(Sound(made, item.pts - lost, Fraction(1, FORMAT.rate), FORMAT))
        self._concealment.heard(samples)
        self._heard_to = item.pts + samples.shape[1]
        self._decoded.put(Sound(samples, item.pts, Fraction(1, FORMAT.rate), FORMAT))

    def _video_context(self, codec: Codec) -> VideoCodecContext:
        if self._video is None or self._video[0] != codec:
            context = av.CodecContext.create(_DECODERS[codec], "r")
            assert isinstance(context, VideoCodecContext)
            context.thread_type, context.thread_count = ThreadType.SLICE, self._threads
            context.options = {**self._options, "flags": _LOW_DELAY}
            self._video = codec, context
        return self._video[1]

    def _sound_context(self) -> AudioCodecContext:
        if self._sound is None:
            context = av.CodecContext.create("libopus", "r")
            assert isinstance(context, AudioCodecContext)
            context.sample_rate, context.layout, context.format = FORMAT.rate, "stereo", "s16"
            self._sound = context
        return self._sound
