"""Opens a media container and selects its streams, or raises a one-line error."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from av.codec.context import CodecContext, ThreadType
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.capture.pixels import describe
from mien.errors import SourceError

logger = logging.getLogger(__name__)

_CLOCK = re.compile(r"(\d{1,6}):(\d{1,2}):(\d{1,2}(?:\.\d{1,12})?)")
"""Hours, minutes and seconds. A number with an exponent of a billion would be computed for hours."""

_DRAWN: Final = frozenset({".svg", ".svgz"})
_CHANNELS = {
    name: place
    for place, name in enumerate(
        [
            "FL",
            "FR",
            "FC",
            "LFE",
            "BL",
            "BR",
            "FLC",
            "FRC",
            "BC",
            "SL",
            "SR",
            "TC",
            "TFL",
            "TFC",
            "TFR",
            "TBL",
            "TBC",
            "TBR",
            "DL",
            "DR",
            "WL",
            "WR",
            "SDL",
            "SDR",
            "LFE2",
            "TSL",
            "TSR",
            "BFC",
            "BFL",
            "BFR",
            "SSL",
            "SSR",
            "TTL",
            "TTR",
        ]
    )
}
"""Channel layouts in libav's native order; others are custom lists of the file."""
_NO_MEDIA = frozenset({"tty", "bin", "adf", "idf", "xbin", "lavfi", "concat", "hls", "dash"})
"""Demuxers that are not used: they accept any text as a picture, or open other files."""
_UNTIMED = 0x80
"""libav's flag (AVFMT_NOTIMESTAMPS) of demuxers whose format has no times: raw H.264, multipart JPEG."""
_PICTURES = "_pipe"
"""How libav's demuxers of pictures that follow each other in a pipe are called; `image2pipe` beside."""
_LONG_PROBE: Final = {"probesize": "100000000", "analyzeduration": "120000000"}
"""Bytes and microseconds that are looked through where a sound track begins later than libav looks by itself (5 s)."""
_FILE = "file:"
_TAIL = 256
"""Bytes at the end of a file that are searched for its end marker."""
_STREAMS_CHANGE = frozenset({"mpegts", "mpeg"})
"""Formats in which pictures may go on in another stream."""
_REST = 0.1
"""Share of such a container without a packet that is read above which that is told."""
_RATE_LIMIT = 1000
_RATE_USUAL = 120
_RATE_DEFAULT = Fraction(25)


@dataclass(frozen=True, slots=True)
class Opened:
    """A container with the streams that will be read."""

    container: InputContainer
    video: VideoStream
    decoder: VideoCodecContext
    """Of the video; not always the stream's own."""
    audio: AudioStream | None

    @property
    def time_base(self) -> Fraction:
        """Of the video."""
        return self.video.time_base or Fraction(1, av.time_base)

    @property
    def rate(self) -> Fraction:
        """Average frames per second."""
        said = (self.video.average_rate, self.video.guessed_rate, self.video.base_rate)
        if self.nominal:  # whose average is libav's default, whatever the codec itself says
            said = (self.video.guessed_rate, self.video.average_rate, self.video.base_rate)
        if self.video.average_rate and self.video.average_rate < 1 <= (self.video.base_rate or 0) <= _RATE_USUAL:
            said = (self.video.base_rate, None, None)  # the average is over a gap of hours
        for rate in said:
            if rate and 0 < rate <= _RATE_LIMIT:
                return Fraction(rate)
        return _RATE_DEFAULT

    @property
    def nominal(self) -> bool:
        """Whether the container has no time stamps; libav then invents them from an assumed rate."""
        format = self.container.format
        return bool(format.flags & _UNTIMED) or format.name.endswith(_PICTURES) or format.name == "image2pipe"

    @property
    def origin(self) -> Fraction:
        """When the container's time line begins, in seconds."""
        start = None if self.nominal else self.container.start_time
        return Fraction(start, av.time_base) if start is not None else Fraction(0)

    @property
    def duration(self) -> Fraction | None:
        """Seconds of the video as the container says."""
        if self.video.duration:
            return self.video.duration * self.time_base
        return _tagged_duration(self.video) or self.whole_duration

    @property
    def whole_duration(self) -> Fraction | None:
        """Seconds until the last stream ends, as the container says."""
        whole = self.container.duration
        return Fraction(whole, av.time_base) if whole and whole > 0 else None

    @property
    def frame_count(self) -> int | None:
        """As the container says, else an estimate."""
        if self.video.frames > 0:
            return self.video.frames
        return max(1, round(self.duration * self.rate)) if self.duration is not None else None

    @property
    def sample_aspect(self) -> float:
        """Width of a stored pixel divided by its height."""
        aspect = self.video.sample_aspect_ratio
        return float(aspect) if aspect and aspect > 0 else 1.0

    def stamp(self, picture: VideoFrame) -> int | None:
        """When a decoded picture is shown, in ticks; None where that is not known."""
        if self.nominal:  # libav gives none where frames are reordered, or counts in another unit (Dirac)
            return None
        if not self.by_order:
            return picture.pts if picture.pts is not None else picture.dts
        if picture.dts is None:
            return None
        step = round(1 / (self.rate * self.time_base))
        return picture.dts - self.decoder.reorder_depth * step

    def stamp_of_packet(self, packet: Packet[VideoStream]) -> int | None:
        """When the picture of a key frame's packet is shown, in ticks."""
        return None if self.nominal else packet.dts if self.by_order else packet.pts

    @property
    def lacks_its_end(self) -> bool:
        """Whether a GIF file, which does not say how long it is, has no end marker."""
        if self.container.format.name != "gif":
            return False
        with open(self.container.name.removeprefix(_FILE), "rb") as file:
            file.seek(-min(_TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return not file.read().rstrip(b"\0").endswith(b";")

    @property
    def by_order(self) -> bool:
        """Whether the container stores decoding times only, from which libav derives wrong times for B-frames."""
        return self.container.format.name == "avi"

    def seek(self, seconds: Fraction) -> bool:
        """Go to the key frame at or before a time since the container began; False where that cannot be done."""
        if self.whole_duration is None:
            return False
        try:
            self.container.seek(int((self.origin + seconds) / self.time_base), stream=self.video)
        except av.FFmpegError:
            return False
        self.decoder.flush_buffers()
        return True


def open_container(path: Path, name: str, threads: int, *, one_by_one: bool = False) -> Opened:
    """Open a file of moving pictures.

    Args:
        name: how the user called it, for messages.
        threads: of the decoder.
        one_by_one: decode without the delay of threads that work on several frames at once.

    Raises:
        SourceError: not a container that can be read, or without a video stream that can be decoded.
    """
    container = _open(path, name)
    if any(stream.codec_context is not None and not stream.sample_rate for stream in container.streams.audio):
        container.close()
        container = _open(path, name, _LONG_PROBE)
    try:
        return streams_of(container, name, threads, one_by_one=one_by_one)
    except SourceError:
        container.close()
        raise


def streams_of(container: InputContainer, name: str, threads: int, *, one_by_one: bool = False) -> Opened:
    """The streams of an open container that will be read; arguments as for `open_container`.

    Raises:
        SourceError: no video stream that can be decoded.
    """
    video = _video_stream(container, name)
    audio = _audio_stream(container)
    decoder = _decoder(video, name)
    decoder.thread_count = threads
    decoder.thread_type = ThreadType.SLICE if one_by_one else ThreadType.AUTO
    if audio is not None:
        audio.codec_context.thread_count = 1
    return Opened(container, video, decoder, audio)


def packets_of(container: InputContainer, *streams: Stream) -> Iterator[Packet[Stream]]:
    """Packets of some streams, and an empty one of each at the end.

    Streams that begin after the container was opened are left out. PyAV 18 has no objects for them: it counts them
    among those that are to be flushed at the end and then stumbles over the first (IndexError).
    """
    with contextlib.suppress(IndexError):
        yield from container.demux(*streams)


class PassedOver:
    """Which parts of a container lie in none of the streams that are read, since these begin in its middle.

    MPEG-TS and MPEG-PS have such streams where recordings were put together, or a sender was started again.
    """

    def __init__(self) -> None:
        self._read_to: int | None = None
        """The byte where the latest packet ends."""
        self._most = 0
        """Bytes between two packets."""

    def note(self, packet: Packet[Stream]) -> None:
        """Take in where a packet that is read lies."""
        if packet.pos is not None:
            before = packet.pos if self._read_to is None else self._read_to
            self._most = max(self._most, packet.pos - before)
            self._read_to = max(before, packet.pos + packet.size)

    def told(self, format: str, size: int) -> str | None:
        """What to warn of at the end of a container of so many bytes; None where there is nothing."""
        if format not in _STREAMS_CHANGE or self._read_to is None or size <= 0:
            return None
        share = max(self._most, size - self._read_to) / size
        if share <= _REST:
            return None
        return f"has streams that begin in its middle ({share:.0%} of it); they are left out: convert it first"


def _tagged_duration(video: VideoStream) -> Fraction | None:
    """Seconds by the tag that Matroska files carry."""
    found = _CLOCK.fullmatch(video.metadata.get("DURATION", ""))
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return (int(hours) * 60 + int(minutes)) * 60 + Fraction(seconds) or None


def _open(path: Path, name: str, options: Mapping[str, str] | None = None) -> InputContainer:
    if _is_page(path):
        raise SourceError(f"{name}: expected a video or a picture, got a web page; download the file itself")
    try:
        # the prefix keeps libav from reading a colon in a file's name as a protocol
        container = av.open(f"{_FILE}{os.fspath(path)}", "r", options=dict(options or {}), metadata_errors="replace")
    except av.FFmpegError as error:
        raise SourceError(
            f"{name}: expected a video or a picture, got a file that is neither or that breaks off "
            f"before its first frame ({describe(error)}); check it with a player"
        ) from error
    if container.format.name in _NO_MEDIA:
        container.close()
        raise SourceError(f"{name}: expected a video or a picture, got a text or a play list; name a media file")
    return container


def _is_page(path: Path) -> bool:
    """Whether a file is HTML, such as an error page of a server."""
    with path.open("rb") as file:
        return file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if streams:
        best = container.streams.best("video")
        return best if isinstance(best, VideoStream) and best in streams else streams[0]
    if container.streams.audio:
        raise SourceError(f"{name}: expected pictures, got sound only; use a file with pictures in it")
    raise SourceError(f"{name}: expected pictures, got a file without a video stream; use a file with pictures in it")


def _audio_stream(container: InputContainer) -> AudioStream | None:
    best = container.streams.best("audio")
    if not isinstance(best, AudioStream) or best.codec_context is None or best.codec_context.sample_rate <= 0:
        if container.streams.audio:
            logger.warning("a sound track of which nothing comes at the beginning is left out")
        return None
    return best if has_usual_layout(best.codec_context.layout) else None


def has_usual_layout(layout: AudioLayout) -> bool:
    """Whether PyAV can decode the sound: a list of channels of the file's own, as of 7.1 in MOV, it frees twice.

    PyAV 18 copies libav's layout by value and uninitialises the copy, so the layout that is looked at here must not be
    let go of either.
    """
    _, listed, channels = layout.name.partition(" channels (")
    places = [_CHANNELS.get(channel.strip(), -1) for channel in channels.rstrip(")").split("+")]
    if not listed or (-1 not in places and places == sorted(places)):
        return True
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))
    logger.warning("its sound is left out: its %s cannot be read; convert it to stereo or 5.1", layout.name)
    return False


def _undecoded(name: str) -> str:
    if Path(name).suffix.lower() in _DRAWN:
        return "expected pixels, got a vector drawing; save it as PNG"
    return "expected a codec that libav decodes, got an unknown one; convert it to H.264"


def _decoder(video: VideoStream, name: str) -> VideoCodecContext:
    context = video.codec_context
    if context is None:
        raise SourceError(f"{name}: {_undecoded(name)}")
    if context.name == "vp9" and ("alpha_mode", "1") in ((key.lower(), kept) for key, kept in video.metadata.items()):
        # libav's own decoder drops the second stream that carries the alpha
        alpha = CodecContext.create("libvpx-vp9", "r")
        if isinstance(alpha, VideoCodecContext):
            return alpha
    return context
