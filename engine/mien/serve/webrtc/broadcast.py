"""Pictures and sound of one session for any number of peers."""

from __future__ import annotations

from threading import Lock

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from mien.clock import Clock, MonotonicClock
from mien.emit.sink import Ending
from mien.frame import Frame
from mien.serve.webrtc.newest import Newest
from mien.serve.webrtc.pictures import Picture, Planes
from mien.serve.webrtc.soundline import RATE, SoundLine
from mien.sound.sound import Sound, SoundFormat


class Broadcast(Ending):
    """A sink that peers send from: each reads the newest picture, and the sound that belongs to it.

    One thread writes, and is never held up by a peer; without peers writing costs next to nothing. Frames may change
    their size; an odd row or column is cut off. Sound is held back by as long as the pictures take. `finish` and
    `discard` end what peers read, not the peers.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """`clock`: of the frames' `captured_at`."""
        self._clock = clock or MonotonicClock()
        self._lock = Lock()
        self._readers: list[Newest[Picture]] = []
        self._last: Picture | None = None
        self._ended = False
        self._convert = Planes()
        self._resampler: tuple[SoundFormat, AudioResampler] | None = None
        self.sound = SoundLine()
        """What peers hear."""

    @property
    def peers(self) -> int:
        """How many read at present."""
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

    def join(self, reader: Newest[Picture]) -> None:
        """Hand every further picture to `reader`, and the last one at once."""
        with self._lock:
            self._readers.append(reader)
            last, ended = self._last, self._ended
        if last is not None:
            reader.put(last)
        if ended:
            reader.close()

    def leave(self, reader: Newest[Picture]) -> None:
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
