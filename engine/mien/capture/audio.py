"""The sound of a container, sample by sample on the container's time line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from mien.sound import Sound, SoundFormat

_JITTER = Fraction(1, 50)
"""Seconds; containers round times, so smaller deviations from the running count of samples mean nothing."""
_RESET = 1
"""Seconds; a step back by more is a clock that was reset, not an overlap."""


Run = tuple[int, NDArray[np.float32]]
"""Index of the first sample since the container's time 0, and (channels, n) samples in -1..1."""


class SoundReader:
    """Decodes one audio stream into runs of float samples, mixed down to at most two channels.

    Runs follow each other by counting samples; where the container's times say otherwise by more than the jitter of
    its clock, they are followed: a gap stays a gap, an overlap is cut.
    """

    def __init__(self, stream: AudioStream, format: SoundFormat | None = None) -> None:
        """`format`: that the sound is brought to; None: the stream's own."""
        self._context = stream.codec_context
        channels = min(2, max(1, stream.channels))
        self.format = format or SoundFormat(rate=stream.rate, channels=channels)
        self._resampler = self._new_resampler()
        self._next: int | None = None
        self._offset = 0

    def read(self, packet: Packet[AudioStream] | None) -> Iterator[Run]:
        """The runs that a packet completes; None asks for what is left.

        A packet that does not decode gives nothing.
        """
        for frame in self._decode(packet):
            for run in self._resampled(frame):
                samples = np.ascontiguousarray(run.to_ndarray(), np.float32)
                first, samples = self._placed(frame, samples)
                if samples.shape[1]:
                    yield first, samples

    def _decode(self, packet: Packet[AudioStream] | None) -> list[AudioFrame]:
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            return []

    def _resampled(self, frame: AudioFrame) -> list[AudioFrame]:
        try:
            return self._resampler.resample(frame)
        except ValueError:  # the stream changed its layout or rate
            self._resampler = self._new_resampler()
            return self._resampler.resample(frame)

    def _new_resampler(self) -> AudioResampler:
        layout = "mono" if self.format.channels == 1 else "stereo"
        return AudioResampler(format="fltp", layout=layout, rate=self.format.rate)

    def _placed(self, frame: AudioFrame, samples: NDArray[np.float32]) -> Run:
        first = self._first_sample(frame)
        if self._next is not None and first < self._next:
            samples = samples[:, self._next - first :]
            first = self._next
        self._next = first + samples.shape[1]
        return first, samples

    def _first_sample(self, frame: AudioFrame) -> int:
        if frame.pts is None or frame.time_base is None:
            return self._next or 0
        stamped = round(frame.pts * frame.time_base * self.format.rate) + self._offset
        if self._next is None:
            return stamped
        late = stamped - self._next
        if late < -_RESET * self.format.rate:
            self._offset -= late
            return self._next
        return stamped if abs(late) > _JITTER * self.format.rate else self._next


def trimmed(
    first: int, samples: NDArray[np.float32], origin: int, end: int | None, format: SoundFormat
) -> Sound | None:
    """The part of a run from sample `origin` to before `end`, on a time line that begins at `origin`."""
    skip = max(0, origin - first)
    stop = samples.shape[1] if end is None else min(samples.shape[1], end - first)
    if skip >= stop:
        return None
    return Sound(
        samples=samples[:, skip:stop],
        pts=first + skip - origin,
        time_base=Fraction(1, format.rate),
        format=format,
    )
