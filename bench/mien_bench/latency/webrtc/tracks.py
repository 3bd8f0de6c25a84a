"""What a peer sends: coded frames as a camera gives them, and bursts of sound, from a thread to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from fractions import Fraction
from threading import Thread
from typing import Final

import av
import numpy as np
from aiortc import MediaStreamTrack
from av.frame import Frame as AvFrame
from numpy.typing import NDArray

from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench.latency.bursts import FORMAT
from mien_bench.latency.wish import Rig

CLOCK: Final = 90_000
"""Of RTP video."""
RUN: Final = 960
"""Samples in a packet of sound: 20 ms."""
_WAITING: Final = 4
"""Pictures, and seconds of sound, that wait for the encoder at most."""


class Coded(MediaStreamTrack):
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


class Bursts(MediaStreamTrack):
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

    def __init__(self, rig: Rig, video: Coded, audio: Bursts | None, loop: asyncio.AbstractEventLoop) -> None:
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
