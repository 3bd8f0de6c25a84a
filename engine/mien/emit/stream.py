"""Low-delay streaming: RTMP, RTSP, or MPEG-TS over UDP, TCP, SRT and pipes."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container.output import OutputContainer

from mien.address import public_name, scheme_of
from mien.emit.encoding import Coding, Encoding
from mien.emit.mark import tags
from mien.emit.sink import SinkBase, SinkSettings
from mien.emit.wires import Interruptible, PipeWire, SocketWire, SrtWire, Wire
from mien.errors import ReaderGone, SettingError, SinkError
from mien.frame import Frame
from mien.machine.atomic import Destination, destination_of, standard_output
from mien.machine.outputs import STANDARD_OUTPUT, is_special
from mien.sound.sound import Sound

_PIPED = ("", ".ts", ".mpegts", ".m2ts")
"""Endings of pipes and devices: what goes there is MPEG-TS."""
SCHEMES = ("rtmp", "rtmps", "rtsp", "rtsps", "srt", "tcp", "udp")
SUBPROCESS_SCHEMES = frozenset({"rtmp", "rtmps", "rtsp", "rtsps"})
"""Schemes that libav connects itself; they are sent by a child process."""
_TIME_BASE = Fraction(1, 90_000)
_FORMATS = {"rtmp": "flv", "rtmps": "flv", "rtsp": "rtsp", "rtsps": "rtsp"}
_OPTIONS = {
    "flv": {"flvflags": "no_duration_filesize"},
    "rtsp": {"rtsp_transport": "tcp"},
    "mpegts": {
        "flush_packets": "1",
        "muxdelay": "0",
        "muxpreload": "0",
        # a picture is told how long it is: else a reader has it whole only when the next one begins
        "omit_video_pes_length": "0",
        # microseconds: pictures do not wait for sound to lie between them, nor sound for pictures
        "max_interleave_delta": "1",
    },
}


@dataclass(frozen=True, slots=True)
class LowDelay:
    """Encoder settings of live streams: no look-ahead, frequent key frames."""

    preset: str = "ultrafast"
    """Of x264."""
    kilobits: int = 4000
    """The most a second, over a quarter of a second."""
    crf: int = 20
    key_frame_seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.kilobits < 50 or not 0 <= self.crf <= 51 or not 0 < self.key_frame_seconds <= 60:
            raise SettingError(f"a live stream needs 50 kilobits or more, crf 0..51, key frames 0..60 s; got {self}")

    def coding(self) -> Coding:
        options = {
            "preset": self.preset,
            "tune": "zerolatency",
            "crf": str(self.crf),
            "maxrate": f"{self.kilobits}k",
            "bufsize": f"{max(self.kilobits // 4, 1)}k",
            "bf": "0",
        }
        return Coding("libx264", "aac", _TIME_BASE, options, self.key_frame_seconds)


class StreamSink(SinkBase):
    """Sends frames at once; used by one thread, which the network may block.

    By RTMP and RTSP the whole process may be, while it connects: see `SubprocessSink`.
    """

    def __init__(self, name: str, settings: SinkSettings, *, delay: LowDelay | None = None, threads: int = 0) -> None:
        """Connect.

        Args:
            name: an address, "-" for standard output, a named pipe that is being read, a descriptor of this process
                (/dev/stdout, /dev/fd/N), or a device.
            threads: of the encoder; 0: all.

        Raises:
            SinkError: nobody listens there, or nothing speaks this protocol.
        """
        self._name = public_name(name)
        if settings.alpha:
            raise SinkError(
                f"{self._name}: expected .webm, or pictures as .png, for a transparent background, got a stream"
            )
        self._wire: Wire | None = None
        self._written: Interruptible | None = None
        self._container: OutputContainer | None = None
        try:
            self._container = self._open(name, settings)
            coding = (delay or LowDelay()).coding()
            self._encoding = Encoding(self._container, settings, coding, name=self._name, threads=threads)
            self._container.start_encoding()
        except (OSError, av.FFmpegError) as error:
            self.discard()
            reason = (error.strerror or str(error)).lower()
            cure = "is the server running?" if scheme_of(name) is not None else "is it open, does somebody read it?"
            raise SinkError(f"{self._name}: expected somebody to stream to, got an error ({reason}); {cure}") from error
        except SinkError:
            self.discard()
            raise

    def write(self, frame: Frame) -> None:
        """Encode and send a frame.

        Raises:
            SinkError: a frame of another size than the settings', or the stream broke off; ReaderGone: of a pipe.
        """
        self._encoding.need_size(frame)
        with self._telling():
            self._encoding.write(frame)

    def write_sound(self, sound: Sound) -> None:
        """Encode and send sound at its time.

        Raises:
            SinkError: the stream broke off.
        """
        with self._telling():
            self._encoding.write_sound(sound)

    def finish(self) -> None:
        with self._telling():
            if self._encoding.begun:
                self._encoding.flush()
            if self._container is not None:
                self._container.close()
        with self._telling():
            if self._wire is not None:
                self._wire.finish()
        self.discard()

    def stop(self) -> None:
        wire = self._wire
        if wire is not None:
            wire.stop()

    def discard(self) -> None:
        self.stop()  # else libav would write the end
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(OSError, ValueError, av.FFmpegError):
                container.close()
        wire, self._wire = self._wire, None
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.close()

    def _open(self, name: str, settings: SinkSettings) -> OutputContainer:
        format = _FORMATS.get(scheme_of(name) or "", "mpegts")
        options = dict(_OPTIONS[format])
        if format == "mpegts":
            self._wire = _wire(name, self._name)
            self._written = Interruptible(self._wire)
            container = av.open(
                self._written, "w", format=format, container_options=options, buffer_size=self._wire.packet_size
            )
        else:
            container = av.open(name, "w", format=format, container_options=options)
        container.metadata.update(tags(settings.metadata))
        return container

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
            self._check()
        except (OSError, av.FFmpegError) as error:
            self._check()
            reason = (error.strerror or str(error)).lower()
            if isinstance(error, BrokenPipeError) and isinstance(self._wire, PipeWire):
                raise ReaderGone(f"{self._name}: expected somebody to read, got nobody any more ({reason})") from error
            raise SinkError(f"{self._name}: expected to go on streaming, got an error ({reason})") from error

    def _check(self) -> None:
        """Raise the interrupt that came while libav wrote."""
        if self._written is not None:
            self._written.check()


def is_stream(name: str) -> bool:
    """Whether a name selects a stream."""
    if name == STANDARD_OUTPUT or scheme_of(name) is not None:
        return True
    return Path(name).suffix.lower() in _PIPED and is_special(name)


def need_scheme(name: str) -> None:
    """Refuse an address that nothing can be sent to.

    Raises:
        SinkError: it is one of another scheme.
    """
    scheme = scheme_of(name)
    if scheme is not None and scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise SinkError(f"{public_name(name)}: expected an address with one of {known}, got {scheme!r}")


def comes_back(name: str) -> bool:
    """Whether an output can be reopened after a break: addresses and named pipes can."""
    if scheme_of(name) is not None:
        return True
    place = None if name == STANDARD_OUTPUT else destination_of(name)
    return place is not None and place.descriptor is None and _is_pipe(place)


def _is_pipe(place: Destination) -> bool:
    return place.facts is not None and stat.S_ISFIFO(place.facts.st_mode)


def _wire(name: str, told: str) -> Wire:
    scheme = scheme_of(name)
    if scheme in ("tcp", "udp"):
        return SocketWire(name)
    if scheme == "srt":
        return SrtWire(name, told)
    need_scheme(name)
    if name == STANDARD_OUTPUT:
        return PipeWire(standard_output().open())
    place = destination_of(name)
    if place.path.match("/dev/video*"):
        raise SinkError(
            f"{told}: expected a pipe or a device that takes a stream, got a camera; name it virtual:{name}"
        )
    return PipeWire(place.open(patience=0))  # refused where nobody reads, instead of waiting
