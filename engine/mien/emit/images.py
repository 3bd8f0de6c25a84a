"""Picture sinks: PNG and JPEG encoding, a numbered sequence, one still."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import zlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from mien.credentials.signing import Credentials
from mien.emit import target
from mien.emit.mark import tags
from mien.emit.sink import SinkBase, SinkSettings
from mien.errors import SinkError
from mien.frame import Frame, Layout
from mien.machine import outputs
from mien.machine.atomic import NO_LINKS, Draft, destination_of
from mien.numbered import Numbered
from mien.sound.sound import Sound

Kind = Literal["png", "jpeg"]
ENDINGS: dict[str, Kind] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}

_PNG_HEAD = 33
"""Bytes of signature and IHDR chunk."""
_JPEG_LIMIT = 65533
_JPEG_QUANTISER = "2"
_PNG_LEVEL = "4"
_IN_FOLDER = Numbered("", 5, ".png")


class PictureEncoder:
    """Encodes frames of one size and layout as pictures of one kind, with `tags` and `credentials` in each."""

    def __init__(self, kind: Kind, tags: Mapping[str, str], name: str, credentials: Credentials | None = None) -> None:
        """`name`: the output as the user called it, for messages."""
        self._kind: Kind = kind
        self._tags = tags
        self._name = name
        self._credentials = credentials
        self._encoder: VideoCodecContext | None = None
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self._reformatter = VideoReformatter()

    def encode(self, frame: Frame) -> bytes:
        """The file's bytes; PNG keeps an alpha, JPEG drops it.

        Raises:
            SinkError: the picture cannot be encoded.
        """
        if self._encoder is None or self._shape != frame.pixels.shape:
            self._shape = frame.pixels.shape
            self._encoder = self._new_encoder(*frame.size, frame.layout)
        picture = self._picture(frame)
        picture.pts = self._count
        picture.time_base = Fraction(1, 25)
        self._count += 1
        data = b"".join(bytes(packet) for packet in self._encoder.encode(picture))
        if not data:
            raise SinkError(f"{self._name}: expected a picture that can be encoded, got {frame.pixels.shape}")
        tagged = with_png_text(data, self._tags) if self._kind == "png" else with_jpeg_comment(data, self._tags)
        return (
            tagged if self._credentials is None else self._credentials.signed(tagged, f"image/{self._kind}", self._name)
        )

    def _new_encoder(self, width: int, height: int, layout: Layout) -> VideoCodecContext:
        encoder = CodecContext.create("png" if self._kind == "png" else "mjpeg", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = width, height
        encoder.time_base = Fraction(1, 25)
        encoder.thread_count = 1
        if self._kind == "png":
            encoder.pix_fmt = "rgba" if layout == "rgba" else "rgb24"
            encoder.options = {"compression_level": _PNG_LEVEL, "pred": "mixed"}
        else:
            encoder.pix_fmt = "yuvj444p"
            encoder.options = {"qmin": _JPEG_QUANTISER, "qmax": _JPEG_QUANTISER}
        return encoder

    def _picture(self, frame: Frame) -> VideoFrame:
        keep_alpha = frame.layout == "rgba" and self._kind == "png"
        pixels = frame.pixels if keep_alpha else np.ascontiguousarray(frame.pixels[:, :, :3])
        picture = VideoFrame.from_numpy_buffer(pixels, format="rgba" if keep_alpha else "rgb24")
        if self._kind == "png":
            return picture
        return self._reformatter.reformat(
            picture,
            format="yuvj444p",
            dst_colorspace=int(Colorspace.ITU601),
            dst_color_range=int(ColorRange.JPEG),
            threads=1,
        )


def with_png_text(data: bytes, tags: Mapping[str, str]) -> bytes:
    """A PNG file with `tags` as text chunks behind its header."""
    return data[:_PNG_HEAD] + b"".join(_text_chunk(key, value) for key, value in tags.items()) + data[_PNG_HEAD:]


def with_jpeg_comment(data: bytes, tags: Mapping[str, str]) -> bytes:
    """A JPEG file with `tags` as comments, one "key: value" each, behind its first segments."""
    at = 2
    while data[at : at + 1] == b"\xff" and 0xE0 <= data[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    lines = (f"{key}: {value}".encode()[:_JPEG_LIMIT] for key, value in tags.items())
    return data[:at] + b"".join(b"\xff\xfe" + struct.pack(">H", len(line) + 2) + line for line in lines) + data[at:]


def _text_chunk(key: str, value: str) -> bytes:
    keyword = key.encode("latin-1", "replace")[:79].replace(b"\0", b" ")
    if value.isascii():
        return _chunk(b"tEXt", keyword + b"\0" + value.encode())
    return _chunk(b"iTXt", keyword + b"\0\0\0\0\0" + value.encode())


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


class StillSink(SinkBase):
    """One picture in a file, there whole or not at all; into a device or a pipe it is written. Sound is dropped."""

    def __init__(self, path: Path, settings: SinkSettings) -> None:
        """Check the place.

        Raises:
            SinkError: it cannot be written.
        """
        self._path = path
        self._name = str(path)
        outputs.need_file_place(path, self._name)
        kind = ENDINGS.get(path.suffix.lower(), "png")
        self._encoder = PictureEncoder(kind, tags(settings.metadata), self._name, settings.credentials)
        self._picture: bytes | None = None

    def write(self, frame: Frame) -> None:
        """Encode the picture.

        Raises:
            SinkError: it is the second one, or it cannot be encoded.
        """
        if self._picture is not None:
            raise SinkError(
                f"{self._name}: expected one picture, got more; name a video (.mp4) or a pattern such as %05d.png"
            )
        with target.as_sink_errors(self._name):
            self._picture = self._encoder.encode(frame)

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""

    def finish(self) -> None:
        if self._picture is None:
            raise SinkError(f"{self._name}: expected one picture to write, got none; check the source")
        outputs.write(self._path, self._picture)


def numbered(path: Path) -> tuple[Path, Numbered]:
    """The folder of a sequence and the names in it; `path`: a folder, or a pattern, see `SequenceSink`."""
    names = Numbered.of(path.name)
    return (path, _IN_FOLDER) if names is None else (path.parent, names)


class SequenceSink(SinkBase):
    """Numbered pictures from 1 on, written into a hidden folder and moved when all are there. Sound is dropped.

    A folder that does not exist is made; in one that does, no file is ever replaced. The hidden folder lies inside of
    that one, so that nothing else need be writable, nor on the same disk.
    """

    def __init__(self, path: Path, settings: SinkSettings) -> None:
        """Check the place.

        Args:
            path: a folder, or a pattern with the number's place in the file's name, such as `shots/%04d.jpg`.

        Raises:
            SinkError: it cannot be written, or holds such pictures already.
        """
        self._name = str(path)
        self._folder, self._names = numbered(path)
        if not self._names.is_possible:
            raise SinkError(f"{self._name}: expected one number of a few digits, such as %05d.png, got another pattern")
        ending = Path(self._names.name(1)).suffix.lower()
        if ending not in ENDINGS:
            raise SinkError(f"{self._name}: expected pictures as .png or .jpg, got {ending!r}; change the ending")
        self._check_folder(self._folder != path)
        kind = ENDINGS[ending]
        self._encoder = PictureEncoder(kind, tags(settings.metadata), self._name, settings.credentials)
        with target.as_sink_errors(self._name):
            place = destination_of(self._folder)
            self._new = place.facts is None
            self._draft = Draft(place.path if self._new else place.path / "pictures", folder=True)
            self._try_name()
        self._count = 0

    def write(self, frame: Frame) -> None:
        """Encode the next picture.

        Raises:
            SinkError: it cannot be written.
        """
        with target.as_sink_errors(self._name):
            (self._draft.path / self._names.name(self._count + 1)).write_bytes(self._encoder.encode(frame))
        self._count += 1

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""

    def finish(self) -> None:
        if self._count == 0:
            raise SinkError(f"{self._name}: expected at least one picture to write, got none; check the source")
        with target.as_sink_errors(self._name):
            if self._new and not os.path.exists(self._folder):
                self._draft.keep()
                return
            self._move_all()
            self._draft.drop()

    def discard(self) -> None:
        self._draft.drop()

    def _try_name(self) -> None:
        """Check that the pattern gives valid file names; nothing stays, since a umask may forbid to write it again."""
        trial = self._draft.path / self._names.name(1)
        try:
            os.close(os.open(trial, os.O_WRONLY | os.O_CREAT, 0o666))
            trial.unlink()
        except OSError:
            self._draft.drop()
            raise

    def _check_folder(self, must_exist: bool) -> None:
        with target.as_sink_errors(self._name):
            if must_exist or os.path.exists(self._folder):
                outputs.need_folder(self._folder, self._name)
                self._need_free()
                return
            try:
                outputs.need_folder(destination_of(self._folder).path.parent, self._name)
            except NotADirectoryError:
                outputs.need_folder(self._folder.parent, self._name)
                raise

    def _need_free(self) -> None:
        names = (entry.name for entry in self._folder.iterdir())
        taken = next((name for name in names if self._names.fits(name, shorter=True)), None)
        if taken is not None:
            raise SinkError(
                f"{self._name}: expected a folder without pictures of such names, got {taken!r} in it; "
                "choose another folder or move them away"
            )

    def _move_all(self) -> None:
        names = [self._names.name(number) for number in range(1, self._count + 1)]
        try:
            for name in names:
                _move(self._draft.path / name, self._folder / name)
        except BaseException:  # also an interrupt
            for name in names:
                _take_back(self._draft.path / name, self._folder / name)
            raise


def _move(source: Path, target: Path) -> None:
    """Give a finished picture its name, which nothing may have: a link never replaces, unlike a rename."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        os.rename(source, target)


def _take_back(source: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        if not source.exists() or source.samefile(target):
            target.unlink()
