"""Video file sink: H.264 + AAC in mp4, mov and mkv, VP9 + Opus in webm."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container.output import OutputContainer

from mien.credentials.signing import mime_signed
from mien.emit import target
from mien.emit.encoding import Coding, Encoding
from mien.emit.mark import tags
from mien.emit.sink import SinkBase, SinkSettings
from mien.errors import SettingError, SinkError
from mien.frame import Frame
from mien.machine.atomic import Draft, destination_of
from mien.machine.outputs import need_file
from mien.sound.sound import Sound

_FINEST = 1_000_000
"""Ticks a second that players cope with."""
_MILLISECONDS = Fraction(1, 1000)


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
    alpha: bool = False
    """Whether it can carry transparency."""


CONTAINERS = {
    ".mp4": Container("mp4", "libx264", "aac", flags="+faststart"),
    ".m4v": Container("mp4", "libx264", "aac", flags="+faststart"),
    ".mov": Container("mov", "libx264", "aac", flags="+faststart+use_metadata_tags"),
    ".mkv": Container("matroska", "libx264", "aac", _MILLISECONDS),
    ".webm": Container("webm", "libvpx-vp9", "libopus", _MILLISECONDS, alpha=True),
}


def need_video(path: Path) -> None:
    """Refuse what cannot become a video.

    Raises:
        SinkError: the place cannot be written, or its ending stands for no container.
    """
    if path.suffix.lower() not in CONTAINERS:
        raise SinkError(f"{path}: expected a video ending in {', '.join(CONTAINERS)}, got {path.suffix!r}")
    need_file(path, str(path))


class VideoSink(SinkBase):
    """A video file, written under a hidden name beside its place and renamed when it is whole.

    Frame times are kept as they are, also of a variable rate (to the millisecond in mkv and webm, which know no finer
    time). H.264 needs even sides: the last row or column of an odd picture is shown twice. Of all containers webm alone
    keeps an alpha.
    """

    def __init__(self, path: Path, settings: SinkSettings, *, quality: VideoQuality, threads: int = 0) -> None:
        """Check the place and open the container.

        Args:
            threads: of the encoder; 0: all.

        Raises:
            SinkError: the place cannot be written, its ending stands for no container, or for none with an alpha.
        """
        self._name = str(path)
        self._kind = CONTAINERS[path.suffix.lower()]
        self._settings = settings
        if settings.alpha and not self._kind.alpha:
            raise SinkError(
                f"{self._name}: expected .webm, or pictures as .png, for a transparent background, "
                f"got {path.suffix}; change the ending, or choose another background"
            )
        need_file(path, self._name)
        with target.as_sink_errors(self._name):
            self._place = destination_of(path).path
            self._draft = Draft(self._place)
        try:
            self._open(quality, threads)
        except BaseException:
            self._draft.drop()
            raise

    def _open(self, quality: VideoQuality, threads: int) -> None:
        with target.as_sink_errors(self._name):
            self._container = self._open_container()
            coding = _coding(self._kind, quality, self._settings)
            self._encoding = Encoding(self._container, self._settings, coding, name=self._name, threads=threads)

    def write(self, frame: Frame) -> None:
        """Encode a frame; its array is read before the call returns.

        Raises:
            SinkError: a frame of another size than the settings', or the file cannot be written.
        """
        self._encoding.need_size(frame)
        with target.as_sink_errors(self._name):
            self._encoding.write(frame)

    def write_sound(self, sound: Sound) -> None:
        """Encode sound at its time; ignored if the settings name no sound.

        Raises:
            SinkError: the file cannot be written.
        """
        with target.as_sink_errors(self._name):
            self._encoding.write_sound(sound)

    def finish(self) -> None:
        if not self._encoding.begun:
            raise SinkError(f"{self._name}: expected at least one frame to write, got none; check the source")
        with target.as_sink_errors(self._name):
            self._encoding.flush()
            self._container.close()
            self._sign()
            self._draft.keep()

    def _sign(self) -> None:
        """Put a copy with content credentials in the draft's place."""
        credentials = self._settings.credentials
        if credentials is None or mime_signed(self._name) is None:
            return
        signed = Draft(self._place)
        worked = False
        try:
            worked = credentials.sign(self._draft.path, signed.path, self._name)
        finally:  # also after an interrupt
            if not worked:
                signed.drop()
        if not worked:
            return
        self._draft.drop()
        self._draft = signed

    def discard(self) -> None:
        # removed first, so that libav does not complete a file that nobody wants
        self._draft.drop()
        with contextlib.suppress(OSError, ValueError, av.FFmpegError):
            self._container.close()

    def _open_container(self) -> OutputContainer:
        options = {"movflags": self._kind.flags} if self._kind.flags else {}
        container = av.open(f"file:{self._draft.path}", "w", format=self._kind.format, container_options=options)
        container.metadata.update(tags(self._settings.metadata))
        return container


def _coding(kind: Container, quality: VideoQuality, settings: SinkSettings) -> Coding:
    finest = settings.time_base if settings.time_base >= Fraction(1, _FINEST) else Fraction(1, _FINEST)
    options = _options(kind, quality)
    if settings.alpha:
        options["auto-alt-ref"] = "0"  # hidden frames cannot carry the alpha
    return Coding(kind.video, kind.audio, kind.time_base or finest, options, alpha=settings.alpha)


def _options(kind: Container, quality: VideoQuality) -> dict[str, str]:
    if kind.video == "libx264":
        # without B-frames decoding order is showing order: mp4 then keeps the length of a variable rate exactly
        return {"crf": str(quality.crf), "preset": quality.preset, "bf": "0"}
    return {"crf": str(quality.crf), "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
