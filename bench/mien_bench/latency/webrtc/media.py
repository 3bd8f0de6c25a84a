"""What a peer sends, coded frames and chirps, and what it receives, strips and sound with their times of arrival."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from threading import Thread
from typing import Final

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.frame import Frame as AvFrame
from numpy.typing import NDArray

from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench.latency.chirps import FORMAT
from mien_bench.latency.path_run import CodedSource
from mien_bench.latency.timecode import Code, read_luma
from mien_bench.latency.trace import Observed, Trace

CLOCK: Final = 90_000
"""Of RTP video."""
RUN: Final = 960
"""Samples in a packet of sound: 20 ms."""
_WAITING: Final = 4
"""Pictures, and seconds of sound, that wait for the encoder at most."""


class CodedTrack(MediaStreamTrack):
    """Pictures; of those that the encoder cannot take the oldest are lost, as a browser loses them."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[av.VideoFrame] = deque(maxlen=_WAITING)
        self._there = asyncio.Event()
        self.lost = 0

    def put(self, frame: av.VideoFrame) -> None:
        """From the event loop."""
        self.lost += len(self._held) == _WAITING
        self._held.append(frame)
        self._there.set()

    async def recv(self) -> AvFrame:
        while not self._held:
            self._there.clear()
            await self._there.wait()
        return self._held.popleft()


class ChirpTrack(MediaStreamTrack):
    """Sound in packets of 20 ms, as soon as each is full."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[NDArray[np.int16]] = deque(maxlen=_WAITING * 50)
        self._rest = np.zeros(0, np.int16)
        self._there = asyncio.Event()
        self._sent = 0

    def put(self, samples: NDArray[np.float32]) -> None:
        """(n,) at 48 kHz, from the event loop."""
        rest = np.concatenate([self._rest, (samples * 32767).astype(np.int16)])
        while len(rest) >= RUN:
            self._held.append(rest[:RUN])
            rest = rest[RUN:]
        self._rest = rest
        self._there.set()

    async def recv(self) -> AvFrame:
        while not self._held:
            self._there.clear()
            await self._there.wait()
        stereo = np.repeat(self._held.popleft(), 2)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = FORMAT.rate, self._sent, Fraction(1, FORMAT.rate)
        self._sent += RUN
        return frame


class Feeding:
    """Reads a rig on a thread of its own and hands on what it gives."""

    def __init__(
        self, rig: CodedSource, video: CodedTrack, audio: ChirpTrack | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._rig, self._video, self._audio, self._loop = rig, video, audio, loop
        self.over = asyncio.Event()
        self._thread = Thread(target=self._feed, name="bench-feed", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Close the rig, and wait for the thread."""
        self._rig.source.close()
        if self._thread.ident is not None:  # else it was never begun
            self._thread.join()

    def _feed(self) -> None:
        try:
            for item in self._rig.source:
                if isinstance(item, Frame):
                    self._loop.call_soon_threadsafe(self._video.put, _picture(item))
                elif self._audio is not None:
                    self._loop.call_soon_threadsafe(self._audio.put, _mono(item))
        finally:
            self._loop.call_soon_threadsafe(self.over.set)


def _picture(frame: Frame) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(frame.pixels, format="rgb24").reformat(format="yuv420p")
    picture.pts, picture.time_base = round(frame.seconds * CLOCK), Fraction(1, CLOCK)
    return picture


def _mono(sound: Sound) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = sound.samples[0]
    return samples


class Receiving:
    """Fed by the tracks of one connection, on the event loop; reading a strip takes a tenth of a millisecond."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._trace = Trace()
        self._ends: list[float] = []
        """Where runs of sound end, in seconds of what was heard, and when each came."""
        self._came: list[float] = []
        self._heard = 0.0
        self._next: int | None = None
        self.silences: list[tuple[float, float]] = []
        """When what followed came, and how many seconds of sound never did."""
        self.readable = asyncio.Event()
        """Set once a code was read."""

    async def read(self, track: MediaStreamTrack) -> None:
        """Until the track ends."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.VideoFrame):
                self._see(frame)
            elif isinstance(frame, av.AudioFrame):
                self._hear(frame)

    def lately(self, begin: float) -> list[float]:
        """Milliseconds from capture to arrival of the pictures that came since a time of the clock."""
        trace = self._trace
        first = bisect_left(trace.at, begin)
        pairs = zip(trace.at[first:], trace.codes[first:], strict=True)
        return [code.age(at) * 1e3 for at, code in pairs if code is not None]

    def observed(self) -> Observed:
        """Pictures and bursts by the times at which they came: there is no other time line that both have."""
        observed = self._trace.observed()
        return replace(observed, shown=observed.at, bursts=tuple(self._arrival(burst) for burst in observed.bursts))

    def _see(self, frame: av.VideoFrame) -> None:
        at = self._now()
        code = read_code(frame)
        if code is not None:
            self.readable.set()
        self._trace.see(at, code, at, self._now() - at)

    def _hear(self, frame: av.AudioFrame) -> None:
        """A run that was lost leaves a gap of its length, so that what follows keeps its place."""
        came = self._now()
        samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, len(frame.layout.channels))[:, 0] / 32768
        if frame.sample_rate != FORMAT.rate or frame.pts is None:
            return
        if self._next is not None and frame.pts > self._next:
            missing = (frame.pts - self._next) / FORMAT.rate
            self.silences.append((came, missing))
            self._heard += missing
        self._next = frame.pts + len(samples)
        self._trace.hear(samples, self._heard)
        self._heard += len(samples) / FORMAT.rate
        self._ends.append(self._heard)
        self._came.append(came)

    def _arrival(self, position: float) -> float:
        """When the sample at this second of what was heard would have come, had each come when it was heard."""
        run = min(bisect_left(self._ends, position), len(self._ends) - 1)
        return self._came[run] - (self._ends[run] - position)


def read_code(frame: av.VideoFrame) -> Code | None:
    """What the strip of a decoded yuv420p picture says."""
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : frame.width]
    return read_luma(luma[: frame.height])
