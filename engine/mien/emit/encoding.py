"""Frames and sound -> packets in an open container, each at its time; sound as one unbroken track."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags, ThreadType
from av.container.output import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.emit.sink import SinkSettings
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat
from mien.timeline import in_order

_BT709 = 1
_BITS_PER_CHANNEL = 96_000
_SILENCE_SECONDS = 1
"""Length of one run of the silence that fills a long gap."""
_SOUND_JITTER = Fraction(1, 500)
"""Seconds; smaller gaps are rounding."""


@dataclass(frozen=True, slots=True)
class Coding:
    """What is encoded how."""

    video: str
    """Encoder of the pictures."""
    audio: str
    time_base: Fraction
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the encoder of the pictures."""
    key_frame_seconds: float = 2.0
    alpha: bool = False
    """Whether transparency is kept, which VP9 in WebM can."""


class Encoding:
    """Encodes for one container, whose header it writes with the first packet.

    Frame times are kept as they are, also of a variable rate. Sides are made even: the last row or column of an odd
    picture is shown twice. An alpha is dropped where the coding does not keep it.
    """

    def __init__(
        self, container: OutputContainer, settings: SinkSettings, coding: Coding, *, name: str, threads: int = 0
    ) -> None:
        """Add the streams.

        Args:
            name: the output as the user called it, for messages.
            threads: of the encoder; 0: all.
        """
        self._container = container
        self._settings = settings
        self._coding = coding
        self._name = name
        self._last_pts: int | None = None
        self._reformatter = VideoReformatter()
        self._video = self._add_video(threads)
        self._audio = self._add_audio(settings.sound) if settings.sound is not None else None
        self._gapless = GaplessSound(settings.sound) if settings.sound is not None else None

    @property
    def begun(self) -> bool:
        """Whether a frame was encoded."""
        return self._last_pts is not None

    def need_size(self, frame: Frame) -> None:
        """Refuse a frame of another size than the settings'.

        Raises:
            SinkError: it has one.
        """
        expected = (self._settings.width, self._settings.height)
        if frame.size != expected:
            raise SinkError(f"{self._name}: expected frames of {_by(expected)} pixels, got {_by(frame.size)}")

    def write(self, frame: Frame) -> None:
        """Encode a frame; its array is read before the call returns."""
        self._mux(self._video.encode(self._picture(frame)))

    def write_sound(self, sound: Sound) -> None:
        """Encode sound at its time; ignored if the settings name no sound."""
        if self._gapless is None or self._audio is None:
            return
        for run in self._gapless.place(sound):
            self._mux(self._audio.encode(run))

    def flush(self) -> None:
        """Encode what the encoders still hold; nothing is written after it."""
        self._mux(self._video.encode(None))
        if self._audio is not None:
            self._mux(self._audio.encode(None))

    def _add_video(self, threads: int) -> VideoStream:
        rate, coding = self._settings.rate, self._coding
        stream = self._container.add_stream(coding.video, rate=rate, options=dict(coding.options))
        stream = cast(VideoStream, stream)
        if coding.alpha:
            stream.metadata["alpha_mode"] = "1"
        context = stream.codec_context
        context.width = _even(self._settings.width)
        context.height = _even(self._settings.height)
        context.pix_fmt = self._format
        context.time_base = coding.time_base
        context.gop_size = max(1, round(rate * Fraction(coding.key_frame_seconds)))
        context.thread_count = threads
        context.thread_type = ThreadType.AUTO
        context.flags |= Flags.frame_duration
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        return stream

    def _add_audio(self, sound: SoundFormat) -> AudioStream:
        rates = av.Codec(self._coding.audio, "w").audio_rates or [sound.rate]
        rate = min((known for known in rates if known >= sound.rate), default=max(rates))
        stream = self._container.add_stream(self._coding.audio, rate=int(rate))
        stream = cast(AudioStream, stream)
        stream.codec_context.layout = "mono" if sound.channels == 1 else "stereo"
        stream.codec_context.bit_rate = _BITS_PER_CHANNEL * sound.channels
        return stream

    @property
    def _format(self) -> str:
        return "yuva420p" if self._coding.alpha else "yuv420p"

    def _picture(self, frame: Frame) -> VideoFrame:
        keeps = self._coding.alpha and frame.layout == "rgba"
        pixels = _with_even_sides(frame.pixels if keeps else frame.pixels[:, :, :3])
        picture = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(pixels, format="rgba" if keeps else "rgb24"),
            format=self._format,
            dst_colorspace=int(Colorspace.ITU709),
            dst_color_range=int(ColorRange.MPEG),
            threads=1,
        )
        picture.pts = self._place(frame)
        picture.time_base = self._coding.time_base
        seconds = frame.duration * frame.time_base if frame.duration else 1 / self._settings.rate
        picture.duration = max(1, round(seconds / self._coding.time_base))
        return picture

    def _place(self, frame: Frame) -> int:
        rounded = round(frame.pts * frame.time_base / self._coding.time_base)
        self._last_pts = in_order(self._last_pts, rounded)  # two of them may round to one tick
        return self._last_pts

    def _mux(self, packets: list[Packet[Stream]]) -> None:
        for packet in packets:
            self._container.mux_one(packet)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _even(side: int) -> int:
    return side + side % 2


def _with_even_sides(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    if height % 2 or width % 2:
        return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels)


class GaplessSound:
    """Places sound by its time: gaps become silence, overlaps and what lies before 0 are cut."""

    def __init__(self, format: SoundFormat) -> None:
        self._format = format
        self._next = 0

    def place(self, sound: Sound) -> Iterator[AudioFrame]:
        """The frames, without gap from the ones before, that bring the track to the end of `sound`.

        Raises:
            ValueError: sound of another format than the track's.
        """
        if sound.format != self._format:
            raise ValueError(f"sound must be {self._format}, got {sound.format}")
        first = round(sound.pts * sound.time_base * self._format.rate)
        samples = sound.samples
        if abs(first - self._next) <= _SOUND_JITTER * self._format.rate:
            first = self._next
        yield from self._silence_until(first)
        samples = samples[:, max(0, self._next - first) :]
        if samples.shape[1]:
            yield self._frame(samples)

    def _silence_until(self, first: int) -> Iterator[AudioFrame]:
        while self._next < first:
            count = min(first - self._next, _SILENCE_SECONDS * self._format.rate)
            yield self._frame(np.zeros((self._format.channels, count), np.float32))

    def _frame(self, samples: NDArray[np.float32]) -> AudioFrame:
        layout = "mono" if self._format.channels == 1 else "stereo"
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout)
        frame.sample_rate = self._format.rate
        frame.time_base = Fraction(1, self._format.rate)
        frame.pts = self._next
        self._next += samples.shape[1]
        return frame
