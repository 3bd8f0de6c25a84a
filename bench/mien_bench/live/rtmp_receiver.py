"""The far end of an RTMP stream, a program of its own: listens as FFmpeg does, and notes what arrives when.

python -m mien_bench.live.rtmp_receiver ADDRESS ANSWER
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from mien.clock import MonotonicClock
from mien_bench.latency.chirps import EVERY, FORMAT, LENGTH, Samples, heard
from mien_bench.latency.timecode import read

LISTENING: Final = "listening"
"""Line that is written when it is about to listen."""
_OPEN, _READ = 120.0, 20.0
"""Seconds until a stream comes, and without anything after which it counts as ended."""
_BLOCK: Final = 2 * FORMAT.rate
"""Samples that are searched at once."""


@dataclass(slots=True)
class Arrived:
    """What arrived, in seconds of the stream's time."""

    times: list[float] = field(default_factory=list)
    """Of each picture whose code could be read."""
    numbers: list[int] = field(default_factory=list)
    """Of the captured frame that it answers."""
    ages: list[float] = field(default_factory=list)
    """Seconds from its capture to when it lay here decoded."""
    bursts: list[float] = field(default_factory=list)
    """When bursts of sound begin."""
    unread: int = 0
    """Pictures without a code that can be read."""

    def offsets(self) -> tuple[list[float], list[float]]:
        """When, and by how many seconds the sound came later than its picture, for each burst whose picture is here."""
        begun = [(time, n) for time, n in zip(self.times, self.numbers, strict=True) if n % EVERY == 0]
        at = np.array([time for time, _ in begun])
        when, off = [], []
        for burst in self.bursts if len(at) else []:
            nearest = float(at[np.abs(at - burst).argmin()])
            if abs(burst - nearest) < 0.4:
                when.append(nearest)
                off.append(burst - nearest)
        return when, off


class ChirpReceiver:
    """Finds bursts in sound as it comes, and keeps no more of it than it needs."""

    def __init__(self) -> None:
        self.bursts: list[float] = []
        self._held: Samples = np.zeros(0, np.float32)
        self._first: float | None = None

    def hear(self, samples: Samples, seconds: float) -> None:
        """Take (n,) samples at 48 kHz whose first one is at `seconds`."""
        expected = None if self._first is None else self._first + len(self._held) / FORMAT.rate
        if expected is None or abs(seconds - expected) > 1e-3:
            self._search(len(self._held))
            self._held, self._first = np.zeros(0, np.float32), seconds
        self._held = np.concatenate([self._held, samples])
        if len(self._held) >= _BLOCK:
            self._search(_BLOCK - 2 * round(LENGTH * FORMAT.rate))

    def end(self) -> None:
        self._search(len(self._held))

    def _search(self, until: int) -> None:
        """Note what begins before sample `until`, and forget it."""
        if self._first is None:
            return
        self.bursts += [self._first + place / FORMAT.rate for place in heard(self._held) if place < until]
        self._held, self._first = self._held[until:], self._first + until / FORMAT.rate


def receive(address: str) -> Arrived:
    """Listen at an RTMP address until the stream ends."""
    arrived, ear, clock = Arrived(), ChirpReceiver(), MonotonicClock()
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=FORMAT.rate)
    try:
        with av.open(address, "r", options={"listen": "1"}, timeout=(_OPEN, _READ)) as container:
            for packet in container.demux():
                for item in packet.decode():
                    if isinstance(item, VideoFrame):
                        _see(item, arrived, clock.now())
                    elif isinstance(item, AudioFrame):
                        for part in resampler.resample(item):
                            ear.hear(part.to_ndarray()[0], part.time or 0.0)
    except (av.FFmpegError, OSError):
        pass  # a stream over a network may end with an error; what came before counts
    ear.end()
    arrived.bursts = ear.bursts
    return arrived


def _see(picture: VideoFrame, arrived: Arrived, now: float) -> None:
    code = read(np.asarray(picture.to_ndarray(format="rgb24"), np.uint8))
    if code is None:
        arrived.unread += 1
        return
    arrived.times.append(picture.time or 0.0)
    arrived.numbers.append(code.number)
    arrived.ages.append(code.age(now))


def main(address: str, answer: str) -> None:
    """Listen at `address`; what arrived is written to the file `answer`."""
    print(LISTENING, flush=True)
    Path(answer).write_text(json.dumps(asdict(receive(address))))


if __name__ == "__main__":
    main(*sys.argv[1:])
