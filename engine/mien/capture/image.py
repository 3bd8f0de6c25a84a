"""Reading single pictures: upright, 8-bit sRGB, scaled down within a memory bound.

JPEG and PNG are decoded by libav in a third to a half of Pillow's time, with a closer look for damage.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import av
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from mien.capture import png, still
from mien.capture.colour import Colours, plain
from mien.capture.pixels import PixelReader, Turn, fitted, over_black, upright
from mien.capture.source import need_file
from mien.capture.still import Kind
from mien.errors import SourceError

MAX_SIDE = 4096
"""Pixels of the longer side that are kept."""
_WHOLE_PIXELS = 1 << 24
"""Pixels above which a PNG is decoded strip by strip."""
_GREY_MODES = ("1", "L", "LA", "I;16")
_UNSPECIFIED = 2
"""What a frame does not say of its colours, in H.273."""
_REDUCING_GAP = 2.0
"""Scale left for the exact part of downscaling, see Pillow's `reducing_gap`."""
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""Of a JPEG file, where no pixels are: among them its byte is followed by 0, or by the number of a restart."""
_END = 0xD9
_MOST_LOWRES = 3
_ORIENTATION_TAG = 0x0112
_ENTRIES_LIMIT = 512
_TURNS = {
    1: Turn.NONE,
    2: Turn.MIRROR_X,
    3: Turn.MIRROR_X | Turn.MIRROR_Y,
    4: Turn.MIRROR_Y,
    5: Turn.TRANSPOSE,
    6: Turn.TRANSPOSE | Turn.MIRROR_X,
    7: Turn.TRANSPOSE | Turn.MIRROR_X | Turn.MIRROR_Y,
    8: Turn.TRANSPOSE | Turn.MIRROR_Y,
}


def read(path: str | os.PathLike[str], max_side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """The picture in a file as (H, W, 3) uint8 sRGB, C-contiguous.

    Its colours are converted as its profile says, EXIF orientation is applied, transparency flattened over black, and
    the longer side shrunk to `max_side` pixels where it is longer: a 20,000 pixel PNG or JPEG never stands in memory
    at full size. Of an animation the first picture is read.

    Raises:
        SourceError: no such file, not a picture, damaged or cut off, or larger than can be decoded.
    """
    name = os.fspath(path)
    file = Path(path)
    need_file(file, name)
    return PictureReader(max_side=max_side).read(file, name)


def kind_of_file(path: Path) -> Kind | None:
    """Of which kind a still picture, or an animation, is by its first bytes; None for other files."""
    with path.open("rb") as file:
        return still.kind_of(file.read(still.HEAD))


def stored_size(path: Path) -> tuple[int, int] | None:
    """(width, height) of a picture by its header alone; None for what is none.

    Raises:
        SourceError: a damaged picture.
    """
    kind = kind_of_file(path)
    return None if kind is None else still.opened(path.read_bytes(), kind, os.fspath(path)).size


class PictureReader:
    """Reads pictures one after the other, all to the size of the first one."""

    def __init__(self, *, alpha: bool = False, max_side: int = MAX_SIDE) -> None:
        self._alpha = alpha
        self._max_side = max_side
        self._size: tuple[int, int] | None = None

    def read(self, path: Path, name: str) -> NDArray[np.uint8]:
        """(H, W, 3) or, with `alpha`, (H, W, 4) uint8.

        Raises:
            SourceError: not a picture, damaged, or larger than can be decoded.
        """
        try:
            kind = kind_of_file(path)
            data = b"" if kind is None else path.read_bytes()
        except OSError as error:
            raise SourceError(f"{name}: expected a picture, could not read it ({error}); check the path") from error
        try:
            return self._sized(self._from_container(path, name) if kind is None else self._decode(data, kind, name))
        except still.UnreadPicture as refused:
            try:
                return self._sized(self._from_container(path, name))
            except SourceError:
                raise refused from None

    def read_bytes(self, data: bytes, kind: Kind, name: str) -> NDArray[np.uint8]:
        """As `read`, of a file's content."""
        return self._sized(self._decode(data, kind, name))

    def read_loaded(self, image: ImageFile, data: bytes, kind: Kind) -> NDArray[np.uint8]:
        """As `read`, of what was decoded already."""
        return self._sized(self._finished(self._shrunk(image), image, data, kind))

    def _sized(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._size is None:
            self._size = pixels.shape[1], pixels.shape[0]
        return resized(pixels, *self._size)

    def _decode(self, data: bytes, kind: Kind, name: str) -> NDArray[np.uint8]:
        image = still.opened(data, kind, name)
        header = png.header_of(data) if image.width * image.height > _WHOLE_PIXELS else None
        if header is not None and png.can_split(data, header):
            with still.as_source_errors(kind, name):
                return self._finished(self._from_strips(data, header), image, data, kind)
        still.need_decodable(image.size, name)
        with still.as_source_errors(kind, name):
            pixels = self._quickly(image, data) if kind in ("JPEG", "PNG") else None
            if pixels is not None:
                return self._finished(pixels, image, data, kind)
            with still.quietly():
                image.load()
            return self._finished(self._shrunk(image), image, data, kind)

    def _quickly(self, image: ImageFile, data: bytes) -> NDArray[np.uint8] | None:
        """(H, W, 3 or 4) as stored, shrunk; None for what is left to Pillow: inks, whose profile wants them unmixed."""
        frame = decoded(data, image.size, self._max_side)
        if frame is None or image.mode == "CMYK":
            return None
        frame.color_primaries = frame.color_trc = _UNSPECIFIED  # both kinds' colours are converted in one place
        reader = PixelReader(alpha=image.has_transparency_data, max_side=self._max_side, still=True)
        return reader.read(frame, oriented=False)

    def _from_strips(self, data: bytes, header: png.Header) -> NDArray[np.uint8]:
        factor = -(-max(header.width, header.height) // self._max_side)
        reader = PixelReader(alpha=header.has_alpha, still=True)
        parts = []
        for strip in png.strips(data, header, factor):
            size = -(-header.width // factor), -(-strip.height // factor)
            parts.append(reader.read(strip, oriented=False, size=size))
        return np.concatenate(parts)

    def _shrunk(self, image: Image.Image) -> Image.Image:
        image = plain(image)
        size = fitted(*image.size, self._max_side)
        if size == image.size:
            return image
        return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=_REDUCING_GAP)

    def _finished(
        self, stored: Image.Image | NDArray[np.uint8], image: ImageFile, data: bytes, kind: Kind
    ) -> NDArray[np.uint8]:
        """Stored pixels, of which `image` says what they mean, as they are seen."""
        colours = Colours.of(image, data, kind)
        if colours.are_converted or isinstance(stored, Image.Image):
            pixels = colours.converted(stored if isinstance(stored, Image.Image) else _as_image(stored, image))
        else:
            pixels = stored
        pixels = upright(pixels, _turn(image, data, kind))
        if not self._alpha:
            return over_black(pixels) if pixels.shape[2] == 4 else pixels
        return pixels if pixels.shape[2] == 4 else np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])

    def _from_container(self, path: Path, name: str) -> NDArray[np.uint8]:
        from mien.capture.video import first_picture

        return first_picture(path, name, PixelReader(alpha=self._alpha, max_side=self._max_side, still=True))


def resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) uint8 stretched to a size; the same array where it has it already."""
    if pixels.shape[:2] == (height, width):
        return pixels
    frame = VideoFrame.from_numpy_buffer(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
    return PixelReader(alpha=pixels.shape[2] == 4).read(frame, size=(width, height))


def _as_image(pixels: NDArray[np.uint8], image: ImageFile) -> Image.Image:
    """Pixels as Pillow has them: in one channel where `image` is grey, since so is its profile."""
    picture = Image.fromarray(pixels)
    if image.mode not in _GREY_MODES:
        return picture
    return picture.convert("LA" if pixels.shape[2] == 4 else "L")


def _turn(image: ImageFile, data: bytes, kind: Kind) -> Turn:
    """How decoded pixels are made upright; TIFF and HEIC already are."""
    if kind in ("TIFF", "HEIC"):
        return Turn.NONE
    block = png.body_of(data, b"eXIf") if kind == "PNG" else image.info.get("exif")
    return Turn.NONE if block is None else turn_of_exif(block)


def decoded(data: bytes, size: tuple[int, int], max_side: int) -> VideoFrame | None:
    """The picture in a JPEG or PNG file; None for a kind of JPEG that only Pillow reads.

    Args:
        size: (width, height) by the header.
        max_side: a JPEG is shrunk by a power of two on the way, as long as its longer side stays so long.

    Raises:
        ValueError: codes that mean nothing, or pixels that break off.
        MemoryError: it does not fit.
    """
    is_jpeg = data.startswith(b"\xff\xd8")
    if is_jpeg:
        _need_end(data)
    else:
        data = data[: png.end_of(data)]  # with it libav takes the rows that are there for all of them
    decoder = CodecContext.create("mjpeg" if is_jpeg else "png", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode"}
    if is_jpeg:
        decoder.options |= {"lowres": str(_lowres(size, max_side))}
    try:
        frames = [*decoder.decode(Packet(data)), *decoder.decode(None)]
    except av.error.PatchWelcomeError:
        return None
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise ValueError("its pixels are damaged or break off") from error
    if not frames:
        raise ValueError("its pixels break off")
    return frames[0]


def _need_end(data: bytes) -> None:
    """A progressive JPEG may break off between two scans, and then has pixels everywhere, but coarse ones."""
    at = 2
    while (found := _MARKER.search(data, at)) is not None:
        if data[found.start() + 1] == _END:
            return
        if found.start() + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, found.start() + 2)
        at = found.start() + 2 + length
    raise ValueError("its end is missing")


def _lowres(size: tuple[int, int], max_side: int) -> int:
    """By how many powers of two a JPEG may be shrunk while decoding and still reach `max_side`."""
    return next((power for power in range(_MOST_LOWRES, 0, -1) if max(size) >> power >= max_side), 0)


def turn_of_exif(block: bytes) -> Turn:
    """How stored pixels are made upright by an EXIF block; none where it does not say, or is damaged.

    Pillow's own reader of the block warns of a damaged one on standard error.
    """
    try:
        return _TURNS.get(_orientation(block.removeprefix(b"Exif\0\0")), Turn.NONE)
    except struct.error:
        return Turn.NONE


def _orientation(tiff: bytes) -> int:
    order = "<" if tiff.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for index in range(min(entries, _ENTRIES_LIMIT)):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * index)
        if tag == _ORIENTATION_TAG:
            return int(value)
    return 1
