"""Fan-out of a session's pictures and sound to any number of peers; pictures are converted once, if there are peers."""

from __future__ import annotations

from threading import Lock
from typing import cast

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from mien.clock import Clock, MonotonicClock
from mien.emit.sink import SinkBase
from mien.frame import Frame
from mien.handover import LoopSlot
from mien.sound.delay import RATE, SoundLine
from mien.sound.sound import Sound, SoundFormat

SMALLEST = 16
"""Pixels of a side that encoders take."""


class Planes:
    """Callable frame -> (H * 3 / 2, W) uint8, yuv420p in the limited range of BT.601; from any thread.

    An odd row or column is cut off.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Frame) -> NDArray[np.uint8]:
        height, width = (side - side % 2 for side in frame.pixels.shape[:2])
        pixels = np.ascontiguousarray(frame.pixels[:height, :width, :3])
        with self._lock:
            made = self._reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(pixels, format="rgb24"),
                width=max(width, SMALLEST),
                height=max(height, SMALLEST),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU601,
                dst_color_range=ColorRange.MPEG,
            )
        return cast(NDArray[np.uint8], made.to_ndarray())


class Picture:
    """A frame as it is shown at `at` seconds of the clock."""

    def __init__(self, frame: Frame, at: float, convert: Planes) -> None:
        self.at = at
        self._frame, self._convert = frame, convert
        self._lock = Lock()
        self._planes: NDArray[np.uint8] | None = None

    @property
    def planes(self) -> NDArray[np.uint8]:
        """See `Planes`; nobody writes into it."""
        with self._lock:
            if self._planes is None:
                self._planes = self._convert(self._frame)
            return self._planes


class Broadcast(SinkBase):
    """A sink that peers send from: each reads the newest picture, and the sound that belongs to it.

    One thread writes, and is never held up by a peer; without peers writing costs next to nothing. Frames may change
    their size; an odd row or column is cut off. Sound is held back by as long as the pictures take. `finish` and
    `discard` end what peers read, not the peers.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """`clock`: of the frames' `captured_at`."""
        self._clock = clock or MonotonicClock()
        self._lock = Lock()
        self._readers: list[LoopSlot[Picture]] = []
        self._last: Picture | None = None
        self._ended = False
        self._convert = Planes()
        self._resampler: tuple[SoundFormat, AudioResampler] | None = None
        self.sound = SoundLine()
        """The sound delay line for peers."""

    @property
    def peers(self) -> int:
        """Number of present readers."""
        return len(self._readers)

    def write(self, frame: Frame) -> None:
        """Show a picture, rgb24."""
        now = self._clock.now()
        self.sound.show(frame.seconds, now)
        with self._lock:
            self._last = Picture(frame, now, self._convert)
            readers = list(self._readers)
        for reader in readers:
            reader.put(self._last)

    def write_sound(self, sound: Sound) -> None:
        """Take sound with its own time on the frames' time line."""
        self.sound.write(self._stereo(sound), sound.seconds, self._clock.now())

    def join(self, reader: LoopSlot[Picture]) -> None:
        """Hand every further picture to `reader`, and the last one at once."""
        with self._lock:
            self._readers.append(reader)
            last, ended = self._last, self._ended
        if last is not None:
            reader.put(last)
        if ended:
            reader.close()

    def leave(self, reader: LoopSlot[Picture]) -> None:
        """Hand nothing more to `reader`."""
        with self._lock:
            if reader in self._readers:
                self._readers.remove(reader)

    def finish(self) -> None:
        with self._lock:
            self._ended = True
            readers = list(self._readers)
        for reader in readers:
            reader.close()

    def discard(self) -> None:
        self.finish()

    def _stereo(self, sound: Sound) -> NDArray[np.float32]:
        """(2, n) at 48 kHz."""
        samples = sound.samples
        if sound.format.rate != RATE:
            samples = self._resampled(sound)
        return np.repeat(samples, 2, axis=0) if samples.shape[0] == 1 else samples

    def _resampled(self, sound: Sound) -> NDArray[np.float32]:
        layout = "mono" if sound.format.channels == 1 else "stereo"
        if self._resampler is None or self._resampler[0] != sound.format:
            self._resampler = sound.format, AudioResampler(format="fltp", layout=layout, rate=RATE)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples), format="fltp", layout=layout)
        frame.sample_rate = sound.format.rate
        made = [run.to_ndarray() for run in self._resampler[1].resample(frame)]
        return np.concatenate(made, axis=1) if made else np.zeros((sound.format.channels, 0), np.float32)
