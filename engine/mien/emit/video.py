"""Video files: H.264 + AAC in mp4, mov and mkv, VP9 + Opus in webm."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags, ThreadType
from av.container.output import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.emit import target
from mien.emit.credit import tags
from mien.emit.ending import Ending
from mien.emit.sink import SinkSettings
from mien.emit.soundtrack import Soundtrack
from mien.errors import SettingError, SinkError
from mien.frame import Frame
from mien.sound import Sound, SoundFormat

_BT709 = 1
_KEY_FRAME_SECONDS = 2
_FINEST = 1_000_000
"""Ticks a second that players cope with."""
_MILLISECONDS = Fraction(1, 1000)
_BITS_PER_CHANNEL = 96_000


@dataclass(frozen=True, slots=True)
class VideoQuality:
    """How a video is encoded."""

    crf: int = 18
    """Constant rate factor, 0 (lossless) to 51; 18 is hard to tell from the source."""
    preset: str = "veryfast"
    """Of x264: from ultrafast to veryslow, smaller files for more time."""

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= 51:
            raise SettingError(f"crf must be from 0 to 51, got {self.crf}")


@dataclass(frozen=True, slots=True)
class Container:
    """What a file's ending stands for."""

    format: str
    video: str
    audio: str
    time_base: Fraction | None = None
    """The only time base that the container knows; None: any."""
    flags: str = ""
    """Of libav's mov muxer: the index in front, and in mov, which else knows few of them, metadata by any name."""


CONTAINERS = {
    ".mp4": Container("mp4", "libx264", "aac", flags="+faststart"),
    ".m4v": Container("mp4", "libx264", "aac", flags="+faststart"),
    ".mov": Container("mov", "libx264", "aac", flags="+faststart+use_metadata_tags"),
    ".mkv": Container("matroska", "libx264", "aac", _MILLISECONDS),
    ".webm": Container("webm", "libvpx-vp9", "libopus", _MILLISECONDS),
}


class VideoSink(Ending):
    """A video file, written under a hidden name beside its place and renamed when it is whole.

    Frame times are kept as they are, also of a variable rate (to the millisecond in mkv and webm, which know no finer
    time). H.264 needs even sides: the last row or column of an odd picture is shown twice. An alpha is dropped.
    """

    def __init__(self, path: Path, settings: SinkSettings, *, quality: VideoQuality, threads: int = 0) -> None:
        """Check the place and open the container.

        Args:
            threads: of the encoder; 0: all.

        Raises:
            SinkError: the place cannot be written, or its ending stands for no container.
        """
        self._path = path
        self._name = str(path)
        self._kind = CONTAINERS[path.suffix.lower()]
        self._settings = settings
        target.need_file_place(path, self._name)
        self._time_base = _encoder_time_base(self._kind, settings.time_base)
        self._last_pts: int | None = None
        self._reformatter = VideoReformatter()
        self._part = target.beside(path)
        with target.told(self._name):
            self._container = self._open_container()
        self._video = self._add_video(quality, threads)
        self._audio = self._add_audio(settings.sound) if settings.sound is not None else None
        self._soundtrack = Soundtrack(settings.sound) if settings.sound is not None else None

    def write(self, frame: Frame) -> None:
        """Encode a frame; its array is read before the call returns.

        Raises:
            SinkError: a frame of another size than the settings', or the file cannot be written.
        """
        if frame.size != (self._settings.width, self._settings.height):
            expected, got = ((self._settings.width, self._settings.height), frame.size)
            raise SinkError(f"{self._name}: expected frames of {_by(expected)} pixels, got {_by(got)}")
        picture = self._picture(frame)
        with target.told(self._name):
            self._mux(self._video.encode(picture))

    def write_sound(self, sound: Sound) -> None:
        """Encode sound at its time; ignored if the settings name no sound.

        Raises:
            SinkError: the file cannot be written.
        """
        if self._soundtrack is None or self._audio is None:
            return
        with target.told(self._name):
            for run in self._soundtrack.place(sound):
                self._mux(self._audio.encode(run))

    def finish(self) -> None:
        if self._last_pts is None:
            raise SinkError(f"{self._name}: expected at least one frame to write, got none; check the source")
        with target.told(self._name):
            self._mux(self._video.encode(None))
            if self._audio is not None:
                self._mux(self._audio.encode(None))
            self._container.close()
            target.replace(self._part, self._path)

    def discard(self) -> None:
        # removed first, so that libav does not complete a file that nobody wants
        target.remove(self._part)
        with contextlib.suppress(OSError, ValueError, av.FFmpegError):
            self._container.close()
        target.remove(self._part)

    def _open_container(self) -> OutputContainer:
        options = {"movflags": self._kind.flags} if self._kind.flags else {}
        container = av.open(f"file:{self._part}", "w", format=self._kind.format, container_options=options)
        container.metadata.update(tags(self._settings.metadata))
        return container

    def _add_video(self, quality: VideoQuality, threads: int) -> VideoStream:
        rate = self._settings.rate
        stream = self._container.add_stream(self._kind.video, rate=rate, options=_options(self._kind, quality))
        stream = cast(VideoStream, stream)
        context = stream.codec_context
        context.width = _even(self._settings.width)
        context.height = _even(self._settings.height)
        context.pix_fmt = "yuv420p"
        context.time_base = self._time_base
        context.gop_size = max(1, round(rate * _KEY_FRAME_SECONDS))
        context.thread_count = threads
        context.thread_type = ThreadType.AUTO
        context.flags |= Flags.frame_duration
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        return stream

    def _add_audio(self, sound: SoundFormat) -> AudioStream:
        rates = av.Codec(self._kind.audio, "w").audio_rates or [sound.rate]
        rate = min((known for known in rates if known >= sound.rate), default=max(rates))
        stream = self._container.add_stream(self._kind.audio, rate=int(rate))
        stream = cast(AudioStream, stream)
        stream.codec_context.layout = "mono" if sound.channels == 1 else "stereo"
        stream.codec_context.bit_rate = _BITS_PER_CHANNEL * sound.channels
        return stream

    def _picture(self, frame: Frame) -> VideoFrame:
        pixels = _with_even_sides(frame.pixels[:, :, :3] if frame.layout == "rgba" else frame.pixels)
        picture = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(pixels, format="rgb24"),
            format="yuv420p",
            dst_colorspace=int(Colorspace.ITU709),
            dst_color_range=int(ColorRange.MPEG),
            threads=1,
        )
        picture.pts = self._place(frame)
        picture.time_base = self._time_base
        seconds = frame.duration * frame.time_base if frame.duration else 1 / self._settings.rate
        picture.duration = max(1, round(seconds / self._time_base))
        return picture

    def _place(self, frame: Frame) -> int:
        pts = round(frame.pts * frame.time_base / self._time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1  # rounding must not change the order
        self._last_pts = pts
        return pts

    def _mux(self, packets: list[Packet[Stream]]) -> None:
        for packet in packets:
            self._container.mux_one(packet)


def _encoder_time_base(kind: Container, time_base: Fraction) -> Fraction:
    if kind.time_base is not None:
        return kind.time_base
    return time_base if time_base >= Fraction(1, _FINEST) else Fraction(1, _FINEST)


def _options(kind: Container, quality: VideoQuality) -> dict[str, str]:
    if kind.video == "libx264":
        # without B-frames decoding order is showing order: mp4 then keeps the length of a variable rate exactly
        return {"crf": str(quality.crf), "preset": quality.preset, "bf": "0"}
    return {"crf": str(quality.crf), "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _even(side: int) -> int:
    return side + side % 2


def _with_even_sides(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    if height % 2 or width % 2:
        return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels)
