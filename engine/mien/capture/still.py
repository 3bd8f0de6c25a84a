"""Still pictures by Pillow: format detection by the first bytes, damage and size checks."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import BinaryIO, Literal

from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import DecompressionBombError
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mien.capture import png
from mien.capture.colour import UnreadPixels
from mien.errors import SourceError

Kind = Literal["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "AVIF", "HEIC"]
HEAD = 64
"""Bytes of a file that tell its kind."""
_DECODE_BYTES = (1 << 31) - 1
"""What a picture may take at 8 bytes a pixel."""
_TIFF_SIGNATURES = b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_COMPRESSION = 259
_EXTENTS = (273, 279), (324, 325)
"""TIFF's tags of where strips, or tiles, begin and how long they are."""
_REASON = 90
"""Characters of a decoder's own words that are shown."""
_NO_REASON = struct.error, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError
"""What Pillow raises where a header has fewer bytes than it counts on, or others."""
_NO_REASON_WORDS = "not identified by this driver", "broken PNG file ("
_UNREAD = UnreadPixels, SyntaxError, OSError
_UNREAD_WORDS = "unknown pixel mode", "Unsupported"
"""How Pillow begins to say that a TIFF or BMP file is whole but of a kind that it does not know."""
_warning_filters = Lock()


class UnreadPicture(SourceError):
    """A whole picture of a kind that Pillow does not read."""


def kind_of(head: bytes) -> Kind | None:
    """Of which kind a file is by its first `HEAD` bytes, or the whole of it; None for what is no still picture."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(png.SIGNATURE):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head[:4] in _TIFF_SIGNATURES:
        return "TIFF"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[4:8] == b"ftyp":
        return _kind_of_brands(head)
    return "BMP" if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" else None


def opened(data: bytes, kind: Kind, name: str) -> ImageFile:
    """The header of a picture; its own `load` decodes it.

    Raises:
        SourceError: damaged, larger than can be decoded, or of a kind for which an extra is not installed.
    """
    opener = _heif_opener(name) if kind == "HEIC" else _OPENERS[kind]
    with as_source_errors(kind, name), quietly():
        image = opener(io.BytesIO(png.checked(data) if kind == "PNG" else data))
        if isinstance(image, TiffImageFile):
            _need_extent(image, len(data))
    return image


def moves(file: BinaryIO) -> bool:
    """Whether a GIF file has more than one picture."""
    return GifImageFile(file).is_animated


def need_decodable(size: tuple[int, int], name: str) -> None:
    """Refuse what would not fit into memory.

    Raises:
        SourceError: more than 2 GiB at 8 bytes a pixel.
    """
    width, height = size
    if (8 * width + 1024) * (height + 128) >= _DECODE_BYTES:
        raise SourceError(
            f"{name}: expected a picture of at most 16,000 x 16,000 pixels, got {width:,} x {height:,}; "
            "shrink it, or save it as PNG without interlacing"
        )


@contextmanager
def as_source_errors(kind: Kind, name: str) -> Iterator[None]:
    """Tell what a decoder raises in one line; on bytes that are not of its format that may be of any class.

    Raises:
        SourceError: the picture is damaged, or does not fit into memory.
        UnreadPicture: it is whole, and of a kind that Pillow does not read.
    """
    try:
        yield
    except SourceError:
        raise
    except _UNREAD as error:
        if not isinstance(error, UnreadPixels) and not str(error).startswith(_UNREAD_WORDS):
            raise _damaged(kind, name, error) from error
        raise UnreadPicture(
            f"{name}: expected a picture, got a {kind} file of a kind that is not read ({error}); "
            "save it as PNG or JPEG"
        ) from error
    except (MemoryError, DecompressionBombError) as error:
        raise SourceError(f"{name}: expected a picture that fits into memory, got a larger one; shrink it") from error
    except Exception as error:
        raise _damaged(kind, name, error) from error


@contextmanager
def quietly() -> Iterator[None]:
    """Leave out Pillow's warnings of odd metadata; one thread at a time, since the filters are the process's."""
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _kind_of_brands(head: bytes) -> Kind | None:
    """AVIF and HEIC name themselves among their brands, the more general `mif1` may come first."""
    brands = {head[at : at + 4] for at in (8, *range(16, min(len(head), int.from_bytes(head[:4])), 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & _HEIC_BRANDS else None


def _need_extent(image: TiffImageFile, size: int) -> None:
    """Notice a compressed TIFF that breaks off before libtiff does, which writes to standard error itself."""
    tags = image.tag_v2
    if tags.get(_COMPRESSION, 1) == 1:
        return
    for begins, lengths in _EXTENTS:
        ends = [begin + length for begin, length in zip(tags.get(begins, ()), tags.get(lengths, ()), strict=False)]
        if ends and max(ends) > size:
            raise ValueError("its pixels break off")


def _heif_opener(name: str) -> Callable[[io.BytesIO], ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise SourceError(
            f"{name}: expected a picture that can be read, got a HEIC file without its reader; "
            "install it with `pip install mien[heif]`, or save the picture as JPEG"
        ) from error
    return HeifImageFile


def _damaged(kind: Kind, name: str, error: Exception) -> SourceError:
    return SourceError(f"{name}: expected a picture, got a damaged {kind} file ({_reason(error)}); save it again")


def _reason(error: Exception) -> str:
    """The decoder's own words, unless they are Python's or speak of Python's values."""
    words = str(error).strip().splitlines()
    pythons = isinstance(error, _NO_REASON) or isinstance(error.__cause__, _NO_REASON)
    if not words or pythons or any(part in words[0] for part in _NO_REASON_WORDS):
        return "it breaks off, or its header is wrong"
    return words[0][:_REASON]


_OPENERS: dict[Kind, Callable[[io.BytesIO], ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "AVIF": AvifImageFile,
}
"""Called rather than `Image.open`, which tries every plugin and takes its limits from a global of the process."""
