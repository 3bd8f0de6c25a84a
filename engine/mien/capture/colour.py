"""Colour conversion of picture files to 8-bit sRGB, from ICC profiles or colour tags of PNG, AVIF and HEIC."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms
from PIL.ImageFile import ImageFile

from mien.capture import png
from mien.capture.grading import BT709, FORMAT, ColourEncoding, Grading, encoding_of

if TYPE_CHECKING:
    from mien.capture.still import Kind

_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
"""Profile colour space by image mode."""
_BITS = 258
"""TIFF's tag of bits per sample."""
_SAME = 1
"""Largest difference from sRGB, in levels, up to which a profile is ignored."""
_WITHOUT_RGB = ("1", "L", "LA", "I;16", "CMYK", "LAB")
"""Modes whose profile is not one of red, green and blue."""
_BOX = b"colrnclx"
_HEADERS = 1 << 16
"""Bytes in which the box is looked for."""
_SRGB_POWER = 1 / 2.2
_NEAR = 0.01
"""Of a power or a coordinate: sRGB, written in another way."""


class UnreadPixels(ValueError):
    """Samples without a defined range, so white is unknown: 32-bit integers and floats."""


def plain(image: Image.Image) -> Image.Image:
    """A decoded picture of any mode in one whose samples are 8-bit colours: it may be shrunk, and `srgb` takes it.

    Raises:
        UnreadPixels: 32-bit samples.
    """
    if image.mode in ("I", "F"):
        raise UnreadPixels("32 bits a sample")
    if image.mode.startswith("I;16"):
        tags = getattr(image, "tag_v2", {})
        bits = max(tags.get(_BITS, (16,)))  # of a TIFF file, which may have 12
        return Image.fromarray((np.asarray(image) >> (bits - 8)).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
    return image if image.mode in _SPACES else image.convert("L" if image.mode == "1" else "RGB")


def srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """What `plain` gave in mode RGB, or RGBA where it may be transparent.

    Args:
        profile: the ICC profile of its colours; None, damaged, or one of another kind of colours: they are sRGB, grey
            levels with its curve, or inks that mix as ideal ones would.
    """
    if image.mode not in ("LA", "RGBA"):
        return _converted(image, profile)
    converted = _converted(image.convert("L" if image.mode == "LA" else "RGB"), profile)
    converted.putalpha(image.getchannel("A"))
    return converted


@lru_cache(maxsize=16)
def is_srgb(profile: bytes) -> bool:
    """Whether a profile leaves the colours of an RGB picture as they are, whatever it is called."""
    return int(np.asarray(ImageChops.difference(_probe(), _converted(_probe(), profile))).max()) <= _SAME


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    source = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        if image.mode == "LAB"
        else _profile(profile, image.mode)
    )
    if source is not None:
        try:
            transform = ImageCms.buildTransform(source, _srgb_profile(), image.mode, "RGB")
            converted = ImageCms.applyTransform(image, transform)
            assert converted is not None
            return converted
        except ImageCms.PyCMSError:  # it has no way to sRGB
            pass
    return image.convert("RGB")


def _profile(data: bytes | None, mode: str) -> ImageCms.ImageCmsProfile | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else None
    except (OSError, ValueError, TypeError):
        return None
    fits = profile is not None and profile.profile.xcolor_space == _SPACES[mode]
    return profile if fits else None


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _probe() -> Image.Image:
    """Colours over all of the cube."""
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3))


@dataclass(frozen=True, slots=True)
class Colours:
    """What the numbers of a picture mean."""

    profile: bytes | None
    """ICC; None: sRGB, grey with its curve, or ideal inks."""
    encoding: ColourEncoding | None
    """In place of a profile; None: none."""

    @classmethod
    def of(cls, image: ImageFile, data: bytes, kind: Kind) -> Self:
        """Of a picture's file, opened as `image`."""
        overruled = kind == "PNG" and _named(data) is not None
        profile = None if overruled else image.info.get("icc_profile")
        if not isinstance(profile, bytes) or (image.mode not in _WITHOUT_RGB and is_srgb(profile)):
            profile = None
        return cls(profile, _encoding(image, data, kind))

    @property
    def are_converted(self) -> bool:
        """Whether they may be others than sRGB."""
        return self.profile is not None or self.encoding is not None

    def converted(self, picture: Image.Image) -> NDArray[np.uint8]:
        """A picture in a mode that `plain` gives -> (H, W, 3), or (H, W, 4) where it may be transparent, in sRGB."""
        pixels = np.array(srgb(picture, self.profile))
        if self.encoding is not None:
            colours = np.ascontiguousarray(pixels[:, :, :3])
            frame = VideoFrame.from_ndarray(colours, format="rgb24").reformat(format=FORMAT)
            pixels[:, :, :3] = Grading(self.encoding).apply(frame).reformat(format="rgb24").to_ndarray()
        return pixels


def _encoding(image: ImageFile, data: bytes, kind: Kind) -> ColourEncoding | None:
    if kind == "PNG":
        return _of_png(image, data)
    at = data.find(_BOX, 0, _HEADERS)
    if kind not in ("AVIF", "HEIC") or at < 0 or "icc_profile" in image.info:
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + len(_BOX))
    return encoding_of(primaries, transfer)


def _of_png(image: ImageFile, data: bytes) -> ColourEncoding | None:
    """By the chunks in the order in which the standard prefers them (PNG, third edition, 4.3)."""
    named = _named(data)
    if named is not None:
        return encoding_of(*named)
    if "icc_profile" in image.info or "srgb" in image.info:
        return None
    power, points = image.info.get("gamma", _SRGB_POWER), image.info.get("chromaticity")
    if not 0.1 < power < 2 or (points and min(points[1::2]) <= 0):
        return None
    white, red, green, blue = zip(points[::2], points[1::2], strict=True) if points else BT709[3:] + BT709[:3]
    encoding = ColourEncoding((red, green, blue, white), 1 / power)
    return None if _is_near_srgb(encoding, power) else encoding


def _named(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of a PNG file by their numbers in H.273."""
    body = png.body_of(data, b"cICP")
    return (body[0], body[1]) if body is not None and len(body) == 4 else None


def _is_near_srgb(encoding: ColourEncoding, power: float) -> bool:
    apart = np.abs(np.array(encoding.primaries) - np.array(BT709)).max()
    return abs(power - _SRGB_POWER) < _NEAR and float(apart) < _NEAR
