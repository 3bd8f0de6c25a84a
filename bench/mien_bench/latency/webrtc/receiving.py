"""What a peer gets back: strips of pictures, and sound, each with the time at which it came."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from mien_bench.latency.bursts import FORMAT
from mien_bench.latency.timecode import Code, read_luma
from mien_bench.latency.trace import Sight, Trace


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
        """Milliseconds from stamp to sight of the pictures that came since a time of the clock."""
        trace = self._trace
        first = bisect_left(trace.at, begin)
        pairs = zip(trace.at[first:], trace.codes[first:], strict=True)
        return [code.age(at) * 1e3 for at, code in pairs if code is not None]

    def sight(self) -> Sight:
        """Pictures and bursts by the times at which they came: there is no other time line that both have."""
        sight = self._trace.sight()
        return replace(sight, shown=sight.at, bursts=tuple(self._arrival(burst) for burst in sight.bursts))

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

    def _arrival(self, place: float) -> float:
        """When the sample at this second of what was heard would have come, had each come when it was heard."""
        run = min(bisect_left(self._ends, place), len(self._ends) - 1)
        return self._came[run] - (self._ends[run] - place)


def read_code(frame: av.VideoFrame) -> Code | None:
    """What the strip of a decoded yuv420p picture says."""
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : frame.width]
    return read_luma(luma[: frame.height])
