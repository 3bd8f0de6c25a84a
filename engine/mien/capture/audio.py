"""Decoding of a container's audio onto the container's time line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from av.packet import Packet
from numpy.typing import NDArray

from mien.sound.sound import Sound, SoundFormat
from mien.timeline import GAP, JUMP, Line, beside, follow

_JITTER = Fraction(1, 50)
"""Tolerance in seconds between time stamps, which containers round, and the running count of samples."""

Run = tuple[int, NDArray[np.float32]]
"""Index of the first sample since the container's time 0, and (channels, n) samples in -1..1."""


class SoundReader:
    """Decodes one audio stream into runs of float samples, mixed down to at most two channels, none louder than full.

    Runs follow each other by counting samples; where the container's times say otherwise by more than the jitter of
    its clock, they are followed: a gap stays a gap, an overlap is cut, a clock that jumped is closed (see `follow`).
    """

    def __init__(self, stream: AudioStream, format: SoundFormat | None = None, gap: Fraction = GAP) -> None:
        """`format`: that the sound is brought to; None: the stream's own. `gap`: see `follow`."""
        self._context = stream.codec_context
        channels = min(2, max(1, stream.channels))
        self.format = format or SoundFormat(rate=stream.rate, channels=channels)
        self.jumped = Fraction(0)
        """Clock jump of the container before the latest run, in seconds; 0 if there was none."""
        self._mix: Mix | None = None
        self._line = Line()
        self._gap = gap
        self._next: int | None = None

    @property
    def offset(self) -> Fraction:
        """Present shift of the container's time stamps, in seconds."""
        return self._line.offset

    @property
    def last(self) -> Fraction | None:
        """Where the latest run begins, in seconds."""
        return self._line.last

    def read(
        self, packet: Packet[AudioStream] | None, until: Fraction | None = None, hint: Fraction = Fraction(0)
    ) -> Iterator[Run]:
        """The runs that a packet completes; None asks for what is left.

        Args:
            until: how far pictures are, or time has passed, see `follow`.
            hint: the pictures' offset.

        A packet that does not decode gives nothing.
        """
        self._line = beside(self._line, hint, until)
        for frame in self._decode(packet):
            samples = self._mixed(frame)
            if samples.shape[1] == 0:
                continue
            first, samples = self._placed(self._first_sample(frame, samples.shape[1], until, hint), samples)
            if samples.shape[1]:
                yield first, samples

    def _decode(self, packet: Packet[AudioStream] | None) -> list[AudioFrame]:
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            return []

    def _mixed(self, frame: AudioFrame) -> NDArray[np.float32]:
        if self._mix is None or not self._mix.takes(frame):  # also where the stream changes its layout or rate
            self._mix = Mix(frame, self.format)
        return self._mix(frame)

    def _placed(self, first: int, samples: NDArray[np.float32]) -> Run:
        if self._next is not None and first < self._next:
            samples = samples[:, self._next - first :]
            first = self._next
        self._next = first + samples.shape[1]
        return first, samples

    def _first_sample(self, frame: AudioFrame, count: int, until: Fraction | None, hint: Fraction) -> int:
        stamp = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
        step = Fraction(count, self.format.rate)
        self._line, time, self.jumped = follow(self._line, stamp, step, until, hint, self._gap, overlap=Fraction(JUMP))
        stamped = round(time * self.format.rate)
        if self._next is None or abs(stamped - self._next) > _JITTER * self.format.rate:
            return stamped
        return self._next


class Mix:
    """Converts channel layout, rate and sample format to float samples; mixing down never exceeds full scale."""

    def __init__(self, frame: AudioFrame, format: SoundFormat) -> None:
        """For frames like `frame`."""
        self._from = _kind(frame)
        self._channels = format.channels
        self._graph = Graph()
        source = self._graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
        layout = "mono" if format.channels == 1 else "stereo"
        # libswresample scales a mix of integers so that it cannot clip; of floats only where it is told to
        mixed = f"osr={format.rate}:osf=fltp:ochl={layout}:rematrix_maxval=1"
        self._graph.link_nodes(source, self._graph.add("aresample", mixed), self._graph.add("abuffersink")).configure()

    def takes(self, frame: AudioFrame) -> bool:
        """Whether it was made for frames like this one."""
        return _kind(frame) == self._from

    def __call__(self, frame: AudioFrame) -> NDArray[np.float32]:
        """(channels, n) float32, perhaps none yet; the frame's time is not looked at."""
        runs = []
        self._graph.push(frame)
        while True:
            try:
                runs.append(cast(AudioFrame, self._graph.pull()).to_ndarray())
            except (av.error.BlockingIOError, av.error.EOFError):
                break
        if not runs:
            return np.zeros((self._channels, 0), np.float32)
        return np.ascontiguousarray(runs[0] if len(runs) == 1 else np.concatenate(runs, axis=1), np.float32)


def _kind(frame: AudioFrame) -> tuple[str, int, str]:
    return frame.layout.name, frame.sample_rate, frame.format.name


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
